# Part of the sparsek project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Bad arguments: TypeError or ValueError that names the argument, what it got and what it needs."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch

import sparsek

B, HQ, HKV, N, D, DV = 1, 4, 2, 6, 8, 4
F32, I32 = np.float32, np.int32


def zeros(*shape, dtype=F32):
    return np.zeros(shape, dtype)


def attention(**changes):
    options = {
        "q": zeros(B, HQ, N, D),
        "k": zeros(B, HKV, N, D),
        "v": zeros(B, HKV, N, DV),
        "scores": zeros(B, HKV, N),
        "topk": 2,
        "window": 2,
    }
    return sparsek.attention(**{**options, **changes})


def sparse(**changes):
    options = {
        "q": zeros(B, HQ, N, D),
        "k": zeros(B, HKV, N, D),
        "v": zeros(B, HKV, N, DV),
        "end": zeros(B, HKV, N, dtype=I32),
    }
    return sparsek.sparse_attention(**{**options, **changes})


def causal(**changes):
    return sparsek.causal_topk_mask(**{"scores": zeros(B, HKV, N), "topk": 2, "window": 2, **changes})


def topk_mask(**changes):
    return sparsek.topk_mask(**{"z": zeros(3, N), "topk": 2, **changes})


def score(**changes):
    options = {"x": zeros(B, N, 5), "weight": zeros(HKV, 5), "bias": zeros(HKV), "slope": zeros(HKV)}
    return sparsek.score(**{**options, **changes})


GATED = {"gate": "value", "scores": zeros(B, HKV, N), "tau": zeros(B, HKV, N)}

