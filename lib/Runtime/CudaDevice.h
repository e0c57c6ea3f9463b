//===- CudaDevice.h - GPUs and what is kept for each ---------- -*- C++ -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEK_LIB_RUNTIME_CUDADEVICE_H
#define SPARSEK_LIB_RUNTIME_CUDADEVICE_H

#include "CudaDriver.h"

#include "llvm/ADT/StringRef.h"

namespace mlir::sparsek::runtime::cuda {

/// A GPU with its primary context, which it shares with CUDA's runtime and so
/// with torch, and a pool of memory of this library's own.
struct Device {
  int ordinal = 0;
  std::string name;
  /// The compute capability, 90 for 9.0.
  int capability = 0;
  int numMultiprocessors = 0;
  /// What target "cuda" compiles for: "sm_90a", "sm_86" or "sm_80"; empty where
  /// none of them runs.
  std::string chip;
  Context context = nullptr;
  Pool pool = nullptr;

  /// The device of a number; set up at the first call and kept.
  static llvm::Expected<const Device *> get(int ordinal);

  /// Why code for a chip does not run here; empty if it does. PTX for "sm_80"
  /// runs on every later chip, code for "sm_90a" on capability 9.0 alone.
  std::string checkChip(llvm::StringRef chip) const;
};

/// Makes the context of a device the thread's for a scope.
class ContextScope {
public:
  explicit ContextScope(const Device &device);
  ~ContextScope();
  ContextScope(const ContextScope &) = delete;
  ContextScope &operator=(const ContextScope &) = delete;

private:
  bool pushed = false;
};

/// Lets the thread make calls for a scope that would end a stream's capture
/// into a graph: loading code enqueues nothing.
class RelaxedCaptureScope {
public:
  RelaxedCaptureScope() { exchange(); }
  ~RelaxedCaptureScope() { exchange(); }
  RelaxedCaptureScope(const RelaxedCaptureScope &) = delete;
  RelaxedCaptureScope &operator=(const RelaxedCaptureScope &) = delete;

private:
  void exchange() { Driver::get().cuThreadExchangeStreamCaptureMode(&mode); }
  int mode = kCaptureRelaxed;
};

} // namespace mlir::sparsek::runtime::cuda

#endif // SPARSEK_LIB_RUNTIME_CUDADEVICE_H
