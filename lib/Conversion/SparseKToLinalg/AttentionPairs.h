//===- AttentionPairs.h - The pairs of one attention, dense -----*- C++ -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEK_LIB_CONVERSION_SPARSEKTOLINALG_ATTENTIONPAIRS_H
#define SPARSEK_LIB_CONVERSION_SPARSEKTOLINALG_ATTENTIONPAIRS_H

#include "DenseBuilder.h"

#include "sparsek/Dialect/SparseK/IR/SparseK.h"

namespace mlir::sparsek {

/// What says which pairs an attention has, and their gates. `scores` and `tau`
/// are null without a gate.
struct PairOperands {
  Value query, key, end, scores, tau;
  int64_t window, group;

  /// Those of sparse_attention and of its gradient.
  template <typename AttentionOp> static PairOperands of(AttentionOp op) {
    bool isGated = op.isGated();
    return {op.getQuery(),
            op.getKey(),
            op.getEnd(),
            isGated ? op.getScores() : Value(),
            isGated ? op.getTau() : Value(),
            static_cast<int64_t>(op.getWindow()),
            op.getGroupSize()};
  }
};

/// The last `to` entries of the innermost dimension, of size `from`, of a rank
/// 3 tensor, with `padding` before its first.
Value alignAtEnd(DenseBuilder &b, Value value, OpFoldResult from,
                 OpFoldResult to, Value padding);

/// The (query, key) pairs of one attention. The loops are b, h (query head), r
/// (query row), j (key), and for the contractions e (element of a head);
/// matrices are [B, Hq, Nq, Nk], in f64.
class AttentionPairs {
public:
  AttentionPairs(DenseBuilder &builder, const PairOperands &operands);

protected:
  /// row_i . row_j for every pair: `queryRows` [B, Hq, Nq, e] has a row per
  /// query, `keyRows` [B, Hkv, Nk, e] one per key.
  Value dotProducts(Value queryRows, Value keyRows);
  /// In place: one element of `matrix` from itself and from `inputs`.
  Value updateMatrix(Value matrix, ArrayRef<Operand> inputs,
                     DenseBuilder::Body body);

  Value isVisible(DenseBuilder &b, Value end);
  /// i - j < window.
  Value isRecent(DenseBuilder &b);
  Value gate(DenseBuilder &b, Value score, Value tau);
  Value position(DenseBuilder &b);

  /// The map to the elements of an operand with one row of `results` per kv
  /// head: query head h reads kv head h / G.
  AffineMap kvMap(unsigned rank, ArrayRef<unsigned> results);
  /// The gate's scores and thresholds.
  SmallVector<Operand> gateOperands();

  DenseBuilder &b;
  PairOperands operands;
  /// [B, Hq, Nq, Nk].
  SmallVector<OpFoldResult> sizes;
  /// Nk - Nq: what a query row's position is ahead of its number.
  OpFoldResult shift;
  /// tau at the position of every query row, [B, Hkv, Nq]; null without a gate.
  Value tau;
};

} // namespace mlir::sparsek

#endif // SPARSEK_LIB_CONVERSION_SPARSEKTOLINALG_ATTENTIONPAIRS_H
