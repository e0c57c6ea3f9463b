//===- AttentionTile.h - Pieces of the tiled attention ----------*- C++ -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Shared by TileAttention.cpp and TileAttentionGrad.cpp (loops over tiles),
// AttentionKeys.cpp (live keys and blocks of them), AttentionTileBody.cpp and
// AttentionGradBody.cpp (what happens to one block of keys).
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEK_LIB_DIALECT_SPARSEK_TRANSFORMS_ATTENTIONTILE_H
#define SPARSEK_LIB_DIALECT_SPARSEK_TRANSFORMS_ATTENTIONTILE_H

#include "sparsek/Dialect/SparseK/IR/SparseK.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/PatternMatch.h"

#include <limits>

namespace mlir::sparsek {

/// What the pass's options say; zero queries choose by group size.
struct AttentionTileOptions {
  int64_t vectorBits, queries, keys;
};

/// Static sizes of one tile.
struct AttentionTileShape {
  template <typename AttentionOp>
  AttentionTileShape(AttentionOp op, const AttentionTileOptions &options)
      : AttentionTileShape(op.getGroupSize(), op.getHeadDim(), op.getValueDim(),
                           options) {}
  AttentionTileShape(int64_t group, int64_t headDim, int64_t valueDim,
                     const AttentionTileOptions &options);

  int64_t queries;        ///< query positions per tile
  int64_t keys;           ///< keys per block
  int64_t group;          ///< query heads per kv head
  int64_t headDim;        ///< d
  int64_t valueDim;       ///< dv
  int64_t paddedValueDim; ///< dv rounded up to whole vectors
};

inline constexpr double kInfinity = std::numeric_limits<double>::infinity();
inline constexpr double kLog2E = 1.4426950408889634;
inline constexpr double kLn2 = 0.6931471805599453;

/// The projection of `rank` loops to those in `dims`.
AffineMap project(MLIRContext *context, unsigned rank, ArrayRef<unsigned> dims);

/// Arithmetic and slices at one location.
class TileBuilder : public ImplicitLocOpBuilder {
public:
  using ImplicitLocOpBuilder::ImplicitLocOpBuilder;

  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(*this, value);
  }
  Value i32(int64_t value) {
    return arith::ConstantIntOp::create(*this, getI32Type(), value);
  }
  Value f32(double value) {
    return arith::ConstantOp::create(*this, getF32FloatAttr(value));
  }
  Value toI32(Value index) {
    return arith::IndexCastOp::create(*this, getI32Type(), index);
  }
  Value toIndex(Value integer) {
    return arith::IndexCastOp::create(*this, getIndexType(), integer);
  }
  Value add(Value a, Value b) { return arith::AddIOp::create(*this, a, b); }
  Value sub(Value a, Value b) { return arith::SubIOp::create(*this, a, b); }
  Value mul(Value a, Value b) { return arith::MulIOp::create(*this, a, b); }
  Value min(Value a, Value b) { return arith::MinSIOp::create(*this, a, b); }
  Value max(Value a, Value b) { return arith::MaxSIOp::create(*this, a, b); }
  Value ceilDiv(Value a, Value b) {
    return arith::CeilDivSIOp::create(*this, a, b);
  }
  Value less(Value a, Value b) {
    return arith::CmpIOp::create(*this, arith::CmpIPredicate::slt, a, b);
  }
  Value select(Value condition, Value a, Value b) {
    return arith::SelectOp::create(*this, condition, a, b);
  }

  Value addf(Value a, Value b) { return arith::AddFOp::create(*this, a, b); }
  Value subf(Value a, Value b) { return arith::SubFOp::create(*this, a, b); }
  Value mulf(Value a, Value b) { return arith::MulFOp::create(*this, a, b); }
  Value compare(arith::CmpFPredicate predicate, Value x, Value y);
  Value toF32(Value value);
  Value fromF32(Value value, Type type);
  /// clamp(x, 0, 1), 0 for a NaN.
  Value clampToUnit(Value x);
  /// 0 for -inf: what to subtract from logits where nothing is visible, so that
  /// -inf stays -inf.
  Value finiteOrZero(Value x);

