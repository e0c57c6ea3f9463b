//===- TileAttention.cpp - sparse_attention to tiles ----------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The loops of the tiled attention. Per (batch, kv head, chunk of query tiles):
//
//   list = []                                  keys alive, ascending
//   for each tile of BQ queries at positions [q_lo, q_hi]:
//     list = [ j in list : end[j] > q_lo ]     the dead never return
//          + [ j <= q_hi not seen : end[j] > max(j, q_lo) ]
//     for each block of BK keys of the list:   AttentionTileBody.cpp
//
// The list is filtered in place, so its cost is the sum of its lengths, 1/BQ of
// the pairs, and its memory O(Nk) per thread. A chunk starts by scanning the
// keys before it, so the number of chunks per head is bounded.
//
//===----------------------------------------------------------------------===//

#include "AttentionTile.h"

#include "sparsek/Dialect/SparseK/Transforms/Passes.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace mlir::sparsek {
#define GEN_PASS_DEF_SPARSEKTILEATTENTION
#include "sparsek/Dialect/SparseK/Transforms/Passes.h.inc"
} // namespace mlir::sparsek

using namespace mlir;
using namespace mlir::sparsek;

/// Chunks of query tiles per (batch, kv head): enough for load balance on many
/// threads, few enough that scanning for live keys at a chunk's start is
/// nothing.
static constexpr int64_t kChunksPerHead = 32;

namespace {

/// Attention of one query tile over its live keys, in blocks.
SoftmaxState buildKeyLoop(TileBuilder &b, const TileContext &tile,
                          const LiveKeys &live) {
  // Logits in units of log2.
  Value rows = buildHeadRows(b, tile, tile.operands.query, tile.shape.headDim,
                             tile.operands.scale * kLog2E);
  Value queries = buildTransposed(b, tile, rows);
  Value queryTau = tile.operands.isGated() ? buildQueryTau(b, tile) : Value();
  SoftmaxState initial = buildInitialState(b, tile);
  SmallVector<Value> results = buildBlockLoops(
      b, tile, live.count, initial.values(),
      [&](TileBuilder &b, const TileContext &tile, Value first,
          ValueRange args) {
        return buildKeyBlock(b, tile, queries, queryTau, live.list, live.count,
                             first, {args[0], args[1], args[2]})
            .values();
      });
  return {results[0], results[1], results[2]};
}

/// Rewrites the op into parallel chunks of tiles.
class AttentionTiler {
public:
  AttentionTiler(SparseAttentionOp op, AttentionTileShape shape,
                 OpBuilder &builder)
      : op(op), shape(shape), b(op.getLoc(), builder) {}

  SmallVector<Value> run() {
    numQueries = dim(op.getQuery(), 2);
    numKeys = dim(op.getKey(), 2);
    shift = b.sub(numKeys, numQueries);
    Value tileSize = b.index(shape.queries);
    Value tiles = b.ceilDiv(numQueries, tileSize);
    Value tilesPerChunk = b.ceilDiv(tiles, b.index(kChunksPerHead));
    Value rowsPerChunk = b.mul(tilesPerChunk, tileSize);
    // At least 1, so that an empty op divides by something.
    rowsPerChunk = b.max(rowsPerChunk, b.index(1));
    Value chunks = b.ceilDiv(numQueries, rowsPerChunk);
    SmallVector<OpFoldResult> bounds = {dim(op.getKey(), 0),
                                        dim(op.getKey(), 1), chunks};
    auto forall = scf::ForallOp::create(
        b, bounds, ValueRange{op.getOutput(), op.getLse()}, std::nullopt);
    b.setInsertionPointToStart(forall.getBody());
    buildChunk(forall, rowsPerChunk);
    return llvm::to_vector_of<Value>(forall.getResults());
  }

private:
  Value dim(Value tensor, int64_t index) {
    return tensor::DimOp::create(b, tensor, index);
  }

