//===- TauWalk.cpp - The threshold as an exact walk -----------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The threshold is the smallest x with f(x) = sum clamp(u - x, 0, 1) <= topk.
// f is continuous, never rises and is linear between its breakpoints u and
// u - 1. A state describes one piece:
//   g(x) = (sum of the free scores) - free * x + saturated
// and f = g there. With every score saturated g is f far to the left. The walk
// goes right: the next breakpoint is the smaller of `a`, the lowest free score,
// which leaves there, and `b - 1` for the lowest saturated score `b`, which
// becomes free there. While g(breakpoint) > topk the threshold lies beyond and
// the walk crosses; otherwise it lies on this piece and g(x) = topk gives it.
//
// Smallest solution: the walk stops at the first piece whose right end has
// f <= topk, and f > topk at its left end, so g falls on the piece and its one
// root is the smallest solution. Where f is flat at topk that root is the
// breakpoint before the flat part; no case is special. If two breakpoints
// coincide, either order gives the same g on both sides. A state without free
// scores is never the last: there g > topk, or else at most topk scores are
// present, and the threshold is -inf.
//
// A score that joins: f can only rise, so the threshold never falls and the
// walk goes on from the piece where it stands. A newcomer that comes before a
// score that left, or is below the threshold's f32, is at most x and changes
// nothing. For any other one no score that left or was below the threshold when
// it came lies between it and the free ones, so the free scores remain
// contiguous in the list. The node joins the free scores if it comes before the
// highest of them, the saturated ones otherwise. That may not be what it is at
// the threshold x, but then it is the lowest free or the lowest saturated score
// and the next breakpoint, at y = u or y = u - 1 not right of x, and g(y) >
// topk (or y = x), so the walk crosses it at once:
//   before the lowest, u <= x:      g(u) = topk + free * (x - u)
//   after the highest, u - 1 < x:   g(u - 1) = topk + 1 + free * (x - u + 1)
// (free is the number without the node; g is the line that gave x.)
//
// Every score joins, becomes free and leaves at most once: O(1) amortized.
//
// Exactness: g(breakpoint) - topk is a sum of f32 values times integers and is
// computed as an integer (FixedPoint.h); its sign is right for every input. So
// the last piece is right, and x = (sum + saturated - topk) / free is the exact
// rational threshold. It is evaluated in f64, relative to the lowest free score
// unless that is small, which leaves no cancellation, so with a relative error
// below 2^-48. If all f64 within that error round to one f32, this is x rounded
// correctly. If not, one midpoint of neighbouring f32 lies between, and the
// exact sign of g(midpoint) - topk says on which side of it x is, or that x is
// the midpoint, which rounds to even.
//
//===----------------------------------------------------------------------===//

#include "TauWalk.h"

#include "FixedPoint.h"

#include "mlir/Dialect/Math/IR/Math.h"

#include <limits>

using namespace mlir;
using namespace mlir::sparsek;

using FloatPredicate = KernelBuilder::FloatPredicate;
using IntPredicate = KernelBuilder::IntPredicate;
using Values = KernelBuilder::Values;

/// high - low >= 1, exactly, for high >= low: the rounded difference decides
/// unless it is 1; then the rounding error (Knuth's TwoSum) does.
static Value emitDiffersByOne(KernelBuilder &b, Value high, Value low) {
  Value difference = b.sub(high, low);
  Value one = b.f64(1);
  Value isOne = b.cmp(FloatPredicate::OEQ, difference, one);
  Values differs = b.branch(
      isOne,
      [&]() -> Values {
        Value lowPart = b.sub(difference, high);
        Value highPart = b.sub(difference, lowPart);
        Value error = b.sub(b.sub(high, highPart), b.add(low, lowPart));
        return {b.cmp(FloatPredicate::OGE, error, b.f64(0))};
      },
      [&]() -> Values {
        return {b.cmp(FloatPredicate::OGT, difference, one)};
      });
  return differs[0];
}

TauWalk::State TauWalk::State::fromValues(ValueRange values) {
  return {values[0], values[1], values[2], values[3],
          values[4], values[5], values[6]};
}

Values TauWalk::State::toValues() const {
  return {sum, free, saturated, left, lowest, highest, lowestSaturated};
}

