# Part of the sparsek project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Gradients of the compiled operators against float64 autograd of an independent formula."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import entmax
import numpy as np
import pytest
import torch

import oracle
import sparsek
import torch_oracle
from support import DTYPES, PATTERNS, normal, scores_of

TOPK, WINDOW = 5, 7
GATES = ["none", "value", "key_value"]


def make(rng, *, batch=1, hq=4, hkv=2, nq=40, nk=40, d=16, dv=16, dtype=torch.float32):
    shapes = (batch, hq, nq, d), (batch, hkv, nk, d), (batch, hkv, nk, dv)
    return [torch.from_numpy(normal(rng, *shape)).to(dtype) for shape in shapes]


def weight(rng, *shape):
    return torch.from_numpy(normal(rng, *shape))


def check_attention(rng, q, k, v, u, *, gate="value", topk=TOPK, window=WINDOW, scale=None):
    """The everyday call: gradients of q, k, v and the scores, through the gate and through tau."""
    end, tau, _ = oracle.causal(u.numpy(), topk, window)

    def formula(q, k, v, u):
        g = None
        if gate != "none":
            g = torch_oracle.gates(u, torch_oracle.thresholds(u, tau, topk, window), q.shape[2], window)
        return torch_oracle.attention(q, k, v, end, g, gate == "key_value", scale)[:1]

    def compiled(q, k, v, u):
        return (sparsek.attention(q, k, v, u, topk=topk, window=window, gate=gate, scale=scale),)

    torch_oracle.compare(compiled, formula, (q, k, v, u), (weight(rng, *q.shape[:3], v.shape[3]),))


def check_sparse_attention(rng, q, k, v, end, *, gate="none", scores=None, tau=None, window=WINDOW, lse=True, o=True):
    """sparse_attention by itself: scores and tau are independent inputs, o and lse both have gradients."""
    gating = () if gate == "none" else (scores, tau)

    def formula(q, k, v, u=None, t=None):
        g = None if gate == "none" else torch_oracle.gates(u, t, q.shape[2], window)
        return torch_oracle.attention(q, k, v, end, g, gate == "key_value")

    def compiled(q, k, v, u=None, t=None):
        lifetimes = torch.from_numpy(end)
        return sparsek.sparse_attention(q, k, v, lifetimes, window=window, gate=gate, scores=u, tau=t)

    weights = (
        weight(rng, *q.shape[:3], v.shape[3]) if o else None,
        weight(rng, *q.shape[:3]) if lse else None,
    )
    torch_oracle.compare(compiled, formula, (q, k, v, *gating), weights)


