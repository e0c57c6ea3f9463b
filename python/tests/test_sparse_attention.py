# Part of the sparsek project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""sparsek.sparse_attention against dense float64 attention."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import oracle
import sparsek
from support import DTYPES, LENGTHS, check_attention, normal, scores_of

TOPK, WINDOW = 8, 16


def make(rng, *, batch=1, hq=4, hkv=2, nq=65, nk=65, d=64, dv=64, dtype=torch.float32):
    shapes = (batch, hq, nq, d), (batch, hkv, nk, d), (batch, hkv, nk, dv)
    return [torch.from_numpy(normal(rng, *shape)).to(dtype) for shape in shapes]


def random_end(rng, *shape):
    """Lifetimes of every kind: dead at birth, short, to the end and beyond."""
    return rng.integers(-3, shape[-1] + 5, shape).astype(np.int32)


def run(q, k, v, end, *, scores=None, tau=None, **options):
    arrays = {name: torch.from_numpy(x) for name, x in (("scores", scores), ("tau", tau)) if x is not None}
    o, lse = sparsek.sparse_attention(q, k, v, torch.from_numpy(end), **arrays, **options)
    if scores is not None:
        options |= {"scores": scores, "tau": tau}
    check_attention(o, lse, q, k, v, end, **options)
    return o, lse


def selection(rng, batch, heads, n, pattern="normal"):
    u = scores_of(rng, pattern, batch, heads, n)
    end, tau, _ = sparsek.causal_topk_mask(u, TOPK, WINDOW)
    return u, end, tau


@pytest.mark.parametrize("n", LENGTHS)
def test_lengths_with_any_lifetimes(rng, n):
    q, k, v = make(rng, nq=n, nk=n)
    run(q, k, v, random_end(rng, 1, 2, n))


@pytest.mark.parametrize("gate", ["none", "value", "key_value"])
@pytest.mark.parametrize("n", [1, 64, 130])
def test_gates(rng, n, gate):
    q, k, v = make(rng, nq=n, nk=n)
    u, end, tau = selection(rng, 1, 2, n)
    run(q, k, v, end, gate=gate, window=WINDOW, scores=u, tau=tau)


@pytest.mark.parametrize("gate", ["none", "value", "key_value"])
@pytest.mark.parametrize(("nq", "nk"), [(1, 130), (5, 64), (64, 129), (130, 64), (7, 3)])
def test_queries_are_aligned_with_the_last_keys(rng, nq, nk, gate):
    q, k, v = make(rng, nq=nq, nk=nk)
    u, end, tau = selection(rng, 1, 2, nk)
    run(q, k, v, end, gate=gate, window=WINDOW, scores=u, tau=tau)


@pytest.mark.parametrize("group", [1, 3, 4, 8])
def test_group_sizes(rng, group):
    q, k, v = make(rng, batch=2, hq=2 * group, hkv=2)
    run(q, k, v, random_end(rng, 2, 2, 65))


@pytest.mark.parametrize(("d", "dv"), [(64, 64), (96, 96), (128, 128), (8, 8), (20, 20), (64, 32), (8, 20), (1, 1)])
def test_head_dims(rng, d, dv):
    q, k, v = make(rng, nq=33, nk=70, d=d, dv=dv)
    u, end, tau = selection(rng, 1, 2, 70)
    run(q, k, v, end, gate="value", window=WINDOW, scores=u, tau=tau)


