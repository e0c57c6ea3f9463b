//===- CudaCall.h - A call's device memory and stream --------- -*- C++ -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEK_LIB_RUNTIME_CUDACALL_H
#define SPARSEK_LIB_RUNTIME_CUDACALL_H

#include "CudaDevice.h"

#include "sparsek-c/SparseK.h"

#include "llvm/ADT/SmallVector.h"

namespace mlir::sparsek::runtime::cuda {

/// What a call of a compiled function does on a GPU: all of it goes to one
/// stream, and nothing waits for it.
class Call {
public:
  Call(const Device &device, Stream stream)
      : device(device), stream(stream), scope(device) {}
  /// Frees what is left: after a failure the function has freed nothing.
  ~Call();

  const Device &getDevice() const { return device; }
  Stream getStream() const { return stream; }

  /// Memory of the call; null for 0 bytes. Waits for the stream where memory
  /// runs out.
  llvm::Expected<void *> allocate(uint64_t bytes);
  llvm::Error free(void *memory);
  /// What memory it is that kernels on the device must not touch: "memory of
  /// the host", "memory of CUDA device 1"; empty for memory that they may.
  std::string describeForeign(const void *memory) const;
  /// Whether the memory was allocated by this call and is not freed.
  bool owns(void *memory) const;
  /// Gives memory of the call to the caller, as the owner of a result.
  void *give(void *memory);

  /// Copies elements between tensors of the same type and sizes.
  llvm::Error copy(const SparseKTensor &from, const SparseKTensor &to);
  /// Sets elements of 1, 2 or 4 bytes to a pattern.
  llvm::Error fill(void *memory, uint64_t bytes, uint64_t elementBytes,
                   uint32_t bits);

  /// Describes a tensor, whose innermost stride is 1, for copies of `rows` rows
  /// of 128 bytes. An empty one, of which there is nothing to copy, becomes
  /// zeros.
  static llvm::Error encode(TensorMap &map, const SparseKTensor &tensor,
                            uint32_t rows);

private:
  /// Gives what the pool keeps back to the driver, which then has larger pieces
  /// to give, after the work of the stream. False if the stream is being
  /// captured, and so cannot be waited for.
  bool trimPool();

  const Device &device;
  Stream stream;
  ContextScope scope;
  llvm::SmallVector<void *, 8> memory;
};

/// Whether the owner of a tensor is one that `Call::give` made, and frees it on
/// the stream of the call that made it.
bool isOwner(void *owner);
void release(void *owner);

} // namespace mlir::sparsek::runtime::cuda

#endif // SPARSEK_LIB_RUNTIME_CUDACALL_H