@pytest.mark.parametrize("gate", GATES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_dtypes_and_gates(rng, dtype, gate):
    q, k, v = make(rng, batch=2, nq=33, nk=33, dtype=DTYPES[dtype])
    check_attention(rng, q, k, v, torch.from_numpy(normal(rng, 2, 2, 33)), gate=gate)


@pytest.mark.parametrize(("group", "gate"), [(1, "value"), (4, "key_value"), (8, "value")])
def test_groups(rng, group, gate):
    q, k, v = make(rng, hq=2 * group)
    check_attention(rng, q, k, v, torch.from_numpy(normal(rng, 1, 2, 40)), gate=gate)


@pytest.mark.parametrize(("nq", "nk"), [(1, 40), (5, 64), (33, 65), (40, 20), (1, 1), (65, 65)])
def test_lengths(rng, nq, nk):
    q, k, v = make(rng, nq=nq, nk=nk)
    check_attention(rng, q, k, v, torch.from_numpy(normal(rng, 1, 2, nk)))


@pytest.mark.parametrize(("d", "dv"), [(64, 32), (96, 96), (1, 3)])
def test_head_dims(rng, d, dv):
    q, k, v = make(rng, nq=20, nk=24, d=d, dv=dv)
    check_attention(rng, q, k, v, torch.from_numpy(normal(rng, 1, 2, 24)), gate="key_value")


@pytest.mark.parametrize("pattern", PATTERNS)
def test_score_patterns(rng, pattern):
    q, k, v = make(rng)
    check_attention(rng, q, k, v, torch.from_numpy(scores_of(rng, pattern, 1, 2, 40)))


@pytest.mark.parametrize(("topk", "window"), [(1, 0), (100, 4), (4, 100)])
def test_topk_and_window(rng, topk, window):
    q, k, v = make(rng)
    check_attention(rng, q, k, v, torch.from_numpy(normal(rng, 1, 2, 40)), topk=topk, window=window)


def test_scale(rng):
    q, k, v = make(rng)
    check_attention(rng, q, k, v, torch.from_numpy(normal(rng, 1, 2, 40)), scale=-0.5)


@pytest.mark.parametrize(
    ("gate", "dtype"),
    [("none", "f32"), ("value", "f32"), ("key_value", "f32"), ("key_value", "bf16"), ("value", "f16")],
)
def test_gradients_of_lse_and_of_lifetimes_of_every_kind(rng, gate, dtype):
    q, k, v = make(rng, nq=30, nk=37, dtype=DTYPES[dtype])
    u = normal(rng, 1, 2, 37)
    _, tau, _ = oracle.causal(u, TOPK, WINDOW)
    # Dead at birth, short, to the end and beyond: some queries see no key.
    end = rng.integers(-3, 42, (1, 2, 37)).astype(np.int32)
    gating = {} if gate == "none" else {"scores": torch.from_numpy(u), "tau": torch.from_numpy(tau)}
    check_sparse_attention(rng, q, k, v, end, gate=gate, **gating)


@pytest.mark.parametrize(("o", "lse"), [(True, False), (False, True)])
def test_one_of_two_gradients(rng, o, lse):
    q, k, v = make(rng, nq=20, nk=20)
    check_sparse_attention(rng, q, k, v, np.full((1, 2, 20), 20, np.int32), o=o, lse=lse)


def test_queries_that_see_nothing_have_no_gradient(rng):
    q, k, v = (x.requires_grad_() for x in make(rng))
    end = torch.zeros(1, 2, 40, dtype=torch.int32)
    end[0, 0, 5] = 30
    o, _ = sparsek.sparse_attention(q, k, v, end)
    o.sum().backward()
    assert (q.grad[0, 2:] == 0).all()
    assert (q.grad[0, :2, 30:] == 0).all()
    assert (k.grad[0, 1] == 0).all()
    assert (v.grad[0, 0, 5] != 0).all()


@pytest.mark.parametrize("shape", [(0, 4, 5), (1, 4, 0)])
def test_no_batch_and_no_query(shape):
    q = torch.zeros(*shape, 8, requires_grad=True)
    k, v = (torch.ones(shape[0], 2, 6, 8, requires_grad=True) for _ in range(2))
    u = torch.zeros(shape[0], 2, 6, requires_grad=True)
    sparsek.attention(q, k, v, u, topk=2, window=1).sum().backward()
    for tensor in (q, k, v, u):
        assert tensor.grad.shape == tensor.shape
        assert (tensor.grad == 0).all()


def test_no_key():
    q = torch.ones(1, 4, 5, 8, requires_grad=True)
    k = torch.zeros(1, 2, 0, 8, requires_grad=True)
    o, _ = sparsek.sparse_attention(q, k, k, torch.zeros(1, 2, 0, dtype=torch.int32))
    o.sum().backward()
    assert (q.grad == 0).all()


def test_twenty_runs_give_the_same_bits(rng):
    q, k, v = (x.requires_grad_() for x in make(rng, hq=8, nq=130, nk=130, d=32, dv=32, dtype=torch.bfloat16))
    u = torch.from_numpy(normal(rng, 1, 2, 130)).requires_grad_()
    wanted = None
    for _ in range(20):
        o = sparsek.attention(q, k, v, u, topk=16, window=16)
        found = torch.autograd.grad(o.float().square().sum(), (q, k, v, u))
        wanted = wanted or found
        assert all(torch.equal(a, b) for a, b in zip(found, wanted, strict=True))


DIGEST = """
import hashlib, torch, sparsek
torch.manual_seed(0)
leaves = [torch.randn(s).requires_grad_() for s in ((1, 8, 300, 32), (1, 2, 300, 32), (1, 2, 300, 32), (1, 2, 300))]
sparsek.attention(*leaves, topk=16, window=16).square().sum().backward()
print(hashlib.sha256(b"".join(leaf.grad.numpy().tobytes() for leaf in leaves)).hexdigest())
"""


def test_any_number_of_threads_gives_the_same_bits():
    package = str(Path(sparsek.__file__).parent.parent)
    digests = set()
    for threads in "1", "3":
        environment = {**os.environ, "PYTHONPATH": package, "OMP_NUM_THREADS": threads}
        done = subprocess.run(
            [sys.executable, "-c", DIGEST], env=environment, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
        digests.add(done.stdout)
    assert len(digests) == 1


def test_strided_inputs_and_gradients(rng):
    q, k, v = make(rng)
    u = torch.from_numpy(normal(rng, 1, 2, 40))
    want = torch_oracle.gradients(
        lambda *x: (sparsek.attention(*x, topk=4, window=4),), (q, k, v, u), (torch.ones(1, 4, 40, 16),)
    )

    def strided(q, k, v, u):
        # Layout B, N, H, d, and a gradient that sum() expands from one number.
        q, k, v = (x.transpose(1, 2).contiguous().transpose(1, 2) for x in (q, k, v))
        return (sparsek.attention(q, k, v, u, topk=4, window=4),)

    leaves = [x.clone().requires_grad_() for x in (q, k, v, u)]
    strided(*leaves)[0].sum().backward()
    for leaf, gradient in zip(leaves, want, strict=True):
        torch.testing.assert_close(leaf.grad, gradient)


@pytest.mark.parametrize("pattern", [p for p in PATTERNS if p != "nan"])
def test_topk_mask_of_every_pattern(rng, pattern):
    z = torch.from_numpy(scores_of(rng, pattern, 3, 30))
    thresholds = [oracle.threshold(row, TOPK) for row in z.numpy()]

    def formula(z):
        tau = torch.stack([torch_oracle.row_threshold(row, t, TOPK) for row, t in zip(z, thresholds, strict=True)])
        difference = z.detach() - tau.detach()[:, None]
        free = (difference > 0) & (difference < 1)
        follows = z.nan_to_num(0.0, 0.0, 0.0) - tau.nan_to_num(0.0, 0.0, 0.0)[:, None]
        return torch.where(free, follows, (difference >= 1).to(z.dtype)), tau

    torch_oracle.compare(lambda z: sparsek.topk_mask(z, TOPK), formula, (z,), (weight(rng, 3, 30), weight(rng, 3)))


@pytest.mark.parametrize("topk", [1, 3, 20])
def test_topk_mask_has_the_gradient_of_entmax(rng, topk):
    z = torch.from_numpy(normal(rng, 4, 25))
    p_weight = weight(rng, 4, 25)
    want = torch_oracle.gradients(
        lambda z: (entmax.budget_bisect(z, budget=topk, n_iter=80),), (z.double(),), (p_weight.double(),)
    )
    got = torch_oracle.gradients(lambda z: sparsek.topk_mask(z, topk)[:1], (z,), (p_weight,))
    torch.testing.assert_close(got[0].double(), want[0], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(30,), (2, 1, 3, 17)])
def test_topk_mask_shapes_and_dtypes(rng, shape, dtype):
    z, p_weight = (torch.from_numpy(normal(rng, *shape)).to(DTYPES[dtype]) for _ in range(2))
    want = torch_oracle.gradients(lambda z: (entmax.budget_bisect(z, budget=3, n_iter=80),), (z.double(),), (p_weight,))
    got = torch_oracle.gradients(lambda z: sparsek.topk_mask(z, 3)[:1], (z,), (p_weight,))
    tolerance = 1e-5 if dtype == "f32" else 4 * torch.finfo(z.dtype).eps
    torch.testing.assert_close(got[0].double(), want[0], rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("pattern", [p for p in PATTERNS if p != "nan"])
@pytest.mark.parametrize("window", [0, 6])
def test_thresholds_of_every_pattern(rng, pattern, window):
    u = torch.from_numpy(scores_of(rng, pattern, 1, 2, 50))
    _, tau, _ = oracle.causal(u.numpy(), TOPK, window)
    torch_oracle.compare(
        lambda u: (sparsek.causal_topk_mask(u, TOPK, window)[1],),
        lambda u: (torch_oracle.thresholds(u, tau, TOPK, window),),
        (u,),
        (weight(rng, 1, 2, 50),),
    )


def test_end_and_free_have_no_gradient(rng):
    u = torch.from_numpy(normal(rng, 1, 2, 20)).requires_grad_()
    end, tau, free = sparsek.causal_topk_mask(u, 3, 2)
    assert tau.requires_grad
    assert not end.requires_grad
    assert not free.requires_grad


@pytest.mark.parametrize("dtype", DTYPES)
def test_score(rng, dtype):
    x, w = (torch.from_numpy(normal(rng, *shape)).to(DTYPES[dtype]) for shape in ((2, 21, 12), (3, 12)))
    b, s = weight(rng, 3), weight(rng, 3)

    def formula(x, w, b, s):
        wide = torch.float64 if x.dtype == torch.float64 else torch.float32
        position = torch.arange(x.shape[1], dtype=wide)
        return ((x @ w.T).to(wide).mT + b[:, None] + s[:, None] * position,)

    torch_oracle.compare(lambda *a: (sparsek.score(*a),), formula, (x, w, b, s), (weight(rng, 2, 3, 21),))
