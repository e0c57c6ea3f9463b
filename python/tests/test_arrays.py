# Part of the sparsek project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Kinds of arrays and their layouts: the same kind comes back, views are read in place."""

from __future__ import annotations

import subprocess
import sys
import types

import numpy as np
import pytest
import torch

import sparsek
from support import normal, scores_of

OPTIONS = {"topk": 8, "window": 16}


def inputs(rng, b=2, hq=4, hkv=2, n=70, d=64):
    q, k, v = (normal(rng, b, heads, n, d) for heads in (hq, hkv, hkv))
    return q, k, v, scores_of(rng, "normal", b, hkv, n)


def expect_same(views, arrays):
    """The call gives the same bits on views as on contiguous copies."""
    for view, array in zip(views, arrays, strict=True):
        np.testing.assert_array_equal(np.asarray(view), np.asarray(array))
    want = sparsek.attention(*arrays, **OPTIONS)
    got = sparsek.attention(*views, **OPTIONS)
    np.testing.assert_array_equal(np.asarray(got), np.asarray(want))


def test_results_are_of_the_kind_of_the_inputs(rng):
    arrays = inputs(rng)
    tensors = [torch.from_numpy(x) for x in arrays]
    for made in (sparsek.attention(*arrays, **OPTIONS), *sparsek.causal_topk_mask(arrays[3], 8, 16)):
        assert type(made) is np.ndarray
        assert made.flags.c_contiguous
    for made in (sparsek.attention(*tensors, **OPTIONS), *sparsek.topk_mask(tensors[3], 8)):
        assert type(made) is torch.Tensor
        assert made.is_contiguous()


def test_transposed_layouts(rng):
    # B,N,H,d in memory, as most models hold q, k and v.
    arrays = inputs(rng)
    views = [np.ascontiguousarray(x.swapaxes(1, 2)).swapaxes(1, 2) for x in arrays]
    expect_same(views, arrays)
    expect_same([torch.from_numpy(x) for x in views], arrays)


def test_slices(rng):
    arrays = inputs(rng)
    views = []
    for x in arrays:
        pads = [(1, 2)] * x.ndim
        views.append(np.pad(x, pads)[tuple(slice(1, 1 + size) for size in x.shape)])
    assert not any(x.flags.c_contiguous for x in views)
    expect_same(views, arrays)


def test_one_tensor_holds_q_k_and_v(rng):
    packed = torch.from_numpy(normal(rng, 2, 70, 8, 64))
    q, k, v = packed.transpose(1, 2).split([4, 2, 2], 1)
    u = torch.from_numpy(scores_of(rng, "normal", 2, 2, 70))
    expect_same([q, k, v, u], [x.contiguous() for x in (q, k, v, u)])


def test_every_second_element_of_the_last_dimension(rng):
    arrays = inputs(rng)
    views = []
    for x in arrays:
        wide = np.zeros((*x.shape[:-1], 2 * x.shape[-1]), np.float32)
        wide[..., ::2] = x
        views.append(wide[..., ::2])
    expect_same(views, arrays)


def test_stride_zero(rng):
    q, k, v, u = inputs(rng)
    views = [np.broadcast_to(x[:1, :1], x.shape) for x in (q, k, v, u)]
    expect_same(views, [np.ascontiguousarray(x) for x in views])
    tensors = [torch.from_numpy(x[:1, :1].copy()).expand(x.shape) for x in (q, k, v, u)]
    expect_same(tensors, [x.contiguous() for x in tensors])


def test_negative_strides(rng):
    arrays = inputs(rng)
    views = [np.ascontiguousarray(x[::-1, :, ::-1])[::-1, :, ::-1] for x in arrays]
    expect_same(views, arrays)
    views = [np.ascontiguousarray(x[..., ::-1])[..., ::-1] for x in arrays]
    expect_same(views, arrays)


def test_the_same_array_as_key_and_value(rng):
    q, k, _, u = inputs(rng)
    want = sparsek.attention(q, k, k.copy(), u, **OPTIONS)
    np.testing.assert_array_equal(sparsek.attention(q, k, k, u, **OPTIONS), want)


def test_read_only_and_unaligned_arrays(rng):
    arrays = inputs(rng)
    views = []
    for x in arrays:
        raw = np.zeros(x.nbytes + 1, np.uint8)
        view = raw[1:].view(np.float32).reshape(x.shape)
        view[...] = x
        view.flags.writeable = False
        assert not view.flags.aligned
        views.append(view)
    expect_same(views, arrays)


