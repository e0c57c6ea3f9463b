//===- MaskGradients.cpp - Gradients of the selection as loops ------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// topk_mask_grad takes two passes over a row: the sums over the entries that
// follow tau, then the gradients.
//
// causal_topk_mask_grad: tau never falls, and subtraction rounds monotonically.
// So for one key j, fl32(u_j - tau_i) never rises with the query i, and the
// queries from j + window on with 0 < fl32(u_j - tau_i) < 1 are the interval
// from the first with a difference below 1 to the first with one of at most 0.
// Two binary searches find it, and the sum over it is a difference of two
// prefix sums of grad_tau / free. They are f64, so that what cancels does not
// show in an f32 result.
//
//===----------------------------------------------------------------------===//

#include "Patterns.h"

#include <limits>

using namespace mlir;
using namespace mlir::sparsek;

using FloatPredicate = KernelBuilder::FloatPredicate;
using IntPredicate = KernelBuilder::IntPredicate;
using Values = KernelBuilder::Values;

static constexpr float kInfinity = std::numeric_limits<float>::infinity();

//===----------------------------------------------------------------------===//
// topk_mask_grad
//===----------------------------------------------------------------------===//

namespace {

/// Emits the loops of one row of topk_mask_grad.
class MaskGradRow {
public:
  MaskGradRow(KernelBuilder &b, TopkMaskGradOp op, ValueRange row)
      : b(b), op(op), row(row) {}

  void emit();

private:
  /// An entry of the row in f32 or, if it was that already, as it is.
  Value loadF32(Value memref, Value position) {
    return b.toF32(b.load(memref, b.appended(row, position)));
  }
  Value emitFollows(Value position);
  Value emitShare(Value count);
  void emitGradients(Value count, Value share);

  KernelBuilder &b;
  TopkMaskGradOp op;
  ValueRange row;
  Value tau;
};

} // namespace

/// 0 < fl32(score - tau) < 1: false for a NaN or -inf score and for tau = -inf.
Value MaskGradRow::emitFollows(Value position) {
  Value difference = b.sub(loadF32(op.getScores(), position), tau);
  return b.bitAnd(b.cmp(FloatPredicate::OGT, difference, b.f32(0)),
                  b.cmp(FloatPredicate::OLT, difference, b.f32(1)));
}

/// (grad_tau - sum(s grad_mask)) / sum(s), in f64; not a number where s is
/// empty.
Value MaskGradRow::emitShare(Value count) {
  Values sums = b.loop(b.index(0), count, {b.f64(0), b.f64(0)},
                       [&](Value position, ValueRange args) -> Values {
                         Value follows = emitFollows(position);
                         Value gradient =
                             b.toF64(loadF32(op.getGradMask(), position));
                         Value one = b.select(follows, b.f64(1), b.f64(0));
                         Value term = b.select(follows, gradient, b.f64(0));
                         return {b.add(args[0], one), b.add(args[1], term)};
                       });
  Value gradTau =
      op.getGradTau() ? b.toF64(b.load(op.getGradTau(), row)) : b.f64(0);
  return b.div(b.sub(gradTau, sums[1]), sums[0]);
}

/// Reads an entry before it writes it: the destination may be the same memory
/// as the scores or grad_mask.
void MaskGradRow::emitGradients(Value count, Value share) {
  Type type = cast<MemRefType>(op.getGradScores().getType()).getElementType();
  b.loop(b.index(0), count, [&](Value position) {
    Value gradient = b.toF64(loadF32(op.getGradMask(), position));
    Value moved = b.truncateFloat(b.add(gradient, share), b.getF32Type());
    Value result = b.select(emitFollows(position), moved, b.f32(0));
    b.store(b.truncateFloat(result, type), op.getGradScores(),
            b.appended(row, position));
  });
}

void MaskGradRow::emit() {
  Value count = b.dim(op.getScores(), row.size());
  tau = b.load(op.getTau(), row);
  emitGradients(count, emitShare(count));
}

LogicalResult
LowerTopkMaskGrad::matchAndRewrite(TopkMaskGradOp op,
                                   PatternRewriter &rewriter) const {
  if (!op.hasPureBufferSemantics())
    return rewriter.notifyMatchFailure(op, "not on memrefs: bufferize first");
  KernelBuilder b(op.getLoc(), rewriter);
  int64_t rank = cast<MemRefType>(op.getScores().getType()).getRank() - 1;
  emitParallelRows(b, op.getScores(), rank,
                   [&](ValueRange row) { MaskGradRow(b, op, row).emit(); });
  rewriter.eraseOp(op);
  return success();
}

