//===- LowerMaskGradients.cpp - Gradients of the selection to linalg ------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "DenseBuilder.h"

#include "sparsek/Dialect/SparseK/IR/SparseK.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace mlir::sparsek;

static constexpr auto parallel = utils::IteratorType::parallel;
static constexpr auto reduction = utils::IteratorType::reduction;

Value sparsek::followsTau(DenseBuilder &b, Value score, Value tau) {
  Value difference =
      arith::SubFOp::create(b, b.castFloat(score, b.getF32Type()), tau);
  Value isPositive = arith::CmpFOp::create(b, arith::CmpFPredicate::OGT,
                                           difference, b.f32(0.0));
  Value isBelowOne = arith::CmpFOp::create(b, arith::CmpFPredicate::OLT,
                                           difference, b.f32(1.0));
  return arith::AndIOp::create(b, isPositive, isBelowOne);
}

//===----------------------------------------------------------------------===//
// topk_mask_grad
//===----------------------------------------------------------------------===//

namespace {

/// The loops of topk_mask_grad: those over the rows, then one over a row.
struct RowLoops {
  RowLoops(DenseBuilder &b, Value scores)
      : all(b.getMultiDimIdentityMap(
            cast<RankedTensorType>(scores.getType()).getRank())),
        perRow(all.dropResult(all.getNumDims() - 1)) {}

  SmallVector<utils::IteratorType>
  iterators(utils::IteratorType innermost) const {
    SmallVector<utils::IteratorType> result(all.getNumDims(), parallel);
    result.back() = innermost;
    return result;
  }

  AffineMap all, perRow;
};

} // namespace

/// sum(s) and sum(s grad_mask) of every row, in f64.
static SmallVector<Value> sumFollowing(DenseBuilder &b, TopkMaskGradOp op,
                                       const RowLoops &loops) {
  SmallVector<OpFoldResult> rowSizes =
      tensor::getMixedSizes(b, op.getLoc(), op.getScores());
  rowSizes.pop_back();
  Value zeros = b.filled(rowSizes, b.getF64FloatAttr(0.0));
  auto body = [](DenseBuilder &b, ValueRange args) -> SmallVector<Value> {
    Value follows = followsTau(b, args[0], args[1]);
    Value gradMask = b.castFloat(args[2], b.getF64Type());
    Value one = arith::SelectOp::create(b, follows, b.f64(1.0), b.f64(0.0));
    Value term = arith::SelectOp::create(b, follows, gradMask, b.f64(0.0));
    return {arith::AddFOp::create(b, args[3], one),
            arith::AddFOp::create(b, args[4], term)};
  };
  return b.loops(loops.iterators(reduction),
                 {{op.getScores(), loops.all},
                  {op.getTau(), loops.perRow},
                  {op.getGradMask(), loops.all}},
                 {{zeros, loops.perRow}, {zeros, loops.perRow}}, body);
}

/// grad_mask + (grad_tau - sum(s grad_mask)) / sum(s) where s, else 0.
static Value distribute(DenseBuilder &b, TopkMaskGradOp op,
                        const RowLoops &loops, ValueRange sums) {
  SmallVector<Operand> inputs = {{op.getScores(), loops.all},
                                 {op.getTau(), loops.perRow},
                                 {op.getGradMask(), loops.all},
                                 {sums[0], loops.perRow},
                                 {sums[1], loops.perRow}};
  if (op.getGradTau())
    inputs.push_back({op.getGradTau(), loops.perRow});
  auto body = [&](DenseBuilder &b, ValueRange args) -> SmallVector<Value> {
    Value gradTau =
        op.getGradTau() ? b.castFloat(args[5], b.getF64Type()) : b.f64(0.0);
    Value rest = arith::SubFOp::create(b, gradTau, args[4]);
    Value share = arith::DivFOp::create(b, rest, args[3]);
    Value sum =
        arith::AddFOp::create(b, b.castFloat(args[2], b.getF64Type()), share);
    Value gradient = arith::SelectOp::create(b, followsTau(b, args[0], args[1]),
                                             sum, b.f64(0.0));
    return {b.castFloat(gradient, cast<FloatType>(args.back().getType()))};
  };
  return b
      .loops(loops.iterators(parallel), inputs,
             {{op.getGradScores(), loops.all}}, body)
      .front();
}

