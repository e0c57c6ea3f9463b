//===- CudaKernels.h - Kernels in a context ------------------- -*- C++ -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEK_LIB_RUNTIME_CUDAKERNELS_H
#define SPARSEK_LIB_RUNTIME_CUDAKERNELS_H

#include "CudaDevice.h"

#include <array>
#include <atomic>
#include <mutex>

namespace mlir::sparsek::runtime::cuda {

/// A kernel loaded into a context.
struct Kernel {
  Context context = nullptr;
  Function function = nullptr;
  /// The dynamic shared memory that the function may have; it only grows.
  std::atomic<uint32_t> sharedBytes = 0;
  std::mutex mutex;
  /// The same kernel in another context.
  Kernel *next = nullptr;

  llvm::Error reserveShared(uint32_t bytes, llvm::StringRef name);
};

/// A kernel of an image in every context that has asked for it. Kept as long as
/// the process: the code may still run when the module that holds it is gone,
/// and the next module with the same image finds it here.
struct KernelFamily {
  std::array<uint8_t, 32> imageDigest;
  std::atomic<Kernel *> first = nullptr;

  Kernel *find(Context context) const;
};

/// What compiled code holds of a kernel: a global of this layout
/// (-sparsek-gpu-host-to-llvm makes it).
struct KernelSlot {
  /// PTX and a null behind it.
  const char *image;
  int64_t imageBytes;
  const char *name;
  /// Set here, first null.
  std::atomic<KernelFamily *> family;

  /// The kernel in the context of a device, which is the thread's: loaded at
  /// the first call, then found without a lock.
  llvm::Expected<Kernel *> get(const Device &device);
};

} // namespace mlir::sparsek::runtime::cuda

#endif // SPARSEK_LIB_RUNTIME_CUDAKERNELS_H
