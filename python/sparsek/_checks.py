# Part of the sparsek project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Checks of arguments. Every message names the argument, what it got and what it needs."""

from __future__ import annotations

import math
import numbers
import operator
from typing import Any

import numpy as np

from sparsek import _library as lib
from sparsek._arrays import ITEM_SIZES, Buffer, describe_type

MAX_LENGTH = 2**31 - 1
# Limits of the kernels for GPUs: d and dv, query heads and rows of a tile, bytes that an offset of 32 bits reaches.
GPU_HEAD_DIM = 256
GPU_TILE_HEADS = 16
GPU_TILE_ROWS = 128
GPU_REACH = 2**32
GATES = ("none", "value", "key_value")
FLOATS = (lib.F32, lib.F16, lib.BF16)
FLOAT_NAMES = "float32, float16 or bfloat16"


def count(name: str, value: Any, minimum: int) -> int:
    """`value` as an int of at least `minimum`. Beyond any length all values mean the same, so they become one."""
    try:
        if isinstance(value, (bool, np.bool_)):
            raise TypeError
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name}: got {value!r}, needs an integer of at least {minimum}") from None
    if number < minimum:
        raise ValueError(f"{name}: got {number}, needs an integer of at least {minimum}")
    return min(number, MAX_LENGTH)


