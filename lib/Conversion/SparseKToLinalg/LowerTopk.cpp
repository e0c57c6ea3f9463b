//===- LowerTopk.cpp - topk_mask and causal_topk_mask to linalg -----------===//
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
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"

#include <limits>

using namespace mlir;
using namespace mlir::sparsek;

static constexpr auto parallel = utils::IteratorType::parallel;
static constexpr auto reduction = utils::IteratorType::reduction;
static constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();

/// `iv` of the loop `dim`, in the body of a linalg op.
static Value loopIndex(DenseBuilder &b, unsigned dim) {
  return linalg::IndexOp::create(b, dim);
}

/// The scores as f32, with -inf for NaN.
static Value normalizeScores(DenseBuilder &b, Value scores) {
  Value output =
      b.empty(tensor::getMixedSizes(b, b.getLoc(), scores), b.getF32Type());
  return b.elementwise(
      {scores}, output,
      [](DenseBuilder &b, ValueRange args) -> SmallVector<Value> {
        Value score = b.castFloat(args[0], b.getF32Type());
        Value isNumber =
            arith::CmpFOp::create(b, arith::CmpFPredicate::ORD, score, score);
        return {
            arith::SelectOp::create(b, isNumber, score, b.f32(kMinusInfinity))};
      });
}

//===----------------------------------------------------------------------===//
// Exact numbers
//===----------------------------------------------------------------------===//

// Where the sum of the clamped differences meets topk decides the last bit of
// tau, and f64 rounds such sums: 1 + 1e-16 is 1. So they are taken in fixed
// point, as multiples of 2^-150, half the smallest f32. Every f32 is less than
// 2^279 of these; -inf takes part as -2^128, below every number. The width is a
// multiple of 128 so that the numbers lie in memory without padding, whatever
// alignment a target gives wide integers.
static constexpr unsigned kFixedBits = 384;
static constexpr unsigned kFixedPoint = 150;

static Type getFixedType(DenseBuilder &b) {
  return b.getIntegerType(kFixedBits);
}

/// `value` as a fixed-point constant.
static TypedAttr getFixedAttr(DenseBuilder &b, int64_t value) {
  return b.getIntegerAttr(getFixedType(b),
                          APInt(kFixedBits, value).shl(kFixedPoint));
}

/// The fixed-point number that is equal to the f32 `value`.
static Value fixedOfFloat(DenseBuilder &b, Value value) {
  Value bits = arith::BitcastOp::create(b, b.getI32Type(), value);
  Value exponent = arith::AndIOp::create(
      b, arith::ShRUIOp::create(b, bits, b.i32(23)), b.i32(0xff));
  Value fraction = arith::AndIOp::create(b, bits, b.i32(0x7fffff));
  Value isSubnormal =
      arith::CmpIOp::create(b, arith::CmpIPredicate::eq, exponent, b.i32(0));
  Value leadingOne =
      arith::SelectOp::create(b, isSubnormal, b.i32(0), b.i32(0x800000));
  Value significand = arith::OrIOp::create(b, fraction, leadingOne);
  Value shift = arith::SelectOp::create(b, isSubnormal, b.i32(1), exponent);

  Value wide = arith::ExtUIOp::create(b, getFixedType(b), significand);
  Value wideShift = arith::ExtUIOp::create(b, getFixedType(b), shift);
  Value magnitude = arith::ShLIOp::create(b, wide, wideShift);
  Value zero = b.constant(getFixedAttr(b, 0));
  Value negated = arith::SubIOp::create(b, zero, magnitude);
  Value isNegative =
      arith::CmpIOp::create(b, arith::CmpIPredicate::slt, bits, b.i32(0));
  return arith::SelectOp::create(b, isNegative, negated, magnitude);
}