//===----------------------------------------------------------------------===//
// causal_topk_mask_grad
//===----------------------------------------------------------------------===//

namespace {

/// Emits the loops of one row of causal_topk_mask_grad.
class CausalGradRow {
public:
  CausalGradRow(KernelBuilder &b, CausalTopkMaskGradOp op, ValueRange row)
      : b(b), op(op), row(row) {}

  void emit();

private:
  Value load(Value memref, Value position) {
    return b.load(memref, b.appended(row, position));
  }
  Value emitPrefixSums();
  Value emitSearch(Value first, Value score, FloatPredicate predicate,
                   float bound);
  void emitKeys(Value sums);

  KernelBuilder &b;
  CausalTopkMaskGradOp op;
  ValueRange row; ///< batch and kv head
  Value length;   ///< N
};

} // namespace

/// The sums over the queries before each of 0 to N, in f64, of grad_tau / free;
/// a query without free scores adds nothing.
Value CausalGradRow::emitPrefixSums() {
  Value one = b.index(1);
  Value sums =
      b.scratch(ShapedType::kDynamic, b.getF64Type(), b.add(length, one));
  b.store(b.f64(0), sums, b.index(0));
  b.loop(b.index(0), length, b.f64(0),
         [&](Value query, ValueRange args) -> Values {
           Value free = load(op.getFree(), query);
           Value gradient = b.toF64(load(op.getGradTau(), query));
           Value share = b.div(gradient, b.integerToF64(free));
           Value isEmpty = b.cmp(IntPredicate::eq, free, b.integer(32, 0));
           Value sum = b.select(isEmpty, args[0], b.add(args[0], share));
           b.store(sum, sums, b.add(query, one));
           return {sum};
         });
  return sums;
}

/// The first query from `first` on whose difference to the score meets the
/// predicate with `bound`, or N. Once one does, all later ones do.
Value CausalGradRow::emitSearch(Value first, Value score,
                                FloatPredicate predicate, float bound) {
  Values range = b.loopWhile(
      {first, length}, {},
      [&](ValueRange args) -> KernelBuilder::Test {
        return {b.cmp(IntPredicate::slt, args[0], args[1]), {}};
      },
      [&](ValueRange args, ValueRange) -> Values {
        Value middle = b.half(b.add(args[0], args[1]));
        Value difference = b.sub(score, load(op.getTau(), middle));
        Value meets = b.cmp(predicate, difference, b.f32(bound));
        return {b.select(meets, args[0], b.add(middle, b.index(1))),
                b.select(meets, middle, args[1])};
      });
  return range[0];
}

/// A key's score is read before its gradient is written, and every grad_tau
/// before the first: the destination may be the same memory as either.
void CausalGradRow::emitKeys(Value sums) {
  Value window = b.min(length, b.index(op.getWindow()));
  b.loop(b.index(0), length, [&](Value key) {
    Value score = load(op.getScores(), key);
    // NaN and -inf have no interval.
    Value isFinite = b.cmp(FloatPredicate::OGT, score, b.f32(-kInfinity));
    Values gradient = b.branch(
        isFinite,
        [&]() -> Values {
          Value first = b.min(length, b.add(key, window));
          Value begin = emitSearch(first, score, FloatPredicate::OLT, 1);
          Value end = emitSearch(begin, score, FloatPredicate::OLE, 0);
          Value sum = b.sub(b.load(sums, end), b.load(sums, begin));
          return {b.truncateFloat(sum, b.getF32Type())};
        },
        [&]() -> Values { return {b.f32(0)}; });
    b.store(gradient[0], op.getGradScores(), b.appended(row, key));
  });
}

void CausalGradRow::emit() {
  length = b.dim(op.getScores(), 2);
  emitKeys(emitPrefixSums());
  b.freeScratch();
}

LogicalResult
LowerCausalTopkMaskGrad::matchAndRewrite(CausalTopkMaskGradOp op,
                                         PatternRewriter &rewriter) const {
  if (!op.hasPureBufferSemantics())
    return rewriter.notifyMatchFailure(op, "not on memrefs: bufferize first");
  KernelBuilder b(op.getLoc(), rewriter);
  emitParallelRows(b, op.getScores(), /*rank=*/2,
                   [&](ValueRange row) { CausalGradRow(b, op, row).emit(); });
  rewriter.eraseOp(op);
  return success();
}