def finite(name: str, value: Any) -> float | None:
    """`value` as a finite float, or None for the default."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name}: got {value!r}, needs a finite number or None")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ValueError(f"{name}: got {number}, needs a finite number or None")
    return number


def gate_name(value: Any) -> str:
    """`value` as one of the gates."""
    if not isinstance(value, str):
        raise TypeError(f"gate: got {value!r}, needs one of {', '.join(map(repr, GATES))}")
    if value not in GATES:
        raise ValueError(f"gate: got {value!r}, needs one of {', '.join(map(repr, GATES))}")
    return value


def wrong_shape(name: str, buffer: Buffer, need: str) -> ValueError:
    return ValueError(f"{name}: got {describe_type(buffer[1], buffer[2])}, needs {need}")


def rank(name: str, buffer: Buffer, layout: tuple[str, ...]) -> None:
    """ValueError unless the array has as many dimensions as `layout` has names."""
    if len(buffer[2]) != len(layout):
        raise wrong_shape(name, buffer, f"{len(layout)} dimensions [{', '.join(layout)}]")


def dtype(name: str, buffer: Buffer, code: int, why: str = "") -> None:
    """TypeError unless the array has the element type `code`."""
    if buffer[1] != code:
        raise TypeError(f"{name}: got {describe_type(buffer[1], buffer[2])}, needs {lib.DTYPE_NAMES[code]}{why}")


def float_dtype(name: str, buffer: Buffer) -> None:
    """TypeError unless the array is of one of the element types of q, k, v, x and z."""
    if buffer[1] not in FLOATS:
        raise TypeError(f"{name}: got {describe_type(buffer[1], buffer[2])}, needs {FLOAT_NAMES}")


def shape(name: str, buffer: Buffer, need: tuple[int, ...], why: str) -> None:
    """ValueError unless the array has the shape `need`."""
    if buffer[2] != need:
        raise wrong_shape(name, buffer, f"shape {list(need)} {why}")


def length(name: str, buffer: Buffer, axis: int) -> None:
    """ValueError if positions along `axis` do not fit into int32."""
    if buffer[2][axis] > MAX_LENGTH:
        raise wrong_shape(name, buffer, f"at most {MAX_LENGTH} along dimension {axis}")


def attention_inputs(q: Buffer, k: Buffer, v: Buffer) -> int:
    """Checks q [B, Hq, Nq, d], k [B, Hkv, Nk, d], v [B, Hkv, Nk, dv]; returns the group size Hq / Hkv."""
    rank("q", q, ("B", "Hq", "Nq", "d"))
    rank("k", k, ("B", "Hkv", "Nk", "d"))
    rank("v", v, ("B", "Hkv", "Nk", "dv"))
    float_dtype("q", q)
    dtype("k", k, q[1], " like q")
    dtype("v", v, q[1], " like q")
    batch, heads, _, dim = q[2]
    kv_heads, keys = k[2][1:3]
    shape("k", k, (batch, kv_heads, keys, dim), "to match q in B and d")
    shape("v", v, (batch, kv_heads, keys, v[2][3]), "to match k in B, Hkv and Nk")
    length("q", q, 2)
    length("k", k, 2)
    if dim == 0:
        raise wrong_shape("q", q, "d of at least 1")
    if v[2][3] == 0:
        raise wrong_shape("v", v, "dv of at least 1")
    if kv_heads == 0 or heads == 0 or heads % kv_heads:
        raise wrong_shape("q", q, f"Hq a positive multiple of Hkv = {kv_heads} (k has {kv_heads} heads)")
    return heads // kv_heads


def gpu_inputs(q: Buffer, k: Buffer, v: Buffer, group: int) -> None:
    """ValueError unless the kernels for GPUs have tiles of the sizes d and dv, and 32 bits hold the distances in bytes
    within what a tile reads: the rows of one head of k and of v, some rows of the heads of q that share it."""
    step = 8 if q[1] == lib.F32 else 16
    for name, buffer, what in (("q", q, "d"), ("v", v, "dv")):
        if buffer[2][3] % step or buffer[2][3] > GPU_HEAD_DIM:
            raise wrong_shape(name, buffer, f"{what} a multiple of {step} up to {GPU_HEAD_DIM} on a GPU")
    for name, buffer in (("k", k), ("v", v)):
        if not rows_within_reach(buffer):
            raise wrong_shape(name, buffer, "the rows of a head within 4 GiB of memory on a GPU")
    heads, rows = (min(group, GPU_TILE_HEADS) - 1) * q[3][1], min(q[2][2], GPU_TILE_ROWS) * q[3][2]
    if (heads + rows) * ITEM_SIZES[q[1]] >= GPU_REACH:
        need = f"the {group} heads that share a head of k within 4 GiB of memory on a GPU"
        raise wrong_shape("q", q, f"{need}, as in a view of an array [B, Nq, Hq, d]")


def rows_within_reach(buffer: Buffer) -> bool:
    """Whether the rows of each head of an array [B, H, N, d] lie within 4 GiB."""
    _, code, shape, strides, _ = buffer
    return shape[2] * strides[2] * ITEM_SIZES[code] < GPU_REACH


def topk_mask_inputs(z: Buffer) -> None:
    """Checks z [..., n]."""
    float_dtype("z", z)
    if not 1 <= len(z[2]) <= lib.MAX_RANK:
        raise wrong_shape("z", z, f"1 to {lib.MAX_RANK} dimensions [..., n]")
    length("z", z, -1)


def causal_inputs(scores: Buffer) -> None:
    """Checks scores [B, Hkv, N]."""
    rank("scores", scores, ("B", "Hkv", "N"))
    dtype("scores", scores, lib.F32)
    length("scores", scores, 2)


def per_key(name: str, buffer: Buffer, k: Buffer, code: int) -> None:
    """Checks an array [B, Hkv, Nk] of one element per key."""
    dtype(name, buffer, code)
    shape(name, buffer, tuple(k[2][:3]), "to match k in B, Hkv and Nk")


def score_inputs(x: Buffer, weight: Buffer, bias: Buffer, slope: Buffer) -> None:
    """Checks x [B, N, c], weight [Hkv, c], bias [Hkv] and slope [Hkv]."""
    rank("x", x, ("B", "N", "c"))
    float_dtype("x", x)
    rank("weight", weight, ("Hkv", "c"))
    dtype("weight", weight, x[1], " like x")
    length("x", x, 1)
    heads = weight[2][0]
    shape("weight", weight, (heads, x[2][2]), "to match x in c")
    dtype("bias", bias, lib.F32)
    shape("bias", bias, (heads,), "to match weight in Hkv")
    dtype("slope", slope, lib.F32)
    shape("slope", slope, (heads,), "to match weight in Hkv")
