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

using namespace mlir;
using namespace mlir::sparsek;

//===----------------------------------------------------------------------===//
// Tile prologue
//===----------------------------------------------------------------------===//

SoftmaxState sparsek::buildInitialState(TileBuilder &b,
                                        const TileContext &tile) {
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

/// exp2(old - new): what the sums so far are worth under the new maximum.
Value rescale(TileBuilder &b, Value oldMaximum, Value newMaximum) {
  Value difference =
      arith::SubFOp::create(b, oldMaximum, b.finiteOrZero(newMaximum));
  return math::Exp2Op::create(b, difference);
}

/// S = K Qt, masked; the maximum over rows goes on from `maximum`.
std::pair<Value, Value> buildLogits(TileBuilder &b, const TileContext &tile,
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
        Value visible = b.compare(arith::CmpFPredicate::OEQ, args[0], b.f32(0));
        logit = b.select(visible, logit, args[0]);
        Value max = arith::MaxNumFOp::create(b, logit, args.back());
        linalg::YieldOp::create(b, ValueRange{logit, max});
      });
  return {masked.getResult(0), masked.getResult(1)};
}

/// P = exp2(S - maximum), its sum over rows going on from `sum`; P times the
/// gate.
std::pair<Value, Value> buildProbabilities(TileBuilder &b,
                                           const TileContext &tile,
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
            arith::SubFOp::create(b, logit, b.finiteOrZero(args[0]));
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
  return buildTransposedProduct(b, probabilities, values, scaled);
}

/// One query head of the group: a step of the online softmax.
SoftmaxState buildHead(TileBuilder &b, const TileContext &tile,
                       const KeyBlock &block, Value queries, Value visibility,
                       Value gate, SoftmaxState state) {
  Value keyGate = tile.operands.gate == Gate::key_value ? gate : Value();
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

SoftmaxState sparsek::buildKeyBlock(TileBuilder &b, const TileContext &tile,
                                    Value queries, Value queryTau, Value list,
                                    Value count, Value first,
                                    SoftmaxState state) {
  KeyBlock block = gatherKeys(b, tile, list, count, first);
  Value visibility = buildVisibility(b, tile, block);
  Value gate =
      tile.operands.isGated() ? buildGate(b, tile, block, queryTau) : Value();
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
static Value normalize(TileBuilder &b, const TileContext &tile,
                       Value accumulator, Value sum, Type element) {
  const AttentionTileShape &shape = tile.shape;
  Value inverseInit = b.empty({shape.queries}, b.getF32Type());
  Value inverse =
      b.map({sum}, {{0}}, inverseInit, [](TileBuilder &b, ValueRange args) {
        Value some = b.compare(arith::CmpFPredicate::UNE, args[0], b.f32(0));
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
                 return b.fromF32(product, element);
               });
}

/// lse = (maximum + log2(sum)) ln 2, -inf where nothing was visible: [BQ].
static Value buildLse(TileBuilder &b, const TileContext &tile, Value maximum,
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
                                               const TileContext &tile,
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
            normalize(b, tile, b.sliceFirst(state.accumulator, g), sum,
                      getElementTypeOrSelf(output.getType()));
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
