//===- Strided.h - Addresses of strided tensors --------------- -*- C++ -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEK_LIB_RUNTIME_STRIDED_H
#define SPARSEK_LIB_RUNTIME_STRIDED_H

#include "sparsek-c/SparseK.h"

#include <optional>

namespace mlir::sparsek::runtime {

/// Whether some size is 0.
bool isEmpty(const SparseKTensor &tensor);

/// The number of bytes of all elements; nothing beyond the address space.
std::optional<int64_t> getNumBytes(const SparseKTensor &tensor);

/// The bytes from the first to behind the last element in memory; nothing if
/// they reach beyond the address space. The tensor is not empty.
struct ByteRange {
  int64_t begin;
  int64_t end;
};
std::optional<ByteRange> getByteRange(const SparseKTensor &tensor);

/// Whether two indices may lead to one element.
bool mayOverlapItself(const SparseKTensor &tensor);

/// Makes the strides those of elements row by row.
void setContiguousStrides(SparseKTensor &tensor);

/// Copies elements between tensors of the same type and sizes.
void copyElements(const SparseKTensor &from, const SparseKTensor &to);

} // namespace mlir::sparsek::runtime

#endif // SPARSEK_LIB_RUNTIME_STRIDED_H