namespace {

/// The order of the f32 values as integers: equal to the bit pattern, read as
/// i32, of a positive number, and counting down from -1 (-0.0) for negatives.
struct OrderedFloats {
  static constexpr int32_t kLargest = 0x7f7fffff;
  static constexpr int32_t kMagnitude = 0x7fffffff;
  static constexpr int32_t kMinusInfinity = 0x7f800000 ^ -1;
};

} // namespace

/// The bits, as i32, of the float with the i64 order number `key`.
static Value bitsOfKey(DenseBuilder &b, Value key) {
  Value narrow = arith::TruncIOp::create(b, b.getI32Type(), key);
  Value flipped =
      arith::XOrIOp::create(b, narrow, b.i32(OrderedFloats::kMagnitude));
  Value isNegative =
      arith::CmpIOp::create(b, arith::CmpIPredicate::slt, narrow, b.i32(0));
  return arith::SelectOp::create(b, isNegative, flipped, narrow);
}

static Value floatOfKey(DenseBuilder &b, Value key) {
  return arith::BitcastOp::create(b, b.getF32Type(), bitsOfKey(b, key));
}

//===----------------------------------------------------------------------===//
// The threshold
//===----------------------------------------------------------------------===//

namespace {

/// Many thresholds at once, one per row. The loops are those over the rows,
/// then one over the scores of a row.
struct ThresholdProblem {
  /// Normalized scores in fixed point, and the map from the loops to them.
  Operand scores;
  SmallVector<OpFoldResult> rowSizes;
  int64_t topk;
  /// For the causal op: score j counts for row i where j <= i - window.
  std::optional<int64_t> window;

  unsigned rows() const { return rowSizes.size(); }
  SmallVector<utils::IteratorType> iterators() const {
    SmallVector<utils::IteratorType> result(rows(), parallel);
    result.push_back(reduction);
    return result;
  }
};

} // namespace

/// The problem whose row r has the f32 scores that `map` gives.
static ThresholdProblem makeProblem(DenseBuilder &b, Value scores,
                                    AffineMap map,
                                    ArrayRef<OpFoldResult> rowSizes,
                                    int64_t topk) {
  SmallVector<OpFoldResult> sizes =
      tensor::getMixedSizes(b, b.getLoc(), scores);
  Value fixed =
      b.elementwise({scores}, b.empty(sizes, getFixedType(b)),
                    [](DenseBuilder &b, ValueRange args) -> SmallVector<Value> {
                      return {fixedOfFloat(b, args[0])};
                    });
  return {{fixed, map}, llvm::to_vector(rowSizes), topk, std::nullopt};
}

/// In the loops of `problem`: whether the score counts for the row. Null where
/// all do.
static Value isCandidate(DenseBuilder &b, const ThresholdProblem &problem) {
  if (!problem.window)
    return Value();
  Value row = loopIndex(b, problem.rows() - 1);
  Value last = arith::SubIOp::create(b, row, b.index(*problem.window));
  return arith::CmpIOp::create(b, arith::CmpIPredicate::sle,
                               loopIndex(b, problem.rows()), last);
}

/// sum_j clamp(z_j - x, 0, 1) for one x per row, in fixed point.
static Value sumOfClamps(DenseBuilder &b, const ThresholdProblem &problem,
                         Value x) {
  unsigned rows = problem.rows();
  AffineMap rowMap = b.getMultiDimIdentityMap(rows + 1).dropResult(rows);
  Value zeros = b.filled(problem.rowSizes, getFixedAttr(b, 0));
  auto body = [&](DenseBuilder &b, ValueRange args) -> SmallVector<Value> {
    Value zero = b.constant(getFixedAttr(b, 0));
    Value one = b.constant(getFixedAttr(b, 1));
    Value difference = arith::SubIOp::create(b, args[0], args[1]);
    Value positive = arith::MaxSIOp::create(b, difference, zero);
    Value term = arith::MinSIOp::create(b, positive, one);
    if (Value candidate = isCandidate(b, problem))
      term = arith::SelectOp::create(b, candidate, term, zero);
    return {arith::AddIOp::create(b, args[2], term)};
  };
  return b
      .loops(problem.iterators(), {problem.scores, {x, rowMap}},
             {{zeros, rowMap}}, body)
      .front();
}

