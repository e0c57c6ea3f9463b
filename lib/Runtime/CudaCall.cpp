//===- CudaCall.cpp - A call's device memory and stream -------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CudaCall.h"

#include "Strided.h"
#include "llvm/ADT/bit.h"

#include "sparsek/Runtime/Signature.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/InterleavedRange.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir::sparsek::runtime;
using namespace mlir::sparsek::runtime::cuda;

static Address toAddress(const void *memory) {
  return reinterpret_cast<Address>(memory);
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

Call::~Call() {
  for (void *left : memory)
    Driver::get().cuMemFreeAsync(toAddress(left), stream);
}

bool Call::trimPool() {
  const Driver &driver = Driver::get();
  int capturing = 0;
  return driver.cuStreamIsCapturing(stream, &capturing) == kSuccess &&
         !capturing && driver.cuStreamSynchronize(stream) == kSuccess &&
         driver.cuMemPoolTrimTo(device.pool, /*minBytesToKeep=*/0) == kSuccess;
}

llvm::Expected<void *> Call::allocate(uint64_t bytes) {
  if (bytes == 0)
    return nullptr;
  Address address = 0;
  auto tryAllocate = [&] {
    return Driver::get().cuMemAllocFromPoolAsync(&address, bytes, device.pool,
                                                 stream);
  };
  Result result = tryAllocate();
  if (result == kOutOfMemory && trimPool())
    result = tryAllocate();
  if (llvm::Error error = toError(result, "cuMemAllocFromPoolAsync of " +
                                              llvm::Twine(bytes) + " bytes"))
    return std::move(error);
  memory.push_back(llvm::bit_cast<void *>(address));
  return memory.back();
}

bool Call::owns(void *pointer) const {
  return llvm::is_contained(memory, pointer);
}

llvm::Error Call::free(void *pointer) {
  if (!pointer)
    return llvm::Error::success();
  llvm::erase(memory, pointer);
  return toError(Driver::get().cuMemFreeAsync(toAddress(pointer), stream),
                 "cuMemFreeAsync");
}

std::string Call::describeForeign(const void *pointer) const {
  const Driver &driver = Driver::get();
  int ordinal = 0;
  if (driver.cuPointerGetAttribute(&ordinal, kPointerDevice,
                                   toAddress(pointer)) == kSuccess)
    return ordinal == device.ordinal
               ? ""
               : "memory of CUDA device " + std::to_string(ordinal);
  // Memory that the graph being captured allocates is not there yet.
  int capturing = 0;
  driver.cuStreamIsCapturing(stream, &capturing);
  return capturing ? "" : "memory of the host";
}

namespace {
/// The owner of a result. Its address is odd, which no memory of malloc is.
struct Owner {
  const Device &device;
  Stream stream;
  void *memory;
};
} // namespace

void *Call::give(void *pointer) {
  llvm::erase(memory, pointer);
  return reinterpret_cast<char *>(new Owner{device, stream, pointer}) + 1;
}

bool mlir::sparsek::runtime::cuda::isOwner(void *owner) {
  return reinterpret_cast<uintptr_t>(owner) & 1;
}

void mlir::sparsek::runtime::cuda::release(void *tagged) {
  std::unique_ptr<Owner> owner(
      reinterpret_cast<Owner *>(static_cast<char *>(tagged) - 1));
  ContextScope scope(owner->device);
  Driver::get().cuMemFreeAsync(toAddress(owner->memory), owner->stream);
}

//===----------------------------------------------------------------------===//
// Copies
//===----------------------------------------------------------------------===//

namespace {

/// A copy as rows of contiguous bytes at regular distances.
struct Rows {
  struct Dim {
    int64_t size, from, to; // the strides in bytes
  };
  uint64_t width;
  /// Outermost first.
  llvm::SmallVector<Dim, SPARSEK_MAX_RANK> dims;

  Rows(const SparseKTensor &from, const SparseKTensor &to);
  llvm::Error enqueue(Address from, Address to, Stream stream,
                      size_t dim = 0) const;
};

} // namespace

/// From the innermost dimension out: contiguous ones go into the width, ones
/// that continue the one inside them merge with it.
Rows::Rows(const SparseKTensor &from, const SparseKTensor &to)
    : width(getElementSize(from.elementType)) {
  for (int32_t i = from.rank - 1; i >= 0; --i) {
    int64_t bytes = getElementSize(from.elementType);
    Dim dim{from.sizes[i], from.strides[i] * bytes, to.strides[i] * bytes};
    if (dim.size == 1)
      continue;
    if (dims.empty() && dim.from == int64_t(width) &&
        dim.to == int64_t(width)) {
      width *= dim.size;
      continue;
    }
    if (!dims.empty() && dim.from == dims.back().from * dims.back().size &&
        dim.to == dims.back().to * dims.back().size) {
      dims.back().size *= dim.size;
      continue;
    }
    dims.push_back(dim);
  }
  std::reverse(dims.begin(), dims.end());
}

/// The two innermost levels are one call where their distances allow it.
llvm::Error Rows::enqueue(Address from, Address to, Stream stream,
                          size_t dim) const {
  if (dim == dims.size())
    return toError(Driver::get().cuMemcpyAsync(to, from, width, stream),
                   "cuMemcpyAsync of " + llvm::Twine(width) + " bytes");
  const Dim &outer = dims[dim];
  if (dim + 1 == dims.size() && outer.from >= int64_t(width) &&
      outer.to >= int64_t(width)) {
    Copy2D copy;
    copy.source = from;
    copy.sourcePitch = outer.from;
    copy.target = to;
    copy.targetPitch = outer.to;
    copy.widthBytes = width;
    copy.height = outer.size;
    return toError(Driver::get().cuMemcpy2DAsync_v2(&copy, stream),
                   "cuMemcpy2DAsync of " + llvm::Twine(outer.size) +
                       " rows of " + llvm::Twine(width) + " bytes");
  }
  for (int64_t i = 0; i < outer.size; ++i)
    if (llvm::Error error =
            enqueue(from + i * outer.from, to + i * outer.to, stream, dim + 1))
      return error;
  return llvm::Error::success();
}

llvm::Error Call::copy(const SparseKTensor &from, const SparseKTensor &to) {
  if (isEmpty(from))
    return llvm::Error::success();
  return Rows(from, to).enqueue(toAddress(from.data), toAddress(to.data),
                                stream);
}

llvm::Error Call::fill(void *pointer, uint64_t bytes, uint64_t elementBytes,
                       uint32_t bits) {
  if (bytes == 0)
    return llvm::Error::success();
  const Driver &driver = Driver::get();
  Address address = toAddress(pointer);
  uint64_t count = bytes / elementBytes;
  Result result = elementBytes == 1
                      ? driver.cuMemsetD8Async(address, bits, count, stream)
                  : elementBytes == 2
                      ? driver.cuMemsetD16Async(address, bits, count, stream)
                      : driver.cuMemsetD32Async(address, bits, count, stream);
  return toError(result, "cuMemsetAsync of " + llvm::Twine(bytes) + " bytes");
}

//===----------------------------------------------------------------------===//
// Tensor maps
//===----------------------------------------------------------------------===//

/// "[64, 1000] at strides of [256] bytes", innermost first.
static std::string printShape(llvm::ArrayRef<uint64_t> sizes,
                              llvm::ArrayRef<uint64_t> strides) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  stream << "[" << llvm::interleaved(sizes) << "] at strides of ["
         << llvm::interleaved(strides) << "] bytes";
  return text;
}

