# Part of the sparsek project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Arrays in, arrays of the same kind out: numpy, torch, anything else with ``__dlpack__``.

A kind is a library and a place: the CPU here, a GPU in `_cuda`. It turns an array into a buffer, the tuple ``(address,
element code, shape, strides in elements, keepalive)``, without copying, allocates results, and says what functions for
its arrays are compiled for and where they run. Neither torch nor ml_dtypes is imported here before the caller has done
so.
"""

from __future__ import annotations

import ctypes
import sys
import weakref
from typing import Any, Protocol

import numpy as np

from sparsek import _library as lib

Buffer = tuple[int, int, tuple[int, ...], tuple[int, ...], Any]

_NUMPY_CODES: dict[Any, int] = {
    np.dtype(np.bool_): lib.I1,
    np.dtype(np.int8): lib.I8,
    np.dtype(np.int16): lib.I16,
    np.dtype(np.int32): lib.I32,
    np.dtype(np.int64): lib.I64,
    np.dtype(np.float16): lib.F16,
    np.dtype(np.float32): lib.F32,
    np.dtype(np.float64): lib.F64,
}
_NUMPY_DTYPES: dict[int, Any] = {code: dtype for dtype, code in _NUMPY_CODES.items()}
ITEM_SIZES = (1, 1, 2, 4, 8, 2, 2, 4, 8)


class Kind(Protocol):
    """How to read and make the arrays of one library."""

    name: str
    place: str
    """Where the arrays are: "the CPU" or "cuda:0"."""
    on_gpu: bool

    def of(self, name: str, array: Any) -> Kind:
        """The kind of the argument called `name`, an array of this kind's library, at its place. ValueError if
        nothing runs there."""

    @property
    def target(self) -> str:
        """What functions for these arrays are compiled for."""

    def execution(self) -> bytes:
        """Where a call made now runs: a packed SparseKExecution."""

    def describe(self, name: str, array: Any) -> Buffer:
        """The buffer of the argument called `name`."""

    def describe_input(self, name: str, array: Any) -> Buffer:
        """The buffer of an input of a kernel: of a copy where a kernel cannot read the array's layout."""

    def full(self, shape: tuple[int, ...], code: int, value: float) -> Any:
        """A new array with one value, as the caller gets it."""

    def empty(self, shape: tuple[int, ...], code: int) -> tuple[Any, Buffer]:
        """A new contiguous array, not initialized, and its buffer."""

    def is_writable(self, array: Any, owner: Any) -> bool:
        """Whether writes to the buffer of `array`, which `owner` keeps alive, reach the caller's array."""

    def refuse_gradients(self, name: str, array: Any) -> None:
        """ValueError for an array whose gradient is asked for."""

    def finish(self, array: Any) -> Any:
        """What the caller gets for an array made by `empty` or `adopt`."""

    def adopt(self, tensor: lib.Tensor) -> Any:
        """An array over the memory of a result of the C API, which it then owns."""

    def release_memory(self) -> bool:
        """Gives free memory that the library keeps back to the device. False if it keeps none or cannot do so now."""

    def operators(self, *arrays: Any) -> Any:
        """The operators that a call with these arrays has to go through, None if it may run the kernel itself."""


def describe_type(code: int, shape: tuple[int, ...]) -> str:
    """An array's type as error messages show it: ``float32 [1, 8, 64, 128]``."""
    return f"{lib.DTYPE_NAMES[code]} {list(shape)}"


def _unknown_dtype(name: str, dtype: object) -> TypeError:
    return TypeError(f"{name}: got dtype {dtype}, needs one of {', '.join(lib.DTYPE_NAMES)} in native byte order")


def _nowhere(name: str, device: object) -> ValueError:
    return ValueError(f"{name}: got an array on {device}, needs one on the CPU or a CUDA GPU")


def numpy_dtype(code: int) -> Any:
    """numpy's dtype of an element code."""
    dtype = _NUMPY_DTYPES.get(code)
    if dtype is not None:
        return dtype
    try:
        import ml_dtypes
    except ImportError:
        raise TypeError("numpy arrays of bfloat16 need the package ml_dtypes; torch tensors do not") from None
    dtype = np.dtype(ml_dtypes.bfloat16)
    _NUMPY_CODES[dtype] = lib.BF16
    _NUMPY_DTYPES[lib.BF16] = dtype
    return dtype


