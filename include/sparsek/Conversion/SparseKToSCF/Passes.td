//===- Passes.td - The sparsek to scf conversion -----------*- tablegen -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEK_CONVERSION_SPARSEKTOSCF_PASSES_TD
#define SPARSEK_CONVERSION_SPARSEKTOSCF_PASSES_TD

include "mlir/Pass/PassBase.td"

def ConvertSparseKToSCF : Pass<"convert-sparsek-to-scf"> {
  let summary = "lower the selection ops on memrefs to loops";
  let description = [{
    Rewrites `sparsek.topk_mask` and `sparsek.causal_topk_mask` on memrefs into
    `scf`, `arith` and `memref`: one radix sort of a row's scores and a few
    pointers that only move up through the sorted order, O(n) time and memory
    per row. Rows run in parallel (`scf.parallel`). The thresholds are exact
    before their one rounding to f32, whatever the scores: the sums are integers
    of 256 bits (`i256`). See docs/lowerings/selection.md.

    So are their gradients. `sparsek.topk_mask_grad` takes two passes over a
    row. `sparsek.causal_topk_mask_grad` takes two binary searches per key and
    prefix sums in f64, O(N log N).

    Any layout of the memrefs is accepted. These four ops on tensors are an
    error: bufferize first. Other ops are left alone.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::math::MathDialect",
                           "::mlir::memref::MemRefDialect",
                           "::mlir::scf::SCFDialect"];
}

#endif // SPARSEK_CONVERSION_SPARSEKTOSCF_PASSES_TD
