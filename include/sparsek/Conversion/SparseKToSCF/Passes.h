//===- Passes.h - Selection ops to loops ------------------------*- C++ -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEK_CONVERSION_SPARSEKTOSCF_PASSES_H
#define SPARSEK_CONVERSION_SPARSEKTOSCF_PASSES_H

#include "mlir/Pass/Pass.h"

namespace mlir {
class RewritePatternSet;
} // namespace mlir

namespace mlir::sparsek {

#define GEN_PASS_DECL
#include "sparsek/Conversion/SparseKToSCF/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "sparsek/Conversion/SparseKToSCF/Passes.h.inc"

/// Patterns that rewrite `topk_mask`, `causal_topk_mask` and their gradients on
/// memrefs into loops. They do not match on tensors.
void populateSparseKToSCFPatterns(RewritePatternSet &patterns);

} // namespace mlir::sparsek

#endif // SPARSEK_CONVERSION_SPARSEKTOSCF_PASSES_H
