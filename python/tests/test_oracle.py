# Part of the sparsek project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The oracle itself, against its other definitions and against entmax."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import oracle


@pytest.mark.parametrize(("n", "topk", "window"), [(30, 3, 2), (50, 7, 0), (20, 30, 3), (20, 3, 40), (1, 1, 0)])
def test_heap_and_sorting_select_the_same_keys(rng, n, topk, window):
    u = rng.integers(-3, 4, n).astype(np.float32)
    u[n // 2] = -np.inf
    np.testing.assert_array_equal(oracle.lifetimes(u, topk, window), oracle.lifetimes_by_sorting(u, topk, window))


def test_threshold_agrees_with_entmax(rng):
    entmax = pytest.importorskip("entmax")
    z = rng.standard_normal(40) * 3
    z = z.astype(np.float32)
    p = oracle.mask(z, oracle.threshold(z, 5))
    want = entmax.budget_bisect(torch.tensor(z).double()[None], budget=5, n_iter=100)[0].numpy()
    np.testing.assert_allclose(p, want, atol=1e-6)


def test_threshold_takes_the_smallest_solution_of_a_flat_piece():
    # Between 1 and 4 the sum stays 2: the smallest such x is 1.
    assert oracle.threshold(np.float32([5, 5, 1, 0]), 2) == 1.0
    assert oracle.threshold(np.float32([5, 5, -np.inf]), 2) == -np.inf


def test_attention_of_a_query_without_keys_is_zero():
    x = np.ones((1, 1, 2, 4))
    o, lse = oracle.attention(x, x, x, np.int32([[[1, 1]]]))
    np.testing.assert_array_equal(o[0, 0], [[1] * 4, [0] * 4])
    assert lse[0, 0, 1] == -np.inf
