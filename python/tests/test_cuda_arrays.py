# Part of the sparsek project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Layouts of tensors on a GPU, arrays of CuPy and JAX there, and compiled modules."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import types

import numpy as np
import pytest
import torch

import sparsek
from cuda_support import Case, call, make, needs_gpu, poison, run
from sparsek import _arrays

pytestmark = needs_gpu


def same_bits(case: Case, *qkv: torch.Tensor) -> None:
    """The call gives the same bits on views as on contiguous copies."""
    view = dataclasses.replace(case, q=qkv[0], k=qkv[1], v=qkv[2])
    for got, have in zip(view.arrays, case.arrays, strict=True):
        assert torch.equal(got, have)
    want, want_lse = run(case)
    o, lse = call(view)
    assert torch.equal(o, want)
    assert torch.equal(lse, want_lse)


def is_read_in_place(tensor: torch.Tensor) -> bool:
    kind = _arrays.kind_of("q", tensor)
    return kind.describe_input("q", tensor)[0] == tensor.data_ptr()


def test_transposed_layouts(rng):
    case = make(rng, batch=2, nk=200)
    views = [x.transpose(1, 2).contiguous().transpose(1, 2) for x in (case.q, case.k, case.v)]
    assert all(map(is_read_in_place, views))
    same_bits(case, *views)


def test_one_tensor_holds_q_k_and_v(rng):
    packed = torch.randn(2, 200, 16, 128, device="cuda", dtype=torch.bfloat16)
    q, k, v = packed.transpose(1, 2).split([8, 4, 4], 1)
    case = make(rng, batch=2, nk=200, kv_heads=4, group=2)
    case.q, case.k, case.v = (x.contiguous() for x in (q, k, v))
    same_bits(case, q, k, v)


def test_slices(rng):
    case = make(rng, batch=2, nk=200)
    views = []
    for x in (case.q, case.k, case.v):
        wide = torch.zeros(*[size + 16 for size in x.shape], device="cuda", dtype=x.dtype)
        view = wide[tuple(slice(8, 8 + size) for size in x.shape)]
        view.copy_(x)
        views.append(view)
    assert all(map(is_read_in_place, views))
    same_bits(case, *views)


@pytest.mark.parametrize("step", [1, 2])
def test_layouts_that_are_copied(rng, step):
    # Rows that start at odd multiples of two bytes, or whose elements are apart.
    case = make(rng, nk=200)
    views = []
    for x in (case.q, case.k, case.v):
        wide = torch.zeros(*x.shape[:3], step * x.shape[3] + 1, device="cuda", dtype=x.dtype)
        view = wide[..., 1::step]
        view.copy_(x)
        views.append(view)
    assert not any(map(is_read_in_place, views))
    same_bits(case, *views)


def test_rows_that_are_far_apart(rng):
    # 128 KiB from row to row: the last ones are beyond 4 GiB.
    case = make(rng, nk=33000, d=64, kv_heads=1, policy="window")
    wide = torch.empty(33000, 65536, device="cuda", dtype=case.k.dtype)
    far = wide[None, None, :, :64]
    far.copy_(case.k)
    assert not is_read_in_place(far)
    assert is_read_in_place(far[:, :, :32000])
    want, _ = sparsek.sparse_attention(*case.arrays)
    o, _ = sparsek.sparse_attention(case.q, far, case.v, case.end)
    assert torch.equal(o, want)
    last = dataclasses.replace(case, q=case.q[:, :, -1:], k=far[:, :, :32000], v=case.v[:, :, :32000])
    last.end = case.end[:, :, :32000].contiguous()
    run(last)


def test_heads_that_are_one(rng):
    case = make(rng, kv_heads=4, group=2, batch=2, nk=150)
    k, v = (x[:, :1].expand_as(x) for x in (case.k, case.v))
    case.k, case.v = k.contiguous(), v.contiguous()
    same_bits(case, case.q, k, v)