@pytest.mark.parametrize("gate", ["none", "value", "key_value"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_dtypes(rng, dtype, gate):
    q, k, v = make(rng, nq=100, nk=129, dtype=DTYPES[dtype])
    u, end, tau = selection(rng, 1, 2, 129)
    run(q, k, v, end, gate=gate, window=WINDOW, scores=u, tau=tau)


@pytest.mark.parametrize("scale", [0.0, 1.0, -0.5, 1e-5])
def test_scale(rng, scale):
    q, k, v = make(rng, nq=20, nk=20, d=8, dv=8)
    run(q, k, v, random_end(rng, 1, 2, 20), scale=scale)


@pytest.mark.parametrize("window", [0, 1, 1000])
def test_gate_window(rng, window):
    q, k, v = make(rng, nq=70, nk=70)
    u, end, tau = selection(rng, 1, 2, 70)
    run(q, k, v, end, gate="value", window=window, scores=u, tau=tau)


@pytest.mark.parametrize("pattern", ["tail", "head", "nan", "huge", "constant"])
@pytest.mark.parametrize("gate", ["value", "key_value"])
def test_score_patterns(rng, pattern, gate):
    q, k, v = make(rng, nq=90, nk=90)
    u, end, tau = selection(rng, 1, 2, 90, pattern)
    run(q, k, v, end, gate=gate, window=WINDOW, scores=u, tau=tau)


def test_large_logits_do_not_overflow(rng):
    q, k, v = make(rng, nq=65, nk=65)
    end = np.full((1, 2, 65), 65, np.int32)
    o, lse = sparsek.sparse_attention(q * 100, k * 100, v, torch.from_numpy(end))
    want, want_lse = oracle.attention(*[x.double().numpy() for x in (q * 100, k * 100, v)], end)
    np.testing.assert_allclose(lse.numpy(), want_lse, rtol=1e-5)
    # The softmax is nearly one-hot: rounding of logits near 1e5 moves the weights by about 1e-2.
    np.testing.assert_allclose(o.numpy(), want, atol=5e-2)
    assert torch.isfinite(o).all()


def test_queries_without_a_visible_key_give_zero_and_minus_infinity(rng):
    q, k, v = make(rng, nq=70, nk=70)
    end = np.zeros((1, 2, 70), np.int32)
    end[0, 0, 5] = 50
    o, lse = run(q, k, v, end)
    assert (o[0, 2:] == 0).all()
    assert (lse[0, 2:] == -torch.inf).all()
    assert (lse[0, :2, 5:50] != -torch.inf).all()


def test_sliding_window_as_lifetimes(rng):
    n, width = 129, 10
    q, k, v = make(rng, nq=n, nk=n, hq=2)
    end = np.broadcast_to(np.arange(n, dtype=np.int32) + width, (1, 2, n)).copy()
    o, _ = run(q, k, v, end)
    distance = torch.arange(n)[:, None] - torch.arange(n)[None, :]
    want = torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=(distance >= 0) & (distance < width))
    torch.testing.assert_close(o, want, rtol=1e-5, atol=1e-5)


def test_attention_sinks_as_lifetimes(rng):
    n, width, sinks = 129, 10, 4
    q, k, v = make(rng, nq=n, nk=n, hq=2)
    end = np.arange(n, dtype=np.int32) + width
    end[:sinks] = n
    o, _ = run(q, k, v, np.broadcast_to(end, (1, 2, n)).copy())
    i, j = torch.arange(n)[:, None], torch.arange(n)[None, :]
    want = torch.nn.functional.scaled_dot_product_attention(
        q, k, v, attn_mask=(j <= i) & ((i - j < width) | (j < sinks))
    )
    torch.testing.assert_close(o, want, rtol=1e-5, atol=1e-5)


def test_documents_as_lifetimes(rng):
    lengths = [40, 1, 63, 25]
    n = sum(lengths)
    q, k, v = make(rng, nq=n, nk=n, hq=2)
    document = np.repeat(np.arange(len(lengths)), lengths)
    end = np.cumsum(lengths)[document].astype(np.int32)
    o, _ = run(q, k, v, np.broadcast_to(end, (1, 2, n)).copy())
    document_t = torch.from_numpy(document)
    same = document_t[:, None] == document_t[None, :]
    want = torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=same.tril())
    torch.testing.assert_close(o, want, rtol=1e-5, atol=1e-5)


@pytest.mark.filterwarnings("ignore:flex_attention called without torch.compile")
def test_agrees_with_flex_attention(rng):
    flex = pytest.importorskip("torch.nn.attention.flex_attention")
    n = 128
    q, k, v = make(rng, nq=n, nk=n)
    _, end, _ = selection(rng, 1, 2, n)
    alive = torch.from_numpy(end)

    def visible(_b, h, i, j):
        return (j <= i) & (i < alive[0, h // 2, j])

    mask = flex.create_block_mask(visible, None, 4, n, n, device="cpu")
    lse_too = flex.AuxRequest(lse=True)
    want, aux = flex.flex_attention(q, k, v, block_mask=mask, enable_gqa=True, return_aux=lse_too)
    o, lse = sparsek.sparse_attention(q, k, v, alive)
    torch.testing.assert_close(o, want, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(lse, aux.lse, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("n", [2047, 2049])
def test_long(rng, n):
    q, k, v = make(rng, hq=2, hkv=1, nq=n, nk=n, d=8, dv=8)
    run(q, k, v, random_end(rng, 1, 1, n))
