//===- AttentionGradBody.cpp - Backward of one block of keys --------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// linalg on tile-sized tensors, keys along rows and queries along columns as in
// the forward (AttentionTileBody.cpp). Five products, each at the shape of a
// forward one; the heads of the group stand side by side in the columns of P
// and dS, so that the gradients of a key sum over them in one product.
//
//   per head g:
//     S[BK, BQ]  = K[BK, d] Qt[d, BQ]             dP[BK, BQ] = V[BK, dv]
//     dOt[dv, BQ] A  = exp2(S - lse), 0 where invisible dS = A (gate dP -
//     delta)                    P = A gate dQ[BQ, d] += dS^T K
//   over all heads, M = G BQ:
//     dV[BK, dv] = P[BK, M] dO[M, dv]             dK[BK, d] = dS[BK, M] Q[M, d]
//   added to the rows of the keys.
//
//===----------------------------------------------------------------------===//

#include "AttentionTile.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::sparsek;

SmallVector<Value> GradState::values() const {
  SmallVector<Value> values = {gradQuery, gradKey, gradValue};
  if (gradScores)
    values.append({gradScores, gradTau});
  return values;
}

GradState GradState::fromValues(ValueRange values) {
  GradState state{values[0], values[1], values[2], Value(), Value()};
  if (values.size() == 5) {
    state.gradScores = values[3];
    state.gradTau = values[4];
  }
  return state;
}

//===----------------------------------------------------------------------===//
// Tile prologue
//===----------------------------------------------------------------------===//

/// The tile's entries of `source` [B, Hq, Nq] times `factor`: [G, BQ], 0 past
/// the end.
static Value buildHeadScalars(TileBuilder &b, const TileContext &tile,
                              Value source, double factor) {
  const AttentionTileShape &shape = tile.shape;
  Value init = b.filled({shape.group, shape.queries}, b.f32(0));
  auto heads = scf::ForOp::create(
      b, b.index(0), b.index(shape.group), b.index(1), init,
      [&](OpBuilder &nested, Location loc, Value g, ValueRange args) {
        TileBuilder b(loc, nested);
        Value head = b.add(b.mul(tile.kvHead, b.index(shape.group)), g);
        auto rows = scf::ForOp::create(
            b, b.index(0), tile.numQueries, b.index(1), args[0],
            [&](OpBuilder &nested, Location loc, Value r, ValueRange args) {
              TileBuilder b(loc, nested);
              Value value =
                  b.extract(source, ValueRange{tile.batch, head,
                                               b.add(tile.firstQuery, r)});
              scf::YieldOp::create(b, b.insert(b.mulf(value, b.f32(factor)),
                                               args[0], ValueRange{g, r}));
            });
        scf::YieldOp::create(b, rows.getResults());
      });
  return heads.getResult(0);
}

/// delta = sum over dv of grads * outputs - gradLse: [G, BQ].
static Value buildDelta(TileBuilder &b, const TileContext &tile, Value grads,
                        Value outputs, Value gradLse) {
  const AttentionTileShape &shape = tile.shape;
  Value init =
      gradLse ? b.map({gradLse}, {{0, 1}},
                      b.empty({shape.group, shape.queries}, b.getF32Type()),
                      [](TileBuilder &b, ValueRange args) {
                        return b.subf(b.f32(0), args[0]);
                      })
              : b.filled({shape.group, shape.queries}, b.f32(0));
  auto heads = scf::ForOp::create(
      b, b.index(0), b.index(shape.group), b.index(1), init,
      [&](OpBuilder &nested, Location loc, Value g, ValueRange args) {
        TileBuilder b(loc, nested);
        AffineMap all = project(b.getContext(), 2, {0, 1});
        Value start = b.sliceFirst(args[0], g);
        auto sum = linalg::GenericOp::create(
            b, start.getType(),
            ValueRange{b.sliceFirst(grads, g), b.sliceFirst(outputs, g)}, start,
            ArrayRef{all, all, project(b.getContext(), 2, {1})},
            ArrayRef{utils::IteratorType::reduction,
                     utils::IteratorType::parallel},
            [](OpBuilder &nested, Location loc, ValueRange args) {
              TileBuilder b(loc, nested);
              Value product = b.mulf(args[0], args[1]);
              linalg::YieldOp::create(b, b.addf(args[2], product));
            });
        scf::YieldOp::create(b, b.insertFirst(sum.getResult(0), args[0], g));
      });
  return heads.getResult(0);
}

