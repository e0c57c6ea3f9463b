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
      : b(b), values(values), topk(topk), next(next) {}

  /// A piece of f(x) = sum clamp(u - x, 0, 1): the present nodes from `lowest`
  /// up to but not including `lowestSaturated` are free, those from there on
  /// are saturated (they count 1). SSA values.
  struct State {
    Value sum;             ///< i256, the exact sum of the free scores
    Value free;            ///< i64, their number
    Value saturated;       ///< i64, the number of saturated ones
    Value lowest;          ///< index, node of the lowest free score
    Value highest;         ///< index, node of the highest free score, or 0
    Value lowestSaturated; ///< index, node of the lowest saturated score

    static State fromValues(ValueRange values);
    SmallVector<Value> toValues() const;
  };

  /// No score is free, those from `node` on are saturated.
  State emitStart(Value node, Value saturated);

  /// Adds a present node whose score is finite and not below the threshold's
  /// f32; `advance` finds the piece afterwards.
  State emitJoin(State state, Value node);

  /// Moves on to the piece that f reaches topk on.
  State emitAdvance(State state);

  /// The f32 threshold, -inf where at most topk scores are present.
  Value emitThreshold(State state);

  Value emitValue(Value node) { return b.load(values, node); }

private:
  struct Breakpoint;
  Breakpoint emitNextBreakpoint(State state);
  State emitCross(State state, Value leaves, Value fixed);
  Value emitRoot(State state);
  Value emitRoundTie(State state, Value below, Value above);

  KernelBuilder &b;
  Value values;
  int64_t topk;
  function_ref<Value(Value)> next;
};

} // namespace mlir::sparsek

#endif // LIB_CONVERSION_SPARSEKTOSCF_TAUWALK_H
