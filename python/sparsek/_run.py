# Part of the sparsek project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs the compiled functions: check the arrays, find the function, call it into new arrays of the same kind.

What is no array (topk, window, gate, scale) was checked by the caller.
"""

from __future__ import annotations

from math import inf
from typing import Any

from sparsek import _checks as check
from sparsek import _library as lib
from sparsek import _modules as modules
from sparsek._arrays import Buffer, Kind


def _call(kind: Kind, kernel: modules.Kernel, *buffers: Buffer) -> None:
    """Calls a kernel; a second time if there was no memory for it and the arrays' library kept some that is free."""
    try:
        kernel(kind.execution(), *buffers)
    except MemoryError:
        if not kind.release_memory():
            raise
        kernel(kind.execution(), *buffers)


def topk_mask(kind: Kind, z: Any, topk: int) -> tuple[Any, Any]:
    """(p, tau)."""
    bz = kind.describe("z", z)
    check.topk_mask_inputs(bz)
    code, shape = bz[1], bz[2]
    rank = len(shape)
    p, bp = kind.empty(shape, code)
    tau, btau = kind.empty(shape[:-1], lib.F32)
    if 0 in shape:
        tau[...] = -inf
    else:
        kernel = modules.kernel(
            kind.target, ("topk_mask", code, rank, topk), modules.topk_mask_text, (rank, rank, rank - 1)
        )
        kernel(kind.execution(), bz, bp, btau)
    return kind.finish(p), kind.finish(tau)


def causal_topk_mask(kind: Kind, scores: Any, topk: int, window: int) -> tuple[Any, Any, Any]:
    """(end, tau, free)."""
    bu = kind.describe("scores", scores)
    check.causal_inputs(bu)
    shape = bu[2]
    end, bend = kind.empty(shape, lib.I32)
    tau, btau = kind.empty(shape, lib.F32)
    free, bfree = kind.empty(shape, lib.I32)
    if 0 not in shape:
        kernel = modules.kernel(
            kind.target, ("causal_topk_mask", topk, window), modules.causal_topk_mask_text, (3, 3, 3, 3)
        )
        kernel(kind.execution(), bu, bend, btau, bfree)
    return kind.finish(end), kind.finish(tau), kind.finish(free)


def sparse_attention(
    kind: Kind, q: Any, k: Any, v: Any, end: Any, scores: Any, tau: Any, window: int, gate: str, scale: float | None
) -> tuple[Any, Any]:
    """(o, lse); scores and tau are not read without a gate."""
    bq, bk, bv = kind.describe_input("q", q), kind.describe_input("k", k), kind.describe_input("v", v)
    group = check.attention_inputs(bq, bk, bv)
    bend = kind.describe_input("end", end)
    check.per_key("end", bend, bk, lib.I32)
    inputs = [bq, bk, bv, bend]
    if gate != "none":
        for name, array in (("scores", scores), ("tau", tau)):
            buffer = kind.describe_input(name, array)
            check.per_key(name, buffer, bk, lib.F32)
            inputs.append(buffer)
    batch, heads, queries, d = bq[2]
    dv = bv[2][3]
    shape = (batch, heads, queries, dv)
    if kind.on_gpu:
        check.gpu_inputs(bq, bk, bv, group)
    if not batch or not queries or not bk[2][2]:
        return kind.full(shape, bq[1], 0.0), kind.full(shape[:3], lib.F32, -inf)
    o, bo = kind.empty(shape, bq[1])
    lse, blse = kind.empty(shape[:3], lib.F32)
    dense_rows = kind.on_gpu and bq[3][2] == d and bk[3][2] == d and bv[3][2] == dv
    statics = modules.AttentionStatics(bq[1], d, dv, group, gate, window, scale, None, dense_rows)
    kernel = modules.kernel(
        kind.target,
        ("sparse_attention", statics),
        modules.sparse_attention_text,
        (4, 4, 4, *[3] * (len(inputs) - 3), 4, 3),
    )
    _call(kind, kernel, *inputs, bo, blse)
    return kind.finish(o), kind.finish(lse)


