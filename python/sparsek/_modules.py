# Part of the sparsek project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The MLIR modules of the everyday calls, and the cache of their compiled functions.

What is static in a module: element type, d, dv, group size, gate, topk, window, scale. B, heads and lengths are
dynamic. Every argument is a strided memref, the results trail, and results are written in place.
"""

from __future__ import annotations

import struct
import threading
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from sparsek import _library as lib
from sparsek._arrays import Buffer
from sparsek._errors import CompileError, call_error

# SparseKTensor after (data, owner, elementType, rank): the sizes and strides in use, padded to MAX_RANK.
_LAYOUTS = [
    f"PPii{rank}q{8 * (lib.MAX_RANK - rank)}x{rank}q{8 * (lib.MAX_RANK - rank)}x" for rank in range(lib.MAX_RANK + 1)
]


def pack_layout(ranks: Iterable[int]) -> Callable[..., bytes]:
    """The function that packs an array of SparseKTensor from its flat fields."""
    return struct.Struct("@" + "".join(_LAYOUTS[rank] for rank in ranks)).pack


def compile_source(source: bytes, target: str, cache: bool) -> int:
    """The handle of the compiled module. CompileError with the diagnostics on failure."""
    options = lib.CompileOptions(target.encode(), cache, False)
    handle: int | None = lib.library.sparsekCompile(source, len(source), options, lib.collect, None)
    messages = lib.take_messages()
    if not handle:
        raise CompileError(messages or ["compilation failed without a diagnostic"])
    return handle


def lookup(module: int, name: str) -> int:
    """The handle of a function of a compiled module. CompileError if there is none."""
    handle: int | None = lib.library.sparsekModuleLookup(module, name.encode(), lib.collect, None)
    messages = lib.take_messages()
    if not handle:
        raise CompileError(messages or [f"no function '{name}'"])
    return handle


class Kernel:
    """A function, compiled for a target, whose arguments are all memrefs."""

    def __init__(self, target: str, source: str, name: str, ranks: Iterable[int]) -> None:
        self.source = source
        self._function = lookup(compile_source(source.encode(), target, True), name)
        self._pack = pack_layout(ranks)

    def __call__(self, execution: bytes, *buffers: Buffer) -> None:
        """Raises MemoryError, RuntimeError or ValueError, see `call_error`."""
        fields: list[Any] = []
        for address, code, shape, strides, _ in buffers:
            fields += (address, 0, code, len(shape), *shape, *strides)
        packed = self._pack(*fields)
        if not lib.library.sparsekFunctionInvokeOn(
            self._function, execution, packed, len(buffers), None, 0, lib.collect, None
        ):
            raise call_error(lib.take_messages())


class _Value(NamedTuple):
    """An argument of a generated function: its SSA name, sizes ("?" or a number) and element type, and whether rows
    follow each other in memory."""

    name: str
    sizes: tuple[str, ...]
    element: str
    dense_rows: bool = False

    @property
    def tensor(self) -> str:
        return f"tensor<{'x'.join((*self.sizes, self.element))}>"

    @property
    def memref(self) -> str:
        shape = "x".join((*self.sizes, self.element))
        strides = ["?"] * (len(self.sizes) - 1) + ["1"] * bool(self.sizes)
        if self.dense_rows:
            strides[-2] = self.sizes[-1]
        return f"memref<{shape}, strided<[{', '.join(strides)}], offset: ?>>"


def _value(name: str, sizes: str, code: int) -> _Value:
    return _Value(name, tuple(sizes.split()), lib.MLIR_NAMES[code])


def _ssa(names: Iterable[str]) -> str:
    return ", ".join(f"%{name}" for name in names)


def _operands(values: Iterable[_Value]) -> str:
    values = tuple(values)
    return f"({_ssa(value.name for value in values)} : {', '.join(value.tensor for value in values)})"


def _destinations(values: tuple[_Value, ...]) -> str:
    return _operands(value._replace(name=f"{value.name}_init") for value in values)


class _Function:
    """The text of one function: inputs become tensors, results are written to the trailing memrefs."""

    def __init__(self, name: str, inputs: tuple[_Value, ...], outputs: tuple[_Value, ...]) -> None:
        self._name = name
        self._arguments = [(f"%{value.name}_memref: {value.memref}") for value in (*inputs, *outputs)]
        self._outputs = outputs
        self._constants: dict[int, str] = {}
        self._lines: list[str] = []
        for value in inputs:
            self._to_tensor(value, value.name, "restrict")
        for value in outputs:
            self._to_tensor(value, value.name + "_init", "restrict writable")

    def add(self, line: str) -> None:
        self._lines.append(line)

    def _to_tensor(self, value: _Value, name: str, flags: str) -> None:
        self.add(f"%{name} = bufferization.to_tensor %{value.name}_memref {flags} : {value.memref} to {value.tensor}")

    def empty(self, value: _Value, like: str, like_type: str) -> None:
        """``%NAME_init = tensor.empty(...)`` with the dynamic sizes of another value of the same shape."""
        dynamic = [axis for axis, size in enumerate(value.sizes) if size == "?"]
        for axis in dynamic:
            self._constants[axis] = f"%c{axis} = arith.constant {axis} : index"
            self.add(f"%{value.name}_{axis} = tensor.dim %{like}, %c{axis} : {like_type}")
        sizes = _ssa(f"{value.name}_{axis}" for axis in dynamic)
        self.add(f"%{value.name}_init = tensor.empty({sizes}) : {value.tensor}")

    def op(
        self, op: str, clauses: str, inputs: str, outputs: tuple[_Value, ...], gating_outputs: tuple[_Value, ...] = ()
    ) -> None:
        """One op of the dialect; destinations are the outputs' ``_init``."""
        destinations = f"outs{_destinations(outputs)}"
        if gating_outputs:
            destinations += f" gating_outs{_destinations(gating_outputs)}"
        results = (*outputs, *gating_outputs)
        self.add(
            f"{_ssa(value.name for value in results)} = sparsek.{op} {clauses} {inputs} {destinations} -> "
            f"{', '.join(value.tensor for value in results)}"
        )

    def text(self) -> str:
        for value in self._outputs:
            self.add(
                f"bufferization.materialize_in_destination %{value.name} in restrict writable "
                f"%{value.name}_memref : ({value.tensor}, {value.memref}) -> ()"
            )
        lines = [*self._constants.values(), *self._lines, "return"]
        body = "".join(f"  {line}\n" for line in lines)
        return f"func.func @{self._name}({', '.join(self._arguments)}) {{\n{body}}}\n"


