//===- AttentionTileBody.cpp - One block of keys of one query tile --------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// linalg on tile-sized tensors. With keys along rows and queries along columns,
// softmax reduces over rows: no horizontal operation anywhere, and products
// read K as it lies.
//
//   S[BK, BQ] = K[BK, d] Qt[d, BQ]
//   S         = visible ? S : -inf
//   m'        = max(m, rows of S)
//   P         = exp2(S - m'),  sum = sum * exp2(m - m') + rows of P
//   O[BQ, dv] = O * exp2(m - m') + (P * gate)^T V[BK, dv]
//
//===----------------------------------------------------------------------===//

#include "AttentionTile.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <limits>

using namespace mlir;
using namespace mlir::sparsek;

static constexpr double kInfinity = std::numeric_limits<double>::infinity();
static constexpr double kLog2E = 1.4426950408889634;
static constexpr double kLn2 = 0.6931471805599453;

//===----------------------------------------------------------------------===//
// TileBuilder
//===----------------------------------------------------------------------===//

Value TileBuilder::empty(ArrayRef<int64_t> shape, Type elementType,
                         ValueRange dynamic) {
  return tensor::EmptyOp::create(*this, shape, elementType, dynamic);
}

Value TileBuilder::filled(ArrayRef<int64_t> shape, Value value) {
  Value init = empty(shape, value.getType());
  return linalg::FillOp::create(*this, value, init).getResult(0);
}

Value TileBuilder::extract(Value tensor, ValueRange indices) {
  return tensor::ExtractOp::create(*this, tensor, indices);
}

Value TileBuilder::insert(Value value, Value tensor, ValueRange indices) {
  return tensor::InsertOp::create(*this, value, tensor, indices);
}

Value TileBuilder::slice(RankedTensorType type, Value tensor,
                         ArrayRef<OpFoldResult> offsets,
                         ArrayRef<OpFoldResult> sizes) {
  SmallVector<OpFoldResult> strides(offsets.size(), getIndexAttr(1));
  return tensor::ExtractSliceOp::create(*this, type, tensor, offsets, sizes,
                                        strides);
}

Value TileBuilder::insertSlice(Value source, Value tensor,
                               ArrayRef<OpFoldResult> offsets,
                               ArrayRef<OpFoldResult> sizes) {
  SmallVector<OpFoldResult> strides(offsets.size(), getIndexAttr(1));
  return tensor::InsertSliceOp::create(*this, source, tensor, offsets, sizes,
                                       strides);
}

/// Offsets and sizes of tensor[first].
static void getFirst(TileBuilder &b, Value tensor, Value first,
                     SmallVector<OpFoldResult> &offsets,
                     SmallVector<OpFoldResult> &sizes) {
  auto type = cast<RankedTensorType>(tensor.getType());
  offsets.assign(type.getRank(), b.getIndexAttr(0));
  offsets[0] = first;
  sizes = {b.getIndexAttr(1)};
  for (int64_t size : type.getShape().drop_front())
    sizes.push_back(b.getIndexAttr(size));
}

Value TileBuilder::sliceFirst(Value tensor, Value first) {
  auto type = cast<RankedTensorType>(tensor.getType());
  SmallVector<OpFoldResult> offsets, sizes;
  getFirst(*this, tensor, first, offsets, sizes);
  return slice(tensorType(type.getShape().drop_front(), type.getElementType()),
               tensor, offsets, sizes);
}

Value TileBuilder::insertFirst(Value source, Value tensor, Value first) {
  SmallVector<OpFoldResult> offsets, sizes;
  getFirst(*this, tensor, first, offsets, sizes);
  return insertSlice(source, tensor, offsets, sizes);
}

/// The projection of `rank` loops to those in `dims`.
static AffineMap project(MLIRContext *context, unsigned rank,
                         ArrayRef<unsigned> dims) {
  SmallVector<AffineExpr> exprs;
  for (unsigned dim : dims)
    exprs.push_back(getAffineDimExpr(dim, context));
  return AffineMap::get(rank, 0, exprs, context);
}

