//===- AttentionTile.h - Pieces of the tiled attention ----------*- C++ -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Shared by TileAttention.cpp (loops over tiles and lists of live keys) and
// AttentionTileBody.cpp (what happens to one block of keys).
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEK_LIB_DIALECT_SPARSEK_TRANSFORMS_ATTENTIONTILE_H
#define SPARSEK_LIB_DIALECT_SPARSEK_TRANSFORMS_ATTENTIONTILE_H

#include "sparsek/Dialect/SparseK/IR/SparseK.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mlir::sparsek {

/// Static sizes of one tile.
struct AttentionTileShape {
  int64_t queries;        ///< query positions per tile
  int64_t keys;           ///< keys per block
  int64_t group;          ///< query heads per kv head
  int64_t headDim;        ///< d
  int64_t valueDim;       ///< dv
  int64_t paddedValueDim; ///< dv rounded up to whole vectors
};

/// Index and i32 arithmetic, and slices, at one location.
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

  RankedTensorType tensorType(ArrayRef<int64_t> shape, Type elementType) {
    return RankedTensorType::get(shape, elementType);
  }

  /// An elementwise linalg op over `shape`; input i is indexed by the loops in
  /// `inputDims[i]`. Computes in the body, returns the result.
  Value map(ValueRange inputs, ArrayRef<SmallVector<unsigned>> inputDims,
            Value output, function_ref<Value(TileBuilder &, ValueRange)> body);
};

/// What all query positions and heads of one tile share.
struct TileContext {
  SparseAttentionOp op;
  AttentionTileShape shape;
  Value batch;         ///< index
  Value kvHead;        ///< index
  Value firstQuery;    ///< index: row of the tile's first query
  Value numQueries;    ///< index: rows of the tile, at most shape.queries
  Value firstPosition; ///< index: position of the first query
};

/// Running state of the online softmax of one tile, per query head of the
/// group: accumulator [G, BQ, dvp], running maximum and sum [G, BQ], all f32.
/// Logits are in units of log2, so that exp2 is all it takes.
struct SoftmaxState {
  Value accumulator, maximum, sum;

  SmallVector<Value> values() const { return {accumulator, maximum, sum}; }
};

/// The queries of the tile, scaled and transposed: [G, d, BQ] f32.
Value buildTransposedQueries(TileBuilder &b, TileContext &tile);

/// tau of every query of the tile: [BQ] f32; -inf where it has no position.
Value buildQueryTau(TileBuilder &b, TileContext &tile);

SoftmaxState buildInitialState(TileBuilder &b, TileContext &tile);

/// Adds the block of keys list[first, min(first + BK, count)) to the state.
SoftmaxState buildKeyBlock(TileBuilder &b, TileContext &tile, Value queries,
                           Value queryTau, Value list, Value count, Value first,
                           SoftmaxState state);

/// Normalizes the state and inserts the tile's rows at `row` of the chunk's
/// output [G, ?, dv] and lse [G, ?].
std::pair<Value, Value> buildEpilogue(TileBuilder &b, TileContext &tile,
                                      SoftmaxState state, Value output,
                                      Value lse, Value row);

} // namespace mlir::sparsek

#endif // SPARSEK_LIB_DIALECT_SPARSEK_TRANSFORMS_ATTENTIONTILE_H