  /// An uninitialized tensor; `dynamic` gives the sizes that are dynamic.
  Value empty(ArrayRef<int64_t> shape, Type elementType,
              ValueRange dynamic = {});
  /// An empty tensor filled with `value`.
  Value filled(ArrayRef<int64_t> shape, Value value);
  /// tensor[indices].
  Value extract(Value tensor, ValueRange indices);
  /// tensor with `value` at `indices`.
  Value insert(Value value, Value tensor, ValueRange indices);
  /// The slice of `sizes` at `offsets` with unit dimensions dropped so that the
  /// result has `type`.
  Value slice(RankedTensorType type, Value tensor,
              ArrayRef<OpFoldResult> offsets, ArrayRef<OpFoldResult> sizes);
  Value insertSlice(Value source, Value tensor, ArrayRef<OpFoldResult> offsets,
                    ArrayRef<OpFoldResult> sizes);
  /// tensor[first] of a tensor with one more dimension, static otherwise.
  Value sliceFirst(Value tensor, Value first);
  Value insertFirst(Value source, Value tensor, Value first);
  /// `count` rows of a static matrix from row `first` on.
  Value sliceRows(Value matrix, Value first, int64_t count);
  Value insertRows(Value source, Value matrix, Value first);

  RankedTensorType tensorType(ArrayRef<int64_t> shape, Type elementType) {
    return RankedTensorType::get(shape, elementType);
  }

  /// An elementwise linalg op over `shape`; input i is indexed by the loops in
  /// `inputDims[i]`. Computes in the body, returns the result.
  Value map(ValueRange inputs, ArrayRef<SmallVector<unsigned>> inputDims,
            Value output, function_ref<Value(TileBuilder &, ValueRange)> body);
};

/// What the forward and the backward op have in common, on tensors.
struct AttentionOperands {
  template <typename AttentionOp>
  explicit AttentionOperands(AttentionOp op)
      : query(op.getQuery()), key(op.getKey()), value(op.getValue()),
        end(op.getEnd()), scores(op.getScores()), tau(op.getTau()),
        gate(op.getGate()), window(op.getWindow()), scale(op.getScaleValue()) {}

  bool isGated() const { return gate != Gate::none; }

  Value query, key, value, end, scores, tau;
  Gate gate;
  int64_t window;
  double scale;
};

/// What all query positions and heads of one tile share.
struct TileContext {
  AttentionOperands operands;
  AttentionTileShape shape;
  Value batch;         ///< index
  Value kvHead;        ///< index
  Value firstQuery;    ///< index: row of the tile's first query
  Value numQueries;    ///< index: rows of the tile, at most shape.queries
  Value firstPosition; ///< index: position of the first query
};

//===----------------------------------------------------------------------===//
// AttentionKeys.cpp
//===----------------------------------------------------------------------===//

/// Keys alive in the current tile: list[0, count), and the first key that no
/// tile has looked at.
struct LiveKeys {
  Value list, count, next;

  SmallVector<Value> values() const { return {list, count, next}; }
};

/// Drops the keys that died before the tile's first query.
LiveKeys filterList(TileBuilder &b, const TileContext &tile, LiveKeys live);

/// Appends the keys up to the tile's last query that are ever visible in it.
LiveKeys appendNewKeys(TileBuilder &b, const TileContext &tile, LiveKeys live);

/// Runs `body` over the list's blocks of BK keys and what is left in smaller
/// blocks; `tile` in the body has the block's size. Carries `init`.
using BlockBody = function_ref<SmallVector<Value>(
    TileBuilder &b, const TileContext &tile, Value first, ValueRange carried)>;
SmallVector<Value> buildBlockLoops(TileBuilder &b, const TileContext &tile,
                                   Value count, ValueRange init,
                                   BlockBody body);

/// The tile's rows of `source` [B, Hq, Nq, width] times `factor`, as f32:
/// [G * BQ, paddedWidth]. Rows past the end and padding are zero.
Value buildHeadRows(TileBuilder &b, const TileContext &tile, Value source,
                    int64_t paddedWidth, double factor);

/// Rows [G * BQ, width] transposed head by head: [G, width, BQ].
Value buildTransposed(TileBuilder &b, const TileContext &tile, Value rows);

/// tau of every query of the tile: [BQ] f32; -inf where it has no position.
Value buildQueryTau(TileBuilder &b, const TileContext &tile);

