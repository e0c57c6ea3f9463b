//===- TauWalk.h - The threshold as an exact walk ---------------*- C++ -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LIB_CONVERSION_SPARSEKTOSCF_TAUWALK_H
#define LIB_CONVERSION_SPARSEKTOSCF_TAUWALK_H

#include "KernelBuilder.h"

#include <algorithm>

namespace mlir::sparsek {

/// Emits the walk of the threshold through a sorted list of scores.
/// TauWalk.cpp has the algorithm and why it is exact.
///
/// Nodes are ranks from 1, worst first; the node after the last score is the
/// end of the list and its value is +inf. `next` emits the present node that
/// follows a present one.
class TauWalk {
public:
  TauWalk(KernelBuilder &b, Value values, int64_t topk,
          function_ref<Value(Value)> next)
      : b(b), values(values), topk(std::min(topk, kLargestTopk)), next(next) {}

  /// A piece of f(x) = sum clamp(u - x, 0, 1): the present nodes from `lowest`
  /// up to but not including `lowestSaturated` are free, those from there on
  /// are saturated (they count 1). SSA values.
  struct State {
    Value sum;             ///< i256, the exact sum of the free scores
    Value free;            ///< i64, their number
    Value saturated;       ///< i64, the number of saturated ones
    Value left;            ///< index, the last node that left; below all free
    Value lowest;          ///< index, node of the lowest free score
    Value highest;         ///< index, node of the highest free score, or 0
    Value lowestSaturated; ///< index, node of the lowest saturated score

    static State fromValues(ValueRange values);
    SmallVector<Value> toValues() const;
  };

  /// No score is free, the finite ones come after `missing` nodes, and those
  /// from `first` on are present.
  State emitStart(Value missing, Value first, Value saturated);

  /// The start of a walk through nodes 1 to `count`, all present, the finite
  /// ones after `missing`: a piece not right of the threshold but near it. The
  /// value of node 0 is read.
  State emitStartNear(Value missing, Value count);

  /// Whether a newcomer can lie above the threshold, whose f32 is `tau`. Those
  /// that cannot change nothing; the others go through emitJoin.
  Value emitCanMatter(State state, Value node, Value tau);

  /// Adds a node; emitAdvance finds the piece afterwards.
  State emitJoin(State state, Value node);

  /// Moves on to the piece that f reaches topk on.
  State emitAdvance(State state);

  /// The f32 threshold, -inf where at most topk scores are present.
  Value emitThreshold(State state);

  Value emitValue(Value node) { return b.load(values, node); }

private:
  /// Positions are i32, so a topk beyond them selects everything as well.
  static constexpr int64_t kLargestTopk = int64_t(1) << 31;

  struct Breakpoint;
  Breakpoint emitNextBreakpoint(State state);
  State emitCross(State state, Value leaves, Value score);
  Value emitRoot(State state);
  Value emitRoundTie(State state, Value below, Value above);

  KernelBuilder &b;
  Value values;
  int64_t topk;
  function_ref<Value(Value)> next;
};

} // namespace mlir::sparsek

#endif // LIB_CONVERSION_SPARSEKTOSCF_TAUWALK_H