namespace {

/// sparsek.topk_mask_grad ins(%z, %t, %dp) grad_tau(%dt) outs(%dz)
/// becomes, with s = 0 < fl32(z - t) < 1, in f64,
///   %0:2 = linalg.generic sum(s), sum(s dp)             (rows, n)
///   %dz = linalg.generic s ? dp + (dt - %0#1) / %0#0 : 0 (rows, n)
struct TopkMaskGradToLinalg : OpRewritePattern<TopkMaskGradOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(TopkMaskGradOp op,
                                PatternRewriter &rewriter) const override {
    if (!op.hasPureTensorSemantics())
      return rewriter.notifyMatchFailure(op, "not on tensors");
    DenseBuilder b(op.getLoc(), rewriter);
    RowLoops loops(b, op.getScores());
    SmallVector<Value> sums = sumFollowing(b, op, loops);
    rewriter.replaceOp(op, distribute(b, op, loops, sums));
    return success();
  }
};

} // namespace

//===----------------------------------------------------------------------===//
// causal_topk_mask_grad
//===----------------------------------------------------------------------===//

/// grad_tau / free in f64, 0 where nothing is free.
static Value shareOfTau(DenseBuilder &b, CausalTopkMaskGradOp op) {
  Value shares = b.empty(tensor::getMixedSizes(b, op.getLoc(), op.getTau()),
                         b.getF64Type());
  return b.elementwise(
      {op.getGradTau(), op.getFree()}, shares,
      [](DenseBuilder &b, ValueRange args) -> SmallVector<Value> {
        Value gradTau = b.castFloat(args[0], b.getF64Type());
        Value free = arith::SIToFPOp::create(b, b.getF64Type(), args[1]);
        Value share = arith::DivFOp::create(b, gradTau, free);
        Value isEmpty = arith::CmpIOp::create(b, arith::CmpIPredicate::eq,
                                              args[1], b.i32(0));
        return {arith::SelectOp::create(b, isEmpty, b.f64(0.0), share)};
      });
}

/// The shares that reach every key, summed in f64.
static Value sumShares(DenseBuilder &b, CausalTopkMaskGradOp op, Value shares) {
  Value zeros = b.filled(tensor::getMixedSizes(b, op.getLoc(), op.getScores()),
                         b.getF64FloatAttr(0.0));
  auto body = [&](DenseBuilder &b, ValueRange args) -> SmallVector<Value> {
    Value key = linalg::IndexOp::create(b, 2);
    Value query = linalg::IndexOp::create(b, 3);
    Value last = arith::SubIOp::create(b, query, b.index(op.getWindow()));
    Value isCandidate =
        arith::CmpIOp::create(b, arith::CmpIPredicate::sle, key, last);
    Value reaches =
        arith::AndIOp::create(b, isCandidate, followsTau(b, args[0], args[1]));
    Value term = arith::SelectOp::create(b, reaches, args[2], b.f64(0.0));
    return {arith::AddFOp::create(b, args[3], term)};
  };
  AffineMap perKey = b.map(4, {0, 1, 2}), perQuery = b.map(4, {0, 1, 3});
  return b
      .loops({parallel, parallel, parallel, reduction},
             {{op.getScores(), perKey},
              {op.getTau(), perQuery},
              {shares, perQuery}},
             {{zeros, perKey}}, body)
      .front();
}

namespace {

/// sparsek.causal_topk_mask_grad window(w) ins(%u, %t, %f, %dt) outs(%du)
/// becomes, in f64,
///   %0 = linalg.generic dt / f                              (b, h, i)
///   %1 = linalg.generic sum of %0[i] that follow u[j] - t[i] (b, h, j, i)
///   %du = linalg.generic truncate %1                        (b, h, j)
struct CausalTopkMaskGradToLinalg : OpRewritePattern<CausalTopkMaskGradOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(CausalTopkMaskGradOp op,
                                PatternRewriter &rewriter) const override {
    if (!op.hasPureTensorSemantics())
      return rewriter.notifyMatchFailure(op, "not on tensors");
    DenseBuilder b(op.getLoc(), rewriter);
    Value sums = sumShares(b, op, shareOfTau(b, op));
    rewriter.replaceOp(op, b.truncated(sums, op.getGradScores()));
    return success();
  }
};

} // namespace

void sparsek::populateMaskGradientsToLinalgPatterns(
    RewritePatternSet &patterns) {
  patterns.add<TopkMaskGradToLinalg, CausalTopkMaskGradToLinalg>(
      patterns.getContext());
}
