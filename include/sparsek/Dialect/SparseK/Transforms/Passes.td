//===- Passes.td - Passes of the sparsek dialect ------------*- tablegen -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEK_DIALECT_SPARSEK_TRANSFORMS_PASSES_TD
#define SPARSEK_DIALECT_SPARSEK_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def SparseKLowerScore : Pass<"sparsek-lower-score"> {
  let summary = "lower sparsek.score to a linalg contraction";
  let description = [{
    Rewrites `sparsek.score` on tensors into one `linalg.generic` that starts
    from `bias[h] + slope[h] * n` and accumulates `x[b, n, c] * weight[h, c]`.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::linalg::LinalgDialect",
                           "::mlir::tensor::TensorDialect"];
}

#endif // SPARSEK_DIALECT_SPARSEK_TRANSFORMS_PASSES_TD