QueryTile sparsek::buildQueryTile(TileBuilder &b, const TileContext &tile,
                                  const GradOperands &grad) {
  const AttentionTileShape &shape = tile.shape;
  QueryTile queries;
  queries.queryRows = buildHeadRows(b, tile, tile.operands.query, shape.headDim,
                                    tile.operands.scale * kLog2E);
  queries.queries = buildTransposed(b, tile, queries.queryRows);
  queries.gradRows =
      buildHeadRows(b, tile, grad.gradOutput, shape.paddedValueDim, 1.0);
  queries.grads = buildTransposed(b, tile, queries.gradRows);
  queries.lse = buildHeadScalars(b, tile, grad.lse, kLog2E);
  Value gradLse =
      grad.gradLse ? buildHeadScalars(b, tile, grad.gradLse, 1.0) : Value();
  Value outputs = buildTransposed(
      b, tile, buildHeadRows(b, tile, grad.output, shape.paddedValueDim, 1.0));
  queries.delta = buildDelta(b, tile, queries.grads, outputs, gradLse);
  if (tile.operands.isGated())
    queries.tau = buildQueryTau(b, tile);
  return queries;
}

//===----------------------------------------------------------------------===//
// One block of keys
//===----------------------------------------------------------------------===//

namespace {

/// P and dS of all heads [BK, M], and the gradient of the gates [BK, BQ].
struct Pairs {
  Value probabilities, gradLogits, gradGate;
};

/// What one block of keys has for every head.
struct BlockContext {
  KeyBlock block;
  Value visibility, gate;
};

Value matmul(TileBuilder &b, Value lhs, Value rhs, Value init) {
  Value zeros = linalg::FillOp::create(b, b.f32(0), init).getResult(0);
  return linalg::MatmulOp::create(b, ValueRange{lhs, rhs}, zeros).getResult(0);
}

/// The columns of head `g` of a matrix [BK, M].
struct Columns {
  SmallVector<OpFoldResult> offsets, sizes;