def test_strided_lifetimes_scores_and_thresholds(rng):
    case = make(rng, gate="value", nk=150, batch=2)
    want, _ = run(case)

    def spread(x: torch.Tensor) -> torch.Tensor:
        wide = torch.zeros(*x.shape[:2], 2 * x.shape[2] + 1, device="cuda", dtype=x.dtype)
        wide[..., 1::2] = x
        return wide[..., 1::2]

    case.end = spread(case.end)
    case.options |= {name: spread(case.options[name]) for name in ("scores", "tau")}
    o, _ = call(case)
    assert torch.equal(o, want)


def test_key_and_value_may_be_one_tensor(rng):
    case = make(rng, nk=150)
    case.v = case.k
    run(case)


@pytest.mark.parametrize("dtype", ["f32", "f16", "bf16"])
def test_cupy(rng, dtype):
    cupy = pytest.importorskip("cupy")
    case = make(rng, gate="value", dtype=dtype, nk=200)
    want, want_lse = run(case)
    try:
        arrays = [cupy.from_dlpack(x) for x in case.arrays]
    except (TypeError, ValueError, BufferError, RuntimeError) as error:
        pytest.skip(f"this CuPy has no {dtype}: {error}")
    options = {k: cupy.from_dlpack(x) if isinstance(x, torch.Tensor) else x for k, x in case.options.items()}
    stream = cupy.cuda.Stream(non_blocking=True)
    torch.cuda.synchronize()
    with stream:
        o, lse = sparsek.sparse_attention(*arrays, **options)
        assert isinstance(o, cupy.ndarray)
        stream.synchronize()
    assert torch.equal(torch.from_dlpack(o), want)
    assert torch.equal(torch.from_dlpack(lse), want_lse)
    odd = cupy.asfortranarray(arrays[1])
    again, _ = sparsek.sparse_attention(arrays[0], odd, arrays[2], arrays[3], **options)
    assert torch.equal(torch.from_dlpack(again), want)
    none, _ = sparsek.sparse_attention(arrays[0], *[x[:, :, :0] for x in arrays[1:]])
    assert (none == 0).all()


