//===- LowerAttention.cpp - sparse_attention to linalg --------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "DenseBuilder.h"

#include "sparsek/Dialect/SparseK/IR/SparseK.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"

#include <limits>

using namespace mlir;
using namespace mlir::sparsek;

static constexpr auto parallel = utils::IteratorType::parallel;
static constexpr auto reduction = utils::IteratorType::reduction;
static constexpr double kMinusInfinity =
    -std::numeric_limits<double>::infinity();

namespace {

/// One attention, written out. The loops are b, h (query head), r (query row),
/// j (key), and for the contractions e (element of a head); matrices are
/// [B, Hq, Nq, Nk], in f64.
class AttentionBuilder {
public:
  AttentionBuilder(DenseBuilder &builder, SparseAttentionOp op);

  /// The output and the lse.
  SmallVector<Value> build();

private:
  Value dotProducts();
  Value maskLogits(Value dots);
  Value gateWeights(Value weights);
  Value tauOfQueries();
  Value maxOfRows(Value logits);
  Value exponentials(Value logits, Value maxima);
  Value sumOfRows(Value weights);
  Value weighValues(Value weights);
  Value logSumExp(Value sums, Value maxima);
  Value normalize(Value sums, Value weighted);

  Value isVisible(DenseBuilder &b, Value end);
  Value gate(DenseBuilder &b, Value score, Value tau);
  Value position(DenseBuilder &b);

  /// The map to the elements of an operand with one row of `results` per kv
  /// head: query head h reads kv head h / G.
  AffineMap kvMap(unsigned rank, ArrayRef<unsigned> results);
  /// The gate's scores and thresholds; none without a gate.
  SmallVector<Operand> gateOperands();
  /// In place: one element of `matrix` from itself and from `inputs`.
  Value updateMatrix(Value matrix, ArrayRef<Operand> inputs,
                     DenseBuilder::Body body);

  DenseBuilder &b;
  SparseAttentionOp op;
  /// [B, Hq, Nq, Nk].
  SmallVector<OpFoldResult> sizes;
  /// Nk - Nq: what a query row's position is ahead of its number.
  OpFoldResult shift;
  /// tau at the position of every query row, [B, Hkv, Nq].
  Value tau;
};

} // namespace

AttentionBuilder::AttentionBuilder(DenseBuilder &builder, SparseAttentionOp op)
    : b(builder), op(op) {
  sizes = tensor::getMixedSizes(b, op.getLoc(), op.getQuery());
  sizes[3] = tensor::getMixedSize(b, op.getLoc(), op.getKey(), 2);
  AffineExpr keys = b.getAffineDimExpr(0), queries = b.getAffineDimExpr(1);
  shift = affine::makeComposedFoldedAffineApply(b, op.getLoc(), keys - queries,
                                                {sizes[3], sizes[2]});
}

AffineMap AttentionBuilder::kvMap(unsigned rank, ArrayRef<unsigned> results) {
  SmallVector<AffineExpr> exprs = {
      b.getAffineDimExpr(0), b.getAffineDimExpr(1).floorDiv(op.getGroupSize())};
  for (unsigned result : results)
    exprs.push_back(b.getAffineDimExpr(result));
  return AffineMap::get(rank, 0, exprs, b.getContext());
}

/// The position r + (Nk - Nq) of the query row.
Value AttentionBuilder::position(DenseBuilder &b) {
  Value row = linalg::IndexOp::create(b, 2);
  return arith::AddIOp::create(b, row, b.toValue(shift));
}

/// j <= i < end[j].
Value AttentionBuilder::isVisible(DenseBuilder &b, Value end) {
  Value i = position(b), j = linalg::IndexOp::create(b, 3);
  Value last = arith::IndexCastOp::create(b, b.getIndexType(), end);
  Value hasStarted = arith::CmpIOp::create(b, arith::CmpIPredicate::sle, j, i);
  Value hasNotEnded =
      arith::CmpIOp::create(b, arith::CmpIPredicate::slt, i, last);
  return arith::AndIOp::create(b, hasStarted, hasNotEnded);
}

