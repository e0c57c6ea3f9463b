# Part of the sparsek project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The everyday calls: check what is no array, then run the compiled function, or torch's operator around it."""

from __future__ import annotations

from typing import Any

from sparsek import _checks as check
from sparsek import _run as run
from sparsek._arrays import cpu_kind, kind_of, same_kind


def topk_mask(z: Any, topk: int) -> tuple[Any, Any]:
    """The SPARSEK operator: the projection of every row onto ``{0 <= p <= 1, sum p = topk}``.

    ``p = clamp(z - tau, 0, 1)``, with tau the smallest solution, correctly rounded. tau is -inf, and p all ones,
    exactly where at most `topk` entries of a row are finite. A NaN counts as -inf.

    Args:
        z: scores [..., n], float32, float16 or bfloat16, 1 to 8 dimensions. No copy is made of strided views.
        topk: the sum of each row of p, at least 1.

    Returns:
        p [..., n] of z's dtype and tau [...] in float32, of z's kind.

    Raises:
        TypeError: z is no array or of another dtype; topk is no integer.
        ValueError: z has no dimension or more than 8, or is on a GPU; topk < 1.

    Source: Lou et al., "Sparser is Faster and Less is More", arXiv 2406.16747, the SPARSEK operator.
    """
    kind = cpu_kind("topk_mask", "z", z)
    topk = check.count("topk", topk, 1)
    operators = kind.operators(z)
    if operators is None:
        return run.topk_mask(kind, z, topk)
    p, tau = operators.topk_mask(z, topk)
    return p, tau


def causal_topk_mask(scores: Any, topk: int, window: int) -> tuple[Any, Any, Any]:
    """The SPARSEK operator over every prefix at once, as one lifetime per key.

    The query at position i always sees the `window` most recent keys, its own included, and of the older ones the
    `topk` with the largest scores (of equal scores the earlier). A key that drops out never returns, so key j is
    visible exactly to the queries ``j <= i < end[j]``.

    Args:
        scores: one score per key [B, Hkv, N], float32, finite or -inf (padding); a NaN counts as -inf.
        topk: how many keys older than the window a query sees, at least 1.
        window: the number of most recent keys that are always visible, at least 0.

    Returns:
        end [B, Hkv, N] int32, the lifetimes; tau [B, Hkv, N] float32, the threshold of `topk_mask` over the
        candidates of each query (-inf: all gates are 1); free [B, Hkv, N] int32, how many candidates have a gate
        strictly between 0 and 1. All of the kind of scores.

    Raises:
        TypeError: scores is no array or of another dtype; topk or window is no integer.
        ValueError: scores is not of 3 dimensions, is on a GPU; topk < 1; window < 0.

    Source: Lou et al., arXiv 2406.16747, the incremental evaluation of the SPARSEK operator.
    """
    kind = cpu_kind("causal_topk_mask", "scores", scores)
    topk = check.count("topk", topk, 1)
    window = check.count("window", window, 0)
    operators = kind.operators(scores)
    if operators is None:
        return run.causal_topk_mask(kind, scores, topk, window)
    end, tau, free = operators.causal_topk_mask(scores, topk, window)
    return end, tau, free