def topk_mask_text(code: int, rank: int, topk: int) -> str:
    """``topk_mask(z, p, tau)`` on arrays of `rank` dimensions."""
    z = _value("z", "? " * rank, code)
    p = _value("p", "? " * rank, code)
    tau = _value("tau", "? " * (rank - 1), lib.F32)
    function = _Function("topk_mask", (z,), (p, tau))
    function.op("topk_mask", f"topk({topk})", f"ins{_operands((z,))}", (p, tau))
    return function.text()


def _lifetimes(scores: str, end: str) -> tuple[_Value, tuple[_Value, _Value, _Value]]:
    u = _value(scores, "? ? ?", lib.F32)
    results = (_value(end, "? ? ?", lib.I32), _value("tau", "? ? ?", lib.F32), _value("free", "? ? ?", lib.I32))
    return u, results


def causal_topk_mask_text(topk: int, window: int) -> str:
    """``causal_topk_mask(scores, end, tau, free)``."""
    u, results = _lifetimes("scores", "end")
    function = _Function("causal_topk_mask", (u,), results)
    function.op("causal_topk_mask", f"topk({topk}) window({window})", f"ins{_operands((u,))}", results)
    return function.text()


class AttentionStatics(NamedTuple):
    """What is static in an attention module; also its key in the cache.

    With `dense_rows` the rows of q, k and v follow each other without gaps, so that the kernel knows their distance.
    """

    code: int
    d: int
    dv: int
    group: int
    gate: str
    window: int
    scale: float | None
    topk: int | None = None
    dense_rows: bool = False

    def clauses(self) -> str:
        # MLIR's float literals need a point, which repr() may leave out.
        scale = "" if self.scale is None else f" scale({self.scale:.17e})"
        return f"gate({self.gate}) window({self.window}){scale} group({self.group})"

    def values(self) -> tuple[tuple[_Value, _Value, _Value], tuple[_Value, _Value]]:
        """(query, key, value), (output, lse)."""
        q, k, v = (
            _value(name, f"? ? ? {size}", self.code)._replace(dense_rows=self.dense_rows)
            for name, size in (("q", self.d), ("k", self.d), ("v", self.dv))
        )
        o = _value("o", f"? ? ? {self.dv}", self.code)
        return (q, k, v), (o, _value("lse", "? ? ?", lib.F32))


def sparse_attention_text(statics: AttentionStatics) -> str:
    """``sparse_attention(q, k, v, end[, scores, tau], o, lse)``."""
    qkv, outputs = statics.values()
    end = _value("end", "? ? ?", lib.I32)
    gating: tuple[_Value, ...] = ()
    if statics.gate != "none":
        gating = (_value("scores", "? ? ?", lib.F32), _value("tau", "? ? ?", lib.F32))
    function = _Function("sparse_attention", (*qkv, end, *gating), outputs)
    operands = f"ins{_operands((*qkv, end))}" + (f" gating{_operands(gating)}" if gating else "")
    function.op("sparse_attention", statics.clauses(), operands, outputs)
    return function.text()


