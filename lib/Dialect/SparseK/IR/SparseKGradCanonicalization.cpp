//===- SparseKGradCanonicalization.cpp - Canonical forms of gradients ---===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Canonicalization.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::sparsek;

/// Whether every element of `tau` is known to be -inf.
static bool isMinusInfinity(Value tau) {
  auto is = [](const APFloat &value) {
    return value.isInfinity() && value.isNegative();
  };
  DenseFPElementsAttr attr;
  if (matchPattern(tau, m_Constant(&attr)) && attr.isSplat())
    return is(attr.getSplatValue<APFloat>());
  APFloat value(0.0f);
  auto fillOp = tau.getDefiningOp<linalg::FillOp>();
  return fillOp &&
         matchPattern(fillOp.getInputs()[0], m_ConstantFloat(&value)) &&
         is(value);
}

namespace {

//===----------------------------------------------------------------------===//
// Selection
//===----------------------------------------------------------------------===//

/// Where tau is -inf, no entry follows it.
///
///   %t = linalg.fill ins(-inf)
///   sparsek.topk_mask_grad ins(%z, %t, %dp) outs(%dz)
/// becomes
///   linalg.fill ins(0.0) outs(%dz)
template <typename MaskGradOp>
struct FillGradientOfOpenMask : OpRewritePattern<MaskGradOp> {
  using OpRewritePattern<MaskGradOp>::OpRewritePattern;

  LogicalResult matchAndRewrite(MaskGradOp op,
                                PatternRewriter &rewriter) const override {
    if (!isMinusInfinity(op.getTau()))
      return rewriter.notifyMatchFailure(op, "tau may be finite");
    replaceByFills(rewriter, op, {0.0});
    return success();
  }
};

/// A window of at least N keys leaves no candidate.
///
///   sparsek.causal_topk_mask_grad window(9) ins(%u : tensor<1x2x9xf32>, ..)
/// becomes
///   linalg.fill ins(0.0)
struct FillGradientWithoutCandidates : OpRewritePattern<CausalTopkMaskGradOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(CausalTopkMaskGradOp op,
                                PatternRewriter &rewriter) const override {
    auto type = cast<ShapedType>(op.getScores().getType());
    int64_t length = type.getShape().back();
    int64_t window = op.getWindow();
    if (ShapedType::isDynamic(length) || window < length)
      return rewriter.notifyMatchFailure(op, "a key may be a candidate");
    replaceByFills(rewriter, op, {0.0});
    return success();
  }
};

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

/// Drops the gate where the window covers every key: all gates are 1, and
/// nothing flows to scores and tau.
///
///   %r:5 = sparsek.sparse_attention_grad gate(value) window(64)
///       ins(.., %k: 64 keys) gating(..) outs(..) gating_outs(%du, %dtau)
/// becomes
///   %r:3 = sparsek.sparse_attention_grad ins(..) outs(..)
///   linalg.fill ins(0.0) outs(%du);  linalg.fill ins(0.0) outs(%dtau)
struct DropGradOfGateInsideWindow : OpRewritePattern<SparseAttentionGradOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(SparseAttentionGradOp op,
                                PatternRewriter &rewriter) const override {
    int64_t keys = cast<ShapedType>(op.getKey().getType()).getDimSize(2);
    int64_t window = op.getWindow();
    if (!op.isGated() || ShapedType::isDynamic(keys) || window < keys)
      return rewriter.notifyMatchFailure(op, "a key may be gated");
    auto types = TypeRange(op->getResultTypes());
    auto ungated = SparseAttentionGradOp::create(
        rewriter, op.getLoc(), types.take_front(types.empty() ? 0 : 3),
        op.getQuery(), op.getKey(), op.getValue(), op.getEnd(), op.getOutput(),
        op.getLse(), op.getGradOutput(), op.getGradLse(), /*scores=*/Value(),
        /*tau=*/Value(), op.getGradQuery(), op.getGradKey(), op.getGradValue(),
        /*grad_scores=*/Value(), /*grad_tau=*/Value(), Gate::none, /*window=*/0,
        op.getScaleAttr(), op.getGroupAttr());
    ungated->setDiscardableAttrs(op->getDiscardableAttrDictionary());
    SmallVector<Value> results(ungated->getResults());
    for (Value dest : {op.getGradScores(), op.getGradTau()})
      if (Value filled = fill(rewriter, op.getLoc(), dest, 0.0))
        results.push_back(filled);
    rewriter.replaceOp(op, results);
    return success();
  }
};

/// Lifetimes that are over before the first query leave nothing visible.
///
///   %end = arith.constant dense<0>
///   sparsek.sparse_attention_grad ins(.., %end, ..) outs(%dq, %dk, %dv)
/// becomes
///   linalg.fill ins(0.0), once per destination
struct FillGradientsOfNothing : OpRewritePattern<SparseAttentionGradOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(SparseAttentionGradOp op,
                                PatternRewriter &rewriter) const override {
    std::optional<int64_t> end = getConstantEnd(op.getEnd());
    if (!end || *end > 0)
      return rewriter.notifyMatchFailure(op, "a key may be visible");
    SmallVector<double> zeros(op.getNumDpsInits(), 0.0);
    replaceByFills(rewriter, op, zeros);
    return success();
  }
};

} // namespace

void TopkMaskGradOp::getCanonicalizationPatterns(RewritePatternSet &results,
                                                 MLIRContext *context) {
  results.add<FillGradientOfOpenMask<TopkMaskGradOp>>(context);
}

void CausalTopkMaskGradOp::getCanonicalizationPatterns(
    RewritePatternSet &results, MLIRContext *context) {
  results.add<FillGradientOfOpenMask<CausalTopkMaskGradOp>,
              FillGradientWithoutCandidates>(context);
}

void SparseAttentionGradOp::getCanonicalizationPatterns(
    RewritePatternSet &results, MLIRContext *context) {
  results.add<DropGradOfGateInsideWindow,
              DropOperandsWithoutGate<SparseAttentionGradOp>,
              FillGradientsOfNothing>(context);
}
