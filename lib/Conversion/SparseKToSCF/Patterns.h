//===- Patterns.h - Selection ops to loops ----------------------*- C++ -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LIB_CONVERSION_SPARSEKTOSCF_PATTERNS_H
#define LIB_CONVERSION_SPARSEKTOSCF_PATTERNS_H

#include "KernelBuilder.h"

#include "sparsek/Dialect/SparseK/IR/SparseK.h"

#include "mlir/IR/PatternMatch.h"

namespace mlir::sparsek {

/// Runs `body` for every index of the first `rank` dimensions of `memref`, in
/// parallel; once, without a loop, if `rank` is 0.
void emitParallelRows(KernelBuilder &b, Value memref, int64_t rank,
                      function_ref<void(ValueRange)> body);

/// sparsek.causal_topk_mask ins(%u : memref<BxHxN>) outs(%end, %tau, %free)
/// becomes
///   scf.parallel (%b, %h) = (0, 0) to (B, H) {
///     %pairs = sort(%u[%b, %h, :])           4 x scf.for
///     scf.for %j = 0 to N - window iter_args(pointers) {
///       ... memref.store into %end, %tau, %free at [%b, %h, %j + window]
///     }
///   }
struct LowerCausalTopkMask : OpRewritePattern<CausalTopkMaskOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(CausalTopkMaskOp op,
                                PatternRewriter &rewriter) const override;
};

/// sparsek.topk_mask ins(%z : memref<...xn>) outs(%p, %tau)
/// becomes
///   scf.parallel (%row...) = ... {
///     %pairs = sort(%z[%row..., :])
///     %piece:5 = scf.while ...                the walk to the threshold
///     memref.store %t, %tau[%row...]
///     scf.for %j = 0 to n { memref.store clamp(z - %t), %p[%row..., %j] }
///   }
struct LowerTopkMask : OpRewritePattern<TopkMaskOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(TopkMaskOp op,
                                PatternRewriter &rewriter) const override;
};

/// sparsek.topk_mask_grad ins(%z, %tau, %dp : memref<...xn>) outs(%dz)
/// becomes
///   scf.parallel (%row...) = ... {
///     %sums:2 = scf.for %j = 0 to n iter_args(count, sum of %dp) ...
///     scf.for %j = 0 to n { memref.store ..., %dz[%row..., %j] }
///   }
struct LowerTopkMaskGrad : OpRewritePattern<TopkMaskGradOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(TopkMaskGradOp op,
                                PatternRewriter &rewriter) const override;
};

/// sparsek.causal_topk_mask_grad ins(%u, %tau, %free, %dtau) outs(%du)
/// becomes
///   scf.parallel (%b, %h) = (0, 0) to (B, H) {
///     scf.for %i = 0 to N { memref.store ..., %sums[%i + 1] }
///     scf.for %j = 0 to N {
///       %begin, %end = two scf.while, binary searches in %tau
///       memref.store %sums[%end] - %sums[%begin], %du[%b, %h, %j]
///     }
///   }
struct LowerCausalTopkMaskGrad : OpRewritePattern<CausalTopkMaskGradOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(CausalTopkMaskGradOp op,
                                PatternRewriter &rewriter) const override;
};

} // namespace mlir::sparsek

#endif // LIB_CONVERSION_SPARSEKTOSCF_PATTERNS_H
