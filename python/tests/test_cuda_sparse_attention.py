# Part of the sparsek project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""sparsek.sparse_attention on a GPU against dense attention in float64.

A module is compiled for each dtype, d, dv, group, gate, window and scale: cases share them where they can.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import sparsek
from cuda_support import POLICIES, WINDOW, Case, call, check, dense, make, needs_gpu, run
from sparsek import _library as lib
from sparsek import _modules as modules

pytestmark = needs_gpu

LENGTHS = [1, 2, 31, 32, 33, 63, 64, 65, 95, 96, 97, 127, 129, 255, 1000, 4096, 4103]


@pytest.mark.parametrize("kv_heads", [1, 2])
def test_more_keys_than_a_list_holds(rng, kv_heads):
    # About half of 5,000 keys are alive, none next to each other: a tile's list, of 1,024, is too short.
    run(make(rng, kv_heads=kv_heads, group=2, nk=5000, policy="random"))


@pytest.mark.parametrize("n", LENGTHS)
def test_lengths(rng, n):
    run(make(rng, nk=n))


@pytest.mark.parametrize("n", [1, 33, 700])
@pytest.mark.parametrize("policy", POLICIES)
def test_policies(rng, policy, n):
    run(make(rng, policy=policy, nk=n, batch=2))


@pytest.mark.parametrize(("nq", "nk"), [(1, 1000), (5, 64), (33, 1000), (129, 4103), (1000, 33), (130, 64), (7, 3)])
@pytest.mark.parametrize("policy", ["selection", "random"])
def test_queries_are_aligned_with_the_last_keys(rng, nq, nk, policy):
    run(make(rng, nq=nq, nk=nk, policy=policy))


@pytest.mark.parametrize("group", [1, 2, 3, 5, 7, 8, 16])
def test_group_sizes(rng, group):
    run(make(rng, group=group, batch=2))
    run(make(rng, group=group, nk=97, nq=31, policy="random"))


HEAD_DIMS = [(64, 64), (96, 96), (256, 256), (64, 128), (128, 64), (96, 64), (256, 128)]


@pytest.mark.parametrize(("d", "dv"), HEAD_DIMS)
def test_head_dims(rng, d, dv):
    run(make(rng, d=d, dv=dv))
    run(make(rng, d=d, dv=dv, nk=97, nq=31, policy="random"))


@pytest.mark.parametrize("dtype", ["f16", "f32"])
@pytest.mark.parametrize("d", [64, 128])
def test_dtypes(rng, dtype, d):
    run(make(rng, dtype=dtype, d=d))
    run(make(rng, dtype=dtype, d=d, nk=1000, nq=129, policy="random"))


@pytest.mark.parametrize("dtype", ["bf16", "f32"])
@pytest.mark.parametrize("window", [0, WINDOW])
@pytest.mark.parametrize("gate", ["value", "key_value"])
def test_gates(rng, gate, window, dtype):
    for nq, nk, policy in ((1, 1, "selection"), (500, 500, "selection"), (33, 500, "random"), (200, 64, "everything")):
        run(make(rng, gate=gate, window=window, dtype=dtype, nq=nq, nk=nk, policy=policy))


@pytest.mark.parametrize("pattern", ["tail", "head", "nan", "huge", "constant", "wide", "ties"])
@pytest.mark.parametrize("gate", ["value", "key_value"])
def test_score_patterns(rng, gate, pattern):
    run(make(rng, gate=gate, window=WINDOW, nk=300, pattern=pattern))


@pytest.mark.parametrize("scale", [0.0, -0.5, 1.0, 20.0, 1e-6])
def test_scale(rng, scale):
    run(make(rng, scale=scale))


def test_large_logits_do_not_overflow(rng):
    case = make(rng, nk=500, dtype="f32")
    case.q, case.k = case.q * 100, case.k * 100
    o, lse = call(case)
    want, want_lse = dense(case, torch.float64)
    torch.testing.assert_close(lse.double(), want_lse, rtol=1e-5, atol=1e-4)
    # The softmax is nearly one-hot: rounding of logits near 1e5 moves the weights by about 1e-2.
    torch.testing.assert_close(o.double(), want, rtol=0, atol=5e-2)


def test_logits_far_below_zero(rng):
    # The running maximum starts below every logit, however small.
    case = make(rng, nk=300)
    case.q = case.q.abs() * 30
    case.k = -case.k.abs() * 30
    run(case)


def test_rising_logits(rng):
    # Every key raises the maximum of every row.
    case = make(rng, nk=700, policy="everything")
    case.q = torch.ones_like(case.q)
    case.k = torch.linspace(0, 60, 700, device="cuda")[:, None].expand_as(case.k).to(case.k.dtype) / 11.3
    run(case)


