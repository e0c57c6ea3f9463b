# Part of the sparsek project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Properties that hold for any input, on inputs drawn by hypothesis."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import oracle
import sparsek
from support import check_selection

finite = st.floats(-(2.0**30), 2.0**30, width=32)
score = st.one_of(finite, st.sampled_from([0.0, -0.0, 1.0, 0.5, -np.inf, np.nan, 1e-30, -1e-40, 1e9, -1e9, -1e30]))
few = st.integers(0, 3).map(np.float32)
# A module is compiled for each topk and window: few of them, many lengths.
topk_window = st.sampled_from([(1, 0), (3, 2), (8, 16)])


def rows(element, most=40):
    return st.integers(1, most).flatmap(lambda n: hnp.arrays(np.float32, (1, 1, n), elements=element))


@given(st.one_of(rows(score), rows(few)), topk_window)
def test_selection_is_the_oracles(u, options):
    check_selection(u, *options, *sparsek.causal_topk_mask(u, *options))


@given(st.one_of(rows(score), rows(few)), st.sampled_from([1, 8]))
def test_topk_mask_is_the_projection(u, topk):
    z = u[0]
    p, tau = sparsek.topk_mask(z, topk)
    want = oracle.threshold(z[0], topk)
    assert tau[0] == want
    np.testing.assert_allclose(p[0], oracle.mask(z[0], want), rtol=1e-6, atol=1e-7)


@given(rows(score), topk_window)
def test_a_prefix_has_the_selection_of_the_whole_cut_off(u, options):
    n = u.shape[-1]
    end, tau, free = sparsek.causal_topk_mask(u, *options)
    half = (n + 1) // 2
    for got, want in zip(
        sparsek.causal_topk_mask(u[..., :half], *options),
        (np.minimum(end[..., :half], half), tau[..., :half], free[..., :half]),
        strict=True,
    ):
        np.testing.assert_array_equal(got, want)


@given(rows(finite), topk_window)
def test_at_most_topk_plus_window_keys_are_alive(u, options):
    end, tau, _ = sparsek.causal_topk_mask(u, *options)
    n = u.shape[-1]
    seen = oracle.visible(end, n)[0, 0].sum(1)
    np.testing.assert_array_equal(seen, np.minimum(np.arange(n) + 1, sum(options)))
    assert (np.diff(tau[0, 0][np.isfinite(tau[0, 0])]) >= 0).all()


@given(
    st.integers(1, 20),
    st.integers(1, 20),
    st.integers(0, 2**32 - 1),
    st.floats(-2.0, 2.0, allow_nan=False).map(lambda x: round(x, 1)),
)
def test_attention_is_a_weighted_mean_of_visible_values(nq, nk, seed, shift):
    rng = np.random.default_rng(seed)
    q, k, v = (rng.standard_normal((1, 2, n, 8), np.float32) for n in (nq, nk, nk))
    end = rng.integers(0, nk + 1, (1, 2, nk)).astype(np.int32)
    o, lse = sparsek.sparse_attention(q, k, v, end)
    moved, moved_lse = sparsek.sparse_attention(q, k, v + np.float32(shift), end)
    some = oracle.visible(end, nq).any(-1)
    np.testing.assert_allclose(moved, o + np.where(some, np.float32(shift), 0)[..., None], atol=1e-5)
    np.testing.assert_array_equal(moved_lse, lse)
    np.testing.assert_array_equal(np.isneginf(lse), ~some)