llvm::Error Call::encode(TensorMap &map, const SparseKTensor &tensor,
                         uint32_t rows) {
  if (isEmpty(tensor)) {
    map = {};
    return llvm::Error::success();
  }
  uint64_t bytes = getElementSize(tensor.elementType);
  llvm::SmallVector<uint64_t, 8> sizes, strides;
  llvm::SmallVector<uint32_t, 8> box, steps(tensor.rank, 1);
  for (int32_t i = tensor.rank - 1; i >= 0; --i) {
    sizes.push_back(tensor.sizes[i]);
    box.push_back(sizes.size() == 1   ? 128 / bytes
                  : sizes.size() == 2 ? rows
                                      : 1);
    if (sizes.size() == 1)
      continue;
    // The stride of one element is never used, and may be any.
    uint64_t inner = strides.empty() ? 16 : strides.back();
    strides.push_back(tensor.sizes[i] == 1 ? inner : tensor.strides[i] * bytes);
  }
  int type = bytes == 1   ? kUnsigned8
             : bytes == 2 ? kUnsigned16
             : bytes == 4 ? kUnsigned32
                          : kUnsigned64;
  Result result = Driver::get().cuTensorMapEncodeTiled(
      &map, type, tensor.rank, tensor.data, sizes.data(), strides.data(),
      box.data(), steps.data(), kInterleaveNone, kSwizzle128, kPromote256,
      kFillZero);
  if (result == kSuccess)
    return llvm::Error::success();
  return toError(result, "cuTensorMapEncodeTiled of " +
                             printShape(sizes, strides) + ", box of " +
                             llvm::Twine(rows) + " rows");
}