def test_batches_and_heads(rng):
    run(make(rng, batch=3, kv_heads=5, nk=129))
    run(make(rng, batch=70, kv_heads=1, nk=40))


def test_agrees_with_the_code_for_the_cpu(rng):
    case = make(rng, dtype="f32", nk=400, gate="value", window=WINDOW)
    options = {name: x.cpu() if isinstance(x, torch.Tensor) else x for name, x in case.options.items()}
    want, want_lse = sparsek.sparse_attention(*[x.cpu() for x in case.arrays], **options)
    o, lse = call(case)
    torch.testing.assert_close(o.cpu(), want, rtol=2e-5, atol=2e-5)
    torch.testing.assert_close(lse.cpu(), want_lse, rtol=2e-5, atol=2e-5)


def test_sliding_window_agrees_with_torch(rng):
    n = 300
    case = make(rng, dtype="f32", nk=n, group=1, policy="window")
    o, _ = call(case)
    distance = torch.arange(n, device="cuda")[:, None] - torch.arange(n, device="cuda")
    mask = (distance >= 0) & (distance < WINDOW)
    want = torch.nn.functional.scaled_dot_product_attention(case.q, case.k, case.v, attn_mask=mask)
    torch.testing.assert_close(o, want, rtol=2e-5, atol=2e-5)


def run_for(chip: str, case: Case) -> None:
    """The module of the call, compiled for a chip by name and called itself."""
    options = case.options
    gate, window = options.get("gate", "none"), options.get("window", 0)
    code = {torch.float32: lib.F32, torch.float16: lib.F16, torch.bfloat16: lib.BF16}[case.q.dtype]
    group = case.q.shape[1] // case.k.shape[1]
    statics = modules.AttentionStatics(code, case.q.shape[3], case.v.shape[3], group, gate, window, None)
    module = sparsek.compile(modules.sparse_attention_text(statics), target=chip)
    o = torch.full((*case.q.shape[:3], case.v.shape[3]), torch.nan, dtype=case.q.dtype, device="cuda")
    lse = torch.full(case.q.shape[:3], torch.nan, device="cuda")
    gating = (options["scores"], options["tau"]) if gate != "none" else ()
    assert module.sparse_attention(*case.arrays, *gating, o, lse) is None
    check(case, o, lse)


@pytest.mark.parametrize("nk", [1, 97, 1000])
@pytest.mark.parametrize(
    ("dtype", "d", "group", "gate"),
    [("bf16", 128, 4, "none"), ("bf16", 64, 1, "value"), ("f16", 96, 3, "none"), ("f32", 64, 4, "key_value")],
)
def test_code_for_ampere_runs_here_too(rng, dtype, d, group, gate, nk):
    run_for("sm_80", make(rng, dtype=dtype, d=d, group=group, gate=gate, nk=nk))


@pytest.mark.sanitizer
@pytest.mark.parametrize(
    ("nq", "nk", "gate", "policy"),
    [(97, 97, "none", "selection"), (33, 129, "value", "random"), (1, 1, "none", "everything")],
)
def test_small_calls_for_the_sanitizer(rng, nq, nk, gate, policy):
    run(make(rng, nq=nq, nk=nk, gate=gate, policy=policy, kv_heads=1))


@settings(max_examples=60)
@given(
    st.integers(1, 3),
    st.integers(1, 3),
    st.integers(1, 400),
    st.integers(1, 400),
    st.sampled_from(POLICIES),
    st.sampled_from(["none", "value"]),
    st.integers(0, 2**32 - 1),
)
def test_any_shape(batch, kv_heads, nq, nk, policy, gate, seed):
    rng = np.random.default_rng(seed)
    run(make(rng, batch=batch, kv_heads=kv_heads, nq=nq, nk=nk, policy=policy, gate=gate))


@settings(max_examples=40)
@given(st.integers(1, 300), st.integers(1, 300), st.integers(0, 2**32 - 1))
def test_values_that_move_move_the_result(nq, nk, seed):
    case = make(np.random.default_rng(seed), nq=nq, nk=nk, policy="random", dtype="f32", d=64)
    o, lse = call(case)
    case.v = case.v + 1.5
    moved, moved_lse = call(case)
    assert torch.equal(lse, moved_lse)
    some = lse != -torch.inf
    torch.testing.assert_close(moved[some], o[some] + 1.5, rtol=0, atol=2e-5)
    assert (moved[~some] == 0).all()
