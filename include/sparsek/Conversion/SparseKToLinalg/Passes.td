//===- Passes.td - The sparsek to linalg conversion --------*- tablegen -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEK_CONVERSION_SPARSEKTOLINALG_PASSES_TD
#define SPARSEK_CONVERSION_SPARSEKTOLINALG_PASSES_TD

include "mlir/Pass/PassBase.td"

def ConvertSparseKToLinalg : Pass<"convert-sparsek-to-linalg"> {
  let summary = "lower sparsek ops on tensors to dense linalg, the reference";
  let description = [{
    Writes every `sparsek` op out in upstream's dialects the way its description
    defines it: masks, softmax and thresholds over the full matrix, computed in
    f64 and truncated at the end, thresholds exactly. Slow and easy to audit. It is what every other
    lowering is compared with.

    - `topk_mask`, `causal_topk_mask`: `tau` by bisection over the ordered bit
      patterns of f32, then rounded to nearest even. Sums are integers of 384
      bits, multiples of 2^-150, so that no rounding decides. O(n) time per step
      and row (O(N^2) for the causal op), 32 steps, O(N) memory.
    - `causal_topk_mask`: `end` by one pass over the candidates in order, with
      the number of better candidates of every key. O(N^2) time, O(N) memory.
    - `sparse_attention`: dense logits. O(Nq * Nk * (d + dv)) time,
      O(Nq * Nk) memory per query head.
    - `score`: one contraction.
    - `topk_mask_grad`, `causal_topk_mask_grad`, `sparse_attention_grad`: the
      sums of their descriptions over rows and over all pairs. The same order
      of time and memory as what they are the gradients of.

    Ops on memrefs are an error: `sparsek-memref-to-tensor` rewrites them first.
  }];
  let dependentDialects = [
    "::mlir::affine::AffineDialect",   "::mlir::arith::ArithDialect",
    "::mlir::linalg::LinalgDialect",   "::mlir::math::MathDialect",
    "::mlir::scf::SCFDialect",         "::mlir::tensor::TensorDialect"
  ];
}

#endif // SPARSEK_CONVERSION_SPARSEKTOLINALG_PASSES_TD