/// 1 inside the window and where tau is -inf, else clamp(fl32(u - tau), 0, 1);
/// a NaN score counts as -inf. In f64.
Value AttentionBuilder::gate(DenseBuilder &b, Value score, Value tau) {
  Value difference = arith::SubFOp::create(b, score, tau);
  Value isNumber =
      arith::CmpFOp::create(b, arith::CmpFPredicate::ORD, score, score);
  Value clamped =
      arith::SelectOp::create(b, isNumber, b.clamp01(difference), b.f32(0.0));
  Value isOpen = arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, tau,
                                       b.f32(kMinusInfinity));
  Value age =
      arith::SubIOp::create(b, position(b), linalg::IndexOp::create(b, 3));
  Value isRecent = arith::CmpIOp::create(b, arith::CmpIPredicate::slt, age,
                                         b.index(op.getWindow()));
  Value isOne = arith::OrIOp::create(b, isOpen, isRecent);
  Value gate = arith::SelectOp::create(b, isOne, b.f32(1.0), clamped);
  return b.castFloat(gate, b.getF64Type());
}

/// tau[.., Nk - Nq : Nk], with -inf before the first key: those rows see none.
Value AttentionBuilder::tauOfQueries() {
  Location loc = op.getLoc();
  OpFoldResult zero = b.getIndexAttr(0), one = b.getIndexAttr(1);
  AffineExpr value = b.getAffineDimExpr(0), null = b.getAffineConstantExpr(0);
  auto positivePart = [&](AffineExpr expr) {
    AffineMap map = AffineMap::get(1, 0, {expr, null}, b.getContext());
    return affine::makeComposedFoldedAffineMax(b, loc, map, {shift});
  };
  OpFoldResult before = positivePart(-value), skipped = positivePart(value);
  Value padding = b.f32(kMinusInfinity);
  Value padded =
      tensor::PadOp::create(b, /*resultType=*/Type(), op.getTau(),
                            {zero, zero, before}, {zero, zero, zero}, padding);
  SmallVector<OpFoldResult> tauSizes =
      tensor::getMixedSizes(b, loc, op.getTau());
  tauSizes[2] = sizes[2];
  return tensor::ExtractSliceOp::create(
      b, padded, ArrayRef<OpFoldResult>{zero, zero, skipped}, tauSizes,
      ArrayRef<OpFoldResult>{one, one, one});
}

SmallVector<Operand> AttentionBuilder::gateOperands() {
  return {{op.getScores(), kvMap(4, {3})}, {tau, kvMap(4, {2})}};
}

Value AttentionBuilder::updateMatrix(Value matrix, ArrayRef<Operand> inputs,
                                     DenseBuilder::Body body) {
  return b
      .loops({parallel, parallel, parallel, parallel}, inputs,
             {{matrix, b.getMultiDimIdentityMap(4)}}, body)
      .front();
}

/// q_i . k_j for every pair.
Value AttentionBuilder::dotProducts() {
  auto body = [](DenseBuilder &b, ValueRange args) -> SmallVector<Value> {
    Value product =
        arith::MulFOp::create(b, b.castFloat(args[0], b.getF64Type()),
                              b.castFloat(args[1], b.getF64Type()));
    return {arith::AddFOp::create(b, args[2], product)};
  };
  Value zeros = b.filled(sizes, b.getF64FloatAttr(0.0));
  return b
      .loops({parallel, parallel, parallel, parallel, reduction},
             {{op.getQuery(), b.map(5, {0, 1, 2, 4})},
              {op.getKey(), kvMap(5, {3, 4})}},
             {{zeros, b.map(5, {0, 1, 2, 3})}}, body)
      .front();
}

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
  if (op.isGated())
    tau = tauOfQueries();
  Value logits = maskLogits(dotProducts());
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