Value TileBuilder::map(ValueRange inputs,
                       ArrayRef<SmallVector<unsigned>> inputDims, Value output,
                       function_ref<Value(TileBuilder &, ValueRange)> body) {
  unsigned rank = cast<RankedTensorType>(output.getType()).getRank();
  SmallVector<AffineMap> maps;
  for (ArrayRef<unsigned> dims : inputDims)
    maps.push_back(project(getContext(), rank, dims));
  maps.push_back(getMultiDimIdentityMap(rank));
  SmallVector<utils::IteratorType> iterators(rank,
                                             utils::IteratorType::parallel);
  auto generic = linalg::GenericOp::create(
      *this, output.getType(), inputs, output, maps, iterators,
      [&](OpBuilder &nested, Location loc, ValueRange args) {
        TileBuilder b(loc, nested);
        Value result = body(b, args);
        linalg::YieldOp::create(b, result);
      });
  return generic.getResult(0);
}

//===----------------------------------------------------------------------===//
// Scalars inside linalg bodies
//===----------------------------------------------------------------------===//

static Value toF32(TileBuilder &b, Value value) {
  if (value.getType().isF32())
    return value;
  return arith::ExtFOp::create(b, b.getF32Type(), value);
}

static Value fromF32(TileBuilder &b, Value value, Type type) {
  if (type.isF32())
    return value;
  return arith::TruncFOp::create(b, type, value);
}

static Value compare(TileBuilder &b, arith::CmpFPredicate predicate, Value x,
                     Value y) {
  return arith::CmpFOp::create(b, predicate, x, y);
}

/// clamp(x, 0, 1), 0 for a NaN.
static Value clampToUnit(TileBuilder &b, Value x) {
  Value zero = b.f32(0), one = b.f32(1);
  Value positive =
      b.select(compare(b, arith::CmpFPredicate::OGT, x, zero), x, zero);
  return b.select(compare(b, arith::CmpFPredicate::OLT, positive, one),
                  positive, one);
}

/// The maximum to subtract: 0 where nothing was visible yet, so that -inf minus
/// it stays -inf.
static Value finiteMaximum(TileBuilder &b, Value maximum) {
  Value none =
      compare(b, arith::CmpFPredicate::OEQ, maximum, b.f32(-kInfinity));
  return b.select(none, b.f32(0), maximum);
}

/// exp2(old - new): what the sums so far are worth under the new maximum.
static Value rescale(TileBuilder &b, Value oldMaximum, Value newMaximum) {
  Value difference =
      arith::SubFOp::create(b, oldMaximum, finiteMaximum(b, newMaximum));
  return math::Exp2Op::create(b, difference);
}

//===----------------------------------------------------------------------===//
// Tile prologue
//===----------------------------------------------------------------------===//

Value sparsek::buildTransposedQueries(TileBuilder &b, TileContext &tile) {
  const AttentionTileShape &shape = tile.shape;
  Type element = getElementTypeOrSelf(tile.op.getQuery().getType());
  Value scale = b.f32(tile.op.getScaleValue() * kLog2E);
  Value all =
      b.empty({shape.group, shape.headDim, shape.queries}, b.getF32Type());
  auto heads = scf::ForOp::create(
      b, b.index(0), b.index(shape.group), b.index(1), all,
      [&](OpBuilder &nested, Location loc, Value g, ValueRange args) {
        TileBuilder b(loc, nested);
        Value head = b.add(b.mul(tile.kvHead, b.index(shape.group)), g);
        // Rows past the end are zero: they compute, and are not stored.
        Value zeros = b.filled({shape.queries, shape.headDim}, b.f32(0));
        auto rows = scf::ForOp::create(
            b, b.index(0), tile.numQueries, b.index(1), zeros,
            [&](OpBuilder &nested, Location loc, Value r, ValueRange args) {
              TileBuilder b(loc, nested);
              OpFoldResult one = b.getIndexAttr(1), zero = b.getIndexAttr(0);
              OpFoldResult width = b.getIndexAttr(shape.headDim);
              Value row = b.slice(
                  b.tensorType({shape.headDim}, element), tile.op.getQuery(),
                  {tile.batch, head, b.add(tile.firstQuery, r), zero},
                  {one, one, one, width});
              Value dest = b.sliceFirst(args[0], r);
              Value scaled =
                  b.map(row, {{0}}, dest, [&](TileBuilder &b, ValueRange args) {
                    return arith::MulFOp::create(b, toF32(b, args[0]), scale)
                        .getResult();
                  });
              scf::YieldOp::create(b, b.insertFirst(scaled, args[0], r));
            });
        Value dest = b.sliceFirst(args[0], g);
        Value transposed =
            linalg::TransposeOp::create(b, rows.getResult(0), dest,
                                        ArrayRef<int64_t>{1, 0})
                ->getResult(0);
        scf::YieldOp::create(b, b.insertFirst(transposed, args[0], g));
      });
  return heads.getResult(0);
}

