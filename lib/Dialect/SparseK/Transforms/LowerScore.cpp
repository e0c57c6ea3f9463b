//===- LowerScore.cpp - sparsek.score to linalg ---------------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "AttentionTile.h"

#include "sparsek/Dialect/SparseK/IR/SparseK.h"
#include "sparsek/Dialect/SparseK/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
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

/// Partial sums per dot product: two of the widest vectors.
constexpr int64_t kPartialSums = 32;

/// Where the number of channels is static and no less than kPartialSums, rows
/// of x in parallel and a dot product per head in vectors:
///
///   sparsek.score ins(%x, %w, %bias, %slope) outs(%u)
/// becomes
///   scf.forall (%b, %n) shared_outs(%u) {
///     scf.for %h {
///       %sums = linalg.generic over rows of 32 channels          (r, l)
///       bias[h] + slope[h] * n + the sum of %sums and of the last channels
///     }
///   }
struct TileScore : OpRewritePattern<ScoreOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ScoreOp op,
                                PatternRewriter &rewriter) const override {
    auto type = dyn_cast<RankedTensorType>(op.getX().getType());
    if (!type || type.isDynamicDim(2) || type.getDimSize(2) < kPartialSums)
      return rewriter.notifyMatchFailure(op, "no static row of channels");
    TileBuilder b(op.getLoc(), rewriter);
    auto dim = [&](Value tensor, int64_t index) -> Value {
      return tensor::DimOp::create(b, tensor, index);
    };
    Value heads = dim(op.getScores(), 1);
    SmallVector<OpFoldResult> bounds = {dim(op.getX(), 0), dim(op.getX(), 1)};
    auto forall =
        scf::ForallOp::create(b, bounds, op.getScores(), std::nullopt);
    b.setInsertionPointToStart(forall.getBody());
    SmallVector<Value> ids = forall.getInductionVars();
    Value out = forall.getRegionIterArgs()[0];
    OpFoldResult one = b.getIndexAttr(1), zero = b.getIndexAttr(0);
    SmallVector<OpFoldResult> offsets = {ids[0], zero, ids[1]};
    SmallVector<OpFoldResult> sizes = {one, heads, one};
    Value column = b.slice(b.tensorType({ShapedType::kDynamic}, b.getF32Type()),
                           out, offsets, sizes);
    auto loop = scf::ForOp::create(
        b, b.index(0), heads, b.index(1), column,
        [&](OpBuilder &nested, Location loc, Value h, ValueRange args) {
          TileBuilder b(loc, nested);
          Value score = buildScore(b, op, ids[0], ids[1], h);
          scf::YieldOp::create(b, b.insert(score, args[0], h));
        });
    b.setInsertionPointToStart(forall.getTerminator().getBody());
    SmallVector<OpFoldResult> strides(3, one);
    tensor::ParallelInsertSliceOp::create(b, loop.getResult(0), out, offsets,
                                          sizes, strides);
    rewriter.replaceOp(op, forall);
    return success();
  }

private:
  /// `count` channels of row `indices` of `tensor`, as rows of kPartialSums.
  static Value sliceChannels(TileBuilder &b, Value tensor, ValueRange indices,
                             int64_t count) {
    auto type = cast<RankedTensorType>(tensor.getType());
    SmallVector<OpFoldResult> offsets(indices.begin(), indices.end());
    SmallVector<OpFoldResult> sizes(indices.size(), b.getIndexAttr(1));
    offsets.push_back(b.getIndexAttr(0));
    sizes.push_back(b.getIndexAttr(count));
    Value row = b.slice(b.tensorType({count}, type.getElementType()), tensor,
                        offsets, sizes);
    return tensor::ExpandShapeOp::create(
        b,
        b.tensorType({count / kPartialSums, kPartialSums},
                     type.getElementType()),
        row, SmallVector<ReassociationIndices>{{0, 1}});
  }

  /// Sums of products of the channels l, l + 32, ...: [32].
  static Value buildPartialSums(TileBuilder &b, Value x, Value weight) {
    AffineMap all = project(b.getContext(), 2, {0, 1});
    auto generic = linalg::GenericOp::create(
        b, b.tensorType({kPartialSums}, b.getF32Type()), ValueRange{x, weight},
        b.filled({kPartialSums}, b.f32(0)),
        ArrayRef{all, all, project(b.getContext(), 2, {1})},
        ArrayRef{utils::IteratorType::reduction, utils::IteratorType::parallel},
        [](OpBuilder &nested, Location loc, ValueRange args) {
          TileBuilder b(loc, nested);
          Value product = b.mulf(b.toF32(args[0]), b.toF32(args[1]));
          linalg::YieldOp::create(b, b.addf(args[2], product));
        });
    return generic.getResult(0);
  }

  /// The score of row (batch, n) for head h.
  static Value buildScore(TileBuilder &b, ScoreOp op, Value batch, Value n,
                          Value h) {
    int64_t channels =
        cast<RankedTensorType>(op.getX().getType()).getDimSize(2);
    int64_t whole = channels / kPartialSums * kPartialSums;
    Value sums =
        buildPartialSums(b, sliceChannels(b, op.getX(), {batch, n}, whole),
                         sliceChannels(b, op.getWeight(), {h}, whole));
    Value position = arith::SIToFPOp::create(b, b.getF32Type(), b.toI32(n));
    Value offset = b.addf(b.extract(op.getBias(), h),
                          b.mulf(b.extract(op.getSlope(), h), position));
    auto add = [&](int64_t begin, int64_t end, Value init,
                   function_ref<Value(TileBuilder &, Value)> term) {
      return scf::ForOp::create(
                 b, b.index(begin), b.index(end), b.index(1), init,
                 [&](OpBuilder &nested, Location loc, Value i,
                     ValueRange args) {
                   TileBuilder b(loc, nested);
                   scf::YieldOp::create(b, b.addf(args[0], term(b, i)));
                 })
          .getResult(0);
    };
    Value sum = add(0, kPartialSums, b.f32(0), [&](TileBuilder &b, Value i) {
      return b.extract(sums, i);
    });
    sum = add(whole, channels, sum, [&](TileBuilder &b, Value i) {
      Value x = b.toF32(b.extract(op.getX(), ValueRange{batch, n, i}));
      Value weight = b.toF32(b.extract(op.getWeight(), ValueRange{h, i}));
      return b.mulf(x, weight);
    });
    return b.addf(sum, offset);
  }
};

struct LowerScorePass : sparsek::impl::SparseKLowerScoreBase<LowerScorePass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<LowerScore>(&getContext(), /*benefit=*/1);
    patterns.add<TileScore>(&getContext(), /*benefit=*/2);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
