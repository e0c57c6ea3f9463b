//===- LowerAttention.cpp - sparse_attention to linalg --------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "AttentionPairs.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/PatternMatch.h"

#include <limits>

using namespace mlir;
using namespace mlir::sparsek;

static constexpr auto parallel = utils::IteratorType::parallel;
static constexpr auto reduction = utils::IteratorType::reduction;
static constexpr double kMinusInfinity =
    -std::numeric_limits<double>::infinity();

namespace {

/// One attention, written out.
class AttentionBuilder : AttentionPairs {
public:
  AttentionBuilder(DenseBuilder &builder, SparseAttentionOp op)
      : AttentionPairs(builder, PairOperands::of(op)), op(op) {}

  /// The output and the lse.
  SmallVector<Value> build();

private:
  Value maskLogits(Value dots);
  Value gateWeights(Value weights);
  Value maxOfRows(Value logits);
  Value exponentials(Value logits, Value maxima);
  Value sumOfRows(Value weights);
  Value weighValues(Value weights);
  Value logSumExp(Value sums, Value maxima);
  Value normalize(Value sums, Value weighted);

  SparseAttentionOp op;
};

} // namespace

/// The logits, -inf where the key is not visible.
Value AttentionBuilder::maskLogits(Value dots) {
  SmallVector<Operand> inputs = {{op.getEnd(), kvMap(4, {3})}};
  bool gatesKeys = op.getGate() == Gate::key_value;
  if (gatesKeys)
    llvm::append_range(inputs, gateOperands());
  return updateMatrix(
      dots, inputs,
      [&](DenseBuilder &b, ValueRange args) -> SmallVector<Value> {
        Value logit =
            arith::MulFOp::create(b, args.back(), b.f64(op.getScaleValue()));
        if (gatesKeys)
          logit = arith::MulFOp::create(b, logit, gate(b, args[1], args[2]));
        return {arith::SelectOp::create(b, isVisible(b, args[0]), logit,
                                        b.f64(kMinusInfinity))};
      });
}

/// The largest logit of every row, or 0 where nothing is visible.
Value AttentionBuilder::maxOfRows(Value logits) {
  ArrayRef<OpFoldResult> rowSizes = ArrayRef(sizes).drop_back();
  Value init = b.filled(rowSizes, b.getF64FloatAttr(kMinusInfinity));
  auto larger = [](DenseBuilder &b, ValueRange args) -> SmallVector<Value> {
    return {arith::MaximumFOp::create(b, args[0], args[1])};
  };
  Value maxima = b.loops({parallel, parallel, parallel, reduction},
                         {{logits, b.getMultiDimIdentityMap(4)}},
                         {{init, b.map(4, {0, 1, 2})}}, larger)
                     .front();
  auto finite = [](DenseBuilder &b, ValueRange args) -> SmallVector<Value> {
    Value isEmpty = arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, args[0],
                                          b.f64(kMinusInfinity));
    return {arith::SelectOp::create(b, isEmpty, b.f64(0.0), args[0])};
  };
  return b.elementwise({}, maxima, finite);
}

/// exp(logit - maximum of the row): 0 where the key is not visible.
Value AttentionBuilder::exponentials(Value logits, Value maxima) {
  return updateMatrix(
      logits, {{maxima, b.map(4, {0, 1, 2})}},
      [](DenseBuilder &b, ValueRange args) -> SmallVector<Value> {
        Value difference = arith::SubFOp::create(b, args[1], args[0]);
        return {math::ExpOp::create(b, difference)};
      });
}

Value AttentionBuilder::sumOfRows(Value weights) {
  ArrayRef<OpFoldResult> rowSizes = ArrayRef(sizes).drop_back();
  Value zeros = b.filled(rowSizes, b.getF64FloatAttr(0.0));
  auto body = [](DenseBuilder &b, ValueRange args) -> SmallVector<Value> {
    return {arith::AddFOp::create(b, args[0], args[1])};
  };
  return b
      .loops({parallel, parallel, parallel, reduction},
             {{weights, b.getMultiDimIdentityMap(4)}},
             {{zeros, b.map(4, {0, 1, 2})}}, body)
      .front();
}

/// The weights of the values: times the gate, after the softmax's sum.
Value AttentionBuilder::gateWeights(Value weights) {
  return updateMatrix(
      weights, gateOperands(),
      [&](DenseBuilder &b, ValueRange args) -> SmallVector<Value> {
        return {arith::MulFOp::create(b, args[2], gate(b, args[0], args[1]))};
      });
}