Value sparsek::buildQueryTau(TileBuilder &b, TileContext &tile) {
  Value minusInfinity = b.f32(-kInfinity);
  Value init = b.filled({tile.shape.queries}, minusInfinity);
  // Queries before the first key (Nq > Nk) have no tau and see nothing.
  Value begin = b.max(b.sub(b.index(0), tile.firstPosition), b.index(0));
  auto loop = scf::ForOp::create(
      b, begin, tile.numQueries, b.index(1), init,
      [&](OpBuilder &nested, Location loc, Value r, ValueRange args) {
        TileBuilder b(loc, nested);
        Value tau = b.extract(
            tile.op.getTau(),
            ValueRange{tile.batch, tile.kvHead, b.add(tile.firstPosition, r)});
        scf::YieldOp::create(b, b.insert(tau, args[0], r));
      });
  return loop.getResult(0);
}

SoftmaxState sparsek::buildInitialState(TileBuilder &b, TileContext &tile) {
  const AttentionTileShape &shape = tile.shape;
  Value zero = b.f32(0);
  return {b.filled({shape.group, shape.queries, shape.paddedValueDim}, zero),
          b.filled({shape.group, shape.queries}, b.f32(-kInfinity)),
          b.filled({shape.group, shape.queries}, zero)};
}

//===----------------------------------------------------------------------===//
// One block of keys
//===----------------------------------------------------------------------===//

namespace {

/// A block of gathered keys: K [BK, d] and V [BK, dvp] in f32, and per key its
/// position, its end (0 past the end of the list: never visible) and, when
/// gated, its score.
struct KeyBlock {
  Value keys, values, position, end, scores;
};

/// Copies row `source[b, h, j, :]` into row `r` of `dest`, as f32.
Value copyRow(TileBuilder &b, TileContext &tile, Value source, Value j,
              Value dest, Value r) {
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
            [](TileBuilder &b, ValueRange args) { return toF32(b, args[0]); });
  return b.insertSlice(copied, dest, {r, zero}, {one, size});
}

/// Gathers keys list[first, first + BK). Past the end of the list the last live
/// key stands in, with an end of 0.
KeyBlock gatherKeys(TileBuilder &b, TileContext &tile, Value list, Value count,
                    Value first) {
  const AttentionTileShape &shape = tile.shape;
  Type f32 = b.getF32Type(), i32 = b.getI32Type();
  Value values = shape.valueDim == shape.paddedValueDim
                     ? b.empty({shape.keys, shape.paddedValueDim}, f32)
                     : b.filled({shape.keys, shape.paddedValueDim}, b.f32(0));
  SmallVector<Value> init = {b.empty({shape.keys, shape.headDim}, f32), values,
                             b.empty({shape.keys}, i32),
                             b.empty({shape.keys}, i32)};
  if (tile.op.isGated())
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
                             b.extract(tile.op.getEnd(), at), b.i32(0));
        SmallVector<Value> results = {
            copyRow(b, tile, tile.op.getKey(), j, args[0], r),
            copyRow(b, tile, tile.op.getValue(), j, args[1], r),
            b.insert(position, args[2], r), b.insert(end, args[3], r)};
        if (tile.op.isGated())
          results.push_back(
              b.insert(b.extract(tile.op.getScores(), at), args[4], r));
        scf::YieldOp::create(b, results);
      });
  KeyBlock block{loop.getResult(0), loop.getResult(1), loop.getResult(2),
                 loop.getResult(3), Value()};
  if (tile.op.isGated())
    block.scores = loop.getResult(4);
  return block;
}

