# Part of the sparsek project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""sparsek.causal_topk_mask against the oracle: end, tau and free are exact."""

from __future__ import annotations

import heapq

import numpy as np
import pytest

import oracle
import sparsek
from support import LENGTHS, PATTERNS, check_selection, scores_of

TOPK, WINDOW = 8, 16


@pytest.mark.parametrize("n", LENGTHS)
def test_lengths(rng, n):
    u = scores_of(rng, "normal", 1, 2, n)
    check_selection(u, TOPK, WINDOW, *sparsek.causal_topk_mask(u, TOPK, WINDOW))


@pytest.mark.parametrize("pattern", PATTERNS)
def test_patterns(rng, pattern):
    u = scores_of(rng, pattern, 1, 1, 130)
    check_selection(u, TOPK, WINDOW, *sparsek.causal_topk_mask(u, TOPK, WINDOW))


@pytest.mark.parametrize(("topk", "window"), [(1, 0), (1, 1), (5, 0), (200, 3), (3, 200), (2**40, 2**40), (64, 64)])
def test_topk_and_window(rng, topk, window):
    u = scores_of(rng, "normal", 1, 1, 97)
    check_selection(u, topk, window, *sparsek.causal_topk_mask(u, topk, window))


def test_batch_and_heads_are_independent(rng):
    u = scores_of(rng, "ties", 3, 4, 70)
    whole = sparsek.causal_topk_mask(u, TOPK, WINDOW)
    for b, h in np.ndindex(3, 4):
        part = sparsek.causal_topk_mask(u[b : b + 1, h : h + 1], TOPK, WINDOW)
        for one, all_of_them in zip(part, whole, strict=True):
            np.testing.assert_array_equal(one[0, 0], all_of_them[b, h])


@pytest.mark.parametrize("n", [2047, 2049, 5000])
def test_long(rng, n):
    u = scores_of(rng, "normal", 1, 1, n)
    end, tau, free = sparsek.causal_topk_mask(u, TOPK, WINDOW)
    np.testing.assert_array_equal(end[0, 0], oracle.lifetimes(u[0, 0], TOPK, WINDOW))
    np.testing.assert_array_equal(free[0, 0], oracle.free_counts(u[0, 0], tau[0, 0], WINDOW))
    assert (np.diff(tau[0, 0][WINDOW + TOPK :]) >= 0).all()
    for i in [WINDOW, WINDOW + TOPK - 1, WINDOW + TOPK, 100, n // 2, n - 1]:
        assert tau[0, 0, i] == oracle.threshold(u[0, 0, : i - WINDOW + 1], TOPK)


def test_thresholds_agree_with_topk_mask_over_prefixes(rng):
    u = scores_of(rng, "wide", 1, 1, 80)
    _, tau, _ = sparsek.causal_topk_mask(u, TOPK, WINDOW)
    for i in range(WINDOW, 80):
        _, want = sparsek.topk_mask(u[0, 0, : i - WINDOW + 1], TOPK)
        assert tau[0, 0, i] == want


def test_a_cache_of_topk_plus_window_slots_is_enough(rng):
    # Replays the selection token by token, as generation does, and compares who is alive.
    n = 150
    u = scores_of(rng, "ties", 1, 1, n)
    end, _, _ = sparsek.causal_topk_mask(u, TOPK, WINDOW)
    slots: list[tuple[float, int]] = []
    for i in range(n):
        j = i - WINDOW
        if j >= 0:
            heapq.heappush(slots, (float(u[0, 0, j]), -j))
            if len(slots) > TOPK:
                heapq.heappop(slots)
        kept = {-negative for _, negative in slots} | set(range(max(0, j + 1), i + 1))
        assert kept == set(np.flatnonzero((np.arange(n) <= i) & (end[0, 0] > i)))
        assert len(kept) <= TOPK + WINDOW
