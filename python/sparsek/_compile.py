# Part of the sparsek project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Any MLIR module of the dialect, compiled and called from Python."""

from __future__ import annotations

import numbers
import weakref
from typing import Any

import numpy as np

from sparsek import _cuda as cuda
from sparsek import _library as lib
from sparsek import _modules as modules
from sparsek._arrays import NUMPY, Buffer, Kind, describe_type, kind_of, same_kind
from sparsek._errors import CompileError, call_error

_NUMBERS = (int, float, np.number, np.bool_)


def _type_text(kind: lib.TensorType) -> str:
    sizes = ["?" if size == lib.DYNAMIC else str(size) for size in kind.sizes[: kind.rank]]
    return f"{lib.DTYPE_NAMES[kind.code]} [{', '.join(sizes)}]"


def _scalar(label: str, value: Any, need: lib.TensorType) -> Buffer:
    """The buffer of a number, which must be of the kind (bool, integer, real) that the element type holds."""
    _, empty = NUMPY.empty((), need.code)
    array = empty[4]
    fits = isinstance(value, (bool, np.bool_)) if need.code == lib.I1 else not isinstance(value, (bool, np.bool_))
    if lib.I1 < need.code <= lib.I64:
        fits = fits and isinstance(value, numbers.Integral)
    if not fits:
        raise TypeError(f"{label}: got {value!r}, needs {_type_text(need)}")
    try:
        array[...] = value
    except OverflowError:
        raise ValueError(f"{label}: got {value!r}, needs {_type_text(need)}") from None
    return empty


class _Handle:
    """A compiled module of the C API, destroyed with the last function that needs it."""

    def __init__(self, handle: int) -> None:
        self.value = handle
        weakref.finalize(self, lib.library.sparsekModuleDestroy, handle).atexit = False


class Function:
    """A function of a compiled module. Calling it checks the arrays against its signature and returns its results:
    None, an array, or a tuple of arrays, of the kind of the arguments (numpy if there are none).

    An argument that is a memref in the text is written in place where the function writes it. A scalar argument, and
    an array without dimensions, may be a number. A function that is compiled for a GPU takes arrays on one GPU, at
    least one, runs on the current stream of their library there, and is not waited for.
    """

    def __init__(self, module: _Handle, name: str, target: str) -> None:
        self.__name__ = name
        self._module = module
        self._target = target
        self._on_gpu = is_gpu(target)
        self._handle = handle = modules.lookup(module.value, name)
        library = lib.library
        inputs = range(library.sparsekFunctionGetNumInputs(handle))
        results = range(library.sparsekFunctionGetNumResults(handle))
        self._inputs = [library.sparsekFunctionGetInputType(handle, index) for index in inputs]
        self._results = [library.sparsekFunctionGetResultType(handle, index) for index in results]
        self._written = [library.sparsekFunctionWritesInput(handle, index) for index in inputs]
        self._pack = modules.pack_layout(need.rank for need in self._inputs)

    def __repr__(self) -> str:
        inputs = ", ".join(map(_type_text, self._inputs))
        results = ", ".join(map(_type_text, self._results))
        return f"<sparsek function {self.__name__}({inputs}) -> ({results})>"

    def __call__(self, *arrays: Any) -> Any:
        if len(arrays) != len(self._inputs):
            raise TypeError(f"{self.__name__}: got {len(arrays)} arguments, needs {len(self._inputs)}")
        kind: Kind | None = None
        buffers: list[Buffer] = []
        for index, array in enumerate(arrays):
            need = self._inputs[index]
            if not need.rank and isinstance(array, _NUMBERS):
                buffers.append(_scalar(self._label(index), array, need))
                continue
            if kind is None:
                kind = self._first_kind(index, array)
            buffers.append(self._describe(kind, index, array))
        fields: list[Any] = []
        for address, code, shape, strides, _ in buffers:
            fields += (address, 0, code, len(shape), *shape, *strides)
        results = (lib.Tensor * len(self._results))()
        if kind is None:
            if self._on_gpu:
                raise TypeError(f"{self.__name__}: got no array, needs at least one, on the GPU to run on")
            kind = NUMPY
        execution = kind.execution()
        if not lib.library.sparsekFunctionInvokeOn(
            self._handle, execution, self._pack(*fields), len(buffers), results, len(results), lib.collect, None
        ):
            raise call_error(lib.take_messages())
        # Each adopted array owns a copy of its descriptor.
        made = [kind.finish(kind.adopt(lib.Tensor.from_buffer_copy(result))) for result in results]
        return None if not made else made[0] if len(made) == 1 else tuple(made)

    def _label(self, index: int) -> str:
        return f"argument {index} of {self.__name__}"

    def _first_kind(self, index: int, array: Any) -> Kind:
        """The kind of the first array, which says where the call runs."""
        label = self._label(index)
        kind = kind_of(label, array)
        if kind.on_gpu != self._on_gpu:
            need = "a GPU" if self._on_gpu else "the CPU"
            raise ValueError(
                f"{label}: got an array on {kind.place}, needs one on {need}: the module is compiled for target "
                f"{self._target!r}"
            )
        return kind

    def _describe(self, kind: Kind, index: int, array: Any) -> Buffer:
        label = self._label(index)
        same_kind(kind, label, array)
        kind.refuse_gradients(label, array)
        buffer = kind.describe(label, array)
        _, code, shape, _, owner = buffer
        need = self._inputs[index]
        if code != need.code:
            raise TypeError(f"{label}: got {describe_type(code, shape)}, needs {_type_text(need)}")
        fits = len(shape) == need.rank and all(
            size in (have, lib.DYNAMIC) for have, size in zip(shape, need.sizes, strict=False)
        )
        if not fits:
            raise ValueError(f"{label}: got {describe_type(code, shape)}, needs {_type_text(need)}")
        if self._written[index] and not kind.is_writable(array, owner):
            raise ValueError(f"{label}: got an array that is read-only or not aligned, needs one that can be written")
        return buffer