  Columns(TileBuilder &b, const TileContext &tile, Value g)
      : offsets({b.getIndexAttr(0), b.mul(g, b.index(tile.shape.queries))}),
        sizes({b.getIndexAttr(tile.shape.keys),
               b.getIndexAttr(tile.shape.queries)}) {}
};

/// The scalars of one pair, from its logit S and dP.
void buildPair(TileBuilder &b, const TileContext &tile, ValueRange args) {
  bool gated = tile.operands.isGated();
  bool gatesKeys = tile.operands.gate == Gate::key_value;
  Value visible = b.compare(arith::CmpFPredicate::OEQ, args[0], b.f32(0));
  Value lse = args[1], delta = args[2];
  Value gate = gated ? args[3] : Value();
  Value logit = args[gated ? 4 : 3], gradProbability = args[gated ? 5 : 4];

  Value gatedLogit = gatesKeys ? b.mulf(logit, gate) : logit;
  Value shifted = b.subf(gatedLogit, b.finiteOrZero(lse));
  Value probability =
      math::Exp2Op::create(b, b.select(visible, shifted, b.f32(-kInfinity)));
  Value weighted = gated ? b.mulf(gate, gradProbability) : gradProbability;
  Value gradLogit = b.mulf(probability, b.subf(weighted, delta));
  if (!gated) {
    linalg::YieldOp::create(b, ValueRange{probability, gradLogit});
    return;
  }
  Value gradGate = b.mulf(probability, gradProbability);
  if (gatesKeys)
    // The logit is in units of log2: scale q . k = logit ln 2.
    gradGate = b.addf(gradGate, b.mulf(gradLogit, b.mulf(logit, b.f32(kLn2))));
  // A gate is strictly between 0 and 1 only outside the window.
  Value open = arith::AndIOp::create(
      b, b.compare(arith::CmpFPredicate::OGT, gate, b.f32(0)),
      b.compare(arith::CmpFPredicate::OLT, gate, b.f32(1)));
  Value sum = b.addf(args[6], b.select(open, gradGate, b.f32(0)));
  linalg::YieldOp::create(
      b, ValueRange{b.mulf(probability, gate),
                    gatesKeys ? b.mulf(gradLogit, gate) : gradLogit, sum});
}

/// Turns S and dP of one head into P and dS, and adds to the gradient of the
/// gates.
SmallVector<Value> buildPairs(TileBuilder &b, const TileContext &tile,
                              const BlockContext &context, Value lse,
                              Value delta, Value logits, Value gradProbability,
                              Value gradGate) {
  AffineMap all = project(b.getContext(), 2, {0, 1});
  AffineMap column = project(b.getContext(), 2, {1});
  SmallVector<Value> inputs = {context.visibility, lse, delta};
  SmallVector<AffineMap> maps = {all, column, column};
  SmallVector<Value> outputs = {logits, gradProbability};
  if (context.gate) {
    inputs.push_back(context.gate);
    maps.push_back(all);
    outputs.push_back(gradGate);
  }
  maps.append(outputs.size(), all);
  auto generic = linalg::GenericOp::create(
      b, ValueRange(outputs).getTypes(), inputs, outputs, maps,
      SmallVector<utils::IteratorType>(2, utils::IteratorType::parallel),
      [&](OpBuilder &nested, Location loc, ValueRange args) {
        TileBuilder b(loc, nested);
        buildPair(b, tile, args);
      });
  return llvm::to_vector_of<Value>(generic.getResults());
}

/// One query head of the group: its columns of P and dS, its rows of dQ.
std::pair<Pairs, Value> buildHead(TileBuilder &b, const TileContext &tile,
                                  const QueryTile &queries,
                                  const BlockContext &context, Value g,
                                  Pairs pairs, Value gradQuery) {
  const AttentionTileShape &shape = tile.shape;
  RankedTensorType type =
      b.tensorType({shape.keys, shape.queries}, b.getF32Type());
  Columns columns(b, tile, g);
  auto slice = [&](Value matrix) {
    return b.slice(type, matrix, columns.offsets, columns.sizes);
  };
  Value logits = matmul(b, context.block.keys, b.sliceFirst(queries.queries, g),
                        slice(pairs.probabilities));
  Value gradProbability =
      matmul(b, context.block.values, b.sliceFirst(queries.grads, g),
             slice(pairs.gradLogits));
  SmallVector<Value> results = buildPairs(
      b, tile, context, b.sliceFirst(queries.lse, g),
      b.sliceFirst(queries.delta, g), logits, gradProbability, pairs.gradGate);
  Value firstRow = b.mul(g, b.index(shape.queries));
  Value rows =
      buildTransposedProduct(b, results[1], context.block.keys,
                             b.sliceRows(gradQuery, firstRow, shape.queries));
  Pairs next = {b.insertSlice(results[0], pairs.probabilities, columns.offsets,
                              columns.sizes),
                b.insertSlice(results[1], pairs.gradLogits, columns.offsets,
                              columns.sizes),
                context.gate ? results[2] : Value()};
  return {next, b.insertRows(rows, gradQuery, firstRow)};
}

/// Adds row `r` of `block`, times `factor`, to row `j` of `sums`.
Value addRow(TileBuilder &b, Value block, Value r, Value sums, Value j,
             double factor) {
  auto type = cast<RankedTensorType>(sums.getType());
  int64_t width = type.getDimSize(1);
  OpFoldResult one = b.getIndexAttr(1), zero = b.getIndexAttr(0);
  SmallVector<OpFoldResult> sizes = {one, b.getIndexAttr(width)};
  RankedTensorType rowType = b.tensorType({width}, b.getF32Type());
  Value source = b.slice(rowType, block, {r, zero}, sizes);
  Value dest = b.slice(rowType, sums, {j, zero}, sizes);
  Value sum = b.map(source, {{0}}, dest, [&](TileBuilder &b, ValueRange args) {
    return b.addf(args[1], b.mulf(args[0], b.f32(factor)));
  });
  return b.insertSlice(sum, sums, {j, zero}, sizes);
}

/// Sums over the columns, one per key, with the last dimension a whole vector
/// of equal sums: a product with ones, [BK, L].
Value sumColumns(TileBuilder &b, const TileContext &tile, Value pairs) {
  constexpr int64_t kWidth = 16;
  Value ones = b.filled({tile.shape.queries, kWidth}, b.f32(1));
  return matmul(b, pairs, ones,
                b.empty({tile.shape.keys, kWidth}, b.getF32Type()));
}

/// gradTau += sums over the rows.
Value addRows(TileBuilder &b, Value pairs, Value gradTau) {
  auto generic = linalg::GenericOp::create(
      b, gradTau.getType(), pairs, gradTau,
      ArrayRef{project(b.getContext(), 2, {0, 1}),
               project(b.getContext(), 2, {1})},
      ArrayRef{utils::IteratorType::reduction, utils::IteratorType::parallel},
      [](OpBuilder &nested, Location loc, ValueRange args) {
        TileBuilder b(loc, nested);
        linalg::YieldOp::create(b, b.addf(args[1], args[0]));
      });
  return generic.getResult(0);
}

/// Adds the block's gradients to the rows of its keys. Where the last live key
/// stands in for a missing one, it adds zeros.
GradState scatterKeys(TileBuilder &b, const TileContext &tile,
                      const LiveKeys &live, Value first, Value gradKey,
                      Value gradValue, Value gradScores, GradState state) {
  SmallVector<Value> init = {state.gradKey, state.gradValue};
  if (gradScores)
    init.push_back(state.gradScores);
  Value rows = b.min(b.index(tile.shape.keys), b.sub(live.count, first));
  auto loop = scf::ForOp::create(
      b, b.index(0), rows, b.index(1), init,
      [&](OpBuilder &nested, Location loc, Value r, ValueRange args) {
        TileBuilder b(loc, nested);
        Value j = b.toIndex(b.extract(live.list, b.add(first, r)));
        // Rows of Q came with the factor scale log2(e); scale is what it takes.
        SmallVector<Value> results = {addRow(b, gradKey, r, args[0], j, kLn2),
                                      addRow(b, gradValue, r, args[1], j, 1.0)};
        if (gradScores) {
          Value sum = b.addf(b.extract(args[2], j),
                             b.extract(gradScores, ValueRange{r, b.index(0)}));
          results.push_back(b.insert(sum, args[2], j));
        }
        scf::YieldOp::create(b, results);
      });
  state.gradKey = loop.getResult(0);
  state.gradValue = loop.getResult(1);
  if (gradScores)
    state.gradScores = loop.getResult(2);
  return state;
}

} // namespace

