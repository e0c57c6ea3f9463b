# Part of the sparsek project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""sparsek.topk_mask against the exact threshold and against entmax."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import oracle
import sparsek
from support import PATTERNS, scores_of

TOPKS = [1, 8]
LENGTHS = [1, 2, 7, 8, 9, 63, 64, 65, 127, 128, 129, 2047, 2049]


def check_rows(z: np.ndarray, topk: int, p: np.ndarray, tau: np.ndarray, atol: float = 1e-6) -> None:
    assert p.shape == z.shape
    assert tau.shape == z.shape[:-1]
    for index in np.ndindex(z.shape[:-1]):
        want = oracle.threshold(z[index], topk)
        assert tau[index] == want
        np.testing.assert_allclose(p[index].astype(np.float64), oracle.mask(z[index], want), rtol=0, atol=atol)


@pytest.mark.parametrize("topk", TOPKS)
@pytest.mark.parametrize("n", LENGTHS)
def test_lengths(rng, n, topk):
    z = scores_of(rng, "normal", 2, n)
    check_rows(z, topk, *sparsek.topk_mask(z, topk))


@pytest.mark.parametrize("pattern", PATTERNS)
def test_patterns(rng, pattern):
    z = scores_of(rng, pattern, 3, 129)
    check_rows(z, 8, *sparsek.topk_mask(z, 8))


@pytest.mark.parametrize("shape", [(33,), (2, 33), (2, 3, 33), (2, 1, 3, 33)])
def test_ranks(rng, shape):
    z = scores_of(rng, "normal", *shape)
    check_rows(z, 8, *sparsek.topk_mask(z, 8))


@pytest.mark.parametrize(("dtype", "ulp"), [(torch.float16, 2.0**-11), (torch.bfloat16, 2.0**-8)])
def test_low_precision(rng, dtype, ulp):
    z = torch.from_numpy(scores_of(rng, "normal", 4, 129)).to(dtype)
    p, tau = sparsek.topk_mask(z, 8)
    assert p.dtype == dtype
    assert tau.dtype == torch.float32
    check_rows(z.float().numpy(), 8, p.float().numpy(), tau.numpy(), atol=ulp)


@pytest.mark.parametrize("n", [9, 200, 2049])
def test_agrees_with_entmax(rng, n):
    entmax = pytest.importorskip("entmax")
    z = torch.from_numpy(scores_of(rng, "wide", 3, n))
    p, _ = sparsek.topk_mask(z, 8)
    want = entmax.budget_bisect(z.double(), budget=8, n_iter=100)
    torch.testing.assert_close(p.double(), want, rtol=0, atol=1e-5)


def test_rows_sum_to_topk(rng):
    z = scores_of(rng, "normal", 16, 500)
    p, _ = sparsek.topk_mask(z, 8)
    np.testing.assert_allclose(p.sum(-1, dtype=np.float64), 8, rtol=1e-5)


def test_all_ones_where_at_most_topk_are_finite():
    z = np.float32([[1, 2, -np.inf, np.nan, 3, -np.inf, 4, 5, 6, 7, -np.inf]])
    p, tau = sparsek.topk_mask(z, 8)
    assert tau[0] == -np.inf
    np.testing.assert_array_equal(p, np.ones_like(z))
