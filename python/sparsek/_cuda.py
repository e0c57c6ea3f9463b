# Part of the sparsek project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Arrays on CUDA GPUs: torch's, CuPy's, JAX's, and those of other libraries with DLPack by way of torch.

A call is enqueued on the current stream of the library and device of its arguments (for JAX: on the stream that JAX
has for the work of others), and results are the library's own memory, so that nothing waits and torch's calls can be
captured into CUDA graphs.
"""

from __future__ import annotations

import functools
import sys
from typing import Any

from sparsek import _dlpack as dlpack
from sparsek import _library as lib
from sparsek._arrays import (
    ITEM_SIZES,
    Buffer,
    Kind,
    TorchKind,
    find_from_dlpack,
    numpy_code,
    numpy_dtype,
    torch_kind,
)
from sparsek._checks import rows_within_reach


@functools.cache
def chip(ordinal: int) -> str:
    """What functions for a device are compiled for, such as "sm_90a". RuntimeError where no code runs on it."""
    name: bytes | None = lib.library.sparsekCudaGetChip(ordinal)
    if name is None:
        raise RuntimeError(f"no code can run on cuda:{ordinal}: {unavailable() or 'needs compute capability 8.0'}")
    return name.decode()


def unavailable() -> str | None:
    """Why nothing runs on a GPU here, None if it does."""
    reason: bytes | None = lib.library.sparsekCudaStatus()
    return None if reason is None else reason.decode()


def describe_devices() -> str:
    """The devices and their chips, or why there are none, as `sparsek.targets` shows them."""
    reason = unavailable()
    if reason is not None:
        return f"unavailable: {reason}"
    chips = [lib.library.sparsekCudaGetChip(index) for index in range(lib.library.sparsekCudaGetNumDevices())]
    return ", ".join(f"cuda:{index} {name.decode() if name else 'too old'}" for index, name in enumerate(chips))


def is_kernel_layout(buffer: Buffer) -> bool:
    """Whether kernels can read an array as it is: the elements of a row are adjacent, and rows of q, k and v (the
    arrays of 4 dimensions) start at multiples of 16 bytes, those of a head within 4 GiB."""
    address, code, _, strides, _ = buffer
    if len(strides) != 4:
        return not strides or strides[-1] == 1
    together = 0
    for stride in strides[:-1]:
        together |= stride
    # A negative stride makes it negative.
    if strides[-1] != 1 or together < 0 or ((together * ITEM_SIZES[code]) | address) & 15:
        return False
    return rows_within_reach(buffer)


class _Gpu:
    """What kinds on a GPU share."""

    on_gpu = True

    def __init__(self, index: int) -> None:
        self.index = index
        self.place = f"cuda:{index}"

    @property
    def target(self) -> str:
        return chip(self.index)

    def release_memory(self) -> bool:
        return False


class TorchCudaKind(_Gpu, TorchKind):
    """torch tensors on a GPU."""

    device_type = "cuda"

    def __init__(self, torch: Any, index: int) -> None:
        TorchKind.__init__(self, torch)
        _Gpu.__init__(self, index)
        self.device = torch.device("cuda", index)

    def is_here(self, array: Any) -> bool:
        here: bool = array.is_cuda and array.get_device() == self.index
        return here

    def execution(self) -> bytes:
        stream = self._torch._C._cuda_getCurrentRawStream(self.index)
        return lib.pack_execution(lib.CUDA, self.index, stream)

    def describe_input(self, name: str, array: Any) -> Buffer:
        buffer = self.describe(name, array)
        if is_kernel_layout(buffer):
            return buffer
        return self.describe(name, array.clone(memory_format=self._torch.contiguous_format))

    def release_memory(self) -> bool:
        if self._torch.cuda.is_current_stream_capturing():
            return False
        with self._torch.cuda.device(self.index):
            self._torch.cuda.empty_cache()
        return True

    def adopt(self, tensor: lib.Tensor) -> Any:
        return self._torch.from_dlpack(dlpack.Result(tensor, self.index))


class _NoTorch:
    """What kinds share whose arrays torch does not see."""

    def refuse_gradients(self, name: str, array: Any) -> None:
        pass

    def operators(self, *arrays: Any) -> Any:
        return None

    def of(self, name: str, array: Any) -> Kind:
        raise AssertionError("the kind on the CPU finds those on GPUs")


class CupyKind(_Gpu, _NoTorch):
    """CuPy arrays."""

    name = "cupy"

    def __init__(self, cupy: Any, index: int) -> None:
        super().__init__(index)
        self._cupy = cupy

    def execution(self) -> bytes:
        return lib.pack_execution(lib.CUDA, self.index, self._cupy.cuda.get_current_stream(self.index).ptr)

    def describe(self, name: str, array: Any) -> Buffer:
        code = numpy_code(name, array.dtype)
        size = ITEM_SIZES[code]
        return array.data.ptr, code, array.shape, tuple([stride // size for stride in array.strides]), array

    def describe_input(self, name: str, array: Any) -> Buffer:
        buffer = self.describe(name, array)
        if is_kernel_layout(buffer):
            return buffer
        with self._cupy.cuda.Device(self.index):
            return self.describe(name, self._cupy.array(array, order="C", copy=True))

    def full(self, shape: tuple[int, ...], code: int, value: float) -> Any:
        with self._cupy.cuda.Device(self.index):
            return self._cupy.full(shape, value, numpy_dtype(code))

    def empty(self, shape: tuple[int, ...], code: int) -> tuple[Any, Buffer]:
        with self._cupy.cuda.Device(self.index):
            array = self._cupy.empty(shape, numpy_dtype(code))
        return array, (array.data.ptr, code, shape, dlpack.compact(shape), array)

    def release_memory(self) -> bool:
        with self._cupy.cuda.Device(self.index):
            self._cupy.get_default_memory_pool().free_all_blocks()
        return True

    def is_writable(self, array: Any, owner: Any) -> bool:
        return owner is array

    def finish(self, array: Any) -> Any:
        return array

    def adopt(self, tensor: lib.Tensor) -> Any:
        return self._cupy.from_dlpack(dlpack.Result(tensor, self.index))


class _Export:
    """A JAX array anew: one that JAX takes back only after what has been enqueued on a stream."""

    def __init__(self, array: Any, index: int, awaited: int) -> None:
        self._array = array
        self._index = index
        self._awaited = awaited
        self.__dlpack_device__ = array.__dlpack_device__

    def __dlpack__(self, *, stream: int, **options: Any) -> Any:
        if not lib.library.sparsekCudaStreamWait(self._index, stream, self._awaited):
            raise RuntimeError(f"cuda:{self._index}: a stream of JAX cannot wait for the one that a call is on")
        return self._array.__dlpack__(stream=stream, **options)


class JaxKind(_Gpu, _NoTorch):
    """JAX arrays. JAX has no current stream. It offers streams that can wait for its arrays and that its computations
    can wait for, another one each time: a call keeps to the first that it gets."""

    name = "jax"

    def __init__(self, jax: Any, index: int) -> None:
        super().__init__(index)
        self._jax = jax
        devices = jax.local_devices(backend="gpu")
        self._device = next(device for device in devices if device.local_hardware_id == index)
        self._stream: int = self._device.get_stream_for_external_ready_events()

    def execution(self) -> bytes:
        return lib.pack_execution(lib.CUDA, self.index, self._stream)

    def describe(self, name: str, array: Any) -> Buffer:
        return dlpack.read(name, array.__dlpack__(stream=self._stream))

    def describe_input(self, name: str, array: Any) -> Buffer:
        buffer = self.describe(name, array)
        if is_kernel_layout(buffer):
            return buffer
        return self.describe(name, self._jax.numpy.array(array, copy=True))

    def full(self, shape: tuple[int, ...], code: int, value: float) -> Any:
        return self._jax.numpy.full(shape, value, self._dtype(code), device=self._device)

    def empty(self, shape: tuple[int, ...], code: int) -> tuple[Any, Buffer]:
        array = self._jax.numpy.empty(shape, self._dtype(code), device=self._device)
        return array, self.describe("result", array)

    def _dtype(self, code: int) -> Any:
        return getattr(self._jax.numpy, lib.DTYPE_NAMES[code].replace("bool", "bool_"))

    def is_writable(self, array: Any, owner: Any) -> bool:
        return False

    def finish(self, array: Any) -> Any:
        return self._jax.dlpack.from_dlpack(_Export(array, self.index, self._stream))

    def adopt(self, tensor: lib.Tensor) -> Any:
        return dlpack.Result(tensor, self.index)


class ThroughTorchKind(_NoTorch):
    """Arrays of another library, which torch reads and allocates."""

    on_gpu = True

    def __init__(self, name: str, torch: TorchKind, from_dlpack: Any, library: Any) -> None:
        self.name = name
        self.place = torch.place
        self._kind = torch
        self._from_dlpack = from_dlpack
        self._torch = library

    @property
    def target(self) -> str:
        return self._kind.target

    def execution(self) -> bytes:
        return self._kind.execution()

    def release_memory(self) -> bool:
        return self._kind.release_memory()

    def describe(self, name: str, array: Any) -> Buffer:
        return self._kind.describe(name, self._torch.from_dlpack(array))

    def describe_input(self, name: str, array: Any) -> Buffer:
        return self._kind.describe_input(name, self._torch.from_dlpack(array))

    def full(self, shape: tuple[int, ...], code: int, value: float) -> Any:
        return self.finish(self._kind.full(shape, code, value))

    def empty(self, shape: tuple[int, ...], code: int) -> tuple[Any, Buffer]:
        return self._kind.empty(shape, code)

    def is_writable(self, array: Any, owner: Any) -> bool:
        return True

    def finish(self, array: Any) -> Any:
        return array if self._from_dlpack is None else self._from_dlpack(array)

    def adopt(self, tensor: lib.Tensor) -> Any:
        return self._kind.adopt(tensor)


def kind_for(name: str, library: str, module: Any, index: int) -> Kind:
    """The kind of the argument called `name`, an array of `library` (its namespace is `module`) on a device."""
    if library == "cupy":
        return CupyKind(sys.modules["cupy"], index)
    if library == "jax":
        return JaxKind(sys.modules["jax"], index)
    torch = sys.modules.get("torch")
    if torch is None:
        raise TypeError(
            f"{name}: got a {library} array on cuda:{index}, which is read through torch: import torch first, or pass "
            "a torch, CuPy or JAX array"
        )
    kind = torch_kind(torch).of_device(index)
    return ThroughTorchKind(library, kind, find_from_dlpack(module), torch)
