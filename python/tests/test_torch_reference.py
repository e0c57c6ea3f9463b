# Part of the sparsek project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""sparsek.torch.reference: values against the oracle, gradients against finite differences in float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import oracle
from sparsek.torch import reference
from support import PATTERNS, normal, scores_of

GATES = ["none", "value", "key_value"]


def double(rng, *shape):
    return torch.from_numpy(normal(rng, *shape)).double()


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize(("topk", "window"), [(1, 0), (5, 3), (100, 2)])
def test_selection(rng, pattern, topk, window):
    u = scores_of(rng, pattern, 2, 2, 45)
    end, tau, free = reference.causal_topk_mask(torch.from_numpy(u).double(), topk, window)
    want_end, want_tau, want_free = oracle.causal(u, topk, window)
    np.testing.assert_array_equal(end, want_end)
    np.testing.assert_allclose(tau, want_tau, rtol=1e-6, atol=1e-6)
    if pattern != "huge":
        # Near 1e9 float32 thresholds are further apart than gates are wide.
        np.testing.assert_array_equal(free, want_free)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_mask(rng, pattern):
    z = scores_of(rng, pattern, 4, 30)
    p, tau = reference.topk_mask(torch.from_numpy(z).double(), 6)
    want = np.array([oracle.threshold(row, 6) for row in z])
    np.testing.assert_allclose(tau, want, rtol=1e-6, atol=1e-6)
    if pattern != "huge":
        np.testing.assert_allclose(
            p, [oracle.mask(row, t) for row, t in zip(z, want, strict=True)], rtol=1e-5, atol=3e-6
        )


@pytest.mark.parametrize("gate", GATES)
def test_attention(rng, gate):
    q, k, v = double(rng, 2, 4, 9, 8), double(rng, 2, 2, 12, 8), double(rng, 2, 2, 12, 5)
    u = normal(rng, 2, 2, 12)
    end, tau, _ = oracle.causal(u, 3, 2)
    end[0, 0] = 0
    o, lse = reference.sparse_attention(
        q, k, v, torch.from_numpy(end), window=2, gate=gate, scores=torch.from_numpy(u), tau=torch.from_numpy(tau)
    )
    want, want_lse = oracle.attention(*(x.numpy() for x in (q, k, v)), end, window=2, gate=gate, scores=u, tau=tau)
    np.testing.assert_allclose(o, want, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(lse, want_lse, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("gate", GATES)
def test_gradcheck_of_attention(rng, gate):
    q, k, v, u = double(rng, 1, 2, 5, 3), double(rng, 1, 1, 7, 3), double(rng, 1, 1, 7, 2), double(rng, 1, 1, 7)
    leaves = [x.requires_grad_() for x in (q, k, v, u)]

    def call(q, k, v, u):
        return reference.attention(q, k, v, u, topk=3, window=2, gate=gate)

    assert torch.autograd.gradcheck(call, leaves)
    assert torch.autograd.gradgradcheck(call, leaves, fast_mode=True)


def test_gradcheck_of_lse_thresholds_and_empty_rows(rng):
    q, k, v = (double(rng, 1, 2, 6, 2) for _ in range(3))
    u, tau = double(rng, 1, 2, 6), double(rng, 1, 2, 6)
    end = torch.tensor([[[6, 2, 4, 6, 5, 6], [0, 0, 0, 6, 5, 6]]], dtype=torch.int32)

    def call(q, k, v, u, tau):
        o, lse = reference.sparse_attention(q, k, v, end, window=1, gate="key_value", scores=u, tau=tau)
        return o, torch.where(lse.isinf(), 0.0, lse)

    assert torch.autograd.gradcheck(call, [x.requires_grad_() for x in (q, k, v, u, tau)])


@pytest.mark.parametrize("pattern", ["normal", "wide", "tail"])
def test_gradcheck_of_the_masks(rng, pattern):
    z = torch.from_numpy(scores_of(rng, pattern, 2, 3, 12)).double()
    # Finite differences of -inf are none.
    finite = z.isfinite()
    leaf = torch.where(finite, z, 0.0).requires_grad_()

    def thresholds(z):
        _, tau, free = reference.causal_topk_mask(torch.where(finite, z, -torch.inf), 3, 2)
        # Where no entry follows it, tau is constant by definition, though it may be the corner of an entry.
        return torch.where(free == 0, 0.0, tau)

    def mask(z):
        p, tau = reference.topk_mask(torch.where(finite, z, -torch.inf), 3)
        follow = ((p > 0) & (p < 1)).any(-1)
        return p, torch.where(follow, tau, 0.0)

    assert torch.autograd.gradcheck(thresholds, leaf)
    assert torch.autograd.gradcheck(mask, leaf)


def test_score(rng):
    x, w, b, s = double(rng, 2, 5, 4), double(rng, 3, 4), double(rng, 3), double(rng, 3)
    want = torch.einsum("bnc,hc->bhn", x, w) + b[:, None] + s[:, None] * torch.arange(5)
    torch.testing.assert_close(reference.score(x, w, b, s), want)
    assert torch.autograd.gradcheck(reference.score, [t.requires_grad_() for t in (x, w, b, s)])
