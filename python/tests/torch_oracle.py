# Part of the sparsek project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The operations as torch formulas whose gradients autograd finds, in the dtype of their inputs.

Written from the definitions and from the numpy oracle, which gives end, tau and what is free; shares no code with the
package. In float64 they are what gradients are compared with, in low precision what errors are compared with.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

import oracle


def row_threshold(z: Tensor, tau: float, topk: int) -> Tensor:
    """The solution t of sum clamp(z - t, 0, 1) = topk as a function of the entries that follow it."""
    values = oracle.clean(z.detach().float().numpy())
    if np.isneginf(tau):
        return torch.tensor(-torch.inf, dtype=z.dtype)
    difference = values - np.float32(tau)
    free = torch.from_numpy((difference > 0) & (difference < 1))
    if not free.any():
        return torch.tensor(float(tau), dtype=z.dtype)
    above = int((difference >= 1).sum())
    return (z[free].sum() - (topk - above)) / int(free.sum())


def thresholds(u: Tensor, tau: np.ndarray, topk: int, window: int) -> Tensor:
    """tau of causal_topk_mask [B, H, N], differentiable in u; `tau` are its values."""
    rows = []
    for b, h, i in np.ndindex(*tau.shape):
        candidates = u[b, h, : max(0, i - window + 1)]
        rows.append(row_threshold(candidates, tau[b, h, i], topk))
    return torch.stack(rows).reshape(tau.shape)


def gates(u: Tensor, tau: Tensor, queries: int, window: int) -> Tensor:
    """g [B, H, Nq, Nk]: constants 0 and 1, and u - tau where that is strictly between, by the float32 predicate."""
    keys = u.shape[-1]
    i = np.arange(queries) + keys - queries
    distance = torch.from_numpy(i[:, None] - np.arange(keys)[None, :])
    t = tau[:, :, torch.from_numpy(np.maximum(i, 0)), None]
    values = torch.from_numpy(oracle.gates(u.detach().float().numpy(), tau.detach().float().numpy(), queries, window))
    clean = torch.nan_to_num(u.detach().float(), nan=-torch.inf)[:, :, None, :]
    difference = clean - t.detach().float()
    free = (difference > 0) & (difference < 1) & (distance >= window)
    follows = u.nan_to_num(0.0, 0.0, 0.0)[:, :, None, :] - t.nan_to_num(0.0, 0.0, 0.0)
    return torch.where(free, follows, values.to(u.dtype))


def attention(
    q: Tensor, k: Tensor, v: Tensor, end: np.ndarray, g: Tensor | None, on_keys: bool, scale: float | None = None
) -> tuple[Tensor, Tensor]:
    """(o, lse) by the dense formula in q's dtype; g are gates [B, Hkv, Nq, Nk]."""
    group = q.shape[1] // k.shape[1]
    scale = q.shape[-1] ** -0.5 if scale is None else scale
    seen = torch.from_numpy(np.repeat(oracle.visible(end, q.shape[2]), group, 1))
    k, v = k.repeat_interleave(group, 1), v.repeat_interleave(group, 1)
    logits = (q * scale) @ k.transpose(-1, -2)
    weigh = torch.ones_like(logits) if g is None else g.repeat_interleave(group, 1).to(q.dtype)
    if on_keys:
        logits = logits * weigh
    some = seen.any(-1, keepdim=True)
    # Rows that see nothing become constants before the softmax can make NaN of them.
    logits = logits.masked_fill(~seen, -torch.inf).masked_fill(~some, 0.0)
    weights = torch.softmax(logits, -1).masked_fill(~seen, 0.0)
    lse = torch.logsumexp(logits.float() if q.dtype != torch.float64 else logits, -1)
    return (weights * weigh) @ v, lse.masked_fill(~some[..., 0], -torch.inf)


Formula = Callable[..., Sequence[Tensor]]


def gradients(function: Formula, inputs: Sequence[Tensor], weights: Sequence[Tensor | None]) -> list[Tensor]:
    """The gradients of sum(output * weight) over outputs with a weight; outputs that are -inf are left out."""
    leaves = [x.detach().clone().requires_grad_() for x in inputs]
    total = torch.zeros((), dtype=torch.float64)
    for output, weight in zip(function(*leaves), weights, strict=True):
        if weight is not None:
            finite = torch.where(output.isinf(), torch.zeros_like(output), output)
            total = total + (finite * weight.to(output.dtype)).sum().double()
    if not total.requires_grad:
        return [torch.zeros_like(x) for x in leaves]
    found = torch.autograd.grad(total, leaves, allow_unused=True)
    return [torch.zeros_like(x) if g is None else g for x, g in zip(leaves, found, strict=True)]


def compare(
    compiled: Formula,
    formula: Formula,
    inputs: Sequence[Tensor],
    weights: Sequence[Tensor | None],
) -> None:
    """Gradients of `compiled` against those of `formula` in float64: at most 3 times the error of `formula` in the
    inputs' own dtypes, and 1e-5 of the largest entry where that is nearly exact."""
    # The output's gradient, rounded once to the output's dtype, is the same number for all three.
    narrow = inputs[0].dtype
    weights = [None if w is None else w.to(narrow).to(w.dtype) for w in weights]
    got = gradients(compiled, inputs, weights)
    low = gradients(formula, inputs, weights)
    want = gradients(formula, [x.double() for x in inputs], weights)
    for index, (a, b, c) in enumerate(zip(got, low, want, strict=True)):
        assert a.dtype == inputs[index].dtype
        assert torch.isfinite(a).all(), f"input {index}"
        largest = max(1.0, float(c.abs().max())) if c.numel() else 1.0
        error = float((a.double() - c).abs().max()) if c.numel() else 0.0
        bound = (3 * float((b.double() - c).abs().max()) if c.numel() else 0.0) + 1e-5 * largest
        assert error <= bound, f"input {index}: error {error}, allowed {bound}"
