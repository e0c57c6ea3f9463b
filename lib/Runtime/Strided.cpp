//===- Strided.cpp - Addresses of strided tensors -------------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Strided.h"

#include "sparsek/Runtime/Signature.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

#include <cstdlib>

using namespace mlir::sparsek::runtime;

bool mlir::sparsek::runtime::isEmpty(const SparseKTensor &tensor) {
  for (int32_t i = 0; i < tensor.rank; ++i)
    if (tensor.sizes[i] == 0)
      return true;
  return false;
}

std::optional<int64_t>
mlir::sparsek::runtime::getNumBytes(const SparseKTensor &tensor) {
  if (isEmpty(tensor))
    return 0;
  int64_t bytes = getElementSize(tensor.elementType);
  for (int32_t i = 0; i < tensor.rank; ++i)
    if (llvm::MulOverflow(bytes, tensor.sizes[i], bytes))
      return std::nullopt;
  return bytes;
}

std::optional<ByteRange>
mlir::sparsek::runtime::getByteRange(const SparseKTensor &tensor) {
  int64_t elementSize = getElementSize(tensor.elementType);
  ByteRange range;
  range.begin = reinterpret_cast<intptr_t>(tensor.data);
  range.end = range.begin;
  for (int32_t i = 0; i < tensor.rank; ++i) {
    int64_t span;
    if (llvm::MulOverflow(tensor.sizes[i] - 1, tensor.strides[i], span) ||
        llvm::MulOverflow(span, elementSize, span))
      return std::nullopt;
    int64_t &bound = span < 0 ? range.begin : range.end;
    if (llvm::AddOverflow(bound, span, bound))
      return std::nullopt;
  }
  if (llvm::AddOverflow(range.end, elementSize, range.end))
    return std::nullopt;
  return range;
}

bool mlir::sparsek::runtime::mayOverlapItself(const SparseKTensor &tensor) {
  // From the smallest stride up, each stride steps over all that the smaller
  // ones reach.
  llvm::SmallVector<std::pair<uint64_t, int64_t>, SPARSEK_MAX_RANK> dims;
  for (int32_t i = 0; i < tensor.rank; ++i)
    if (tensor.sizes[i] > 1)
      dims.emplace_back(llvm::AbsoluteValue(tensor.strides[i]),
                        tensor.sizes[i]);
  llvm::sort(dims);
  uint64_t reach = 0;
  for (auto [stride, size] : dims) {
    if (stride <= reach)
      return true;
    reach += stride * (size - 1);
  }
  return false;
}

void mlir::sparsek::runtime::setContiguousStrides(SparseKTensor &tensor) {
  int64_t stride = 1;
  for (int32_t i = tensor.rank - 1; i >= 0; --i) {
    tensor.strides[i] = stride;
    stride *= std::max<int64_t>(tensor.sizes[i], 1);
  }
}

template <typename Element>
static void copyDim(const SparseKTensor &from, const SparseKTensor &to,
                    int32_t dim, const char *source, char *target) {
  if (dim == from.rank) {
    // Not a store of an Element: the memory may be unaligned.
    std::memcpy(target, source, sizeof(Element));
    return;
  }
  int64_t sourceStep = from.strides[dim] * int64_t(sizeof(Element));
  int64_t targetStep = to.strides[dim] * int64_t(sizeof(Element));
  for (int64_t i = 0; i < from.sizes[dim]; ++i)
    copyDim<Element>(from, to, dim + 1, source + i * sourceStep,
                     target + i * targetStep);
}

void mlir::sparsek::runtime::copyElements(const SparseKTensor &from,
                                          const SparseKTensor &to) {
  const char *source = static_cast<const char *>(from.data);
  char *target = static_cast<char *>(to.data);
  switch (getElementSize(from.elementType)) {
  case 1:
    return copyDim<uint8_t>(from, to, 0, source, target);
  case 2:
    return copyDim<uint16_t>(from, to, 0, source, target);
  case 4:
    return copyDim<uint32_t>(from, to, 0, source, target);
  default:
    return copyDim<uint64_t>(from, to, 0, source, target);
  }
}