def numpy_code(name: str, dtype: Any) -> int:
    """The element code of numpy's `dtype`, of the argument called `name`."""
    code = _NUMPY_CODES.get(dtype)
    if code is None:
        if dtype.name != "bfloat16":
            raise _unknown_dtype(name, dtype)
        numpy_dtype(lib.BF16)
        code = lib.BF16
    return code


class _Cpu:
    """What kinds on the CPU share."""

    place = "the CPU"
    on_gpu = False

    @property
    def target(self) -> str:
        return "cpu"

    def execution(self) -> bytes:
        return lib.CPU_EXECUTION

    def release_memory(self) -> bool:
        return False


class NumpyKind(_Cpu):
    """numpy arrays."""

    name = "numpy"

    def of(self, name: str, array: Any) -> Kind:
        return self

    def describe(self, name: str, array: Any) -> Buffer:
        code = _NUMPY_CODES.get(array.dtype)
        if code is None:
            code = numpy_code(name, array.dtype)
        if not array.flags.aligned:
            array = np.array(array)
        strides = array.strides
        size = ITEM_SIZES[code]
        address = array.__array_interface__["data"][0]
        return address, code, array.shape, tuple([stride // size for stride in strides]), array

    describe_input = describe

    def full(self, shape: tuple[int, ...], code: int, value: float) -> Any:
        return np.full(shape, value, numpy_dtype(code))

    def empty(self, shape: tuple[int, ...], code: int) -> tuple[Any, Buffer]:
        array = np.empty(shape, numpy_dtype(code))
        return array, self.describe("result", array)

    def is_writable(self, array: Any, owner: Any) -> bool:
        return owner is array and bool(array.flags.writeable)

    def refuse_gradients(self, name: str, array: Any) -> None:
        pass

    def finish(self, array: Any) -> Any:
        return array

    def adopt(self, tensor: lib.Tensor) -> Any:
        shape = tuple(tensor.sizes[: tensor.rank])
        dtype = numpy_dtype(tensor.code)
        if 0 in shape:
            lib.library.sparsekTensorRelease(ctypes.byref(tensor))
            return np.empty(shape, dtype)
        strides = tuple(stride * dtype.itemsize for stride in tensor.strides[: tensor.rank])
        low = sum((size - 1) * min(stride, 0) for size, stride in zip(shape, strides, strict=True))
        high = sum((size - 1) * max(stride, 0) for size, stride in zip(shape, strides, strict=True))
        memory = (ctypes.c_char * (high - low + dtype.itemsize)).from_address(tensor.data + low)
        array = np.ndarray(shape, dtype, memory, -low, strides)
        if not tensor.owner:
            return array.copy()
        weakref.finalize(memory, lib.library.sparsekTensorRelease, tensor).atexit = False
        return array

    def operators(self, *arrays: Any) -> Any:
        return None


class TorchKind(_Cpu):
    """torch tensors on the CPU."""

    name = "torch"
    device_type = "cpu"

    def __init__(self, torch: Any) -> None:
        self._torch = torch
        self._gpus: dict[int, TorchKind] = {}
        names = {lib.I1: "bool"}
        self._dtypes = {code: getattr(torch, names.get(code, dtype)) for code, dtype in enumerate(lib.DTYPE_NAMES)}
        self._codes = {dtype: code for code, dtype in self._dtypes.items()}
        self.device = torch.device("cpu")
        self._strided = torch.strided
        self._empty = torch.empty
        self._plain = (torch.Tensor, torch.nn.Parameter)

    def of(self, name: str, array: Any) -> TorchKind:
        if array.is_cpu:
            return self
        if not array.is_cuda:
            raise _nowhere(name, array.device)
        index = array.get_device()
        return self._gpus.get(index) or self.of_device(index)

    def of_device(self, index: int) -> TorchKind:
        """The kind of tensors on a GPU."""
        kind = self._gpus.get(index)
        if kind is None:
            from sparsek._cuda import TorchCudaKind

            kind = self._gpus[index] = TorchCudaKind(self._torch, index)
        return kind

    def is_here(self, array: Any) -> bool:
        """Whether a tensor is at the place of this kind."""
        here: bool = array.is_cpu
        return here

    def refuse(self, name: str, array: Any) -> None:
        """ValueError or TypeError for a tensor whose memory is elsewhere or not strided."""
        if not self.is_here(array):
            raise elsewhere(name, str(array.device), self)
        if array.layout is not self._strided:
            raise TypeError(f"{name}: got a tensor of layout {array.layout}, needs torch.strided")

    def code(self, name: str, array: Any) -> int:
        """The element code of a tensor."""
        code = self._codes.get(array.dtype)
        if code is None:
            raise _unknown_dtype(name, array.dtype)
        return code

    def describe(self, name: str, array: Any) -> Buffer:
        code = self._codes.get(array.dtype)
        if code is None or array.layout is not self._strided or not self.is_here(array):
            self.refuse(name, array)
            code = self.code(name, array)
        if array.is_neg():
            array = array.resolve_neg()
        try:
            address = array.data_ptr()
        except RuntimeError as error:
            # Tensors of a transform (vmap, a fake mode) have no memory.
            raise TypeError(f"{name}: got a tensor without memory of its own: {error}") from error
        return address, code, array.shape, array.stride(), array

    def describe_input(self, name: str, array: Any) -> Buffer:
        return self.describe(name, array)

    def full(self, shape: tuple[int, ...], code: int, value: float) -> Any:
        return self._torch.full(shape, value, dtype=self._dtypes[code], device=self.device)

    def empty(self, shape: tuple[int, ...], code: int) -> tuple[Any, Buffer]:
        array = self._empty(shape, dtype=self._dtypes[code], device=self.device)
        return array, (array.data_ptr(), code, array.shape, array.stride(), array)

    def is_writable(self, array: Any, owner: Any) -> bool:
        return owner is array

    def refuse_gradients(self, name: str, array: Any) -> None:
        if array.requires_grad and self._torch.is_grad_enabled():
            raise ValueError(
                f"{name}: got a tensor that requires grad, needs one that does not, since gradients do not flow "
                "through compiled modules: pass detach() of it or call under torch.no_grad()"
            )

    def finish(self, array: Any) -> Any:
        return array

    def adopt(self, tensor: lib.Tensor) -> Any:
        code = tensor.code
        if code != lib.BF16:
            return self._torch.from_numpy(_NUMPY.adopt(tensor))
        # numpy has no bfloat16 of its own: take the bits.
        tensor.code = lib.I16
        return self._torch.from_numpy(_NUMPY.adopt(tensor)).view(self._torch.bfloat16)

    def operators(self, *arrays: Any) -> Any:
        torch = self._torch
        if not (torch.compiler.is_compiling() or self._watched()):
            plain, grad = self._plain, torch.is_grad_enabled()
            for array in arrays:
                if type(array) not in plain or (grad and array.requires_grad):
                    break
            else:
                return None
        from sparsek.torch import _operators

        return _operators

    def is_transformed(self) -> bool:
        """Whether a transform of torch.func (vmap, grad) or forward-mode differentiation is at work."""
        torch = self._torch
        return torch._C._functorch.peek_interpreter_stack() is not None or torch.autograd.forward_ad._current_level >= 0

    def _watched(self) -> bool:
        """Whether something of torch has to see every operator: a mode, a transform, autocast, a tracer."""
        torch = self._torch
        internal = torch._C
        return (
            internal._len_torch_dispatch_stack() > 0
            or self.is_transformed()
            or torch.is_autocast_enabled(self.device_type)
            or internal._get_tracing_state() is not None
        )


def find_from_dlpack(module: Any) -> Any:
    """A library's function that makes an array from one that supports DLPack; None if it has none."""
    for path in ("from_dlpack", "dlpack.from_dlpack", "utils.dlpack.from_dlpack"):
        found: Any = module
        for part in path.split("."):
            found = getattr(found, part, None)
        if found is not None:
            return found
    return None


class DLPackKind(_Cpu):
    """Arrays of another library, read through DLPack and given back through its ``from_dlpack``."""

    def __init__(self, array: Any) -> None:
        library = type(array).__module__.partition(".")[0]
        self.name = "jax" if library == "jaxlib" else library
        self._gpus: dict[int, Kind] = {}
        if hasattr(array, "__array_namespace__"):
            self._module = array.__array_namespace__()
        else:
            self._module = sys.modules.get(self.name)
        self._from_dlpack = find_from_dlpack(self._module)

    def of(self, name: str, array: Any) -> Kind:
        device, index = map(int, array.__dlpack_device__())
        # kDLCPU, and kDLCUDAHost: page-locked memory of the host.
        if device in (1, 3):
            return self
        # kDLCUDA and kDLCUDAManaged.
        if device not in (2, 13):
            raise _nowhere(name, f"DLPack device {(device, index)}")
        kind = self._gpus.get(index)
        if kind is None:
            from sparsek import _cuda

            kind = self._gpus[index] = _cuda.kind_for(name, self.name, self._module, index)
        return kind

    def describe(self, name: str, array: Any) -> Buffer:
        try:
            return _NUMPY.describe(name, np.from_dlpack(array))
        except (BufferError, RuntimeError) as error:
            # numpy cannot import bfloat16.
            torch = sys.modules.get("torch")
            if torch is None:
                raise TypeError(f"{name}: numpy cannot import it through DLPack: {error}") from error
            return torch_kind(torch).describe(name, torch.from_dlpack(array))

    describe_input = describe

    def full(self, shape: tuple[int, ...], code: int, value: float) -> Any:
        array, _ = self.empty(shape, code)
        array[...] = value
        return self.finish(array)

    def empty(self, shape: tuple[int, ...], code: int) -> tuple[Any, Buffer]:
        torch = sys.modules.get("torch")
        if code == lib.BF16 and torch is not None:
            return torch_kind(torch).empty(shape, code)
        return _NUMPY.empty(shape, code)

    def is_writable(self, array: Any, owner: Any) -> bool:
        return not isinstance(owner, np.ndarray) or bool(owner.flags.writeable)

    def refuse_gradients(self, name: str, array: Any) -> None:
        pass

    def finish(self, array: Any) -> Any:
        return array if self._from_dlpack is None else self._from_dlpack(array)

    def adopt(self, tensor: lib.Tensor) -> Any:
        torch = sys.modules.get("torch")
        if tensor.code == lib.BF16 and torch is not None:
            return torch_kind(torch).adopt(tensor)
        return _NUMPY.adopt(tensor)

    def operators(self, *arrays: Any) -> Any:
        return None


_NUMPY = NumpyKind()
NUMPY: Kind = _NUMPY
_torch_kinds: list[TorchKind] = []
_dlpack_kinds: dict[str, DLPackKind] = {}
_kinds: dict[type, Kind] = {np.ndarray: NUMPY}


def torch_kind(torch: Any) -> TorchKind:
    """The kind of torch's tensors; `torch` is the module."""
    if not _torch_kinds:
        _torch_kinds.append(TorchKind(torch))
    return _torch_kinds[0]


def _find_kind(name: str, array: Any) -> Kind:
    cls = type(array)
    torch = sys.modules.get("torch")
    if isinstance(array, np.ma.MaskedArray):
        raise TypeError(f"{name}: got a masked array, needs an array without a mask")
    if isinstance(array, np.ndarray):
        return NUMPY
    if torch is not None and isinstance(array, torch.Tensor):
        return torch_kind(torch)
    if hasattr(cls, "__dlpack__") and hasattr(cls, "__dlpack_device__"):
        kind = DLPackKind(array)
        return _dlpack_kinds.setdefault(kind.name, kind)
    raise TypeError(f"{name}: got {cls.__name__}, needs a numpy array, a torch tensor or an array that supports DLPack")


def kind_of(name: str, array: Any) -> Kind:
    """The kind of the argument called `name`. TypeError if it is no array, ValueError if nothing runs where it is."""
    kind = _kinds.get(type(array))
    if kind is None:
        kind = _kinds[type(array)] = _find_kind(name, array)
    return kind.of(name, array)


def cpu_kind(operation: str, name: str, array: Any) -> Kind:
    """`kind_of` for an operation without GPU code. ValueError if the array is on a GPU."""
    kind = kind_of(name, array)
    if kind.on_gpu:
        raise ValueError(
            f"{name}: got an array on {kind.place}, needs one on the CPU: {operation} has no GPU code yet, only "
            "sparse_attention has (its end and tau can be made by causal_topk_mask on the CPU)"
        )
    return kind


def elsewhere(name: str, place: str, kind: Kind) -> ValueError:
    """The error for an array that is not where the first argument is, whose kind is `kind`."""
    return ValueError(f"{name}: got an array on {place}, needs one on {kind.place} like the first argument")


def same_kind(kind: Kind, name: str, array: Any) -> None:
    """TypeError unless `array` is of the library of `kind`, the kind of the first argument; ValueError unless it is at
    its place."""
    other = kind_of(name, array)
    if other is not kind:
        if other.name == kind.name:
            raise elsewhere(name, other.place, kind)
        raise TypeError(f"{name}: got a {other.name} array, needs a {kind.name} one like the first argument")