def attention(
    kind: Kind, q: Any, k: Any, v: Any, scores: Any, topk: int, window: int, gate: str, scale: float | None
) -> Any:
    """o."""
    bq, bk, bv = kind.describe("q", q), kind.describe("k", k), kind.describe("v", v)
    group = check.attention_inputs(bq, bk, bv)
    bu = kind.describe("scores", scores)
    check.per_key("scores", bu, bk, lib.F32)
    batch, heads, queries, d = bq[2]
    dv = bv[2][3]
    o, bo = kind.empty((batch, heads, queries, dv), bq[1])
    if not batch or not queries or not bk[2][2]:
        o[...] = 0
    else:
        statics = modules.AttentionStatics(bq[1], d, dv, group, gate, window, scale, topk)
        kernel = modules.kernel(kind.target, ("attention", statics), modules.attention_text, (4, 4, 4, 3, 4))
        kernel(kind.execution(), bq, bk, bv, bu, bo)
    return kind.finish(o)


def score(kind: Kind, x: Any, weight: Any, bias: Any, slope: Any) -> Any:
    """scores."""
    bx, bw = kind.describe("x", x), kind.describe("weight", weight)
    bb, bs = kind.describe("bias", bias), kind.describe("slope", slope)
    check.score_inputs(bx, bw, bb, bs)
    batch, length, _ = bx[2]
    heads = bw[2][0]
    scores, bu = kind.empty((batch, heads, length), lib.F32)
    if batch and heads and length:
        kernel = modules.kernel(kind.target, ("score", bx[1]), modules.score_text, (3, 2, 1, 1, 3))
        kernel(kind.execution(), bx, bw, bb, bs, bu)
    return kind.finish(scores)


def topk_mask_grad(kind: Kind, z: Any, tau: Any, grad_p: Any, grad_tau: Any) -> Any:
    """The gradient of z from those of p and, unless None, tau."""
    bz = kind.describe("z", z)
    code, shape = bz[1], bz[2]
    rank = len(shape)
    inputs = [bz, kind.describe("tau", tau), kind.describe("grad_p", grad_p)]
    if grad_tau is not None:
        inputs.append(kind.describe("grad_tau", grad_tau))
    grad_z, bgrad = kind.empty(shape, code)
    if 0 not in shape:
        has_tau = grad_tau is not None
        kernel = modules.kernel(
            kind.target,
            ("topk_mask_grad", code, rank, has_tau),
            modules.topk_mask_grad_text,
            (rank, rank - 1, rank, *[rank - 1] * has_tau, rank),
        )
        kernel(kind.execution(), *inputs, bgrad)
    return kind.finish(grad_z)


def causal_topk_mask_grad(kind: Kind, scores: Any, tau: Any, free: Any, grad_tau: Any, window: int) -> Any:
    """The gradient of the scores from that of tau."""
    arrays = {"scores": scores, "tau": tau, "free": free, "grad_tau": grad_tau}
    inputs = [kind.describe(name, array) for name, array in arrays.items()]
    shape = inputs[0][2]
    grad_scores, bgrad = kind.empty(shape, lib.F32)
    if 0 not in shape:
        kernel = modules.kernel(
            kind.target, ("causal_topk_mask_grad", window), modules.causal_topk_mask_grad_text, (3,) * 5
        )
        kernel(kind.execution(), *inputs, bgrad)
    return kind.finish(grad_scores)


def sparse_attention_grad(
    kind: Kind, inputs: dict[str, Any], grad_lse: Any, window: int, gate: str, scale: float | None
) -> list[Any]:
    """The gradients of q, k, v and, when gated, scores and tau.

    `inputs` are q, k, v, end, o, lse and grad_o by name, and, when gated, scores and tau.
    """
    named = {name: kind.describe(name, array) for name, array in inputs.items()}
    bq, bk, bv = named["q"], named["k"], named["v"]
    shapes = [bq[2], bk[2], bv[2]] + ([] if gate == "none" else [bk[2][:3]] * 2)
    made = [kind.empty(shape, bq[1] if len(shape) == 4 else lib.F32) for shape in shapes]
    batch, heads, queries, d = bq[2]
    keys = bk[2][2]
    if not batch or not queries or not keys:
        for array, _ in made:
            array[...] = 0
    else:
        statics = modules.AttentionStatics(bq[1], d, bv[2][3], heads // bk[2][1], gate, window, scale)
        buffers: list[Buffer] = list(named.values())
        if grad_lse is not None:
            buffers.append(kind.describe("grad_lse", grad_lse))
        buffers += [buffer for _, buffer in made]
        kernel = modules.kernel(
            kind.target,
            ("sparse_attention_grad", statics, grad_lse is not None),
            modules.sparse_attention_grad_text,
            tuple(len(buffer[2]) for buffer in buffers),
        )
        kernel(kind.execution(), *buffers)
    return [kind.finish(array) for array, _ in made]