/// How a fixed-point sum compares with topk.
static Value compareWithTopk(DenseBuilder &b, arith::CmpIPredicate predicate,
                             Value sum, int64_t topk) {
  return arith::CmpIOp::create(b, predicate, sum,
                               b.constant(getFixedAttr(b, topk)));
}

/// One step of the bisection: halves the range [low, high] of keys that holds,
/// for every row, the smallest key with a sum of at most topk.
static void buildBisectionStep(DenseBuilder &b, const ThresholdProblem &problem,
                               ValueRange range) {
  auto middle = [](DenseBuilder &b, Value low, Value high) -> Value {
    Value sum = arith::AddIOp::create(b, low, high);
    return arith::ShRSIOp::create(b, sum, b.i64(1));
  };
  Value x = b.elementwise(
      range, b.empty(problem.rowSizes, getFixedType(b)),
      [&](DenseBuilder &b, ValueRange args) -> SmallVector<Value> {
        return {fixedOfFloat(b, floatOfKey(b, middle(b, args[0], args[1])))};
      });
  Value sum = sumOfClamps(b, problem, x);

  AffineMap identity = b.getMultiDimIdentityMap(problem.rows());
  SmallVector<utils::IteratorType> iterators(problem.rows(), parallel);
  auto body = [&](DenseBuilder &b, ValueRange args) -> SmallVector<Value> {
    Value low = args[1], high = args[2];
    Value mid = middle(b, low, high);
    Value fits =
        compareWithTopk(b, arith::CmpIPredicate::sle, args[0], problem.topk);
    Value next = arith::AddIOp::create(b, mid, b.i64(1));
    return {arith::SelectOp::create(b, fits, low, next),
            arith::SelectOp::create(b, fits, mid, high)};
  };
  SmallVector<Value> halved =
      b.loops(iterators, {{sum, identity}},
              {{range[0], identity}, {range[1], identity}}, body);
  scf::YieldOp::create(b, halved);
}

/// The key of the smallest f32 x with sum_j clamp(z_j - x, 0, 1) <= topk, for
/// every row.
///
///   %low, %high = scf.for 32 steps iter_args(key(-inf), key(largest)) {
///     %x = float of (low + high) >> 1
///     %sum = sum_j clamp(z_j - x, 0, 1)
///     sum <= topk ? (low, mid) : (mid + 1, high)
///   }
static Value findSmallestKey(DenseBuilder &b, const ThresholdProblem &problem) {
  Value low = b.filled(problem.rowSizes,
                       b.getI64IntegerAttr(OrderedFloats::kMinusInfinity));
  Value high =
      b.filled(problem.rowSizes, b.getI64IntegerAttr(OrderedFloats::kLargest));
  Value zero = b.index(0), one = b.index(1), steps = b.index(32);
  auto loop = scf::ForOp::create(
      b, zero, steps, one, ValueRange{low, high},
      [&](OpBuilder &builder, Location loc, Value, ValueRange range) {
        DenseBuilder inner(loc, builder);
        buildBisectionStep(inner, problem, range);
      });
  return loop.getResult(1);
}

