//===- SparseKCanonicalization.cpp - Canonical forms of the ops -----------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Canonicalization.h"

#include <limits>

using namespace mlir;
using namespace mlir::sparsek;

static constexpr double kMinusInfinity =
    -std::numeric_limits<double>::infinity();

namespace {

//===----------------------------------------------------------------------===//
// Selection
//===----------------------------------------------------------------------===//

/// A row with at most topk entries keeps all of them.
///
///   sparsek.topk_mask topk(8) ins(%z : tensor<4x5xf32>) outs(%p, %t)
/// becomes
///   linalg.fill ins(1.0) outs(%p);  linalg.fill ins(-inf) outs(%t)
struct FillMaskOfShortRow : OpRewritePattern<TopkMaskOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(TopkMaskOp op,
                                PatternRewriter &rewriter) const override {
    auto type = cast<ShapedType>(op.getScores().getType());
    int64_t length = type.getShape().back();
    int64_t topk = op.getTopk();
    if (ShapedType::isDynamic(length) || topk < length)
      return rewriter.notifyMatchFailure(op, "a row may be longer than topk");
    replaceByFills(rewriter, op, {1.0, kMinusInfinity});
    return success();
  }
};

/// With topk >= N - window no key is ever evicted.
///
///   sparsek.causal_topk_mask topk(64) window(8) ins(%u : tensor<1x2x64xf32>)
/// becomes
///   linalg.fill ins(64) (end), linalg.fill ins(-inf) (tau),
///   linalg.fill ins(0) (free)
struct FillLifetimesWithoutEviction : OpRewritePattern<CausalTopkMaskOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(CausalTopkMaskOp op,
                                PatternRewriter &rewriter) const override {
    auto type = cast<ShapedType>(op.getScores().getType());
    int64_t length = type.getShape().back();
    int64_t topk = op.getTopk(), window = op.getWindow();
    if (ShapedType::isDynamic(length) ||
        (window < length && topk < length - window))
      return rewriter.notifyMatchFailure(op, "a key may be evicted");
    replaceByFills(rewriter, op,
                   {static_cast<double>(length), kMinusInfinity, 0.0});
    return success();
  }
};

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

/// Drops the gate where the window covers every key: all gates are 1.
///
///   sparsek.sparse_attention gate(value) window(64) ins(.., %k: 64 keys)
/// becomes
///   sparsek.sparse_attention window(64)
struct DropGateInsideWindow : OpRewritePattern<SparseAttentionOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(SparseAttentionOp op,
                                PatternRewriter &rewriter) const override {
    int64_t keys = cast<ShapedType>(op.getKey().getType()).getDimSize(2);
    int64_t window = op.getWindow();
    if (!op.isGated() || ShapedType::isDynamic(keys) || window < keys)
      return rewriter.notifyMatchFailure(op, "a key may be gated");
    rewriter.modifyOpInPlace(op, [&] { op.setGate(Gate::none); });
    return success();
  }
};

/// Lifetimes that are over before the first query leave nothing visible.
///
///   %end = arith.constant dense<0>
///   sparsek.sparse_attention ins(.., %end) outs(%o, %lse)
/// becomes
///   linalg.fill ins(0.0) outs(%o);  linalg.fill ins(-inf) outs(%lse)
struct FillWhereNothingIsVisible : OpRewritePattern<SparseAttentionOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(SparseAttentionOp op,
                                PatternRewriter &rewriter) const override {
    std::optional<int64_t> end = getConstantEnd(op.getEnd());
    if (!end || *end > 0)
      return rewriter.notifyMatchFailure(op, "a key may be visible");
    replaceByFills(rewriter, op, {0.0, kMinusInfinity});
    return success();
  }
};

} // namespace

void TopkMaskOp::getCanonicalizationPatterns(RewritePatternSet &results,
                                             MLIRContext *context) {
  results.add<FillMaskOfShortRow>(context);
}

void CausalTopkMaskOp::getCanonicalizationPatterns(RewritePatternSet &results,
                                                   MLIRContext *context) {
  results.add<FillLifetimesWithoutEviction>(context);
}

void SparseAttentionOp::getCanonicalizationPatterns(RewritePatternSet &results,
                                                    MLIRContext *context) {
  results.add<DropGateInsideWindow, DropOperandsWithoutGate<SparseAttentionOp>,
              FillWhereNothingIsVisible>(context);
}
