//===- Call.h - Calls on the CPU or a GPU --------------------- -*- C++ -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEK_TOOLS_SPARSEK_RUN_CALL_H
#define SPARSEK_TOOLS_SPARSEK_RUN_CALL_H

#include "HostTensor.h"

#include "sparsek/Runtime/Cuda.h"
#include "sparsek/Runtime/Invoke.h"

#include <vector>

namespace mlir::sparsek::run {

/// What a call returned and wrote, in the host's memory.
struct Outputs {
  std::vector<std::string> names;
  std::vector<HostTensor> tensors;
};

/// Where functions run: on a stream of a GPU, or on the CPU where it is null.
using Place = runtime::CudaStream *;

/// Arguments where a function takes them: scalars in the host's memory, the
/// rest on the GPU. On the CPU these are the tensors themselves.
class Arguments {
public:
  static llvm::Expected<Arguments> create(const runtime::Function &function,
                                          llvm::ArrayRef<HostTensor> inputs,
                                          Place place);
  Arguments(Arguments &&) = default;
  ~Arguments();

  llvm::ArrayRef<SparseKTensor> get() const { return tensors; }

private:
  Arguments() = default;
  std::vector<SparseKTensor> tensors;
};

/// Calls the function on copies of the inputs.
llvm::Expected<Outputs> callOnce(const runtime::Function &function,
                                 llvm::ArrayRef<HostTensor> inputs,
                                 Place place);

} // namespace mlir::sparsek::run

#endif // SPARSEK_TOOLS_SPARSEK_RUN_CALL_H