/// Position of the query in column `dim` of the linalg op being built, i32.
Value queryPosition(TileBuilder &b, TileContext &tile, unsigned dim) {
  Value column = linalg::IndexOp::create(b, dim);
  return b.add(b.toI32(column), b.toI32(tile.firstPosition));
}

/// [BK, BQ]: 0 where the query sees the key, -inf elsewhere. One for all heads.
Value buildVisibility(TileBuilder &b, TileContext &tile,
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

/// [BK, BQ]: the gate of every pair, 1 inside the window.
Value buildGate(TileBuilder &b, TileContext &tile, const KeyBlock &block,
                Value queryTau) {
  int64_t window = std::min<int64_t>(tile.op.getWindow(),
                                     std::numeric_limits<int32_t>::max());
  Value init = b.empty({tile.shape.keys, tile.shape.queries}, b.getF32Type());
  return b.map(
      {block.position, block.scores, queryTau}, {{0}, {0}, {1}}, init,
      [&](TileBuilder &b, ValueRange args) {
        Value distance = b.sub(queryPosition(b, tile, 1), args[0]);
        Value recent = b.less(distance, b.i32(window));
        Value open =
            compare(b, arith::CmpFPredicate::OEQ, args[2], b.f32(-kInfinity));
        Value gate = clampToUnit(b, arith::SubFOp::create(b, args[1], args[2]));
        return b.select(arith::OrIOp::create(b, recent, open), b.f32(1), gate);
      });
}

/// S = K Qt, masked; the maximum over rows goes on from `maximum`.
std::pair<Value, Value> buildLogits(TileBuilder &b, TileContext &tile,
                                    const KeyBlock &block, Value queries,
                                    Value visibility, Value keyGate,
                                    Value maximum) {
  SmallVector<int64_t> shape = {tile.shape.keys, tile.shape.queries};
  Value product = linalg::MatmulOp::create(b, ValueRange{block.keys, queries},
                                           b.filled(shape, b.f32(0)))
                      .getResult(0);
  SmallVector<Value> inputs = {visibility};
  if (keyGate)
    inputs.push_back(keyGate);
  AffineMap all = project(b.getContext(), 2, {0, 1});
  AffineMap column = project(b.getContext(), 2, {1});
  SmallVector<AffineMap> maps(inputs.size() + 1, all);
  maps.push_back(column);
  auto masked = linalg::GenericOp::create(
      b, TypeRange{product.getType(), maximum.getType()}, inputs,
      ValueRange{product, maximum}, maps,
      ArrayRef{utils::IteratorType::reduction, utils::IteratorType::parallel},
      [&](OpBuilder &nested, Location loc, ValueRange args) {
        TileBuilder b(loc, nested);
        Value logit = args[args.size() - 2];
        if (keyGate)
          logit = arith::MulFOp::create(b, logit, args[1]);
        Value visible =
            compare(b, arith::CmpFPredicate::OEQ, args[0], b.f32(0));
        logit = b.select(visible, logit, args[0]);
        Value max = arith::MaxNumFOp::create(b, logit, args.back());
        linalg::YieldOp::create(b, ValueRange{logit, max});
      });
  return {masked.getResult(0), masked.getResult(1)};
}

/// P = exp2(S - maximum), its sum over rows going on from `sum`; P times the
/// gate.
std::pair<Value, Value> buildProbabilities(TileBuilder &b, TileContext &tile,
                                           Value logits, Value maximum,
                                           Value gate, Value sum) {
  AffineMap all = project(b.getContext(), 2, {0, 1});
  AffineMap column = project(b.getContext(), 2, {1});
  SmallVector<Value> inputs = {maximum};
  SmallVector<AffineMap> maps = {column};
  if (gate) {
    inputs.push_back(gate);
    maps.push_back(all);
  }
  maps.append({all, column});
  auto generic = linalg::GenericOp::create(
      b, TypeRange{logits.getType(), sum.getType()}, inputs,
      ValueRange{logits, sum}, maps,
      ArrayRef{utils::IteratorType::reduction, utils::IteratorType::parallel},
      [&](OpBuilder &nested, Location loc, ValueRange args) {
        TileBuilder b(loc, nested);
        Value logit = args[args.size() - 2];
        Value difference =
            arith::SubFOp::create(b, logit, finiteMaximum(b, args[0]));
        Value p = math::Exp2Op::create(b, difference);
        Value newSum = arith::AddFOp::create(b, args.back(), p);
        Value weighted = gate ? arith::MulFOp::create(b, p, args[1]) : p;
        linalg::YieldOp::create(b, ValueRange{weighted, newSum});
      });
  return {generic.getResult(0), generic.getResult(1)};
}

/// O = O * factor + P^T V.
Value buildWeightedValues(TileBuilder &b, Value probabilities, Value values,
                          Value factor, Value accumulator) {
  Value scaled =
      b.map({factor}, {{0}}, accumulator, [](TileBuilder &b, ValueRange args) {
        return arith::MulFOp::create(b, args[1], args[0]).getResult();
      });
  MLIRContext *context = b.getContext();
  SmallVector<AffineMap> maps = {project(context, 3, {2, 0}),
                                 project(context, 3, {2, 1}),
                                 project(context, 3, {0, 1})};
  return linalg::ContractOp::create(b, TypeRange{accumulator.getType()},
                                    ValueRange{probabilities, values}, scaled,
                                    b.getAffineMapArrayAttr(maps))
      .getResult(0);
}

/// One query head of the group: a step of the online softmax.
SoftmaxState buildHead(TileBuilder &b, TileContext &tile, const KeyBlock &block,
                       Value queries, Value visibility, Value gate,
                       SoftmaxState state) {
  Value keyGate = tile.op.getGate() == Gate::key_value ? gate : Value();
  // The old maximum is still needed: the new one goes into a copy.
  Value maximumInit = b.empty({tile.shape.queries}, b.getF32Type());
  Value oldMaximum = state.maximum;
  Value copy = b.map({oldMaximum}, {{0}}, maximumInit,
                     [](TileBuilder &, ValueRange args) { return args[0]; });
  auto [logits, maximum] =
      buildLogits(b, tile, block, queries, visibility, keyGate, copy);
  Value factorInit = b.empty({tile.shape.queries}, b.getF32Type());
  Value factor = b.map({oldMaximum, maximum}, {{0}, {0}}, factorInit,
                       [](TileBuilder &b, ValueRange args) {
                         return rescale(b, args[0], args[1]);
                       });
  Value scaledSum =
      b.map({factor}, {{0}}, state.sum, [](TileBuilder &b, ValueRange args) {
        return arith::MulFOp::create(b, args[1], args[0]).getResult();
      });
  auto [probabilities, sum] =
      buildProbabilities(b, tile, logits, maximum, gate, scaledSum);
  Value accumulator = buildWeightedValues(b, probabilities, block.values,
                                          factor, state.accumulator);
  return {accumulator, maximum, sum};
}

} // namespace