TauWalk::State TauWalk::emitStart(Value missing, Value first, Value saturated) {
  return {b.integer(kFixedWidth, 0),
          b.integer(64, 0),
          saturated,
          missing,
          first,
          b.index(0),
          first};
}

/// Of topk + 1 or more finite scores, the topk + 1 highest are saturated at
/// y = v - 1, with v the lowest of them, so the threshold lies right of y. The
/// nodes before v with a score above y are the free ones there.
TauWalk::State TauWalk::emitStartNear(Value missing, Value count) {
  Value zero = b.integer(64, 0), one = b.index(1);
  Value finite = b.toInteger(b.sub(count, missing), 64);
  Value isFew = b.cmp(IntPredicate::sle, finite, b.integer(64, topk));
  Values result = b.branch(
      isFew,
      [&]() -> Values {
        return emitStart(missing, b.add(missing, one), finite).toValues();
      },
      [&]() -> Values {
        Value pivot = b.sub(count, b.index(topk));
        Value high = b.toF64(emitValue(pivot));
        Values found = b.loopWhile(
            {b.integer(kFixedWidth, 0), pivot}, {},
            [&](ValueRange args) -> KernelBuilder::Test {
              Value node = b.sub(args[1], one);
              Value isFinite = b.cmp(IntPredicate::sgt, node, missing);
              Value low = b.toF64(emitValue(node));
              Value isOut = emitDiffersByOne(b, high, low);
              return {b.select(isOut, b.integer(1, 0), isFinite), {}};
            },
            [&](ValueRange args, ValueRange) -> Values {
              Value node = b.sub(args[1], one);
              return {b.add(args[0], emitFixed(b, emitValue(node))), node};
            });
        Value lowest = found[1];
        Value free = b.toInteger(b.sub(pivot, lowest), 64);
        Value hasFree = b.cmp(IntPredicate::ne, free, zero);
        Value highest = b.select(hasFree, b.sub(pivot, one), b.index(0));
        State state{
            found[0], free, b.integer(64, topk + 1), b.sub(lowest, one), lowest,
            highest,  pivot};
        return state.toValues();
      });
  return State::fromValues(result);
}

Value TauWalk::emitCanMatter(State state, Value node, Value tau) {
  Value isNotBelow = b.cmp(FloatPredicate::OGE, emitValue(node), tau);
  Value isAfter = b.cmp(IntPredicate::sgt, node, state.left);
  return b.bitAnd(isNotBelow, isAfter);
}

TauWalk::State TauWalk::emitJoin(State state, Value node) {
  Value isFree = b.cmp(IntPredicate::slt, node, state.highest);
  Value one = b.integer(64, 1);
  Value fixed = emitFixed(b, emitValue(node));

  State joined;
  joined.sum = b.select(isFree, b.add(state.sum, fixed), state.sum);
  joined.free = b.select(isFree, b.add(state.free, one), state.free);
  joined.saturated =
      b.select(isFree, state.saturated, b.add(state.saturated, one));
  // Without a free score the two nodes are the same.
  joined.lowest = b.min(state.lowest, node);
  joined.left = state.left;
  joined.highest = state.highest;
  joined.lowestSaturated = b.select(isFree, state.lowestSaturated,
                                    b.min(state.lowestSaturated, node));
  return joined;
}

struct TauWalk::Breakpoint {
  Value leaves; ///< i1: the lowest free score leaves; else the lowest saturated
                ///< one becomes free
  Value score;  ///< f32: that score
  Value excess; ///< i256: g(breakpoint) - topk
};

TauWalk::Breakpoint TauWalk::emitNextBreakpoint(State state) {
  Value low = emitValue(state.lowest);
  Value high = emitValue(state.lowestSaturated);
  // Without a free score low is high, and the answer is no.
  Value leaves = emitDiffersByOne(b, b.toF64(high), b.toF64(low));
  Value score = b.select(leaves, low, high);
  // g(u - 1) = g(u) + free.
  Value extra = b.select(leaves, b.integer(64, 0), state.free);
  Value constant = b.add(b.sub(state.saturated, b.integer(64, topk)), extra);
  Value slope = b.sub(state.sum, emitFixedTimes(b, state.free, score));
  Value excess = b.add(slope, emitFixedInteger(b, constant));
  return {leaves, score, excess};
}

