//===- LowerScore.cpp - sparsek.score to linalg ---------------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sparsek/Dialect/SparseK/IR/SparseK.h"
#include "sparsek/Dialect/SparseK/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StructuredOpsUtils.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace mlir::sparsek {
#define GEN_PASS_DEF_SPARSEKLOWERSCORE
#include "sparsek/Dialect/SparseK/Transforms/Passes.h.inc"
} // namespace mlir::sparsek

using namespace mlir;
using namespace mlir::sparsek;

namespace {

/// sparsek.score ins(%x, %w, %bias, %slope) outs(%u)
/// becomes
///   %0 = linalg.generic bias[h] + slope[h] * n into %u          (b, h, n)
///   %1 = linalg.generic %0 += f32(x[b, n, c]) * f32(w[h, c])    (b, h, n, c)
struct LowerScore : OpRewritePattern<ScoreOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ScoreOp op,
                                PatternRewriter &rewriter) const override {
    if (!isa<RankedTensorType>(op.getScores().getType()))
      return rewriter.notifyMatchFailure(op, "not on tensors");
    Location loc = op.getLoc();
    MLIRContext *context = op.getContext();
    AffineExpr b, h, n, c;
    bindDims(context, b, h, n, c);
    auto parallel = utils::IteratorType::parallel;
    auto reduction = utils::IteratorType::reduction;

    SmallVector<AffineMap> offsetMaps = {
        AffineMap::get(3, 0, {h}, context), AffineMap::get(3, 0, {h}, context),
        AffineMap::get(3, 0, {b, h, n}, context)};
    auto offset = linalg::GenericOp::create(
        rewriter, loc, op.getScores().getType(),
        ValueRange{op.getBias(), op.getSlope()}, op.getScores(), offsetMaps,
        SmallVector<utils::IteratorType>(3, parallel),
        [](OpBuilder &builder, Location loc, ValueRange args) {
          Value index = linalg::IndexOp::create(builder, loc, 2);
          Value integer = arith::IndexCastOp::create(
              builder, loc, builder.getI64Type(), index);
          Value position = arith::SIToFPOp::create(
              builder, loc, builder.getF32Type(), integer);
          Value slope = arith::MulFOp::create(builder, loc, args[1], position);
          Value sum = arith::AddFOp::create(builder, loc, args[0], slope);
          linalg::YieldOp::create(builder, loc, sum);
        });

    SmallVector<AffineMap> dotMaps = {AffineMap::get(4, 0, {b, n, c}, context),
                                      AffineMap::get(4, 0, {h, c}, context),
                                      AffineMap::get(4, 0, {b, h, n}, context)};
    auto dot = linalg::GenericOp::create(
        rewriter, loc, op.getScores().getType(),
        ValueRange{op.getX(), op.getWeight()}, offset.getResult(0), dotMaps,
        SmallVector<utils::IteratorType>{parallel, parallel, parallel,
                                         reduction},
        [](OpBuilder &builder, Location loc, ValueRange args) {
          auto toF32 = [&](Value value) -> Value {
            if (value.getType().isF32())
              return value;
            return arith::ExtFOp::create(builder, loc, builder.getF32Type(),
                                         value);
          };
          Value product = arith::MulFOp::create(builder, loc, toF32(args[0]),
                                                toF32(args[1]));
          Value sum = arith::AddFOp::create(builder, loc, args[2], product);
          linalg::YieldOp::create(builder, loc, sum);
        });
    rewriter.replaceOp(op, dot);
    return success();
  }
};

struct LowerScorePass : sparsek::impl::SparseKLowerScoreBase<LowerScorePass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<LowerScore>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
