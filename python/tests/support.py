# Part of the sparsek project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What several test files share: the lengths, tolerances and the same formulas in low-precision torch."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

import oracle

LENGTHS = [1, 2, 17, 63, 64, 65, 127, 128, 129, 255]
DTYPES = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}


def normal(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.standard_normal(shape, np.float32)


def scores_of(rng: np.random.Generator, pattern: str, *shape: int) -> np.ndarray:
    """Scores that stress the selection in one way or another."""
    n = shape[-1]
    u = normal(rng, *shape)
    if pattern == "constant":
        u[...] = 0.25
    elif pattern == "ascending":
        u = np.sort(u, -1)
    elif pattern == "descending":
        u = -np.sort(-u, -1)
    elif pattern == "ties":
        u = np.round(u)
    elif pattern == "tail":
        u[..., n // 2 :] = -np.inf
    elif pattern == "head":
        u[..., : n // 2] = -np.inf
    elif pattern == "nan":
        u[..., ::3] = np.nan
    elif pattern == "huge":
        u = u * np.float32(1e9)
        u[..., ::5] = -1e30
    elif pattern == "wide":
        u = u * np.float32(20)
    else:
        assert pattern == "normal", pattern
    return np.ascontiguousarray(u, np.float32)


PATTERNS = ["normal", "constant", "ascending", "descending", "ties", "tail", "head", "nan", "huge", "wide"]


def low_precision_attention(
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    end: np.ndarray,
    *,
    window: int = 0,
    gate: str = "none",
    scores: np.ndarray | None = None,
    tau: np.ndarray | None = None,
    scale: float | None = None,
) -> np.ndarray:
    """The dense formula in the dtype of q, as torch computes it."""
    group = q.shape[1] // k.shape[1]
    scale = q.shape[-1] ** -0.5 if scale is None else scale
    seen = torch.from_numpy(np.repeat(oracle.visible(end, q.shape[2]), group, 1))
    k, v = k.repeat_interleave(group, 1), v.repeat_interleave(group, 1)
    logits = (q * scale) @ k.transpose(-1, -2)
    g = None
    if gate != "none":
        assert scores is not None
        assert tau is not None
        g = torch.from_numpy(np.repeat(oracle.gates(scores, tau, q.shape[2], window), group, 1)).to(q.dtype)
    if gate == "key_value":
        logits = logits * g
    weights = torch.softmax(logits.masked_fill(~seen, -torch.inf), -1).nan_to_num()
    return ((weights if g is None else weights * g) @ v).double().numpy()


def check_attention(o: Any, lse: Any, q: Any, k: Any, v: Any, end: np.ndarray, **options: Any) -> None:
    """o (and lse, unless None) against float64, within the project's tolerance; all arrays are torch tensors."""
    qkv = [x.double().numpy() for x in (q, k, v)]
    want, want_lse = oracle.attention(*qkv, end, **options)
    assert o.dtype == q.dtype
    assert tuple(o.shape) == want.shape
    low = low_precision_attention(q, k, v, end, **options)
    largest = max(1.0, np.abs(want).max(initial=0.0))
    bound = 2 * np.abs(low - want).max(initial=0.0) + 1e-5 * (largest if q.dtype == torch.float32 else 1.0)
    error = np.abs(o.double().numpy() - want).max(initial=0.0)
    assert error <= bound, f"error {error}, allowed {bound}"
    if lse is not None:
        np.testing.assert_allclose(lse.numpy(), want_lse, rtol=1e-5, atol=2e-5 if q.dtype == torch.float32 else 1e-2)


def check_selection(u: np.ndarray, topk: int, window: int, end: Any, tau: Any, free: Any) -> None:
    """end, tau and free of causal_topk_mask, exactly."""
    want_end, want_tau, want_free = oracle.causal(u, topk, window)
    np.testing.assert_array_equal(np.asarray(end), want_end)
    np.testing.assert_array_equal(np.asarray(tau), want_tau)
    np.testing.assert_array_equal(np.asarray(free), want_free)
