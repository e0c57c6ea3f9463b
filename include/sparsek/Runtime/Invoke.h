//===- Invoke.h - Calls of compiled functions ----------------- -*- C++ -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEK_RUNTIME_INVOKE_H
#define SPARSEK_RUNTIME_INVOKE_H

#include "sparsek/Runtime/Module.h"

namespace mlir::sparsek::runtime {

/// Checks the inputs, calls the function and fills `results`, whose memory is
/// then the caller's (`release`). Copies an input that does not have the layout
/// the code was compiled for, and copies it back where the function can write
/// it. On failure there are no results.
///
/// On a CUDA device tensors are in its memory, the work is enqueued on the
/// stream and not waited for, and an input in another layout is an error.
llvm::Error invoke(const Function &function, const SparseKExecution &execution,
                   llvm::ArrayRef<SparseKTensor> inputs,
                   llvm::MutableArrayRef<SparseKTensor> results);

/// On the CPU.
llvm::Error invoke(const Function &function,
                   llvm::ArrayRef<SparseKTensor> inputs,
                   llvm::MutableArrayRef<SparseKTensor> results);

/// Frees the memory of a result.
void release(SparseKTensor &tensor);

} // namespace mlir::sparsek::runtime

#endif // SPARSEK_RUNTIME_INVOKE_H
