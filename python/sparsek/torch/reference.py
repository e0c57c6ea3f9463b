# Part of the sparsek project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The operations in plain torch, to read and to check against: any float dtype, any device, differentiable twice.

Dense and slow: O(N^2) memory. Signatures and results are those of the package's functions, except that thresholds have
the dtype of the scores (in float64 nothing is rounded to float32) and that arguments are not checked.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor


def _clean(z: Tensor) -> Tensor:
    """NaN counts as -inf."""
    return torch.where(z.isnan(), -math.inf, z)


def _between(z: Tensor, tau: Tensor) -> Tensor:
    """Which entries follow the threshold: 0 < z - tau < 1."""
    difference = z.detach() - tau.detach()
    return (difference > 0) & (difference < 1)


def _gate(z: Tensor, tau: Tensor) -> Tensor:
    """clamp(z - tau, 0, 1), all ones where tau is -inf; the gradient goes to the entries strictly between."""
    inside = _between(z, tau)
    # Where nothing follows, neither infinity may reach the subtraction.
    follows = torch.where(inside, z, 0.0) - torch.where(inside, tau, 0.0)
    return torch.where(inside, follows, ((z.detach() - tau.detach() >= 1) | tau.isneginf()).to(z.dtype))


def _solve(z: Tensor, topk: int) -> Tensor:
    """The smallest x with sum clamp(z - x, 0, 1) <= topk for each row, -inf where topk entries are all there are."""
    finite = z.isfinite()

    def total(x: Tensor) -> Tensor:
        return torch.where(finite, (z - x[..., None]).clamp(0, 1), 0.0).sum(-1)

    # The sum is linear between these points; entries of -inf make none.
    points = torch.cat([z, z - 1], -1)
    points = torch.where(points.isfinite(), points, math.inf).sort(-1).values
    few = finite.sum(-1) <= topk
    # The first point where the sum is at most topk, by bisection.
    low = torch.zeros_like(few, dtype=torch.int64)
    high = (2 * finite.sum(-1) - 1).clamp(min=0)

    def at(index: Tensor) -> Tensor:
        return points.gather(-1, index.clamp(min=0)[..., None])[..., 0]

    for _ in range(points.shape[-1].bit_length()):
        middle = (low + high) // 2
        below = total(at(middle)) <= topk
        high = torch.where(below, middle, high)
        low = torch.where(below, low, (middle + 1).minimum(high))
    right, left = at(high), at(high - 1)
    slope = (finite & (z >= right[..., None]) & (z - 1 <= left[..., None])).sum(-1)
    tau = right - (topk - total(right)) / slope
    return torch.where(few, -math.inf, tau)


def _threshold(z: Tensor, topk: int) -> Tensor:
    """tau, with its gradient: the mean over the entries that follow it."""
    with torch.no_grad():
        tau = _solve(z, topk)
        inside = _between(z, tau[..., None])
        free = inside.sum(-1)
    # Zero in value: only the gradient is added.
    mean = torch.where(inside, z - z.detach(), 0.0).sum(-1) / free.clamp(min=1)
    return torch.where(free > 0, tau + mean, tau)


def topk_mask(z: Tensor, topk: int) -> tuple[Tensor, Tensor]:
    """(p, tau), see `sparsek.topk_mask`."""
    z = _clean(z)
    tau = _threshold(z, topk)
    return _gate(z, tau[..., None]), tau


def causal_topk_mask(scores: Tensor, topk: int, window: int) -> tuple[Tensor, Tensor, Tensor]:
    """(end, tau, free), see `sparsek.causal_topk_mask`."""
    scores = _clean(scores)
    n = scores.shape[-1]
    position = torch.arange(n, device=scores.device)
    candidate = position <= position[:, None] - window
    rows = torch.where(candidate, scores[..., None, :], -math.inf)
    # Where there are no more candidates than topk the threshold is -inf, and nothing follows it.
    tau = _threshold(rows, topk) if n else scores
    free = _between(rows, tau[..., None]).sum(-1, dtype=torch.int32)
    u, other = scores[..., :, None], scores[..., None, :]
    better = (other > u) | ((other == u) & (position < position[:, None]))
    # Key j leaves at the first i = m + window, m >= j, with topk better keys among the first m.
    gone = (better.cumsum(-1) >= topk) & (position >= position[:, None])
    first = torch.where(gone, position, n).amin(-1) if n else gone.sum(-1)
    return (first + window).clamp(max=n).to(torch.int32), tau, free


def sparse_attention(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    end: Tensor,
    *,
    window: int = 0,
    gate: str = "none",
    scores: Tensor | None = None,
    tau: Tensor | None = None,
    scale: float | None = None,
) -> tuple[Tensor, Tensor]:
    """(o, lse), see `sparsek.sparse_attention`."""
    queries, keys = q.shape[2], k.shape[2]
    group = q.shape[1] // k.shape[1]
    scale = q.shape[-1] ** -0.5 if scale is None else scale
    j = torch.arange(keys, device=q.device)
    i = torch.arange(queries, device=q.device)[:, None] + keys - queries
    seen = ((j <= i) & (i < end[:, :, None, :])).repeat_interleave(group, 1)
    logits = scale * q @ k.repeat_interleave(group, 1).mT
    gates = torch.ones((), dtype=q.dtype, device=q.device)
    if gate != "none":
        assert scores is not None
        assert tau is not None
        gates = _gate(_clean(scores)[:, :, None, :], tau[:, :, i[:, 0].clamp(min=0), None])
        gates = torch.where(i - j < window, 1.0, gates).repeat_interleave(group, 1).to(q.dtype)
    if gate == "key_value":
        logits = logits * gates
    # A row without a visible key is all zeros, also in its gradient.
    some = seen.any(-1, keepdim=True)
    logits = torch.where(seen, logits, -math.inf).masked_fill(~some, 0.0)
    weights = torch.where(seen, logits.softmax(-1), 0.0)
    lse = torch.where(some[..., 0], logits.logsumexp(-1), -math.inf)
    return (weights * gates) @ v.repeat_interleave(group, 1), lse


def attention(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    scores: Tensor,
    *,
    topk: int,
    window: int,
    gate: str = "value",
    scale: float | None = None,
) -> Tensor:
    """o, see `sparsek.attention`."""
    end, tau, _ = causal_topk_mask(scores, topk, window)
    return sparse_attention(q, k, v, end, window=window, gate=gate, scores=scores, tau=tau, scale=scale)[0]


def score(x: Tensor, weight: Tensor, bias: Tensor, slope: Tensor) -> Tensor:
    """scores, see `sparsek.score`."""
    position = torch.arange(x.shape[1], dtype=bias.dtype, device=x.device)
    return (x @ weight.mT).mT + bias[:, None] + slope[:, None] * position