def attention_text(statics: AttentionStatics) -> str:
    """``attention(q, k, v, scores, o)``: the selection, then the attention over what it keeps."""
    qkv, (o, lse) = statics.values()
    u, lifetimes = _lifetimes("scores", "end")
    function = _Function("attention", (*qkv, u), (o,))
    for value in lifetimes:
        function.empty(value, "scores", u.tensor)
    function.op(
        "causal_topk_mask", f"topk({statics.topk}) window({statics.window})", f"ins{_operands((u,))}", lifetimes
    )
    function.empty(lse, "q", qkv[0].tensor)
    end, tau, _ = lifetimes
    gating = f" gating{_operands((u, tau))}" if statics.gate != "none" else ""
    function.op("sparse_attention", statics.clauses(), f"ins{_operands((*qkv, end))}{gating}", (o, lse))
    return function.text()


def score_text(code: int) -> str:
    """``score(x, weight, bias, slope, u)``."""
    inputs = (
        _value("x", "? ? ?", code),
        _value("weight", "? ?", code),
        _value("bias", "?", lib.F32),
        _value("slope", "?", lib.F32),
    )
    u = _value("u", "? ? ?", lib.F32)
    function = _Function("score", inputs, (u,))
    function.op("score", "", f"ins{_operands(inputs)}", (u,))
    return function.text()


def topk_mask_grad_text(code: int, rank: int, has_grad_tau: bool) -> str:
    """``topk_mask_grad(z, tau, grad_p[, grad_tau], grad_z)``."""
    z, grad_p, grad_z = (_value(name, "? " * rank, code) for name in ("z", "grad_p", "grad_z"))
    tau, grad_tau = (_value(name, "? " * (rank - 1), lib.F32) for name in ("tau", "grad_tau"))
    inputs = (z, tau, grad_p)
    function = _Function("topk_mask_grad", (*inputs, *[grad_tau] * has_grad_tau), (grad_z,))
    clause = f" grad_tau{_operands((grad_tau,))}" if has_grad_tau else ""
    function.op("topk_mask_grad", "", f"ins{_operands(inputs)}{clause}", (grad_z,))
    return function.text()


def causal_topk_mask_grad_text(window: int) -> str:
    """``causal_topk_mask_grad(scores, tau, free, grad_tau, grad_scores)``."""
    u, (_, tau, free) = _lifetimes("scores", "end")
    grad_tau, grad_u = (_value(name, "? ? ?", lib.F32) for name in ("grad_tau", "grad_scores"))
    inputs = (u, tau, free, grad_tau)
    function = _Function("causal_topk_mask_grad", inputs, (grad_u,))
    function.op("causal_topk_mask_grad", f"window({window})", f"ins{_operands(inputs)}", (grad_u,))
    return function.text()


def sparse_attention_grad_text(statics: AttentionStatics, has_grad_lse: bool) -> str:
    """``sparse_attention_grad(q, k, v, end, o, lse, grad_o[, scores, tau][, grad_lse], grad_q, grad_k, grad_v
    [, grad_scores, grad_tau])``."""
    qkv, (o, lse) = statics.values()
    inputs = (*qkv, _value("end", "? ? ?", lib.I32), o, lse, o._replace(name="grad_o"))
    gating: tuple[_Value, ...] = ()
    if statics.gate != "none":
        gating = (_value("scores", "? ? ?", lib.F32), _value("tau", "? ? ?", lib.F32))
    grad_lse = (lse._replace(name="grad_lse"),) if has_grad_lse else ()
    outputs, gating_outputs = (
        tuple(value._replace(name=f"grad_{value.name}") for value in values) for values in (qkv, gating)
    )
    function = _Function("sparse_attention_grad", (*inputs, *gating, *grad_lse), (*outputs, *gating_outputs))
    operands = f"ins{_operands(inputs)}"
    if grad_lse:
        operands += f" grad_lse{_operands(grad_lse)}"
    if gating:
        operands += f" gating{_operands(gating)}"
    function.op("sparse_attention_grad", statics.clauses(), operands, outputs, gating_outputs)
    return function.text()


_kernels: dict[str, dict[Any, Kernel]] = {}
_lock = threading.Lock()


def kernel(target: str, key: tuple[Any, ...], text: Callable[..., str], ranks: tuple[int, ...]) -> Kernel:
    """The function of `text(*arguments)`, compiled for a target; `key` is ``(name, *arguments)``. Compiles it the first
    time."""
    kernels = _kernels.setdefault(target, {})
    found = kernels.get(key)
    if found is not None:
        return found
    with _lock:
        found = kernels.get(key)
        if found is None:
            found = kernels[key] = Kernel(target, text(*key[1:]), key[0], ranks)
    return found
