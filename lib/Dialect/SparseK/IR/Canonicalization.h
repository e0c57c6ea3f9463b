//===- Canonicalization.h - What canonical forms share ----------*- C++ -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEK_LIB_DIALECT_SPARSEK_IR_CANONICALIZATION_H
#define SPARSEK_LIB_DIALECT_SPARSEK_IR_CANONICALIZATION_H

#include "sparsek/Dialect/SparseK/IR/SparseK.h"

#include "mlir/IR/PatternMatch.h"

namespace mlir::sparsek {

/// Fills the tensor or memref `dest` with `value`; returns the filled tensor,
/// or null on a memref.
Value fill(OpBuilder &builder, Location loc, Value dest, double value);

/// Replaces the destination-style `op` by fills of its destinations.
void replaceByFills(PatternRewriter &rewriter, DestinationStyleOpInterface op,
                    ArrayRef<double> values);

/// The integer that every element of `end` has, where that is known.
std::optional<int64_t> getConstantEnd(Value end);

/// Without a gate, scores, tau and the window mean nothing, here and in the
/// gradient.
///
///   sparsek.sparse_attention window(8) ins(..) gating(%u, %tau) outs(..)
/// becomes
///   sparsek.sparse_attention ins(..) outs(..)
template <typename AttentionOp>
struct DropOperandsWithoutGate : OpRewritePattern<AttentionOp> {
  using OpRewritePattern<AttentionOp>::OpRewritePattern;

  LogicalResult matchAndRewrite(AttentionOp op,
                                PatternRewriter &rewriter) const override {
    if (op.isGated() ||
        (!op.getScores() && !op.getTau() && op.getWindow() == 0))
      return rewriter.notifyMatchFailure(op, "nothing to drop");
    rewriter.modifyOpInPlace(op, [&] {
      op.getScoresMutable().clear();
      op.getTauMutable().clear();
      op.setWindow(0);
    });
    return success();
  }
};

} // namespace mlir::sparsek

#endif // SPARSEK_LIB_DIALECT_SPARSEK_IR_CANONICALIZATION_H
