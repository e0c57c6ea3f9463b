# Part of the sparsek project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the operations mean, written from their definitions: exact integers for tau, float64 for the rest.

Shares no code with the package. Slow on purpose: sets are built by sorting, masks are dense.
"""

from __future__ import annotations

import heapq
from fractions import Fraction

import numpy as np

# Every finite float32 is an integer multiple of 2^-149, so thresholds can be solved in Python's integers.
ONE = 2**149


def clean(u: np.ndarray) -> np.ndarray:
    """Scores with NaN read as -inf."""
    return np.where(np.isnan(u), -np.inf, u).astype(np.float32)


def _nearest_float32(value: Fraction) -> np.float32:
    guess = np.float32(float(value))
    near = [np.nextafter(guess, np.float32(-np.inf)), guess, np.nextafter(guess, np.float32(np.inf))]

    def rank(candidate: np.float32) -> tuple[Fraction, int]:
        odd = int(candidate.view(np.int32)) & 1
        return abs(Fraction(float(candidate)) - value), odd

    return min((c for c in near if np.isfinite(c)), key=rank)


def threshold(u: np.ndarray, topk: int) -> np.float32:
    """inf { x : sum clamp(u - x, 0, 1) <= topk } over the entries of one row, correctly rounded."""
    u = clean(u)
    values = sorted(int(Fraction(float(x)) * ONE) for x in u if np.isfinite(x))
    if len(values) <= topk:
        return np.float32(-np.inf)

    def total(x: int) -> int:
        return sum(min(max(value - x, 0), ONE) for value in values)

    points = sorted({*values, *(value - ONE for value in values)})
    low, high = 0, len(points) - 1
    # The first breakpoint where the sum is at most topk.
    while low < high:
        middle = (low + high) // 2
        if total(points[middle]) <= topk * ONE:
            high = middle
        else:
            low = middle + 1
    right, left = points[low], points[low - 1]
    # Between two breakpoints the sum falls by one for each free entry.
    free = sum(1 for value in values if value >= right and value - ONE <= left)
    excess = total(left) - topk * ONE
    return _nearest_float32(Fraction(left * free + excess, free * ONE))


def mask(u: np.ndarray, tau: np.float32) -> np.ndarray:
    """clamp(u - tau, 0, 1) in float64; all ones where tau is -inf."""
    u = clean(u).astype(np.float64)
    return np.ones_like(u) if np.isneginf(tau) else np.clip(u - np.float64(tau), 0, 1)


def lifetimes(u: np.ndarray, topk: int, window: int) -> np.ndarray:
    """end of one row of scores: a heap of the selected keys, the worst on top."""
    u = clean(u)
    n = len(u)
    end = np.full(n, n, np.int32)
    heap: list[tuple[float, int]] = []
    for i in range(window, n):
        # Of equal scores the later key is the worse one.
        heapq.heappush(heap, (float(u[i - window]), window - i))
        if len(heap) > topk:
            _, negative = heapq.heappop(heap)
            end[-negative] = i
    return end


def lifetimes_by_sorting(u: np.ndarray, topk: int, window: int) -> np.ndarray:
    """end of one row of scores: the selection of every query anew."""
    u = clean(u)
    n = len(u)
    end = np.full(n, n, np.int32)
    for i in range(n):
        candidates = range(i - window + 1)
        selected = set(sorted(candidates, key=lambda j: (-u[j], j))[:topk])
        for j in candidates:
            if j not in selected:
                end[j] = min(end[j], i)
    return end


def free_counts(u: np.ndarray, tau: np.ndarray, window: int) -> np.ndarray:
    """#{ j <= i - window : 0 < fl32(u_j - tau_i) < 1 } for every i."""
    u = clean(u)
    n = len(u)
    with np.errstate(invalid="ignore"):
        difference = u[None, :] - tau.astype(np.float32)[:, None]
    inside = (difference > 0) & (difference < 1)
    candidate = np.arange(n)[None, :] <= np.arange(n)[:, None] - window
    return (inside & candidate).sum(1).astype(np.int32)


def causal(u: np.ndarray, topk: int, window: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(end, tau, free) of scores [B, Hkv, N]."""
    end, tau, free = np.empty(u.shape, np.int32), np.empty(u.shape, np.float32), np.empty(u.shape, np.int32)
    for index in np.ndindex(u.shape[:2]):
        row = u[index]
        end[index] = lifetimes(row, topk, window)
        tau[index] = [threshold(row[: max(0, i - window + 1)], topk) for i in range(len(row))]
        free[index] = free_counts(row, tau[index], window)
    return end, tau, free


def visible(end: np.ndarray, queries: int) -> np.ndarray:
    """j <= i < end[j], as [B, Hkv, Nq, Nk]."""
    keys = end.shape[-1]
    i = np.arange(queries)[:, None] + (keys - queries)
    j = np.arange(keys)[None, :]
    return (j <= i) & (i < end[:, :, None, :])


def gates(scores: np.ndarray, tau: np.ndarray, queries: int, window: int) -> np.ndarray:
    """g_ij as [B, Hkv, Nq, Nk] in float64; rows of queries that stand before the first key are ones."""
    keys = scores.shape[-1]
    i = np.arange(queries) + (keys - queries)
    u = clean(scores).astype(np.float64)[:, :, None, :]
    t = tau.astype(np.float64)[:, :, np.maximum(i, 0), None]
    with np.errstate(invalid="ignore"):
        g = np.where(np.isneginf(t), 1.0, np.clip(u - t, 0, 1))
    recent = (i[:, None] - np.arange(keys)[None, :]) < window
    return np.where(recent | (i < 0)[:, None], 1.0, g)


def attention(
    q: np.ndarray,
    k: np.ndarray,
    v: np.ndarray,
    end: np.ndarray,
    *,
    window: int = 0,
    gate: str = "none",
    scores: np.ndarray | None = None,
    tau: np.ndarray | None = None,
    scale: float | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """(o, lse) by the dense formula in float64."""
    q, k, v = (x.astype(np.float64) for x in (q, k, v))
    group = q.shape[1] // k.shape[1]
    scale = q.shape[-1] ** -0.5 if scale is None else scale
    seen = np.repeat(visible(end, q.shape[2]), group, 1)
    g = np.ones(seen.shape)
    if gate != "none":
        assert scores is not None
        assert tau is not None
        g = np.repeat(gates(scores, tau, q.shape[2], window), group, 1)
    logits = scale * q @ np.repeat(k, group, 1).swapaxes(-1, -2)
    if gate == "key_value":
        logits = logits * g
    logits = np.where(seen, logits, -np.inf)
    top = logits.max(-1, keepdims=True, initial=-np.inf)
    top = np.where(np.isneginf(top), 0.0, top)
    weights = np.exp(logits - top)
    total = weights.sum(-1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        lse = (np.log(total) + top)[..., 0]
        weights = np.where(total > 0, weights / total, 0.0)
    return (weights * g) @ np.repeat(v, group, 1), lse