@pytest.mark.parametrize("batch", [0, 2])
def test_empty_arrays(rng, batch):
    q, k, v, u = (x[:batch] for x in inputs(rng))
    n = 0 if batch else 70
    q, k, v, u = q[:, :, :n], k[:, :, :n], v[:, :, :n], u[:, :, :n]
    assert sparsek.attention(q, k, v, u, **OPTIONS).shape == q.shape
    end, tau, free = sparsek.causal_topk_mask(u, 8, 16)
    assert end.shape == tau.shape == free.shape == u.shape
    o, lse = sparsek.sparse_attention(q, k, v, end)
    assert o.shape == q.shape
    assert lse.shape == q.shape[:3]
    p, tau = sparsek.topk_mask(u, 8)
    assert p.shape == u.shape
    assert (tau == -np.inf).all()


def test_queries_without_any_key(rng):
    q, k, v, u = inputs(rng)
    k, v, u = k[:, :, :0], v[:, :, :0], u[:, :, :0]
    o, lse = sparsek.sparse_attention(q, k, v, u.astype(np.int32))
    assert (o == 0).all()
    assert (lse == -np.inf).all()
    assert (sparsek.attention(q, k, v, u, **OPTIONS) == 0).all()


def test_tensors_that_require_grad_under_no_grad(rng):
    tensors = [torch.from_numpy(x).requires_grad_() for x in inputs(rng)]
    with torch.no_grad():
        o = sparsek.attention(*tensors, **OPTIONS)
    assert not o.requires_grad
    with torch.inference_mode():
        assert torch.equal(sparsek.attention(*tensors, **OPTIONS), o)


def test_parameters_and_other_subclasses(rng):
    q, k, v, u = (torch.from_numpy(x) for x in inputs(rng))
    want = sparsek.attention(q, k, v, u, **OPTIONS)
    got = sparsek.attention(torch.nn.Parameter(q, requires_grad=False), k, v, u, **OPTIONS)
    assert torch.equal(got, want)


def test_numpy_bfloat16(rng):
    ml_dtypes = pytest.importorskip("ml_dtypes")
    q, k, v, u = inputs(rng)
    tensors = [torch.from_numpy(x).bfloat16() for x in (q, k, v)]
    want = sparsek.attention(*tensors, torch.from_numpy(u), **OPTIONS)
    got = sparsek.attention(*[x.astype(ml_dtypes.bfloat16) for x in (q, k, v)], u, **OPTIONS)
    assert got.dtype == ml_dtypes.bfloat16
    np.testing.assert_array_equal(got.astype(np.float32), want.float().numpy())


class Foreign:
    """An array of a library that this package has never heard of."""

    def __init__(self, array, device=(1, 0)):
        self.array, self.device = array, device

    def __dlpack__(self, **options):
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.device

    def __array_namespace__(self):
        return types.SimpleNamespace(from_dlpack=lambda x: Foreign(x))


def test_any_array_with_dlpack(rng):
    arrays = inputs(rng)
    want = sparsek.attention(*arrays, **OPTIONS)
    got = sparsek.attention(*[Foreign(x) for x in arrays], **OPTIONS)
    assert type(got) is Foreign
    np.testing.assert_array_equal(got.array, want)


def test_bfloat16_with_dlpack(rng):
    q, k, v, u = (torch.from_numpy(x) for x in inputs(rng))
    q, k, v = q.bfloat16(), k.bfloat16(), v.bfloat16()
    got = sparsek.attention(Foreign(q), Foreign(k), Foreign(v), Foreign(u), **OPTIONS)
    assert torch.equal(got.array, sparsek.attention(q, k, v, u, **OPTIONS))


def test_dlpack_on_a_gpu(rng):
    q, k, v, u = (Foreign(x) for x in inputs(rng))
    with pytest.raises(ValueError, match=r"k: got an array on cuda:0, needs one on the CPU like the first argument"):
        sparsek.attention(q, Foreign(k.array, device=(2, 0)), v, u, **OPTIONS)
    with pytest.raises(
        ValueError, match=r"q: got an array on DLPack device \(7, 0\), needs one on the CPU or a CUDA GPU"
    ):
        sparsek.attention(Foreign(q.array, device=(7, 0)), k, v, u, **OPTIONS)
    with pytest.raises(
        ValueError, match="scores: got an array on cuda:1, needs one on the CPU: causal_topk_mask has no"
    ):
        sparsek.causal_topk_mask(Foreign(u.array, device=(2, 1)), 8, 16)


def test_torch_is_not_imported_for_numpy():
    code = (
        "import sys, numpy as np, sparsek; sparsek.topk_mask(np.zeros((2, 9), np.float32), 3); "
        "assert 'torch' not in sys.modules and 'ml_dtypes' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
