# Part of the sparsek project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""DLPack's structures: read from the arrays of others, and made for results in memory of the C API.

numpy and torch have this for what they hold; for memory of a GPU that neither holds it is done here.
"""

from __future__ import annotations

import ctypes
from ctypes import POINTER, c_char_p, c_int, c_int32, c_int64, c_uint8, c_uint16, c_uint64, c_void_p, py_object
from typing import Any

from sparsek import _library as lib

CUDA = 2
_NAME = b"dltensor"
# (kDLInt, kDLFloat, kDLBfloat, kDLBool; bits) of each element code.
_DTYPES = {
    lib.I1: (6, 8),
    lib.I8: (0, 8),
    lib.I16: (0, 16),
    lib.I32: (0, 32),
    lib.I64: (0, 64),
    lib.F16: (2, 16),
    lib.BF16: (4, 16),
    lib.F32: (2, 32),
    lib.F64: (2, 64),
}
_CODES = {dtype: code for code, dtype in _DTYPES.items()}


class _DLTensor(ctypes.Structure):
    _fields_ = (
        ("data", c_void_p),
        ("device_type", c_int32),
        ("device_id", c_int32),
        ("ndim", c_int32),
        ("type_code", c_uint8),
        ("bits", c_uint8),
        ("lanes", c_uint16),
        ("shape", POINTER(c_int64)),
        ("strides", POINTER(c_int64)),
        ("byte_offset", c_uint64),
    )


_Deleter = ctypes.CFUNCTYPE(None, c_void_p)


class _DLManagedTensor(ctypes.Structure):
    _fields_ = (("tensor", _DLTensor), ("context", c_void_p), ("deleter", _Deleter))


_get_pointer = ctypes.PYFUNCTYPE(c_void_p, py_object, c_char_p)(("PyCapsule_GetPointer", ctypes.pythonapi))
_new_capsule = ctypes.PYFUNCTYPE(py_object, c_void_p, c_char_p, c_void_p)(("PyCapsule_New", ctypes.pythonapi))
# For a capsule that is being destroyed, and must not become an object again.
_is_valid = ctypes.PYFUNCTYPE(c_int, c_void_p, c_char_p)(("PyCapsule_IsValid", ctypes.pythonapi))
_get_raw_pointer = ctypes.PYFUNCTYPE(c_void_p, c_void_p, c_char_p)(("PyCapsule_GetPointer", ctypes.pythonapi))


def read(name: str, capsule: Any) -> tuple[int, int, tuple[int, ...], tuple[int, ...], Any]:
    """The buffer of a capsule, which keeps the memory alive. TypeError for an element type that is not known."""
    tensor = _DLManagedTensor.from_address(_get_pointer(capsule, _NAME)).tensor
    code = _CODES.get((tensor.type_code, tensor.bits)) if tensor.lanes == 1 else None
    if code is None:
        raise TypeError(
            f"{name}: got an array of DLPack type {(tensor.type_code, tensor.bits, tensor.lanes)}, needs one of "
            f"{', '.join(lib.DTYPE_NAMES)}"
        )
    shape = tuple(tensor.shape[: tensor.ndim])
    strides = tuple(tensor.strides[: tensor.ndim]) if tensor.strides else compact(shape)
    return (tensor.data or 0) + tensor.byte_offset, code, shape, strides, capsule


def compact(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The strides of elements row by row."""
    strides, step = [], 1
    for size in reversed(shape):
        strides.append(step)
        step *= size
    return tuple(reversed(strides))


# What lives until its deleter is called, by the address of the managed tensor.
_exported: dict[int, tuple[Any, ...]] = {}


def _delete(address: int) -> None:
    *_, tensor = _exported.pop(address)
    lib.library.sparsekTensorRelease(ctypes.byref(tensor))


def _destroy(capsule: int) -> None:
    # A capsule that was consumed has another name, and its consumer calls the deleter.
    if _is_valid(capsule, _NAME):
        _delete(_get_raw_pointer(capsule, _NAME))


_delete_callback = _Deleter(_delete)
_destroy_callback = ctypes.cast(_Deleter(_destroy), c_void_p)


class Result:
    """A result of the C API on a GPU, to be taken by a library's from_dlpack, once, on the stream of the call."""

    def __init__(self, tensor: lib.Tensor, device: int) -> None:
        managed = _DLManagedTensor()
        shape = (c_int64 * tensor.rank)(*tensor.sizes[: tensor.rank])
        strides = (c_int64 * tensor.rank)(*tensor.strides[: tensor.rank])
        code, bits = _DTYPES[tensor.code]
        managed.tensor = _DLTensor(tensor.data, CUDA, device, tensor.rank, code, bits, 1, shape, strides, 0)
        managed.deleter = _delete_callback
        address = ctypes.addressof(managed)
        _exported[address] = (managed, shape, strides, tensor)
        self._device = device
        self._capsule = _new_capsule(address, _NAME, _destroy_callback)

    def __dlpack_device__(self) -> tuple[int, int]:
        return CUDA, self._device

    def __dlpack__(self, **_options: Any) -> Any:
        return self._capsule
