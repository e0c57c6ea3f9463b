//===- CudaSymbols.cpp - What host code calls to use a GPU ----------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CallState.h"
#include "CudaCall.h"
#include "CudaKernels.h"

using namespace mlir::sparsek::runtime;
using namespace mlir::sparsek::runtime::cuda;

/// Ends the call on an error. A jump skips destructors, so that the text is all
/// that is alive then.
static void failOn(llvm::Error error) {
  if (error)
    CallState::fail(llvm::toString(std::move(error)));
}

static Call &getCall() { return *CallState::getCuda(); }

static void *allocate(uint64_t bytes) {
  llvm::Expected<void *> memory = getCall().allocate(bytes);
  if (!memory)
    failOn(memory.takeError());
  return *memory;
}

static void deallocate(void *memory) { failOn(getCall().free(memory)); }

static SparseKTensor toTensor(const Descriptor &descriptor,
                              int64_t elementBytes, int64_t rank) {
  SparseKTensor tensor = {};
  tensor.data = descriptor.aligned + descriptor.offset * elementBytes;
  // Only the size of an element counts.
  tensor.elementType = elementBytes == 1   ? SPARSEK_I8
                       : elementBytes == 2 ? SPARSEK_I16
                       : elementBytes == 4 ? SPARSEK_I32
                                           : SPARSEK_I64;
  tensor.rank = rank;
  for (int64_t i = 0; i < rank; ++i) {
    tensor.sizes[i] = descriptor.size(i);
    tensor.strides[i] = descriptor.stride(i, rank);
  }
  return tensor;
}

static void copy(int64_t elementBytes, int64_t rank, const Descriptor *from,
                 const Descriptor *to) {
  failOn(getCall().copy(toTensor(*from, elementBytes, rank),
                        toTensor(*to, elementBytes, rank)));
}

static void fill(void *memory, uint64_t bytes, uint64_t elementBytes,
                 uint32_t bits) {
  failOn(getCall().fill(memory, bytes, elementBytes, bits));
}

static llvm::Error tryLaunch(KernelSlot &slot, const int64_t *grid,
                             const int64_t *block, uint32_t sharedBytes,
                             void **parameters) {
  Call &call = getCall();
  llvm::Expected<Kernel *> kernel = slot.get(call.getDevice());
  if (!kernel)
    return kernel.takeError();
  if (llvm::Error error = (*kernel)->reserveShared(sharedBytes, slot.name))
    return error;
  Result result = Driver::get().cuLaunchKernel(
      (*kernel)->function, grid[0], grid[1], grid[2], block[0], block[1],
      block[2], sharedBytes, call.getStream(), parameters, nullptr);
  return toError(
      result, llvm::Twine("cuLaunchKernel of ") + slot.name + " on a grid of " +
                  llvm::Twine(grid[0]) + " x " + llvm::Twine(grid[1]) + " x " +
                  llvm::Twine(grid[2]) + " blocks of " +
                  llvm::Twine(block[0] * block[1] * block[2]) + " threads");
}

/// A grid without blocks is nothing to do, as a loop without iterations.
static void launch(KernelSlot *slot, int64_t gridX, int64_t gridY,
                   int64_t gridZ, int64_t blockX, int64_t blockY,
                   int64_t blockZ, uint32_t sharedBytes, void **parameters) {
  if (gridX == 0 || gridY == 0 || gridZ == 0)
    return;
  int64_t grid[] = {gridX, gridY, gridZ}, block[] = {blockX, blockY, blockZ};
  failOn(tryLaunch(*slot, grid, block, sharedBytes, parameters));
}

static int32_t getNumMultiprocessors() {
  return getCall().getDevice().numMultiprocessors;
}

template <typename Function> static void *address(Function *function) {
  return reinterpret_cast<void *>(function);
}

llvm::ArrayRef<RuntimeSymbol> mlir::sparsek::runtime::getCudaSymbols() {
  static const RuntimeSymbol symbols[] = {
      {"sparsek_gpu_alloc", address(allocate)},
      {"sparsek_gpu_free", address(deallocate)},
      {"sparsek_gpu_copy", address(copy)},
      {"sparsek_gpu_fill", address(fill)},
      {"sparsek_gpu_launch", address(launch)},
      // Called by a func.func's declaration, whose name the lowering changes.
      {"_mlir_ciface_sparsek_gpu_num_multiprocessors",
       address(getNumMultiprocessors)},
  };
  return symbols;
}
