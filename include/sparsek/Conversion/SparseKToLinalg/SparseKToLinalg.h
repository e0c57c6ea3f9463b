//===- SparseKToLinalg.h - The reference lowering ---------------*- C++ -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEK_CONVERSION_SPARSEKTOLINALG_SPARSEKTOLINALG_H
#define SPARSEK_CONVERSION_SPARSEKTOLINALG_SPARSEKTOLINALG_H

#include "mlir/Pass/Pass.h"

namespace mlir {
class RewritePatternSet;
} // namespace mlir

namespace mlir::sparsek {

#define GEN_PASS_DECL
#include "sparsek/Conversion/SparseKToLinalg/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "sparsek/Conversion/SparseKToLinalg/Passes.h.inc"

/// Patterns that write every sparsek op on tensors out in dense linalg. A
/// rewritten op leaves nothing to rewrite again.
void populateSparseKToLinalgPatterns(RewritePatternSet &patterns);

} // namespace mlir::sparsek

#endif // SPARSEK_CONVERSION_SPARSEKTOLINALG_SPARSEKTOLINALG_H
