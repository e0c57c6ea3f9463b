//===- ApproximateMath.cpp - exp2 and log2 in arithmetic ----------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sparsek/Dialect/SparseK/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace mlir::sparsek {
#define GEN_PASS_DEF_SPARSEKAPPROXIMATEMATH
#include "sparsek/Dialect/SparseK/Transforms/Passes.h.inc"
} // namespace mlir::sparsek

using namespace mlir;
using namespace mlir::sparsek;

/// A constant of `like`'s shape.
static Value constant(ImplicitLocOpBuilder &builder, Type like, double value) {
  TypedAttr attr =
      isa<FloatType>(getElementTypeOrSelf(like))
          ? TypedAttr(builder.getFloatAttr(getElementTypeOrSelf(like), value))
          : TypedAttr(builder.getIntegerAttr(getElementTypeOrSelf(like),
                                             static_cast<int64_t>(value)));
  if (auto shaped = dyn_cast<ShapedType>(like))
    attr = SplatElementsAttr::get(shaped, attr);
  return arith::ConstantOp::create(builder, attr);
}

static Type withElementType(Type type, Type element) {
  if (auto shaped = dyn_cast<ShapedType>(type))
    return shaped.clone(element);
  return element;
}

namespace {

/// 2^x = 2^n 2^r with n = round(x), r in [-1/2, 1/2].
///
///   %y = math.exp2 %x : vector<16xf32>
/// becomes
///   %c = clamp %x to [-126, 128]          (-126 gives a scale of exactly 0)
///   %n = math.roundeven %c;  %r = %c - %n
///   %p = 2 * polynomial of %r              (degree 6)
///   %s = bitcast((int(%n) + 126) << 23)    (2^(n - 1), finite for n = 128)
///   %y = %p * %s
struct ExpandExp2 : OpRewritePattern<math::Exp2Op> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(math::Exp2Op op,
                                PatternRewriter &rewriter) const override {
    Type type = op.getType();
    if (!getElementTypeOrSelf(type).isF32())
      return rewriter.notifyMatchFailure(op, "not f32");
    ImplicitLocOpBuilder builder(op.getLoc(), rewriter);
    Type integer = withElementType(type, builder.getI32Type());

    // Selects, unlike minnum and maxnum, keep a NaN.
    Value x = op.getOperand();
    Value low = arith::CmpFOp::create(builder, arith::CmpFPredicate::OLT, x,
                                      constant(builder, type, -126.0));
    Value clamped = arith::SelectOp::create(builder, low,
                                            constant(builder, type, -126.0), x);
    Value high = arith::CmpFOp::create(builder, arith::CmpFPredicate::OGT,
                                       clamped, constant(builder, type, 128.0));
    clamped = arith::SelectOp::create(builder, high,
                                      constant(builder, type, 128.0), clamped);
    Value n = math::RoundEvenOp::create(builder, clamped);
    Value r = arith::SubFOp::create(builder, clamped, n);

    // 2^r on [-1/2, 1/2].
    const double coefficients[] = {1.535336188319500e-4,
                                   1.339887440266574e-3,
                                   9.618437357674640e-3,
                                   5.550332471162809e-2,
                                   2.402264791363012e-1,
                                   6.931472028550421e-1,
                                   1.0};
    Value p = constant(builder, type, 2 * coefficients[0]);
    for (double coefficient : ArrayRef(coefficients).drop_front())
      p = math::FmaOp::create(builder, p, r,
                              constant(builder, type, 2 * coefficient));

    Value exponent = arith::FPToSIOp::create(builder, integer, n);
    exponent = arith::AddIOp::create(builder, exponent,
                                     constant(builder, integer, 126));
    exponent = arith::ShLIOp::create(builder, exponent,
                                     constant(builder, integer, 23));
    Value scale = arith::BitcastOp::create(builder, type, exponent);
    rewriter.replaceOpWithNewOp<arith::MulFOp>(op, p, scale);
    return success();
  }
};

struct ApproximateMathPass
    : sparsek::impl::SparseKApproximateMathBase<ApproximateMathPass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<ExpandExp2>(&getContext());
    populateMathPolynomialApproximationPatterns(
        patterns, [](StringRef name) { return name == "math.log2"; });
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