SoftmaxState sparsek::buildKeyBlock(TileBuilder &b, TileContext &tile,
                                    Value queries, Value queryTau, Value list,
                                    Value count, Value first,
                                    SoftmaxState state) {
  KeyBlock block = gatherKeys(b, tile, list, count, first);
  Value visibility = buildVisibility(b, tile, block);
  Value gate =
      tile.op.isGated() ? buildGate(b, tile, block, queryTau) : Value();
  auto heads = scf::ForOp::create(
      b, b.index(0), b.index(tile.shape.group), b.index(1), state.values(),
      [&](OpBuilder &nested, Location loc, Value g, ValueRange args) {
        TileBuilder b(loc, nested);
        SoftmaxState head = {b.sliceFirst(args[0], g), b.sliceFirst(args[1], g),
                             b.sliceFirst(args[2], g)};
        head = buildHead(b, tile, block, b.sliceFirst(queries, g), visibility,
                         gate, head);
        scf::YieldOp::create(
            b, ValueRange{b.insertFirst(head.accumulator, args[0], g),
                          b.insertFirst(head.maximum, args[1], g),
                          b.insertFirst(head.sum, args[2], g)});
      });
  return {heads.getResult(0), heads.getResult(1), heads.getResult(2)};
}

//===----------------------------------------------------------------------===//
// Tile epilogue
//===----------------------------------------------------------------------===//

