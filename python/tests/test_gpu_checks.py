# Part of the sparsek project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What is decided before a GPU is asked: which layouts and sizes kernels take, which error a failure is."""

from __future__ import annotations

import pytest

import sparsek
from sparsek import _checks as check
from sparsek import _cuda as cuda
from sparsek import _library as lib
from sparsek import _modules as modules
from sparsek._errors import call_error

BF16, F32 = lib.BF16, lib.F32


def buffer(*shape, code=BF16, strides=None, address=2**20):
    if strides is None:
        strides = (shape[1] * shape[2] * shape[3], shape[2] * shape[3], shape[3], 1)
    return address, code, shape, strides, None


def check_gpu(q, k, v=None):
    check.gpu_inputs(q, k, v or k, q[2][1] // k[2][1])


@pytest.mark.parametrize(("code", "step"), [(BF16, 16), (lib.F16, 16), (F32, 8)])
def test_head_dims(code, step):
    name = lib.DTYPE_NAMES[code]
    for size in (step, 3 * step, 256):
        check_gpu(buffer(1, 4, 9, size, code=code), buffer(1, 2, 9, size, code=code))
    good = buffer(1, 2, 9, 64, code=code)
    for size in (1, step - 1, 64 + step // 2, 256 + step):
        bad = buffer(1, 2, 9, size, code=code)
        with pytest.raises(
            ValueError, match=rf"q: got {name} \[1, 2, 9, {size}\], needs d a multiple of {step} up to 256"
        ):
            check_gpu(bad, bad)
        with pytest.raises(
            ValueError, match=rf"v: got {name} \[1, 2, 9, {size}\], needs dv a multiple of {step} up to"
        ):
            check_gpu(good, good, bad)


def test_distances_within_32_bits():
    # The rows of a head: 2**24 of 256 bytes are 4 GiB.
    q = buffer(1, 4, 1, 128)
    check_gpu(q, buffer(1, 2, 2**24 - 1, 128))
    with pytest.raises(ValueError, match=r"k: .* needs the rows of a head within 4 GiB"):
        check_gpu(q, buffer(1, 2, 2**24, 128))
    with pytest.raises(ValueError, match=r"v: .* needs the rows of a head within 4 GiB"):
        check_gpu(q, buffer(1, 2, 9, 128), buffer(1, 2, 9, 128, strides=(0, 0, 2**28, 1)))
    # The heads of a group: at most 16 of them share a tile.
    k = buffer(1, 2, 2**20, 128)
    check_gpu(buffer(1, 64, 2**20, 128), k)
    with pytest.raises(ValueError, match=r"q: .* needs the 32 heads that share a head of k within 4 GiB"):
        check_gpu(buffer(1, 64, 2**21, 128), k)
    check_gpu(buffer(1, 64, 2**21, 128, strides=(0, 128, 64 * 128, 1)), k)
    check_gpu(buffer(1, 2, 2**22, 128), k)


def test_layouts_that_kernels_read():
    assert cuda.is_kernel_layout(buffer(1, 2, 9, 64))
    assert cuda.is_kernel_layout(buffer(1, 2, 9, 64, strides=(0, 64, 128, 1)))
    assert not cuda.is_kernel_layout(buffer(1, 2, 9, 64, strides=(0, 64, 132, 1)))
    assert not cuda.is_kernel_layout(buffer(1, 2, 9, 64, strides=(0, 64, 128, 2)))
    assert not cuda.is_kernel_layout(buffer(1, 2, 9, 64, strides=(0, 64, -128, 1)))
    assert not cuda.is_kernel_layout(buffer(1, 2, 9, 64, address=2**20 + 8))
    assert not cuda.is_kernel_layout(buffer(1, 2, 2**15, 64, strides=(0, 0, 2**16, 1)))
    assert cuda.is_kernel_layout((2**20, F32, (1, 2, 9), (18, 9, 1), None))
    assert not cuda.is_kernel_layout((2**20, F32, (1, 2, 9), (36, 18, 2), None))


@pytest.mark.parametrize("dense_rows", [False, True])
@pytest.mark.parametrize("chip", ["sm_80", "sm_90a"])
def test_modules_for_both_layouts_compile(chip, dense_rows):
    statics = modules.AttentionStatics(BF16, 64, 128, 4, "value", 9, None, None, dense_rows)
    text = modules.sparse_attention_text(statics)
    rows = ("64", "64", "128") if dense_rows else ("?", "?", "?")
    for name, size, stride in zip("qkv", (64, 64, 128), rows, strict=True):
        assert f"%{name}_memref: memref<?x?x?x{size}xbf16, strided<[?, ?, {stride}, 1], offset: ?>>" in text
    function = sparsek.compile(text, target=chip).sparse_attention
    assert "sparse_attention(bfloat16 [?, ?, ?, 64]," in repr(function)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("@f: CUDA_ERROR_OUT_OF_MEMORY (cuMemAllocFromPoolAsync of 9 bytes): out of memory", MemoryError),
        ("CUDA_ERROR_OUT_OF_MEMORY (cuDevicePrimaryCtxRetain): out of memory", MemoryError),
        ("@f: out of memory: could not allocate 9 bytes", MemoryError),
        ("@f: CUDA_ERROR_LAUNCH_FAILED (cuLaunchKernel of f)", RuntimeError),
        ("@f: CUDA error 719 (cuLaunchKernel of f)", RuntimeError),
        ("@f: argument 0: got a size of 9, expected 8", ValueError),
    ],
)
def test_kinds_of_failures(text, kind):
    error = call_error([text])
    assert type(error) is kind
    assert str(error) == text
