//===- AttentionPairs.cpp - The pairs of one attention, dense -------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "AttentionPairs.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <limits>

using namespace mlir;
using namespace mlir::sparsek;

static constexpr auto parallel = utils::IteratorType::parallel;
static constexpr auto reduction = utils::IteratorType::reduction;
static constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();

Value sparsek::alignAtEnd(DenseBuilder &b, Value value, OpFoldResult from,
                          OpFoldResult to, Value padding) {
  Location loc = b.getLoc();
  OpFoldResult zero = b.getIndexAttr(0), one = b.getIndexAttr(1);
  AffineExpr first = b.getAffineDimExpr(0), second = b.getAffineDimExpr(1);
  auto positivePart = [&](AffineExpr expr) {
    AffineMap map = AffineMap::get(2, 0, {expr, b.getAffineConstantExpr(0)},
                                   b.getContext());
    return affine::makeComposedFoldedAffineMax(b, loc, map, {from, to});
  };
  OpFoldResult before = positivePart(second - first);
  OpFoldResult skipped = positivePart(first - second);
  Value padded =
      tensor::PadOp::create(b, /*resultType=*/Type(), value,
                            {zero, zero, before}, {zero, zero, zero}, padding);
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, value);
  sizes[2] = to;
  return tensor::ExtractSliceOp::create(
      b, padded, ArrayRef<OpFoldResult>{zero, zero, skipped}, sizes,
      ArrayRef<OpFoldResult>{one, one, one});
}

AttentionPairs::AttentionPairs(DenseBuilder &builder,
                               const PairOperands &operands)
    : b(builder), operands(operands) {
  Location loc = b.getLoc();
  sizes = tensor::getMixedSizes(b, loc, operands.query);
  sizes[3] = tensor::getMixedSize(b, loc, operands.key, 2);
  AffineExpr keys = b.getAffineDimExpr(0), queries = b.getAffineDimExpr(1);
  shift = affine::makeComposedFoldedAffineApply(b, loc, keys - queries,
                                                {sizes[3], sizes[2]});
  // -inf before the first key: those rows see none.
  if (operands.tau)
    tau =
        alignAtEnd(b, operands.tau, sizes[3], sizes[2], b.f32(kMinusInfinity));
}

AffineMap AttentionPairs::kvMap(unsigned rank, ArrayRef<unsigned> results) {
  SmallVector<AffineExpr> exprs = {
      b.getAffineDimExpr(0), b.getAffineDimExpr(1).floorDiv(operands.group)};
  for (unsigned result : results)
    exprs.push_back(b.getAffineDimExpr(result));
  return AffineMap::get(rank, 0, exprs, b.getContext());
}

/// The position r + (Nk - Nq) of the query row.
Value AttentionPairs::position(DenseBuilder &b) {
  Value row = linalg::IndexOp::create(b, 2);
  return arith::AddIOp::create(b, row, b.toValue(shift));
}

/// j <= i < end[j].
Value AttentionPairs::isVisible(DenseBuilder &b, Value end) {
  Value i = position(b), j = linalg::IndexOp::create(b, 3);
  Value last = arith::IndexCastOp::create(b, b.getIndexType(), end);
  Value hasStarted = arith::CmpIOp::create(b, arith::CmpIPredicate::sle, j, i);
  Value hasNotEnded =
      arith::CmpIOp::create(b, arith::CmpIPredicate::slt, i, last);
  return arith::AndIOp::create(b, hasStarted, hasNotEnded);
}

Value AttentionPairs::isRecent(DenseBuilder &b) {
  Value age =
      arith::SubIOp::create(b, position(b), linalg::IndexOp::create(b, 3));
  return arith::CmpIOp::create(b, arith::CmpIPredicate::slt, age,
                               b.index(operands.window));
}

/// 1 inside the window and where tau is -inf, else clamp(fl32(u - tau), 0, 1);
/// a NaN score counts as -inf. In f64.
Value AttentionPairs::gate(DenseBuilder &b, Value score, Value tau) {
  Value difference = arith::SubFOp::create(b, score, tau);
  Value isNumber =
      arith::CmpFOp::create(b, arith::CmpFPredicate::ORD, score, score);
  Value clamped =
      arith::SelectOp::create(b, isNumber, b.clamp01(difference), b.f32(0.0));
  Value isOpen = arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, tau,
                                       b.f32(kMinusInfinity));
  Value isOne = arith::OrIOp::create(b, isOpen, isRecent(b));
  Value gate = arith::SelectOp::create(b, isOne, b.f32(1.0), clamped);
  return b.castFloat(gate, b.getF64Type());
}

SmallVector<Operand> AttentionPairs::gateOperands() {
  return {{operands.scores, kvMap(4, {3})}, {tau, kvMap(4, {2})}};
}

Value AttentionPairs::updateMatrix(Value matrix, ArrayRef<Operand> inputs,
                                   DenseBuilder::Body body) {
  return b
      .loops({parallel, parallel, parallel, parallel}, inputs,
             {{matrix, b.getMultiDimIdentityMap(4)}}, body)
      .front();
}

Value AttentionPairs::dotProducts(Value queryRows, Value keyRows) {
  auto body = [](DenseBuilder &b, ValueRange args) -> SmallVector<Value> {
    Value product =
        arith::MulFOp::create(b, b.castFloat(args[0], b.getF64Type()),
                              b.castFloat(args[1], b.getF64Type()));
    return {arith::AddFOp::create(b, args[2], product)};
  };
  Value zeros = b.filled(sizes, b.getF64FloatAttr(0.0));
  return b
      .loops({parallel, parallel, parallel, parallel, reduction},
             {{queryRows, b.map(5, {0, 1, 2, 4})}, {keyRows, kvMap(5, {3, 4})}},
             {{zeros, b.map(5, {0, 1, 2, 3})}}, body)
      .front();
}
