//===- AttentionKeys.cpp - A tile's live keys, and blocks of them ---------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The list of live keys of a query tile, and what both the forward and the
// backward tile body need of a block of it: rows, visibility, gates.
//
//===----------------------------------------------------------------------===//

#include "AttentionTile.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::sparsek;

//===----------------------------------------------------------------------===//
// Sizes
//===----------------------------------------------------------------------===//

/// Copying a row of K and V must pay over G * BQ query rows, but a tile sees up
/// to BQ keys more than each of its queries. 16 registers of 256 bits want a
/// multiple of 6 rows.
static int64_t getDefaultQueries(int64_t group, int64_t lanes) {
  int64_t unit = lanes == 8 ? 48 : 32;
  return group >= 3 ? unit : 2 * unit;
}

AttentionTileShape::AttentionTileShape(int64_t group, int64_t headDim,
                                       int64_t valueDim,
                                       const AttentionTileOptions &options)
    : keys(options.keys), group(group), headDim(headDim), valueDim(valueDim) {
  int64_t lanes = options.vectorBits / 32;
  queries = options.queries ? options.queries : getDefaultQueries(group, lanes);
  paddedValueDim = llvm::alignTo(valueDim, lanes);
}

//===----------------------------------------------------------------------===//
// Live keys
//===----------------------------------------------------------------------===//

namespace {
/// Appends key `j` at `count` if `keep`: the store is unconditional, the count
/// is not.
std::pair<Value, Value> appendIf(TileBuilder &b, Value keep, Value j,
                                 Value list, Value count) {
  Value stored = b.insert(b.toI32(j), list, count);
  Value step = arith::IndexCastUIOp::create(b, b.getIndexType(), keep);
  return {stored, b.add(count, step)};
}
} // namespace

LiveKeys sparsek::filterList(TileBuilder &b, const TileContext &tile,
                             LiveKeys live) {
  Value firstPosition = b.toI32(tile.firstPosition);
  auto loop = scf::ForOp::create(
      b, b.index(0), live.count, b.index(1), ValueRange{live.list, b.index(0)},
      [&](OpBuilder &nested, Location loc, Value i, ValueRange args) {
        TileBuilder b(loc, nested);
        Value j = b.toIndex(b.extract(args[0], i));
        Value end = b.extract(tile.operands.end,
                              ValueRange{tile.batch, tile.kvHead, j});
        auto [list, count] =
            appendIf(b, b.less(firstPosition, end), j, args[0], args[1]);
        scf::YieldOp::create(b, ValueRange{list, count});
      });
  return {loop.getResult(0), loop.getResult(1), live.next};
}

LiveKeys sparsek::appendNewKeys(TileBuilder &b, const TileContext &tile,
                                LiveKeys live) {
  Value stop = b.max(b.add(tile.firstPosition, tile.numQueries), live.next);
  auto loop = scf::ForOp::create(
      b, live.next, stop, b.index(1), ValueRange{live.list, live.count},
      [&](OpBuilder &nested, Location loc, Value j, ValueRange args) {
        TileBuilder b(loc, nested);
        Value end = b.extract(tile.operands.end,
                              ValueRange{tile.batch, tile.kvHead, j});
        Value from = b.toI32(b.max(j, tile.firstPosition));
        auto [list, count] =
            appendIf(b, b.less(from, end), j, args[0], args[1]);
        scf::YieldOp::create(b, ValueRange{list, count});
      });
  return {loop.getResult(0), loop.getResult(1), stop};
}

/// Keys per block where less than most of a whole block is left.
static constexpr int64_t kTailKeys = 16;

static SmallVector<Value> buildBlockLoop(TileBuilder &b,
                                         const TileContext &tile, Value begin,
                                         Value end, ValueRange init,
                                         BlockBody body) {
  auto loop = scf::ForOp::create(
      b, begin, end, b.index(tile.shape.keys), init,
      [&](OpBuilder &nested, Location loc, Value first, ValueRange args) {
        TileBuilder b(loc, nested);
        scf::YieldOp::create(b, body(b, tile, first, args));
      });
  return llvm::to_vector_of<Value>(loop.getResults());
}

SmallVector<Value> sparsek::buildBlockLoops(TileBuilder &b,
                                            const TileContext &tile,
                                            Value count, ValueRange init,
                                            BlockBody body) {
  int64_t keys = tile.shape.keys;
  // A block that is three quarters full is worth computing whole.
  Value blocks =
      arith::DivUIOp::create(b, b.add(count, b.index(keys / 4)), b.index(keys));
  Value whole = b.mul(blocks, b.index(keys));
  SmallVector<Value> carried =
      buildBlockLoop(b, tile, b.index(0), whole, init, body);
  TileContext tail = tile;
  tail.shape.keys = std::min(kTailKeys, keys);
  return buildBlockLoop(b, tail, whole, count, carried, body);
}