class Module:
    """A compiled module: ``module.NAME(*arrays)`` calls its public function NAME, ``dir(module)`` lists them, and
    ``module["NAME"]`` finds one whose name is no Python identifier."""

    def __init__(self, handle: int, target: str) -> None:
        library = lib.library
        module = _Handle(handle)
        names = [
            library.sparsekModuleGetFunctionName(handle, index).decode()
            for index in range(library.sparsekModuleGetNumFunctions(handle))
        ]
        self._functions = {name: Function(module, name, target) for name in names}

    def __getitem__(self, name: str) -> Function:
        function = self._functions.get(name)
        if function is None:
            names = ", ".join(self._functions) or "none"
            raise KeyError(f"no function {name!r} in the module; its functions: {names}")
        return function

    def __getattr__(self, name: str) -> Function:
        functions = self.__dict__.get("_functions", {})
        if name in functions or not name.startswith("_"):
            try:
                return self[name]
            except KeyError as error:
                raise AttributeError(error.args[0]) from None
        raise AttributeError(name)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self._functions})

    def __repr__(self) -> str:
        return f"<sparsek module with {', '.join(self._functions) or 'no function'}>"


def is_gpu(target: str) -> bool:
    """Whether a target is a GPU: "cuda" or a chip such as "sm_90a"."""
    return target == "cuda" or target.startswith("sm_")


def compile(mlir: str | bytes, *, target: str = "cpu", cache: bool = True) -> Module:  # noqa: A001
    """Compiles MLIR text or bytecode that uses the sparsek dialect and upstream's.

    Args:
        mlir: a module as text (str or bytes) or as MLIR bytecode (bytes).
        target: "cpu", this machine's processor, or a processor by LLVM's name ("x86-64-v3"); "cuda", the first GPU of
            this machine, or a chip by name ("sm_90a", "sm_80"), which needs no GPU to compile.
        cache: keep the compiled code in memory and on disk, and take it from there.

    Returns:
        A module whose public functions are callable by name. Their arguments and results are tensors or memrefs of
        bool, int8 to int64, float16, bfloat16, float32 or float64, of at most 8 dimensions.

    Raises:
        CompileError: (a ValueError) the module is malformed or cannot be lowered; `diagnostics` has the messages with
            their locations.
        ValueError: a target that this build cannot compile for.
        TypeError: an argument of another type.
    """
    if isinstance(mlir, str):
        mlir = mlir.encode()
    elif not isinstance(mlir, bytes):
        raise TypeError(f"mlir: got {type(mlir).__name__}, needs str or bytes")
    if not isinstance(target, str):
        raise TypeError(f"target: got {target!r}, needs the name of a target such as 'cpu'")
    if not target or "\0" in target:
        raise ValueError(f"target: got {target!r}, needs 'cpu', 'cuda' or the name of a processor or chip")
    reason = cuda.unavailable() if target == "cuda" else None
    if reason is not None:
        raise ValueError(f"target: got 'cuda', needs a GPU (a chip by name, such as 'sm_90a', needs none): {reason}")
    return Module(modules.compile_source(mlir, target, bool(cache)), target)


def targets() -> dict[str, str]:
    """What `compile` can compile for: the name of each target and what it is, or why it is unavailable."""
    library = lib.library
    threads = "OpenMP threads" if library.sparsekHasThreads() else "one thread: no OpenMP runtime found"
    processor = library.sparsekHostTarget().decode().partition(" ")[0]
    return {"cpu": f"{processor}; {threads}", "cuda": cuda.describe_devices()}


def version() -> str:
    """The version of the compiler, "MAJOR.MINOR.PATCH"."""
    text: str = lib.library.sparsekVersion().decode()
    return text


__all__ = ["CompileError", "Function", "Module", "compile", "targets", "version"]
