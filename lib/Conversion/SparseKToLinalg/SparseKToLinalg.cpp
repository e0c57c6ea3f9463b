//===- SparseKToLinalg.cpp - The reference lowering -----------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sparsek/Conversion/SparseKToLinalg/SparseKToLinalg.h"

#include "DenseBuilder.h"

#include "sparsek/Dialect/SparseK/IR/SparseK.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"

namespace mlir::sparsek {
#define GEN_PASS_DEF_CONVERTSPARSEKTOLINALG
#include "sparsek/Conversion/SparseKToLinalg/Passes.h.inc"
} // namespace mlir::sparsek

using namespace mlir;
using namespace mlir::sparsek;

namespace {

/// sparsek.score ins(%x, %w, %bias, %slope) outs(%u)
/// becomes, in f64,
///   %0 = linalg.generic x[b, n] . w[h]                     (b, h, n, c)
///   %1 = linalg.generic %0 + bias[h] + slope[h] * n        (b, h, n)
struct ScoreToLinalg : OpRewritePattern<ScoreOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ScoreOp op,
                                PatternRewriter &rewriter) const override {
    if (!op.hasPureTensorSemantics())
      return rewriter.notifyMatchFailure(op, "not on tensors");
    DenseBuilder b(op.getLoc(), rewriter);
    Value dots = dotProducts(b, op);
    auto parallel = utils::IteratorType::parallel;
    AffineMap identity = b.getMultiDimIdentityMap(3), head = b.map(3, {1});
    SmallVector<Value> scores =
        b.loops({parallel, parallel, parallel},
                {{dots, identity}, {op.getBias(), head}, {op.getSlope(), head}},
                {{op.getScores(), identity}}, addOffset);
    rewriter.replaceOp(op, scores);
    return success();
  }

  static Value dotProducts(DenseBuilder &b, ScoreOp op) {
    auto parallel = utils::IteratorType::parallel;
    auto reduction = utils::IteratorType::reduction;
    auto body = [](DenseBuilder &b, ValueRange args) -> SmallVector<Value> {
      Value product =
          arith::MulFOp::create(b, b.castFloat(args[0], b.getF64Type()),
                                b.castFloat(args[1], b.getF64Type()));
      return {arith::AddFOp::create(b, args[2], product)};
    };
    Value zeros =
        b.filled(tensor::getMixedSizes(b, op.getLoc(), op.getScores()),
                 b.getF64FloatAttr(0.0));
    return b
        .loops({parallel, parallel, parallel, reduction},
               {{op.getX(), b.map(4, {0, 2, 3})},
                {op.getWeight(), b.map(4, {1, 3})}},
               {{zeros, b.map(4, {0, 1, 2})}}, body)
        .front();
  }

  /// dot + bias + slope * n, truncated to f32.
  static SmallVector<Value> addOffset(DenseBuilder &b, ValueRange args) {
    Value index = linalg::IndexOp::create(b, 2);
    Value integer = arith::IndexCastOp::create(b, b.getI64Type(), index);
    Value position = arith::SIToFPOp::create(b, b.getF64Type(), integer);
    Value bias = b.castFloat(args[1], b.getF64Type());
    Value slope = b.castFloat(args[2], b.getF64Type());
    Value offset = arith::AddFOp::create(
        b, bias, arith::MulFOp::create(b, slope, position));
    Value score = arith::AddFOp::create(b, args[0], offset);
    return {b.castFloat(score, b.getF32Type())};
  }
};

struct ConvertSparseKToLinalgPass
    : sparsek::impl::ConvertSparseKToLinalgBase<ConvertSparseKToLinalgPass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    populateSparseKToLinalgPatterns(patterns);
    walkAndApplyPatterns(getOperation(), std::move(patterns));
    WalkResult result = getOperation()->walk([](Operation *op) {
      if (!isa_and_nonnull<SparseKDialect>(op->getDialect()))
        return WalkResult::advance();
      op->emitOpError() << "is on memrefs, expected tensors: run "
                           "--sparsek-memref-to-tensor first";
      return WalkResult::interrupt();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }
};

} // namespace

void sparsek::populateSparseKToLinalgPatterns(RewritePatternSet &patterns) {
  patterns.add<ScoreToLinalg>(patterns.getContext());
  populateAttentionGradientToLinalgPatterns(patterns);
  populateAttentionToLinalgPatterns(patterns);
  populateMaskGradientsToLinalgPatterns(patterns);
  populateTopkToLinalgPatterns(patterns);
}