//===----------------------------------------------------------------------===//
// Rows of queries
//===----------------------------------------------------------------------===//

Value sparsek::buildHeadRows(TileBuilder &b, const TileContext &tile,
                             Value source, int64_t paddedWidth, double factor) {
  const AttentionTileShape &shape = tile.shape;
  auto type = cast<RankedTensorType>(source.getType());
  int64_t width = type.getDimSize(3);
  Value scale = b.f32(factor);
  // Rows past the end are zero: they compute, and are not stored.
  Value zeros = b.filled({shape.group * shape.queries, paddedWidth}, b.f32(0));
  auto copyRow = [&](TileBuilder &b, Value head, Value r, Value dest,
                     Value destRow) {
    OpFoldResult one = b.getIndexAttr(1), zero = b.getIndexAttr(0);
    OpFoldResult size = b.getIndexAttr(width);
    Value row = b.slice(b.tensorType({width}, type.getElementType()), source,
                        {tile.batch, head, b.add(tile.firstQuery, r), zero},
                        {one, one, one, size});
    Value init = b.slice(b.tensorType({width}, b.getF32Type()), dest,
                         {destRow, zero}, {one, size});
    Value scaled =
        b.map(row, {{0}}, init, [&](TileBuilder &b, ValueRange args) {
          Value value = b.toF32(args[0]);
          return factor == 1.0 ? value : b.mulf(value, scale);
        });
    return b.insertSlice(scaled, dest, {destRow, zero}, {one, size});
  };
  auto heads = scf::ForOp::create(
      b, b.index(0), b.index(shape.group), b.index(1), zeros,
      [&](OpBuilder &nested, Location loc, Value g, ValueRange args) {
        TileBuilder b(loc, nested);
        Value head = b.add(b.mul(tile.kvHead, b.index(shape.group)), g);
        Value firstRow = b.mul(g, b.index(shape.queries));
        auto rows = scf::ForOp::create(
            b, b.index(0), tile.numQueries, b.index(1), args[0],
            [&](OpBuilder &nested, Location loc, Value r, ValueRange args) {
              TileBuilder b(loc, nested);
              scf::YieldOp::create(
                  b, copyRow(b, head, r, args[0], b.add(firstRow, r)));
            });
        scf::YieldOp::create(b, rows.getResults());
      });
  return heads.getResult(0);
}

Value sparsek::buildTransposed(TileBuilder &b, const TileContext &tile,
                               Value rows) {
  const AttentionTileShape &shape = tile.shape;
  int64_t width = cast<RankedTensorType>(rows.getType()).getDimSize(1);
  Value init = b.empty({shape.group, width, shape.queries}, b.getF32Type());
  auto heads = scf::ForOp::create(
      b, b.index(0), b.index(shape.group), b.index(1), init,
      [&](OpBuilder &nested, Location loc, Value g, ValueRange args) {
        TileBuilder b(loc, nested);
        Value head =
            b.sliceRows(rows, b.mul(g, b.index(shape.queries)), shape.queries);
        Value dest = b.sliceFirst(args[0], g);
        Value transposed =
            linalg::TransposeOp::create(b, head, dest, ArrayRef<int64_t>{1, 0})
                ->getResult(0);
        scf::YieldOp::create(b, b.insertFirst(transposed, args[0], g));
      });
  return heads.getResult(0);
}

Value sparsek::buildQueryTau(TileBuilder &b, const TileContext &tile) {
  Value minusInfinity = b.f32(-kInfinity);
  Value init = b.filled({tile.shape.queries}, minusInfinity);
  // Queries before the first key (Nq > Nk) have no tau and see nothing.
  Value begin = b.max(b.sub(b.index(0), tile.firstPosition), b.index(0));
  auto loop = scf::ForOp::create(
      b, begin, tile.numQueries, b.index(1), init,
      [&](OpBuilder &nested, Location loc, Value r, ValueRange args) {
        TileBuilder b(loc, nested);
        Value tau = b.extract(
            tile.operands.tau,
            ValueRange{tile.batch, tile.kvHead, b.add(tile.firstPosition, r)});
        scf::YieldOp::create(b, b.insert(tau, args[0], r));
      });
  return loop.getResult(0);
}

//===----------------------------------------------------------------------===//
// Blocks of keys
//===----------------------------------------------------------------------===//