CASES = [
    # topk and window.
    (topk_mask, {"topk": 0}, ValueError, "topk: got 0, needs an integer of at least 1"),
    (topk_mask, {"topk": -3}, ValueError, "topk: got -3"),
    (causal, {"topk": 0}, ValueError, "topk: got 0"),
    (causal, {"topk": 1.0}, TypeError, "topk: got 1.0, needs an integer"),
    (causal, {"topk": True}, TypeError, "topk: got True"),
    (causal, {"topk": np.bool_(True)}, TypeError, "topk: got "),
    (causal, {"topk": None}, TypeError, "topk: got None"),
    (causal, {"topk": "2"}, TypeError, "topk: got '2'"),
    (causal, {"window": -1}, ValueError, "window: got -1, needs an integer of at least 0"),
    (causal, {"window": 0.5}, TypeError, "window: got 0.5"),
    (attention, {"topk": 0}, ValueError, "topk: got 0"),
    (attention, {"window": -1}, ValueError, "window: got -1"),
    (sparse, {"window": -1}, ValueError, "window: got -1"),
    (sparse, {"window": False}, TypeError, "window: got False"),
    # gate and scale.
    (attention, {"gate": "both"}, ValueError, "gate: got 'both', needs one of 'none', 'value', 'key_value'"),
    (attention, {"gate": None}, TypeError, "gate: got None"),
    (attention, {"scale": float("nan")}, ValueError, "scale: got nan, needs a finite number"),
    (attention, {"scale": float("inf")}, ValueError, "scale: got inf"),
    (attention, {"scale": 10**400}, ValueError, "scale: got inf"),
    (attention, {"scale": "1"}, TypeError, "scale: got '1'"),
    (sparse, {"scale": True}, TypeError, "scale: got True"),
    (sparse, {"gate": "value"}, ValueError, "scores: got None, needs an array [1, 2, 6] with gate 'value'"),
    (sparse, {**GATED, "tau": None}, ValueError, "tau: got None, needs an array [1, 2, 6]"),
    # What is no array, or one of another kind.
    (attention, {"q": [[1.0]]}, TypeError, "q: got list, needs a numpy array, a torch tensor or"),
    (attention, {"scores": None}, TypeError, "scores: got NoneType"),
    (attention, {"k": 3.0}, TypeError, "k: got float"),
    (attention, {"k": torch.zeros(B, HKV, N, D)}, TypeError, "k: got a torch array, needs a numpy one"),
    (sparse, {"end": torch.zeros(B, HKV, N, dtype=torch.int32)}, TypeError, "end: got a torch array"),
    (sparse, {**GATED, "tau": torch.zeros(B, HKV, N)}, TypeError, "tau: got a torch array"),
    (causal, {"scores": np.ma.masked_array(zeros(B, HKV, N))}, TypeError, "scores: got a masked array"),
    # dtypes.
    (attention, {"q": zeros(B, HQ, N, D, dtype=np.float64)}, TypeError, "q: got float64 [1, 4, 6, 8], needs float32"),
    (attention, {"q": zeros(B, HQ, N, D, dtype=I32)}, TypeError, "q: got int32 [1, 4, 6, 8], needs float32"),
    (attention, {"k": zeros(B, HKV, N, D, dtype=np.float16)}, TypeError, "k: got float16 [1, 2, 6, 8], needs float32"),
    (attention, {"v": zeros(B, HKV, N, DV, dtype=np.float16)}, TypeError, "v: got float16"),
    (attention, {"scores": zeros(B, HKV, N, dtype=np.float16)}, TypeError, "scores: got float16 [1, 2, 6], needs"),
    (attention, {"q": zeros(B, HQ, N, D, dtype=np.complex64)}, TypeError, "q: got dtype complex64"),
    (attention, {"q": zeros(B, HQ, N, D, dtype=">f4")}, TypeError, "q: got dtype >f4, needs one of"),
    (causal, {"scores": zeros(B, HKV, N, dtype=np.float64)}, TypeError, "scores: got float64 [1, 2, 6], needs float32"),
    (sparse, {"end": zeros(B, HKV, N, dtype=np.int64)}, TypeError, "end: got int64 [1, 2, 6], needs int32"),
    (sparse, {**GATED, "scores": zeros(B, HKV, N, dtype=np.float64)}, TypeError, "scores: got float64"),
    (sparse, {**GATED, "tau": zeros(B, HKV, N, dtype=np.float16)}, TypeError, "tau: got float16"),
    (topk_mask, {"z": zeros(3, N, dtype=I32)}, TypeError, "z: got int32 [3, 6], needs float32, float16 or bfloat16"),
    (topk_mask, {"z": np.array(["a"])}, TypeError, "z: got dtype <U1"),
    (score, {"x": zeros(B, N, 5, dtype=np.float64)}, TypeError, "x: got float64"),
    (score, {"weight": zeros(HKV, 5, dtype=np.float16)}, TypeError, "weight: got float16 [2, 5], needs float32 like x"),
    (score, {"bias": zeros(HKV, dtype=np.float16)}, TypeError, "bias: got float16"),
    (score, {"slope": zeros(HKV, dtype=np.float64)}, TypeError, "slope: got float64"),
    # Shapes.
    (topk_mask, {"z": zeros()}, ValueError, "z: got float32 [], needs 1 to 8 dimensions"),
    (topk_mask, {"z": zeros(*[1] * 9)}, ValueError, "z: got float32 [1, 1, 1, 1, 1, 1, 1, 1, 1], needs 1 to 8"),
    (causal, {"scores": zeros(HKV, N)}, ValueError, "scores: got float32 [2, 6], needs 3 dimensions [B, Hkv, N]"),
    (attention, {"q": zeros(HQ, N, D)}, ValueError, "q: got float32 [4, 6, 8], needs 4 dimensions [B, Hq, Nq, d]"),
    (attention, {"k": zeros(HKV, N, D)}, ValueError, "k: got float32 [2, 6, 8], needs 4 dimensions"),
    (attention, {"v": zeros(HKV, N, D)}, ValueError, "v: got float32 [2, 6, 8], needs 4 dimensions"),
    (attention, {"k": zeros(2, HKV, N, D)}, ValueError, "k: got float32 [2, 2, 6, 8], needs shape [1, 2, 6, 8]"),
    (attention, {"k": zeros(B, HKV, N, D + 1)}, ValueError, "to match q in B and d"),
    (attention, {"v": zeros(B, HKV, N + 1, DV)}, ValueError, "v: got float32 [1, 2, 7, 4], needs shape [1, 2, 6, 4]"),
    (attention, {"v": zeros(B, HKV + 1, N, DV)}, ValueError, "v: got float32 [1, 3, 6, 4], needs shape"),
    (attention, {"q": zeros(B, 3, N, D)}, ValueError, "q: got float32 [1, 3, 6, 8], needs Hq a positive multiple"),
    (attention, {"q": zeros(B, 1, N, D)}, ValueError, "needs Hq a positive multiple of Hkv = 2"),
    (attention, {"q": zeros(B, 0, N, D)}, ValueError, "needs Hq a positive multiple of Hkv = 2"),
    (attention, {"q": zeros(B, HQ, N, 0), "k": zeros(B, HKV, N, 0)}, ValueError, "needs d of at least 1"),
    (attention, {"v": zeros(B, HKV, N, 0)}, ValueError, "needs dv of at least 1"),
    (attention, {"scores": zeros(B, HQ, N)}, ValueError, "scores: got float32 [1, 4, 6], needs shape [1, 2, 6]"),
    (attention, {"scores": zeros(B, HKV, N - 1)}, ValueError, "scores: got float32 [1, 2, 5], needs shape"),
    (sparse, {"end": zeros(B, HKV, N + 1, dtype=I32)}, ValueError, "end: got int32 [1, 2, 7], needs shape [1, 2, 6]"),
    (sparse, {**GATED, "scores": zeros(B, HKV, 1)}, ValueError, "scores: got float32 [1, 2, 1], needs shape"),
    (sparse, {**GATED, "tau": zeros(B, HKV)}, ValueError, "tau: got float32 [1, 2], needs shape [1, 2, 6]"),
    (score, {"x": zeros(N, 5)}, ValueError, "x: got float32 [6, 5], needs 3 dimensions [B, N, c]"),
    (score, {"weight": zeros(5)}, ValueError, "weight: got float32 [5], needs 2 dimensions [Hkv, c]"),
    (score, {"weight": zeros(HKV, 4)}, ValueError, "weight: got float32 [2, 4], needs shape [2, 5]"),
    (score, {"bias": zeros(3)}, ValueError, "bias: got float32 [3], needs shape [2]"),
    (score, {"slope": zeros(HKV, 1)}, ValueError, "slope: got float32 [2, 1], needs shape [2]"),
]