TauWalk::State TauWalk::emitCross(State state, Value leaves, Value score) {
  Value fixed = emitFixed(b, score);
  Value one = b.integer(64, 1);
  State crossed;
  crossed.sum =
      b.select(leaves, b.sub(state.sum, fixed), b.add(state.sum, fixed));
  crossed.free =
      b.select(leaves, b.sub(state.free, one), b.add(state.free, one));
  crossed.saturated =
      b.select(leaves, state.saturated, b.sub(state.saturated, one));
  Value node = b.select(leaves, state.lowest, state.lowestSaturated);
  Value following = next(node);
  crossed.left = b.select(leaves, node, state.left);
  crossed.lowest = b.select(leaves, following, state.lowest);
  crossed.highest = b.select(leaves, state.highest, node);
  crossed.lowestSaturated = b.select(leaves, state.lowestSaturated, following);
  return crossed;
}

TauWalk::State TauWalk::emitAdvance(State state) {
  Values reached = b.loopWhile(
      state.toValues(), {b.getI1Type(), b.getF32Type()},
      [&](ValueRange args) -> KernelBuilder::Test {
        Breakpoint point = emitNextBreakpoint(State::fromValues(args));
        return {emitIsPositive(b, point.excess), {point.leaves, point.score}};
      },
      [&](ValueRange args, ValueRange extras) -> Values {
        return emitCross(State::fromValues(args), extras[0], extras[1])
            .toValues();
      });
  return State::fromValues(reached);
}

/// x as f64. With an anchor y, x = y + (sum - free * y + saturated - topk) /
/// free, and the second term lies in [-1, 0] where y is the lowest free score:
/// no cancellation if |y| >= 2. Below that y = 0 does without.
Value TauWalk::emitRoot(State state) {
  Value lowest = emitValue(state.lowest);
  Value distance = math::AbsFOp::create(b, lowest);
  Value isFar = b.cmp(FloatPredicate::OGE, distance, b.f32(2));
  Value anchor = b.select(isFar, lowest, b.f32(0));
  Value constant = b.sub(state.saturated, b.integer(64, topk));
  Value rest = b.add(b.sub(state.sum, emitFixedTimes(b, state.free, anchor)),
                     emitFixedInteger(b, constant));
  Value count = arith::SIToFPOp::create(b, b.getF64Type(), state.free);
  Value quotient = arith::DivFOp::create(b, emitFixedToF64(b, rest), count);
  return b.add(b.toF64(anchor), quotient);
}

/// x rounded to one of two neighbouring f32 by the sign of
/// 2 * (g((below + above) / 2) - topk).
Value TauWalk::emitRoundTie(State state, Value below, Value above) {
  Value two = b.integer(64, 2);
  Value constant = b.mul(b.sub(state.saturated, b.integer(64, topk)), two);
  Value excess = b.add(state.sum, state.sum);
  excess = b.sub(excess, emitFixedTimes(b, state.free, below));
  excess = b.sub(excess, emitFixedTimes(b, state.free, above));
  excess = b.add(excess, emitFixedInteger(b, constant));

  Value zero = b.integer(kFixedWidth, 0);
  Value isTie = b.cmp(IntPredicate::eq, excess, zero);
  Value lastBit = b.truncate(b.bits(below), 1);
  Value roundsUp = b.bitOr(emitIsPositive(b, excess), b.bitAnd(isTie, lastBit));
  return b.select(roundsUp, above, below);
}

Value TauWalk::emitThreshold(State state) {
  Value hasFree = b.cmp(IntPredicate::ne, state.free, b.integer(64, 0));
  Value infinity = b.f32(-std::numeric_limits<float>::infinity());
  Values threshold = b.branch(
      hasFree,
      [&]() -> Values {
        Value root = emitRoot(state);
        Value size = math::AbsFOp::create(b, root);
        Value error = b.mul(size, b.f64(0x1p-46));
        Type f32 = b.getF32Type();
        Value below = arith::TruncFOp::create(b, f32, b.sub(root, error));
        Value above = arith::TruncFOp::create(b, f32, b.add(root, error));
        Value isAmbiguous = b.cmp(FloatPredicate::ONE, below, above);
        Values rounded = b.branch(
            isAmbiguous,
            [&]() -> Values { return {emitRoundTie(state, below, above)}; },
            [&]() -> Values { return {above}; });
        // No negative zero.
        return {b.add(rounded[0], b.f32(0))};
      },
      [&]() -> Values { return {infinity}; });
  return threshold[0];
}