/// Copies row `source[b, h, j, :]` into row `r` of `dest`, as f32.
static Value copyRow(TileBuilder &b, const TileContext &tile, Value source,
                     Value j, Value dest, Value r) {
  auto type = cast<RankedTensorType>(source.getType());
  int64_t width = type.getDimSize(3);
  OpFoldResult one = b.getIndexAttr(1), zero = b.getIndexAttr(0);
  OpFoldResult size = b.getIndexAttr(width);
  Value row =
      b.slice(b.tensorType({width}, type.getElementType()), source,
              {tile.batch, tile.kvHead, j, zero}, {one, one, one, size});
  Value destRow = b.slice(b.tensorType({width}, b.getF32Type()), dest,
                          {r, zero}, {one, size});
  Value copied =
      b.map(row, {{0}}, destRow,
            [](TileBuilder &b, ValueRange args) { return b.toF32(args[0]); });
  return b.insertSlice(copied, dest, {r, zero}, {one, size});
}

KeyBlock sparsek::gatherKeys(TileBuilder &b, const TileContext &tile,
                             Value list, Value count, Value first) {
  const AttentionTileShape &shape = tile.shape;
  Type f32 = b.getF32Type(), i32 = b.getI32Type();
  Value values = shape.valueDim == shape.paddedValueDim
                     ? b.empty({shape.keys, shape.paddedValueDim}, f32)
                     : b.filled({shape.keys, shape.paddedValueDim}, b.f32(0));
  SmallVector<Value> init = {b.empty({shape.keys, shape.headDim}, f32), values,
                             b.empty({shape.keys}, i32),
                             b.empty({shape.keys}, i32)};
  if (tile.operands.isGated())
    init.push_back(b.empty({shape.keys}, f32));
  auto loop = scf::ForOp::create(
      b, b.index(0), b.index(shape.keys), b.index(1), init,
      [&](OpBuilder &nested, Location loc, Value r, ValueRange args) {
        TileBuilder b(loc, nested);
        Value place = b.add(first, r);
        Value last = b.sub(count, b.index(1));
        Value position = b.extract(list, b.min(place, last));
        Value j = b.toIndex(position);
        SmallVector<Value> at = {tile.batch, tile.kvHead, j};
        Value end = b.select(b.less(place, count),
                             b.extract(tile.operands.end, at), b.i32(0));
        SmallVector<Value> results = {
            copyRow(b, tile, tile.operands.key, j, args[0], r),
            copyRow(b, tile, tile.operands.value, j, args[1], r),
            b.insert(position, args[2], r), b.insert(end, args[3], r)};
        if (tile.operands.isGated())
          results.push_back(
              b.insert(b.extract(tile.operands.scores, at), args[4], r));
        scf::YieldOp::create(b, results);
      });
  KeyBlock block{loop.getResult(0), loop.getResult(1), loop.getResult(2),
                 loop.getResult(3), Value()};
  if (tile.operands.isGated())
    block.scores = loop.getResult(4);
  return block;
}

/// Position of the query in column `dim` of the linalg op being built, i32.
static Value queryPosition(TileBuilder &b, const TileContext &tile,
                           unsigned dim) {
  Value column = linalg::IndexOp::create(b, dim);
  return b.add(b.toI32(column), b.toI32(tile.firstPosition));
}

Value sparsek::buildVisibility(TileBuilder &b, const TileContext &tile,
                               const KeyBlock &block) {
  Value init = b.empty({tile.shape.keys, tile.shape.queries}, b.getF32Type());
  return b.map({block.position, block.end}, {{0}, {0}}, init,
               [&](TileBuilder &b, ValueRange args) {
                 Value i = queryPosition(b, tile, 1);
                 Value started = arith::CmpIOp::create(
                     b, arith::CmpIPredicate::sle, args[0], i);
                 Value visible =
                     arith::AndIOp::create(b, started, b.less(i, args[1]));
                 return b.select(visible, b.f32(0), b.f32(-kInfinity));
               });
}

Value sparsek::buildGate(TileBuilder &b, const TileContext &tile,
                         const KeyBlock &block, Value queryTau) {
  int64_t window = std::min<int64_t>(tile.operands.window,
                                     std::numeric_limits<int32_t>::max());
  Value init = b.empty({tile.shape.keys, tile.shape.queries}, b.getF32Type());
  return b.map(
      {block.position, block.scores, queryTau}, {{0}, {0}, {1}}, init,
      [&](TileBuilder &b, ValueRange args) {
        Value distance = b.sub(queryPosition(b, tile, 1), args[0]);
        Value recent = b.less(distance, b.i32(window));
        Value open =
            b.compare(arith::CmpFPredicate::OEQ, args[2], b.f32(-kInfinity));
        Value gate = b.clampToUnit(arith::SubFOp::create(b, args[1], args[2]));
        return b.select(arith::OrIOp::create(b, recent, open), b.f32(1), gate);
      });
}