  /// One chunk: its rows of the outputs, all of its tiles.
  void buildChunk(scf::ForallOp forall, Value rowsPerChunk) {
    SmallVector<Value> ids = forall.getInductionVars();
    ValueRange outs = forall.getRegionIterArgs();
    Value firstRow = b.mul(ids[2], rowsPerChunk);
    Value rows = b.min(rowsPerChunk, b.sub(numQueries, firstRow));
    Value firstHead = b.mul(ids[1], b.index(shape.group));
    OpFoldResult one = b.getIndexAttr(1), zero = b.getIndexAttr(0);
    OpFoldResult group = b.getIndexAttr(shape.group);
    SmallVector<OpFoldResult> offsets = {ids[0], firstHead, firstRow, zero};
    SmallVector<OpFoldResult> sizes = {one, group, rows,
                                       b.getIndexAttr(shape.valueDim)};
    Type element = getElementTypeOrSelf(op.getOutput().getType());
    int64_t dynamic = ShapedType::kDynamic;
    Value output =
        b.slice(b.tensorType({shape.group, dynamic, shape.valueDim}, element),
                outs[0], offsets, sizes);
    Value lse =
        b.slice(b.tensorType({shape.group, dynamic}, b.getF32Type()), outs[1],
                ArrayRef(offsets).drop_back(), ArrayRef(sizes).drop_back());
    auto [newOutput, newLse] =
        buildTiles(ids[0], ids[1], firstRow, rows, output, lse);

    b.setInsertionPointToStart(forall.getTerminator().getBody());
    auto insert = [&](Value source, Value dest, size_t rank) {
      SmallVector<OpFoldResult> strides(rank, one);
      tensor::ParallelInsertSliceOp::create(
          b, source, dest, ArrayRef(offsets).take_front(rank),
          ArrayRef(sizes).take_front(rank), strides);
    };
    insert(newOutput, outs[0], 4);
    insert(newLse, outs[1], 3);
  }

  /// The tiles of one chunk in order, carrying the list of live keys.
  std::pair<Value, Value> buildTiles(Value batch, Value kvHead, Value firstRow,
                                     Value rows, Value output, Value lse) {
    Value list = b.empty({ShapedType::kDynamic}, b.getI32Type(), numKeys);
    auto loop = scf::ForOp::create(
        b, b.index(0), rows, b.index(shape.queries),
        ValueRange{output, lse, list, b.index(0), b.index(0)},
        [&](OpBuilder &nested, Location loc, Value row, ValueRange args) {
          TileBuilder b(loc, nested);
          TileContext tile{AttentionOperands(op),
                           shape,
                           batch,
                           kvHead,
                           b.add(firstRow, row),
                           b.min(b.index(shape.queries), b.sub(rows, row)),
                           Value()};
          tile.firstPosition = b.add(tile.firstQuery, shift);
          LiveKeys live = filterList(b, tile, {args[2], args[3], args[4]});
          live = appendNewKeys(b, tile, live);
          SoftmaxState state = buildKeyLoop(b, tile, live);
          auto [newOutput, newLse] =
              buildEpilogue(b, tile, state, args[0], args[1], row);
          SmallVector<Value> results = {newOutput, newLse};
          results.append(live.values());
          scf::YieldOp::create(b, results);
        });
    return {loop.getResult(0), loop.getResult(1)};
  }

  SparseAttentionOp op;
  AttentionTileShape shape;
  TileBuilder b;
  Value numQueries, numKeys, shift;
};

/// sparsek.sparse_attention ins(%q, %k, %v, %end) outs(%o, %lse)
/// becomes
///   scf.forall (%b, %h, %chunk) shared_outs(%o, %lse) {
///     scf.for %tile iter_args(%o, %lse, %list, %count, %next) {
///       // filter and extend %list
///       scf.for %block iter_args(%acc, %max, %sum) { linalg on tiles }
///     }
///   }
struct TileAttention : OpRewritePattern<SparseAttentionOp> {
  TileAttention(MLIRContext *context, const AttentionTileOptions &options)
      : OpRewritePattern(context), options(options) {}

  LogicalResult matchAndRewrite(SparseAttentionOp op,
                                PatternRewriter &rewriter) const override {
    if (!isa<RankedTensorType>(op.getOutput().getType()))
      return rewriter.notifyMatchFailure(op, "not on tensors");
    AttentionTileShape shape(op, options);
    rewriter.replaceOp(op, AttentionTiler(op, shape, rewriter).run());
    return success();
  }

  AttentionTileOptions options;
};

struct TileAttentionPass
    : sparsek::impl::SparseKTileAttentionBase<TileAttentionPass> {
  using Base::Base;

  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    AttentionTileOptions options{vectorBits, queries, keys};
    patterns.add<TileAttention>(&getContext(), options);
    populateTileAttentionGradPatterns(patterns, options);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