/// sum_j weight_ij v_j over the visible keys: what the others hold, NaN
/// included, must not matter.
Value AttentionBuilder::weighValues(Value weights) {
  SmallVector<OpFoldResult> outputSizes = sizes;
  outputSizes[3] = b.getIndexAttr(op.getValueDim());
  Value zeros = b.filled(outputSizes, b.getF64FloatAttr(0.0));
  auto body = [&](DenseBuilder &b, ValueRange args) -> SmallVector<Value> {
    Value value = b.castFloat(args[1], b.getF64Type());
    Value product = arith::MulFOp::create(b, args[0], value);
    Value term =
        arith::SelectOp::create(b, isVisible(b, args[2]), product, b.f64(0.0));
    return {arith::AddFOp::create(b, args[3], term)};
  };
  return b
      .loops({parallel, parallel, parallel, reduction, parallel},
             {{weights, b.map(5, {0, 1, 2, 3})},
              {op.getValue(), kvMap(5, {3, 4})},
              {op.getEnd(), kvMap(5, {3})}},
             {{zeros, b.map(5, {0, 1, 2, 4})}}, body)
      .front();
}

/// log(sum) + maximum; log 0 = -inf is the lse of an empty row.
Value AttentionBuilder::logSumExp(Value sums, Value maxima) {
  return b.elementwise(
      {sums, maxima}, op.getLse(),
      [](DenseBuilder &b, ValueRange args) -> SmallVector<Value> {
        Value logarithm = math::LogOp::create(b, args[0]);
        Value lse = arith::AddFOp::create(b, logarithm, args[1]);
        return {b.castFloat(lse, b.getF32Type())};
      });
}

/// weighted / sum, or 0 in an empty row.
Value AttentionBuilder::normalize(Value sums, Value weighted) {
  AffineMap identity = b.getMultiDimIdentityMap(4);
  auto body = [](DenseBuilder &b, ValueRange args) -> SmallVector<Value> {
    Value quotient = arith::DivFOp::create(b, args[1], args[0]);
    Value isEmpty = arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, args[0],
                                          b.f64(0.0));
    Value output = arith::SelectOp::create(b, isEmpty, b.f64(0.0), quotient);
    return {b.castFloat(output, cast<FloatType>(args[2].getType()))};
  };
  return b
      .loops({parallel, parallel, parallel, parallel},
             {{sums, b.map(4, {0, 1, 2})}, {weighted, identity}},
             {{op.getOutput(), identity}}, body)
      .front();
}

SmallVector<Value> AttentionBuilder::build() {
  Value logits = maskLogits(dotProducts(op.getQuery(), op.getKey()));
  Value maxima = maxOfRows(logits);
  Value weights = exponentials(logits, maxima);
  Value sums = sumOfRows(weights);
  if (op.isGated())
    weights = gateWeights(weights);
  Value weighted = weighValues(weights);
  return {normalize(sums, weighted), logSumExp(sums, maxima)};
}

namespace {

/// sparsek.sparse_attention ins(%q, %k, %v, %end) outs(%o, %l)
/// becomes
///   %0 = linalg.generic q . k                          (b, h, r, j, e)
///   %1 = linalg.generic visible ? scale * %0 : -inf    (b, h, r, j)
///   %2 = linalg.generic row maximum of %1              (b, h, r, j)
///   %3 = linalg.generic exp(%1 - %2)                   (b, h, r, j)
///   %4 = linalg.generic row sum of %3                  (b, h, r, j)
///   %5 = linalg.generic %3 * gate                      (b, h, r, j), gated
///   %6 = linalg.generic %5 . v                         (b, h, r, j, e)
///   %output = %6 / %4;  %lse = log(%4) + %2
struct SparseAttentionToLinalg : OpRewritePattern<SparseAttentionOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(SparseAttentionOp op,
                                PatternRewriter &rewriter) const override {
    if (!op.hasPureTensorSemantics())
      return rewriter.notifyMatchFailure(op, "not on tensors");
    DenseBuilder b(op.getLoc(), rewriter);
    rewriter.replaceOp(op, AttentionBuilder(b, op).build());
    return success();
  }
};

} // namespace

void sparsek::populateAttentionToLinalgPatterns(RewritePatternSet &patterns) {
  patterns.add<SparseAttentionToLinalg>(patterns.getContext());
}
