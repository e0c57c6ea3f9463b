//===- CallState.h - What a call in progress reports ---------- -*- C++ -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEK_LIB_RUNTIME_CALLSTATE_H
#define SPARSEK_LIB_RUNTIME_CALLSTATE_H

#include "llvm/ADT/ArrayRef.h"

#include <cstdint>
#include <setjmp.h>
#include <string>

namespace mlir::sparsek::runtime::cuda {
class Call;
} // namespace mlir::sparsek::runtime::cuda

namespace mlir::sparsek::runtime {

/// The state of one call of a compiled function, on the thread that made it.
/// Compiled code reports failures into it; the first one counts.
class CallState {
public:
  /// `cuda`: the call's GPU side, null for a call on the CPU.
  explicit CallState(cuda::Call *cuda = nullptr);
  ~CallState();
  CallState(const CallState &) = delete;
  CallState &operator=(const CallState &) = delete;

  /// Calls `function(arguments)`. Returns the error, empty if none. After a
  /// failed allocation the function has not returned, and what it had allocated
  /// until then is lost.
  std::string call(void (*function)(void **), void **arguments);

  /// Records an error for the call in progress. Errors on other threads than
  /// the caller's fail every call in progress: none is lost.
  static void report(std::string message);

  /// Ends the call in progress where memory ran out: compiled code does not
  /// look at what an allocation returns.
  [[noreturn]] static void failAllocation(uint64_t bytes);

  /// The GPU side of the call in progress on this thread, null if none.
  static cuda::Call *getCuda();

  /// Ends the call in progress, which has a GPU side: compiled code does not
  /// look at what the driver returns.
  [[noreturn]] static void fail(std::string message);

private:
  bool run(void (*function)(void **), void **arguments);

  std::string error;
  jmp_buf escape;
  uint64_t orphansBefore;
  CallState *outer;
  cuda::Call *cuda;
};

/// A ranked memref of any element type: pointers, offset, sizes, strides.
struct Descriptor {
  char *allocated;
  char *aligned;
  int64_t offset;
  int64_t sizesAndStrides[];

  int64_t size(int64_t dim) const { return sizesAndStrides[dim]; }
  int64_t stride(int64_t dim, int64_t rank) const {
    return sizesAndStrides[rank + dim];
  }
};

/// A function that compiled code calls.
struct RuntimeSymbol {
  const char *name;
  void *address;
};

/// Memory, math and 16-bit float functions of the C library and the compiler's
/// support library, and the project's own. Compiled code finds these first, so
/// that it runs in a process that has loaded none of them globally.
llvm::ArrayRef<RuntimeSymbol> getRuntimeSymbols();

/// The conversions from and to 16-bit floats among them.
llvm::ArrayRef<RuntimeSymbol> getFloatSymbols();

/// What host code calls to use the GPU of the call in progress.
llvm::ArrayRef<RuntimeSymbol> getCudaSymbols();

} // namespace mlir::sparsek::runtime

#endif // SPARSEK_LIB_RUNTIME_CALLSTATE_H
