//===- Phases.h - Parts of several pipelines ------------------ -*- C++ -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEK_LIB_PIPELINES_PHASES_H
#define SPARSEK_LIB_PIPELINES_PHASES_H

#include "mlir/Pass/PassManager.h"

namespace mlir::sparsek {

/// Tensors to memrefs, once, and every allocation freed.
void addBufferization(OpPassManager &pm);

/// Memrefs, loops and vectors to the LLVM dialect, parallel loops on OpenMP
/// threads where wanted.
void addLLVMLowering(OpPassManager &pm, bool threads);

} // namespace mlir::sparsek

#endif // SPARSEK_LIB_PIPELINES_PHASES_H
