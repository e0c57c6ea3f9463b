# Part of the sparsek project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""sparsek.attention, the everyday call: selection and attention in one."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import oracle
import sparsek
from support import DTYPES, LENGTHS, check_attention, normal, scores_of

TOPK, WINDOW = 8, 16


def make(rng, *, batch=1, hq=4, hkv=2, nq=65, nk=65, d=64, dv=64, dtype=torch.float32, pattern="normal"):
    shapes = (batch, hq, nq, d), (batch, hkv, nk, d), (batch, hkv, nk, dv)
    qkv = [torch.from_numpy(normal(rng, *shape)).to(dtype) for shape in shapes]
    return *qkv, torch.from_numpy(scores_of(rng, pattern, batch, hkv, nk))


def run(q, k, v, u, *, topk=TOPK, window=WINDOW, gate="value", scale=None):
    o = sparsek.attention(q, k, v, u, topk=topk, window=window, gate=gate, scale=scale)
    end, tau, _ = oracle.causal(u.numpy(), topk, window)
    check_attention(o, None, q, k, v, end, window=window, gate=gate, scores=u.numpy(), tau=tau, scale=scale)
    return o


@pytest.mark.parametrize("n", LENGTHS)
def test_lengths(rng, n):
    run(*make(rng, nq=n, nk=n))


@pytest.mark.parametrize("gate", ["none", "value", "key_value"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_dtypes_and_gates(rng, dtype, gate):
    run(*make(rng, batch=2, nq=129, nk=129, dtype=DTYPES[dtype]), gate=gate)


@pytest.mark.parametrize("pattern", ["constant", "ascending", "descending", "tail", "head", "ties", "huge"])
def test_score_patterns(rng, pattern):
    run(*make(rng, nq=100, nk=100, pattern=pattern))


@pytest.mark.parametrize(("topk", "window"), [(8, 0), (200, 16), (8, 200), (1, 1)])
def test_topk_and_window(rng, topk, window):
    run(*make(rng, nq=100, nk=100), topk=topk, window=window)


@pytest.mark.parametrize(("nq", "nk"), [(1, 100), (37, 100), (100, 37)])
def test_queries_are_aligned_with_the_last_keys(rng, nq, nk):
    run(*make(rng, nq=nq, nk=nk))


@pytest.mark.parametrize(("group", "d", "dv"), [(1, 96, 96), (3, 128, 128), (8, 20, 8)])
def test_shapes(rng, group, d, dv):
    run(*make(rng, hq=2 * group, hkv=2, nq=70, nk=70, d=d, dv=dv))


@pytest.mark.parametrize("gate", ["none", "value"])
@pytest.mark.parametrize(("topk", "window"), [(8, 200), (200, 16)])
def test_is_dense_attention_while_everything_is_visible(rng, topk, window, gate):
    # With a window or a topk beyond the length no key is evicted and every gate is 1.
    q, k, v, u = make(rng, batch=2, nq=129, nk=129)
    o = sparsek.attention(q, k, v, u, topk=topk, window=window, gate=gate)
    want = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)
    torch.testing.assert_close(o, want, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("gate", ["none", "value", "key_value"])
def test_is_the_composition_of_its_parts(rng, gate):
    q, k, v, u = make(rng, nq=90, nk=90)
    end, tau, _ = sparsek.causal_topk_mask(u, TOPK, WINDOW)
    want, _ = sparsek.sparse_attention(q, k, v, end, window=WINDOW, gate=gate, scores=u, tau=tau)
    o = sparsek.attention(q, k, v, u, topk=TOPK, window=WINDOW, gate=gate)
    torch.testing.assert_close(o, want, rtol=0, atol=0)


@pytest.mark.parametrize("n", [2047, 2049])
def test_long(rng, n):
    q, k, v, u = make(rng, hq=2, hkv=1, nq=n, nk=n, d=8, dv=8)
    o = sparsek.attention(q, k, v, u, topk=TOPK, window=WINDOW)
    end, tau, _ = sparsek.causal_topk_mask(u.numpy(), TOPK, WINDOW)
    check_attention(o, None, q, k, v, end, window=WINDOW, gate="value", scores=u.numpy(), tau=tau)


def test_is_deterministic(rng):
    q, k, v, u = make(rng, nq=129, nk=129)
    first = sparsek.attention(q, k, v, u, topk=TOPK, window=WINDOW)
    for _ in range(3):
        assert torch.equal(first, sparsek.attention(q, k, v, u, topk=TOPK, window=WINDOW))


def test_inputs_stay_as_they_are(rng):
    arrays = make(rng, nq=90, nk=90)
    before = [x.clone() for x in arrays]
    sparsek.attention(*arrays, topk=TOPK, window=WINDOW)
    for x, y in zip(arrays, before, strict=True):
        assert torch.equal(x, y)


def test_numpy_and_torch_give_the_same_bits(rng):
    arrays = make(rng, nq=90, nk=90)
    o = sparsek.attention(*arrays, topk=TOPK, window=WINDOW)
    n = sparsek.attention(*[x.numpy() for x in arrays], topk=TOPK, window=WINDOW)
    assert isinstance(n, np.ndarray)
    np.testing.assert_array_equal(o.numpy(), n)