GradState sparsek::buildGradBlock(TileBuilder &b, const TileContext &tile,
                                  const QueryTile &queries,
                                  const LiveKeys &live, Value first,
                                  GradState state) {
  const AttentionTileShape &shape = tile.shape;
  Type f32 = b.getF32Type();
  int64_t columns = shape.group * shape.queries;
  BlockContext context;
  context.block = gatherKeys(b, tile, live.list, live.count, first);
  context.visibility = buildVisibility(b, tile, context.block);
  if (tile.operands.isGated())
    context.gate = buildGate(b, tile, context.block, queries.tau);

  SmallVector<Value> init = {b.empty({shape.keys, columns}, f32),
                             b.empty({shape.keys, columns}, f32),
                             state.gradQuery};
  if (context.gate)
    init.push_back(b.filled({shape.keys, shape.queries}, b.f32(0)));
  auto heads = scf::ForOp::create(
      b, b.index(0), b.index(shape.group), b.index(1), init,
      [&](OpBuilder &nested, Location loc, Value g, ValueRange args) {
        TileBuilder b(loc, nested);
        Pairs pairs = {args[0], args[1], context.gate ? args[3] : Value()};
        auto [next, gradQuery] =
            buildHead(b, tile, queries, context, g, pairs, args[2]);
        SmallVector<Value> results = {next.probabilities, next.gradLogits,
                                      gradQuery};
        if (context.gate)
          results.push_back(next.gradGate);
        scf::YieldOp::create(b, results);
      });
  state.gradQuery = heads.getResult(2);
  Value gradValue = matmul(b, heads.getResult(0), queries.gradRows,
                           b.empty({shape.keys, shape.paddedValueDim}, f32));
  Value gradKey = matmul(b, heads.getResult(1), queries.queryRows,
                         b.empty({shape.keys, shape.headDim}, f32));
  Value gradScores;
  if (context.gate) {
    Value gradGate = heads.getResult(3);
    gradScores = sumColumns(b, tile, gradGate);
    state.gradTau = addRows(b, gradGate, state.gradTau);
  }
  return scatterKeys(b, tile, live, first, gradKey, gradValue, gradScores,
                     state);
}