/// The exact threshold lies in (previous, x], and where it is not x, the sum
/// falls strictly around it. So the sum in the middle says which is nearer:
/// less than topk: previous; topk: a tie, the even one; more: x. Nothing is
/// below -inf.
static Value roundToNearest(DenseBuilder &b, Value key, Value sumInMiddle,
                            int64_t topk) {
  Value previousKey = arith::SubIOp::create(b, key, b.i64(1));
  Value x = floatOfKey(b, key), previous = floatOfKey(b, previousKey);
  Value isBelow =
      compareWithTopk(b, arith::CmpIPredicate::slt, sumInMiddle, topk);
  Value isTie = compareWithTopk(b, arith::CmpIPredicate::eq, sumInMiddle, topk);
  Value lastBit = arith::AndIOp::create(b, bitsOfKey(b, previousKey), b.i32(1));
  Value isEven =
      arith::CmpIOp::create(b, arith::CmpIPredicate::eq, lastBit, b.i32(0));
  Value takesEven = arith::AndIOp::create(b, isTie, isEven);
  Value takesPrevious = arith::OrIOp::create(b, isBelow, takesEven);
  Value hasPrevious = arith::CmpFOp::create(b, arith::CmpFPredicate::OGT, x,
                                            b.f32(kMinusInfinity));
  takesPrevious = arith::AndIOp::create(b, takesPrevious, hasPrevious);
  Value rounded = arith::SelectOp::create(b, takesPrevious, previous, x);
  // -0.0 and 0.0 are one threshold: 0.0.
  Value isZero =
      arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, rounded, b.f32(0.0));
  return arith::SelectOp::create(b, isZero, b.f32(0.0), rounded);
}

/// inf { x : sum_j clamp(z_j - x, 0, 1) <= topk }, correctly rounded to f32,
/// for every row, written over `output`.
static Value findThreshold(DenseBuilder &b, const ThresholdProblem &problem,
                           Value output) {
  Value keys = findSmallestKey(b, problem);
  Value middles = b.elementwise(
      {keys}, b.empty(problem.rowSizes, getFixedType(b)),
      [](DenseBuilder &b, ValueRange args) -> SmallVector<Value> {
        Value previousKey = arith::SubIOp::create(b, args[0], b.i64(1));
        Value x = fixedOfFloat(b, floatOfKey(b, args[0]));
        Value previous = fixedOfFloat(b, floatOfKey(b, previousKey));
        Value sum = arith::AddIOp::create(b, x, previous);
        Value one = b.constant(b.getIntegerAttr(getFixedType(b), 1));
        return {arith::ShRSIOp::create(b, sum, one)};
      });
  Value sums = sumOfClamps(b, problem, middles);
  return b.elementwise(
      {keys, sums}, output,
      [&](DenseBuilder &b, ValueRange args) -> SmallVector<Value> {
        return {roundToNearest(b, args[0], args[1], problem.topk)};
      });
}

//===----------------------------------------------------------------------===//
// topk_mask
//===----------------------------------------------------------------------===//

/// clamp(fl32(z - tau), 0, 1), or 1 for every entry where tau is -inf.
static Value applyThreshold(DenseBuilder &b, Value scores, Value tau,
                            Value output) {
  int64_t rank = cast<RankedTensorType>(output.getType()).getRank();
  AffineMap identity = b.getMultiDimIdentityMap(rank);
  auto body = [](DenseBuilder &b, ValueRange args) -> SmallVector<Value> {
    Value mask = b.clamp01(arith::SubFOp::create(b, args[0], args[1]));
    Value isOpen = arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, args[1],
                                         b.f32(kMinusInfinity));
    Value gate = arith::SelectOp::create(b, isOpen, b.f32(1.0), mask);
    return {b.castFloat(gate, cast<FloatType>(args[2].getType()))};
  };
  return b
      .loops(SmallVector<utils::IteratorType>(rank, parallel),
             {{scores, identity}, {tau, identity.dropResult(rank - 1)}},
             {{output, identity}}, body)
      .front();
}

