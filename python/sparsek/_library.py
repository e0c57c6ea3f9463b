# Part of the sparsek project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The C API (include/sparsek-c/SparseK.h) through ctypes.

The library is ``$SPARSEK_LIBRARY`` if that is set, else ``libSparseK.so`` beside this package (the wheel),
in ``../../lib`` (the package inside a build folder) or in ``../../build/lib`` (the package in the source tree).
"""

from __future__ import annotations

import ctypes
import os
import struct
import threading
from ctypes import POINTER, c_bool, c_char_p, c_int32, c_int64, c_size_t, c_void_p
from pathlib import Path

MAX_RANK = 8
DYNAMIC = -(2**63)

I1, I8, I16, I32, I64, F16, BF16, F32, F64 = range(9)
DTYPE_NAMES = ("bool", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32", "float64")
MLIR_NAMES = ("i1", "i8", "i16", "i32", "i64", "f16", "bf16", "f32", "f64")


class TensorType(ctypes.Structure):
    """SparseKTensorType."""

    _fields_ = (("code", c_int32), ("rank", c_int32), ("sizes", c_int64 * MAX_RANK))


class Tensor(ctypes.Structure):
    """SparseKTensor."""

    _fields_ = (
        ("data", c_void_p),
        ("owner", c_void_p),
        ("code", c_int32),
        ("rank", c_int32),
        ("sizes", c_int64 * MAX_RANK),
        ("strides", c_int64 * MAX_RANK),
    )


class CompileOptions(ctypes.Structure):
    """SparseKCompileOptions."""

    _fields_ = (("target", c_char_p), ("cache", c_bool), ("reference", c_bool))


# SparseKExecution: kind, device ordinal and stream.
pack_execution = struct.Struct("@iiP").pack
CPU_EXECUTION = pack_execution(0, 0, 0)
CUDA = 1

DiagnosticCallback = ctypes.CFUNCTYPE(None, c_void_p, c_size_t, c_void_p)

_SIGNATURES = {
    "sparsekVersion": (c_char_p, ()),
    "sparsekHostTarget": (c_char_p, ()),
    "sparsekHasThreads": (c_bool, ()),
    "sparsekCompile": (c_void_p, (c_char_p, c_size_t, POINTER(CompileOptions), DiagnosticCallback, c_void_p)),
    "sparsekModuleDestroy": (None, (c_void_p,)),
    "sparsekModuleGetNumFunctions": (c_size_t, (c_void_p,)),
    "sparsekModuleGetFunctionName": (c_char_p, (c_void_p, c_size_t)),
    "sparsekModuleLookup": (c_void_p, (c_void_p, c_char_p, DiagnosticCallback, c_void_p)),
    "sparsekFunctionGetNumInputs": (c_size_t, (c_void_p,)),
    "sparsekFunctionGetNumResults": (c_size_t, (c_void_p,)),
    "sparsekFunctionGetInputType": (TensorType, (c_void_p, c_size_t)),
    "sparsekFunctionGetResultType": (TensorType, (c_void_p, c_size_t)),
    "sparsekFunctionWritesInput": (c_bool, (c_void_p, c_size_t)),
    # The execution and the inputs, an array of Tensor, are packed into bytes objects, hence c_char_p.
    "sparsekFunctionInvokeOn": (
        c_bool,
        (c_void_p, c_char_p, c_char_p, c_size_t, c_void_p, c_size_t, DiagnosticCallback, c_void_p),
    ),
    "sparsekTensorRelease": (None, (POINTER(Tensor),)),
    "sparsekCudaStatus": (c_char_p, ()),
    "sparsekCudaGetNumDevices": (c_int32, ()),
    "sparsekCudaGetChip": (c_char_p, (c_int32,)),
    "sparsekCudaStreamWait": (c_bool, (c_int32, c_void_p, c_void_p)),
}


def _candidates() -> list[Path]:
    override = os.environ.get("SPARSEK_LIBRARY")
    if override:
        return [Path(override)]
    package = Path(__file__).parent
    root = package.parent.parent
    name = "libSparseK.so"
    return [package / name, root / "lib" / name, root / "build" / "lib" / name]


def _load() -> ctypes.CDLL:
    candidates = _candidates()
    for path in candidates:
        if not path.exists():
            continue
        try:
            library = ctypes.CDLL(str(path))
            for symbol, (result, arguments) in _SIGNATURES.items():
                function = getattr(library, symbol)
                function.restype = result
                function.argtypes = arguments
        except (OSError, AttributeError) as error:
            raise ImportError(f"sparsek: {path} cannot be loaded: {error}") from error
        return library
    tried = ", ".join(str(path) for path in candidates)
    raise ImportError(
        f"sparsek: libSparseK.so not found (looked for {tried}); install the wheel, build the project, "
        "or set SPARSEK_LIBRARY to the file"
    )


library = _load()


class _Messages(threading.local):
    """What the C API said during the current call of this thread."""

    def __init__(self) -> None:
        self.items: list[str] = []


_messages = _Messages()


def _collect(message: int, length: int, _user_data: int) -> None:
    """Keeps one diagnostic for ``take_messages``; every call of the C API on this thread gets this callback."""
    _messages.items.append(ctypes.string_at(message, length).decode("utf-8", "replace"))


collect = DiagnosticCallback(_collect)


def take_messages() -> list[str]:
    """The diagnostics of the call that just failed on this thread; clears them."""
    items = _messages.items
    _messages.items = []
    return items
