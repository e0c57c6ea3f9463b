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

def SparseKMemRefToTensor : Pass<"sparsek-memref-to-tensor"> {
  let summary = "rewrite sparsek ops on memrefs to ops on tensors";
  let description = [{
    Wraps every `sparsek` op on memrefs in `bufferization.to_tensor` and
    `bufferization.materialize_in_destination`, so that every lowering starts
    from tensors. The destinations are wrapped as writable: where the lowering
    writes its results in place, bufferization leaves no copy.

    A destination that shares its memory visibly with an operand that is read
    (one memref, or views of one) is computed apart and copied. Memrefs that
    overlap without the IR showing it are the caller's mistake, as they are for
    the ops themselves.
  }];
  let dependentDialects = ["::mlir::bufferization::BufferizationDialect",
                           "::mlir::memref::MemRefDialect",
                           "::mlir::tensor::TensorDialect"];
}

#endif // SPARSEK_DIALECT_SPARSEK_TRANSFORMS_PASSES_TD