@pytest.mark.parametrize("dtype", ["f32", "f16", "bf16"])
def test_jax(rng, dtype, monkeypatch):
    monkeypatch.setenv("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    jax = pytest.importorskip("jax")
    if jax.default_backend() != "gpu":
        pytest.skip("JAX sees no GPU")
    case = make(rng, gate="value", dtype=dtype, nk=200)
    want, want_lse = run(case)
    torch.cuda.synchronize()
    arrays = [jax.dlpack.from_dlpack(x) for x in case.arrays]
    options = {k: jax.dlpack.from_dlpack(x) if isinstance(x, torch.Tensor) else x for k, x in case.options.items()}
    for _ in range(20):
        # Inputs that JAX is still computing, and results that it goes on with at once.
        ones = jax.numpy.ones((4096, 4096))
        q = (ones @ ones).min() / 4096 * arrays[0]
        o, lse = sparsek.sparse_attention(q.astype(arrays[0].dtype), *arrays[1:], **options)
        assert isinstance(o, jax.Array)
        doubled = 2 * o
        assert torch.equal(torch.from_dlpack(doubled), 2 * want)
        assert torch.equal(torch.from_dlpack(lse), want_lse)
    none, lse = sparsek.sparse_attention(arrays[0], *[x[:, :, :0] for x in arrays[1:]])
    assert (none == 0).all()
    assert (lse == -np.inf).all()


class Foreign:
    """An array on a GPU of a library that this package has never heard of."""

    def __init__(self, tensor):
        self.tensor = torch.from_dlpack(tensor)

    def __dlpack__(self, **options):
        return self.tensor.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.tensor.__dlpack_device__()

    def __array_namespace__(self):
        return types.SimpleNamespace(from_dlpack=Foreign)


def test_any_array_with_dlpack(rng):
    case = make(rng)
    want, _ = run(case)
    o, _ = sparsek.sparse_attention(*map(Foreign, case.arrays))
    assert type(o) is Foreign
    assert torch.equal(o.tensor, want)
    with pytest.raises(TypeError, match="k: got a torch array, needs a"):
        sparsek.sparse_attention(Foreign(case.q), case.k, case.v, case.end)


def attention_module(chip: str) -> sparsek.Module:
    """A module on tensors, so that its results are new memory."""
    types = {"q": "1x8x?x64xbf16", "k": "1x2x?x64xbf16", "v": "1x2x?x64xbf16", "end": "1x2x?xi32", "lse": "1x8x?xf32"}
    tensors = {name: f"tensor<{text}>" for name, text in types.items()}
    q, k, v, end, lse = tensors.values()
    return sparsek.compile(
        f"""
        func.func @attention(%q: {q}, %k: {k}, %v: {v}, %end: {end}) -> ({q}, {lse}) {{
          %c2 = arith.constant 2 : index
          %n = tensor.dim %q, %c2 : {q}
          %o = tensor.empty(%n) : {q}
          %l = tensor.empty(%n) : {lse}
          %0:2 = sparsek.sparse_attention ins(%q, %k, %v, %end : {q}, {k}, {v}, {end}) outs(%o, %l : {q}, {lse})
            -> {q}, {lse}
          return %0#0, %0#1 : {q}, {lse}
        }}""",
        target=chip,
    )


def test_compiled_modules_make_their_results(rng):
    case = make(rng, d=64, nk=200)
    want, want_lse = run(case)
    function = attention_module("cuda").attention
    for _ in range(3):
        o, lse = function(*case.arrays)
        assert o.device == case.q.device
        assert torch.equal(o, want)
        assert torch.equal(lse, want_lse)
        del o, lse


@pytest.mark.parametrize("target", ["cuda", "sm_80"])
def test_compiled_modules_with_nothing_to_attend_to(rng, target):
    case = make(rng, d=64, nk=20)
    function = attention_module(target).attention
    poison((tuple(case.q.shape), case.q.dtype), (tuple(case.q.shape[:3]), torch.float32))
    o, lse = function(case.q, *[x[:, :, :0] for x in case.arrays[1:]])
    assert o.shape == case.q.shape
    assert (o == 0).all()
    assert (lse == -torch.inf).all()
    assert [x.shape[2] for x in function(case.q[:, :, :0], *case.arrays[1:])] == [0, 0]
    want, _ = run(case)
    if target == "cuda":
        assert torch.equal(function(*case.arrays)[0], want)


def test_compiled_modules_take_arrays_on_a_gpu_only(rng):
    case = make(rng, d=64, nk=200)
    function = attention_module("cuda").attention
    with pytest.raises(ValueError, match="argument 0 of attention: got an array on the CPU, needs one on a GPU: the"):
        function(*[x.cpu() for x in case.arrays])
    with pytest.raises(ValueError, match="argument 1 of attention: got an array on the CPU, needs one on cuda:0"):
        function(case.q, case.k.cpu(), case.v, case.end)
    doubled = sparsek.compile("func.func @f(%x: tensor<?xf32>) -> tensor<?xf32> { return %x : tensor<?xf32> }")
    with pytest.raises(ValueError, match="argument 0 of f: got an array on cuda:0, needs one on the CPU: the module"):
        doubled.f(torch.zeros(3, device="cuda"))


def test_targets_name_the_devices():
    text = sparsek.targets()["cuda"]
    assert text.count("cuda:") == torch.cuda.device_count()
    hopper = torch.cuda.get_device_capability(0)[0] == 9
    assert text.startswith("cuda:0 sm_90a" if hopper else "cuda:0 sm_80")


def test_torch_is_not_needed_for_cupy():
    pytest.importorskip("cupy")
    code = (
        "import sys, cupy, sparsek; q = cupy.ones((1, 1, 5, 64), 'float16'); "
        "o, _ = sparsek.sparse_attention(q, q, q, cupy.full((1, 1, 5), 9, 'int32')); "
        "assert (o == 1).all() and 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