/// A block of gathered keys: K [BK, d] and V [BK, dvp] in f32, and per key its
/// position, its end (0 past the end of the list: never visible) and, when
/// gated, its score.
struct KeyBlock {
  Value keys, values, position, end, scores;
};

/// Gathers keys list[first, first + BK). Past the end of the list the last live
/// key stands in, with an end of 0.
KeyBlock gatherKeys(TileBuilder &b, const TileContext &tile, Value list,
                    Value count, Value first);

/// [BK, BQ]: 0 where the query sees the key, -inf elsewhere. One for all heads.
Value buildVisibility(TileBuilder &b, const TileContext &tile,
                      const KeyBlock &block);

/// [BK, BQ]: the gate of every pair, 1 inside the window.
Value buildGate(TileBuilder &b, const TileContext &tile, const KeyBlock &block,
                Value queryTau);

//===----------------------------------------------------------------------===//
// AttentionTileBody.cpp
//===----------------------------------------------------------------------===//

/// Running state of the online softmax of one tile, per query head of the
/// group: accumulator [G, BQ, dvp], running maximum and sum [G, BQ], all f32.
/// Logits are in units of log2, so that exp2 is all it takes.
struct SoftmaxState {
  Value accumulator, maximum, sum;

  SmallVector<Value> values() const { return {accumulator, maximum, sum}; }
};

SoftmaxState buildInitialState(TileBuilder &b, const TileContext &tile);

/// Adds the block of keys list[first, min(first + BK, count)) to the state.
SoftmaxState buildKeyBlock(TileBuilder &b, const TileContext &tile,
                           Value queries, Value queryTau, Value list,
                           Value count, Value first, SoftmaxState state);

/// Normalizes the state and inserts the tile's rows at `row` of the chunk's
/// output [G, ?, dv] and lse [G, ?].
std::pair<Value, Value> buildEpilogue(TileBuilder &b, const TileContext &tile,
                                      SoftmaxState state, Value output,
                                      Value lse, Value row);

/// Adds to `accumulator` [m, n]: `a` [k, m] transposed times `b` [k, n].
Value buildTransposedProduct(TileBuilder &builder, Value a, Value b,
                             Value accumulator);

//===----------------------------------------------------------------------===//
// AttentionGradBody.cpp
//===----------------------------------------------------------------------===//

/// Operands of the gradient that the forward op doesn't have.
struct GradOperands {
  explicit GradOperands(SparseAttentionGradOp op)
      : output(op.getOutput()), lse(op.getLse()),
        gradOutput(op.getGradOutput()), gradLse(op.getGradLse()) {}

  Value output, lse, gradOutput, gradLse;
};

/// The queries of one tile, as the products of the backward read them. All
/// f32; logits in units of log2. M = G * BQ.
struct QueryTile {
  Value queryRows; ///< [M, d], times scale * log2(e)
  Value queries;   ///< [G, d, BQ], the same transposed
  Value gradRows;  ///< [M, dvp], grad_output
  Value grads;     ///< [G, dvp, BQ], the same transposed
  Value lse;       ///< [G, BQ], in units of log2
  Value delta;     ///< [G, BQ], grad_output . output - grad_lse
  Value tau;       ///< [BQ], where gated
};

/// What a block of keys adds to. gradScores and gradTau are null without a
/// gate.
struct GradState {
  Value gradQuery;  ///< [M, d], without the factor scale
  Value gradKey;    ///< [Nk, d]
  Value gradValue;  ///< [Nk, dv]
  Value gradScores; ///< [Nk]
  Value gradTau;    ///< [BQ], with the opposite sign

  SmallVector<Value> values() const;
  static GradState fromValues(ValueRange values);
};

QueryTile buildQueryTile(TileBuilder &b, const TileContext &tile,
                         const GradOperands &grad);

/// Adds what the keys list[first, min(first + BK, count)) contribute.
GradState buildGradBlock(TileBuilder &b, const TileContext &tile,
                         const QueryTile &queries, const LiveKeys &live,
                         Value first, GradState state);

/// The pattern that tiles sparsek.sparse_attention_grad
/// (TileAttentionGrad.cpp).
void populateTileAttentionGradPatterns(RewritePatternSet &patterns,
                                       const AttentionTileOptions &options);

} // namespace mlir::sparsek

#endif // SPARSEK_LIB_DIALECT_SPARSEK_TRANSFORMS_ATTENTIONTILE_H