def sparse_attention(
    q: Any,
    k: Any,
    v: Any,
    end: Any,
    *,
    window: int = 0,
    gate: str = "none",
    scores: Any = None,
    tau: Any = None,
    scale: float | None = None,
) -> tuple[Any, Any]:
    """Attention over keys with lifetimes: the query at position i sees the keys ``j <= i < end[j]``.

    Query row r stands at position ``r + Nk - Nq``; query head h reads key/value head ``h // (Hq // Hkv)``. With a
    gate, ``g = 1 if i - j < window else clamp(scores[j] - tau[i], 0, 1)`` weighs the values (``"value"``) or keys
    and values (``"key_value"``). A query that sees no key gets o = 0 and lse = -inf. `end` may come from
    `causal_topk_mask` or any other policy of eviction: a sliding window, attention sinks, document boundaries.

    Args:
        q: queries [B, Hq, Nq, d], float32, float16 or bfloat16; Hq is a multiple of Hkv.
        k: keys [B, Hkv, Nk, d], q's dtype, finite also where no query sees them.
        v: values [B, Hkv, Nk, dv], q's dtype, finite also where no query sees them.
        end: lifetimes [B, Hkv, Nk], int32.
        window: the most recent keys whose gate is 1, at least 0.
        gate: "none", "value" or "key_value".
        scores: [B, Hkv, Nk] float32. Needed by a gate, else not read.
        tau: [B, Hkv, Nk] float32. Needed by a gate, else not read.
        scale: factor of the logits, 1/sqrt(d) if None.

    Returns:
        o [B, Hq, Nq, dv] of q's dtype and lse [B, Hq, Nq] in float32 (natural logarithm), of q's kind.

    Raises:
        TypeError: an argument is no array, of another kind or dtype than it needs, or no number.
        ValueError: shapes disagree; the arrays are not all on one device; a gate without scores or tau; an unknown
            gate; window < 0; scale not finite.
        MemoryError, RuntimeError: on a GPU, memory ran out, or the driver failed otherwise.

    On a CUDA GPU the call is enqueued on the current stream of the arrays' library and not waited for. q, k and v are
    read in place if their rows are contiguous and start at multiples of 16 bytes, and so are the arrays of one element
    per key if adjacent keys are adjacent in memory; else copies are made.

    Source: Lou et al., arXiv 2406.16747, SparseK attention; the lifetimes are this project's form of its selection.
    """
    kind = kind_of("q", q)
    same_kind(kind, "k", k)
    same_kind(kind, "v", v)
    same_kind(kind, "end", end)
    window = check.count("window", window, 0)
    gate = check.gate_name(gate)
    scale = check.finite("scale", scale)
    if gate == "none":
        window, scores, tau = 0, None, None
        operators = kind.operators(q, k, v, end)
    else:
        for name, array in (("scores", scores), ("tau", tau)):
            if array is None:
                raise ValueError(f"{name}: got None, needs an array {list(k.shape[:3])} with gate {gate!r}")
            same_kind(kind, name, array)
        operators = kind.operators(q, k, v, end, scores, tau)
    if operators is None:
        return run.sparse_attention(kind, q, k, v, end, scores, tau, window, gate, scale)
    o, lse = operators.sparse_attention(q, k, v, end, scores, tau, window, gate, scale)
    return o, lse


def attention(
    q: Any,
    k: Any,
    v: Any,
    scores: Any,
    *,
    topk: int,
    window: int,
    gate: str = "value",
    scale: float | None = None,
) -> Any:
    """SparseK attention: `causal_topk_mask` of the scores, then `sparse_attention` over what it keeps.

    Time and memory grow linearly with the length: a query sees at most `topk` + `window` keys.

    Args:
        q: queries [B, Hq, Nq, d], float32, float16 or bfloat16; Hq is a multiple of Hkv.
        k: keys [B, Hkv, Nk, d], q's dtype, finite.
        v: values [B, Hkv, Nk, dv], q's dtype, finite.
        scores: one score per key [B, Hkv, Nk], float32, finite or -inf (padding).
        topk: how many keys older than the window a query sees, at least 1.
        window: the number of most recent keys that are always visible, at least 0.
        gate: "none", "value" or "key_value", see `sparse_attention`.
        scale: factor of the logits, 1/sqrt(d) if None.

    Returns:
        o [B, Hq, Nq, dv] of q's dtype and kind.

    Raises:
        TypeError, ValueError: as `causal_topk_mask` and `sparse_attention`.

    Source: Lou et al., arXiv 2406.16747, SparseK attention.
    """
    kind = cpu_kind("attention", "q", q)
    same_kind(kind, "k", k)
    same_kind(kind, "v", v)
    same_kind(kind, "scores", scores)
    topk = check.count("topk", topk, 1)
    window = check.count("window", window, 0)
    gate = check.gate_name(gate)
    scale = check.finite("scale", scale)
    operators = kind.operators(q, k, v, scores)
    if operators is None:
        return run.attention(kind, q, k, v, scores, topk, window, gate, scale)
    return operators.attention(q, k, v, scores, topk, window, gate, scale)


def score(x: Any, weight: Any, bias: Any, slope: Any) -> Any:
    """The scoring network: one linear score per key/value head, with a slope in the position.

    ``scores[b, h, n] = sum_c x[b, n, c] * weight[h, c] + bias[h] + slope[h] * n``, accumulated in float32.

    Args:
        x: hidden states [B, N, c], float32, float16 or bfloat16.
        weight: [Hkv, c], x's dtype.
        bias: [Hkv], float32.
        slope: [Hkv], float32.

    Returns:
        scores [B, Hkv, N], float32, of x's kind.

    Raises:
        TypeError: an argument is no array, or of another kind or dtype than it needs.
        ValueError: shapes disagree; an array is on a GPU.

    Source: Lou et al., arXiv 2406.16747, the scoring network; its form here is this project's.
    """
    kind = cpu_kind("score", "x", x)
    same_kind(kind, "weight", weight)
    same_kind(kind, "bias", bias)
    same_kind(kind, "slope", slope)
    operators = kind.operators(x, weight, bias, slope)
    if operators is None:
        return run.score(kind, x, weight, bias, slope)
    return operators.score(x, weight, bias, slope)