/// o = accumulator / sum, 0 where nothing was visible: [BQ, dv].
static Value normalize(TileBuilder &b, TileContext &tile, Value accumulator,
                       Value sum) {
  const AttentionTileShape &shape = tile.shape;
  Type element = getElementTypeOrSelf(tile.op.getOutput().getType());
  Value inverseInit = b.empty({shape.queries}, b.getF32Type());
  Value inverse =
      b.map({sum}, {{0}}, inverseInit, [](TileBuilder &b, ValueRange args) {
        Value some = compare(b, arith::CmpFPredicate::UNE, args[0], b.f32(0));
        Value ratio = arith::DivFOp::create(b, b.f32(1), args[0]);
        return b.select(some, ratio, b.f32(0));
      });
  OpFoldResult zero = b.getIndexAttr(0);
  Value columns =
      b.slice(b.tensorType({shape.queries, shape.valueDim}, b.getF32Type()),
              accumulator, {zero, zero},
              {b.getIndexAttr(shape.queries), b.getIndexAttr(shape.valueDim)});
  Value init = b.empty({shape.queries, shape.valueDim}, element);
  return b.map({columns, inverse}, {{0, 1}, {0}}, init,
               [&](TileBuilder &b, ValueRange args) {
                 Value product = arith::MulFOp::create(b, args[0], args[1]);
                 return fromF32(b, product, element);
               });
}

/// lse = (maximum + log2(sum)) ln 2, -inf where nothing was visible: [BQ].
static Value buildLse(TileBuilder &b, TileContext &tile, Value maximum,
                      Value sum) {
  Value init = b.empty({tile.shape.queries}, b.getF32Type());
  return b.map(
      {maximum, sum}, {{0}, {0}}, init, [](TileBuilder &b, ValueRange args) {
        Value log = math::Log2Op::create(b, args[1]);
        Value total = arith::AddFOp::create(b, args[0], log);
        return arith::MulFOp::create(b, total, b.f32(kLn2)).getResult();
      });
}

std::pair<Value, Value> sparsek::buildEpilogue(TileBuilder &b,
                                               TileContext &tile,
                                               SoftmaxState state, Value output,
                                               Value lse, Value row) {
  const AttentionTileShape &shape = tile.shape;
  int64_t dynamic = ShapedType::kDynamic;
  auto heads = scf::ForOp::create(
      b, b.index(0), b.index(shape.group), b.index(1), ValueRange{output, lse},
      [&](OpBuilder &nested, Location loc, Value g, ValueRange args) {
        TileBuilder b(loc, nested);
        Value sum = b.sliceFirst(state.sum, g);
        Value tileOutput =
            normalize(b, tile, b.sliceFirst(state.accumulator, g), sum);
        Value tileLse = buildLse(b, tile, b.sliceFirst(state.maximum, g), sum);
        OpFoldResult one = b.getIndexAttr(1), zero = b.getIndexAttr(0);
        OpFoldResult width = b.getIndexAttr(shape.valueDim);
        Value rows =
            b.slice(b.tensorType({dynamic, shape.valueDim},
                                 getElementTypeOrSelf(tileOutput.getType())),
                    tileOutput, {zero, zero}, {tile.numQueries, width});
        Value rowsLse = b.slice(b.tensorType({dynamic}, b.getF32Type()),
                                tileLse, {zero}, {tile.numQueries});
        scf::YieldOp::create(
            b, ValueRange{b.insertSlice(rows, args[0], {g, row, zero},
                                        {one, tile.numQueries, width}),
                          b.insertSlice(rowsLse, args[1], {g, row},
                                        {one, tile.numQueries})});
      });
  return {heads.getResult(0), heads.getResult(1)};
}
