//===- Cuda.h - GPUs of this machine -------------------------- -*- C++ -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEK_RUNTIME_CUDA_H
#define SPARSEK_RUNTIME_CUDA_H

#include "sparsek-c/SparseK.h"

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <string>

namespace mlir::sparsek::runtime {

/// Why there is no GPU to use (no driver, no device, ...); empty if there is.
const std::string &getCudaError();

int getNumCudaDevices();

/// "sm_90a": what target "cuda" compiles for on a device.
llvm::Expected<std::string> getCudaChip(int device);

/// Lets what is enqueued on stream `waiting` from now on wait for what has been
/// enqueued on `awaited`. Does not wait itself.
llvm::Error waitForStream(int device, void *waiting, void *awaited);

/// A stream of a device with memory for tests and tools: unlike the calls of
/// compiled functions, every function here waits for the GPU.
class CudaStream {
public:
  static llvm::Expected<std::unique_ptr<CudaStream>> create(int device);
  ~CudaStream();
  CudaStream(const CudaStream &) = delete;
  CudaStream &operator=(const CudaStream &) = delete;

  SparseKExecution getExecution() const;

  /// A contiguous tensor on the device with the elements of one in memory,
  /// which is contiguous, too. `release` frees it.
  llvm::Expected<SparseKTensor> upload(const SparseKTensor &tensor);
  /// Copies the elements of a tensor on the device to a contiguous one.
  llvm::Error download(const SparseKTensor &from, const SparseKTensor &to);
  llvm::Error synchronize();
  /// The seconds that the device needs for what a function enqueues.
  llvm::Expected<double> measure(llvm::function_ref<llvm::Error()> enqueue);

private:
  CudaStream(const void *device, void *stream)
      : device(device), stream(stream) {}

  /// A cuda::Device and a CUstream.
  const void *device;
  void *stream;
};

} // namespace mlir::sparsek::runtime

#endif // SPARSEK_RUNTIME_CUDA_H
