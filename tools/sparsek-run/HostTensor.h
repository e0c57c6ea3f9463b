//===- HostTensor.h - Tensors of sparsek-run ------------------ -*- C++ -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEK_TOOLS_SPARSEK_RUN_HOSTTENSOR_H
#define SPARSEK_TOOLS_SPARSEK_RUN_HOSTTENSOR_H

#include "sparsek-c/SparseK.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"

#include <memory>
#include <string>

namespace mlir::sparsek::run {

/// A tensor with its memory.
class HostTensor {
public:
  /// Contiguous, zero.
  static llvm::Expected<HostTensor> allocate(int32_t elementType,
                                             llvm::ArrayRef<int64_t> sizes);
  /// Takes over a result of a call.
  static HostTensor take(const SparseKTensor &result);

  /// A contiguous copy.
  llvm::Expected<HostTensor> clone() const;

  const SparseKTensor &get() const { return tensor; }
  llvm::ArrayRef<int64_t> getSizes() const {
    return {tensor.sizes, size_t(tensor.rank)};
  }
  int64_t getNumElements() const;
  bool isFloat() const;

  /// Elements by their number in row-major order, of a contiguous tensor.
  double getFloat(int64_t index) const;
  void setFloat(int64_t index, double value);
  int64_t getInteger(int64_t index) const;
  void setInteger(int64_t index, int64_t value);

private:
  struct Free {
    void operator()(void *memory) const;
  };

  char *getElement(int64_t index) const;

  SparseKTensor tensor = {};
  std::unique_ptr<void, Free> memory;
};

/// Reads a .npy file of f16, f32, f64, i1 (bool), i8, i16, i32, i64, and
/// converts it to `elementType`: floats to floats, integers to integers.
llvm::Expected<HostTensor> readNpy(llvm::StringRef path, int32_t elementType);

/// Writes a .npy file; bf16, which the format does not have, as f32.
llvm::Error writeNpy(llvm::StringRef path, const HostTensor &tensor);

} // namespace mlir::sparsek::run

#endif // SPARSEK_TOOLS_SPARSEK_RUN_HOSTTENSOR_H