namespace {

/// sparsek.topk_mask topk(k) ins(%z) outs(%p, %t)
/// becomes
///   %tau = bisection over f32, rounded               (rows)
///   %mask = linalg.generic clamp(z - tau, 0, 1)      (rows, n)
struct TopkMaskToLinalg : OpRewritePattern<TopkMaskOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(TopkMaskOp op,
                                PatternRewriter &rewriter) const override {
    if (!op.hasPureTensorSemantics())
      return rewriter.notifyMatchFailure(op, "not on tensors");
    DenseBuilder b(op.getLoc(), rewriter);
    Value scores = normalizeScores(b, op.getScores());
    SmallVector<OpFoldResult> sizes =
        tensor::getMixedSizes(b, op.getLoc(), scores);
    unsigned rows = sizes.size() - 1;
    sizes.pop_back();
    ThresholdProblem problem =
        makeProblem(b, scores, b.getMultiDimIdentityMap(rows + 1), sizes,
                    static_cast<int64_t>(op.getTopk()));
    Value tau = findThreshold(b, problem, op.getTau());
    rewriter.replaceOp(op, {applyThreshold(b, scores, tau, op.getMask()), tau});
    return success();
  }
};

} // namespace

//===----------------------------------------------------------------------===//
// causal_topk_mask
//===----------------------------------------------------------------------===//

/// Whether the candidate (its score, its position) comes before the key.
static Value comesBefore(DenseBuilder &b, Value candidateScore, Value candidate,
                         Value keyScore, Value key) {
  Value isLarger = arith::CmpFOp::create(b, arith::CmpFPredicate::OGT,
                                         candidateScore, keyScore);
  Value isEqual = arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ,
                                        candidateScore, keyScore);
  Value isEarlier =
      arith::CmpIOp::create(b, arith::CmpIPredicate::slt, candidate, key);
  Value winsTie = arith::AndIOp::create(b, isEqual, isEarlier);
  return arith::OrIOp::create(b, isLarger, winsTie);
}

/// The candidate `time` joins: `better` keys count it, and a candidate with
/// topk better ones ends when `time` leaves the window.
static void buildEvictionStep(DenseBuilder &b, CausalTopkMaskOp op,
                              Value scores, Value time, Value noEnd,
                              ValueRange state) {
  SmallVector<OpFoldResult> sizes =
      tensor::getMixedSizes(b, b.getLoc(), scores);
  SmallVector<OpFoldResult> offsets(3, b.getIndexAttr(0)),
      strides(3, b.getIndexAttr(1));
  offsets[2] = time;
  sizes[2] = b.getIndexAttr(1);
  auto shape = cast<RankedTensorType>(scores.getType()).getShape();
  auto type = RankedTensorType::get(shape.take_front(2), b.getF32Type());
  Value joining =
      tensor::ExtractSliceOp::create(b, type, scores, offsets, sizes, strides);

  AffineMap identity = b.getMultiDimIdentityMap(3);
  auto body = [&](DenseBuilder &b, ValueRange args) -> SmallVector<Value> {
    Value count = args[2], end = args[3], key = loopIndex(b, 2);
    Value isBetter = comesBefore(b, args[1], time, args[0], key);
    Value more = arith::ExtUIOp::create(b, b.getI64Type(), isBetter);
    count = arith::AddIOp::create(b, count, more);
    Value isEvicted = arith::CmpIOp::create(b, arith::CmpIPredicate::sge, count,
                                            b.i64(op.getTopk()));
    Value hasJoined =
        arith::CmpIOp::create(b, arith::CmpIPredicate::sle, key, time);
    Value isAlive =
        arith::CmpIOp::create(b, arith::CmpIPredicate::eq, end, noEnd);
    Value ends = arith::AndIOp::create(
        b, isEvicted, arith::AndIOp::create(b, hasJoined, isAlive));
    Value query = arith::AddIOp::create(b, time, b.index(op.getWindow()));
    Value now = arith::IndexCastOp::create(b, b.getI32Type(), query);
    return {count, arith::SelectOp::create(b, ends, now, end)};
  };
  SmallVector<Value> next =
      b.loops({parallel, parallel, parallel},
              {{scores, identity}, {joining, b.map(3, {0, 1})}},
              {{state[0], identity}, {state[1], identity}}, body);
  scf::YieldOp::create(b, next);
}