@pytest.mark.parametrize(("call", "changes", "error", "message"), CASES)
def test_bad_arguments(call, changes, error, message):
    with pytest.raises(error, match=re.escape(message)):
        call(**changes)


def test_good_arguments_pass():
    # What the cases above change one thing of.
    assert attention().shape == (B, HQ, N, DV)
    assert sparse()[0].shape == (B, HQ, N, DV)
    assert sparse(**GATED)[1].shape == (B, HQ, N)
    assert causal(topk=np.int64(2), window=torch.tensor(2))[0].shape == (B, HKV, N)
    assert topk_mask()[1].shape == (3,)
    assert score().shape == (B, HKV, N)


def test_lengths_beyond_int32():
    huge = np.broadcast_to(F32(0), (1, 1, 2**31))
    with pytest.raises(ValueError, match=r"scores: got .* needs at most 2147483647 along dimension 2"):
        sparsek.causal_topk_mask(huge, 1, 1)
    with pytest.raises(ValueError, match=r"z: got .* needs at most 2147483647"):
        sparsek.topk_mask(huge, 1)
    with pytest.raises(ValueError, match=r"k: got .* needs at most 2147483647"):
        attention(k=np.broadcast_to(F32(0), (B, HKV, 2**31, D)), v=np.broadcast_to(F32(0), (B, HKV, 2**31, DV)))


def test_tensors_elsewhere_than_on_the_cpu():
    with pytest.raises(ValueError, match="scores: got an array on meta, needs one on the CPU or a CUDA GPU"):
        sparsek.causal_topk_mask(torch.zeros(1, 1, 3, device="meta"), 1, 1)


def test_sparse_tensors():
    with pytest.raises(TypeError, match=r"scores: got a tensor of layout torch\.sparse_coo"):
        sparsek.causal_topk_mask(torch.zeros(1, 1, 3).to_sparse(), 1, 1)


def test_unknown_torch_dtype():
    with pytest.raises(TypeError, match=r"z: got dtype torch\.complex64"):
        sparsek.topk_mask(torch.zeros(3, dtype=torch.complex64), 1)
