# Part of the sparsek project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The package's own reading and making of DLPack capsules, on memory of the CPU, where it can be looked at."""

from __future__ import annotations

import ctypes
import gc
import types

import numpy as np
import pytest
import torch

import sparsek
from sparsek import _cuda as cuda
from sparsek import _dlpack as dlpack
from sparsek import _library as lib

NAMES = {torch.bool: "bool", torch.bfloat16: "bfloat16", torch.float16: "float16", torch.int32: "int32"}

ONES = """
func.func @ones(%n: index) -> tensor<?x3xf32> {
  %c = arith.constant 1.0 : f32
  %e = tensor.empty(%n) : tensor<?x3xf32>
  %y = linalg.fill ins(%c : f32) outs(%e : tensor<?x3xf32>) -> tensor<?x3xf32>
  return %y : tensor<?x3xf32>
}
"""


@pytest.mark.parametrize("dtype", NAMES)
def test_reads_what_torch_exports(dtype):
    tensor = torch.arange(24).to(dtype).view(2, 3, 4).transpose(0, 2)[1:]
    address, code, shape, strides, keepalive = dlpack.read("x", tensor.__dlpack__())
    assert (address, lib.DTYPE_NAMES[code]) == (tensor.data_ptr(), NAMES[dtype])
    assert (shape, strides) == (tuple(tensor.shape), tensor.stride())
    assert keepalive is not None


def test_reads_arrays_without_strides_or_dimensions(rng):
    x = rng.standard_normal((3, 5), np.float32)
    assert dlpack.read("x", x.__dlpack__())[2:4] == ((3, 5), (5, 1))
    assert dlpack.read("x", np.zeros((), np.float32).__dlpack__())[2:4] == ((), ())
    assert dlpack.compact((2, 3, 4)) == (12, 4, 1)


def test_unknown_element_types():
    with pytest.raises(TypeError, match=r"x: got an array of DLPack type \(5, 64, 1\), needs one of bool"):
        dlpack.read("x", torch.zeros(2, dtype=torch.complex64).__dlpack__())


def result(n):
    """A result of the C API that nothing owns yet."""
    function = sparsek.compile(ONES).ones
    results = (lib.Tensor * 1)()
    size = np.array(n)
    packed = function._pack(size.__array_interface__["data"][0], 0, lib.I64, 0)
    assert lib.library.sparsekFunctionInvokeOn(
        function._handle, lib.CPU_EXECUTION, packed, 1, results, 1, lib.collect, None
    )
    return lib.Tensor.from_buffer_copy(results[0])


@pytest.fixture
def released(monkeypatch):
    """The addresses of the results that were released."""
    addresses = []

    release = lib.library.sparsekTensorRelease

    def record(tensor):
        addresses.append(ctypes.cast(tensor, ctypes.POINTER(lib.Tensor)).contents.data)
        release(tensor)

    library = types.SimpleNamespace(sparsekTensorRelease=record)
    monkeypatch.setattr(dlpack, "lib", types.SimpleNamespace(library=library))
    monkeypatch.setattr(dlpack, "CUDA", 1)
    return addresses


def test_results_live_as_long_as_the_array_that_took_them(released):
    tensor = result(4)
    address = tensor.data
    array = torch.from_dlpack(dlpack.Result(tensor, 0))
    gc.collect()
    assert array.tolist() == [[1.0] * 3] * 4
    assert array.data_ptr() == address
    assert not released
    del array
    gc.collect()
    assert released == [address]


def test_results_that_nothing_takes_are_released(released):
    tensor = result(4)
    address = tensor.data
    made = dlpack.Result(tensor, 0)
    assert made.__dlpack_device__() == (1, 0)
    del made
    gc.collect()
    assert released == [address]
    assert not dlpack._exported


def test_which_layouts_kernels_read():
    def reads(tensor):
        code = {torch.bfloat16: lib.BF16, torch.float32: lib.F32}[tensor.dtype]
        return cuda.is_kernel_layout((tensor.data_ptr(), code, tensor.shape, tensor.stride(), tensor))

    x = torch.zeros(2, 6, 4, 64, dtype=torch.bfloat16)
    assert reads(x)
    assert reads(x.transpose(1, 2))
    assert reads(x[:, 1:, :, 8:])
    assert reads(x[:, :, :1].expand(2, 6, 4, 64))
    assert not reads(x[..., 4:])
    assert not reads(x[..., ::2])
    assert not reads(torch.zeros(2, 6, 4, 68, dtype=torch.bfloat16)[..., :64])
    assert reads(torch.zeros(2, 6, 4, 68)[..., :64])
    assert reads(x[0, :, :, 0].contiguous())
    assert not reads(x[0, :, :, 0])
    assert not cuda.is_kernel_layout((0, lib.F32, (1, 1, 2, 64), (128, 128, -64, 1), None))