/// end[j]: the first query position that has key j among its candidates but
/// not among the first topk of them, or N.
///
///   scf.for %t = 0 to N - window iter_args(%count = 0, %end = N) {
///     count[j] += (score[t], t) comes before (score[j], j)
///     end[j] = t + window where t >= j, count[j] >= topk, end[j] == N
///   }
static Value findEnds(DenseBuilder &b, CausalTopkMaskOp op, Value scores) {
  SmallVector<OpFoldResult> sizes =
      tensor::getMixedSizes(b, b.getLoc(), scores);
  Value length = b.toValue(sizes[2]);
  Value noEnd = arith::IndexCastOp::create(b, b.getI32Type(), length);
  Value counts = b.filled(sizes, b.getI64IntegerAttr(0));
  Value ends = b.filled(op.getEnd(), noEnd);

  Value zero = b.index(0), one = b.index(1);
  Value candidates = arith::SubIOp::create(b, length, b.index(op.getWindow()));
  Value steps = arith::MaxSIOp::create(b, candidates, zero);
  auto loop = scf::ForOp::create(
      b, zero, steps, one, ValueRange{counts, ends},
      [&](OpBuilder &builder, Location loc, Value time, ValueRange state) {
        DenseBuilder inner(loc, builder);
        buildEvictionStep(inner, op, scores, time, noEnd, state);
      });
  return loop.getResult(1);
}

/// free[i]: the candidates with 0 < fl32(score - tau[i]) < 1.
static Value countFree(DenseBuilder &b, const ThresholdProblem &problem,
                       Value scores, Value tau, Value output) {
  unsigned rows = problem.rows();
  AffineMap rowMap = b.getMultiDimIdentityMap(rows + 1).dropResult(rows);
  Value zeros = b.filled(output, b.i32(0));
  auto body = [&](DenseBuilder &b, ValueRange args) -> SmallVector<Value> {
    Value isFree = arith::AndIOp::create(b, followsTau(b, args[0], args[1]),
                                         isCandidate(b, problem));
    Value more = arith::ExtUIOp::create(b, b.getI32Type(), isFree);
    return {arith::AddIOp::create(b, args[2], more)};
  };
  return b
      .loops(problem.iterators(), {{scores, problem.scores.map}, {tau, rowMap}},
             {{zeros, rowMap}}, body)
      .front();
}

namespace {

/// sparsek.causal_topk_mask topk(k) window(w) ins(%u) outs(%e, %t, %f)
/// becomes
///   %end = scf.for over the candidates in order      (b, h, j)
///   %tau = bisection over f32, rounded               (b, h, i)
///   %free = linalg.generic counting                  (b, h, i, j)
struct CausalTopkMaskToLinalg : OpRewritePattern<CausalTopkMaskOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(CausalTopkMaskOp op,
                                PatternRewriter &rewriter) const override {
    if (!op.hasPureTensorSemantics())
      return rewriter.notifyMatchFailure(op, "not on tensors");
    DenseBuilder b(op.getLoc(), rewriter);
    Value scores = normalizeScores(b, op.getScores());
    ThresholdProblem problem =
        makeProblem(b, scores, b.map(4, {0, 1, 3}),
                    tensor::getMixedSizes(b, op.getLoc(), scores),
                    static_cast<int64_t>(op.getTopk()));
    problem.window = op.getWindow();
    Value end = findEnds(b, op, scores);
    Value tau = findThreshold(b, problem, op.getTau());
    Value free = countFree(b, problem, scores, tau, op.getFree());
    rewriter.replaceOp(op, {end, tau, free});
    return success();
  }
};

} // namespace

void sparsek::populateTopkToLinalgPatterns(RewritePatternSet &patterns) {
  patterns.add<TopkMaskToLinalg, CausalTopkMaskToLinalg>(patterns.getContext());
}
