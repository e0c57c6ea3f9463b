//===- TileAttentionGrad.cpp - sparse_attention_grad to tiles -------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The loops of the tiled backward. Per (batch, kv head), in order of position
// so that every sum has one order whatever the number of threads:
//
//   for each tile of BQ queries:               lists as in TileAttention.cpp
//     for each block of BK live keys:          AttentionGradBody.cpp
//       add to the tile's dQ and dtau, to the keys' dK, dV and dscores
//
//===----------------------------------------------------------------------===//

#include "AttentionTile.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::sparsek;

namespace {

/// What the loop over tiles carries: the head's gradients and its live keys.
/// gradKey and gradValue are f32 sums; gradScores and gradTau null without a
/// gate.
struct HeadState {
  Value gradQuery, gradKey, gradValue, gradScores, gradTau;
  LiveKeys live;

  SmallVector<Value> values() const {
    SmallVector<Value> values = live.values();
    values.append({gradQuery, gradKey, gradValue});
    if (gradScores)
      values.append({gradScores, gradTau});
    return values;
  }

  static HeadState fromValues(ValueRange values) {
    HeadState state{values[3], values[4], values[5],
                    Value(),   Value(),   {values[0], values[1], values[2]}};
    if (values.size() == 8) {
      state.gradScores = values[6];
      state.gradTau = values[7];
    }
    return state;
  }
};

/// Stores the tile's rows of dQ, times scale, at `row` of `output` [G, ?, d].
Value storeGradQuery(TileBuilder &b, const TileContext &tile, Value rows,
                     Value output, Value row) {
  const AttentionTileShape &shape = tile.shape;
  Type element = getElementTypeOrSelf(output.getType());
  auto heads = scf::ForOp::create(
      b, b.index(0), b.index(shape.group), b.index(1), output,
      [&](OpBuilder &nested, Location loc, Value g, ValueRange args) {
        TileBuilder b(loc, nested);
        Value head =
            b.sliceRows(rows, b.mul(g, b.index(shape.queries)), shape.queries);
        Value scaled = b.map(
            head, {{0, 1}}, b.empty({shape.queries, shape.headDim}, element),
            [&](TileBuilder &b, ValueRange args) {
              return b.fromF32(b.mulf(args[0], b.f32(tile.operands.scale)),
                               element);
            });
        OpFoldResult one = b.getIndexAttr(1), zero = b.getIndexAttr(0);
        OpFoldResult width = b.getIndexAttr(shape.headDim);
        Value valid = b.slice(
            b.tensorType({ShapedType::kDynamic, shape.headDim}, element),
            scaled, {zero, zero}, {tile.numQueries, width});
        scf::YieldOp::create(b, b.insertSlice(valid, args[0], {g, row, zero},
                                              {one, tile.numQueries, width}));
      });
  return heads.getResult(0);
}

/// Stores the tile's sums over keys [BQ], negated, at its positions of `output`
/// [Nk]: the gradient of tau.
Value storeGradTau(TileBuilder &b, const TileContext &tile, Value sums,
                   Value output) {
  // Queries before the first key (Nq > Nk) have no tau.
  Value begin = b.max(b.sub(b.index(0), tile.firstPosition), b.index(0));
  auto loop = scf::ForOp::create(
      b, begin, tile.numQueries, b.index(1), output,
      [&](OpBuilder &nested, Location loc, Value r, ValueRange args) {
        TileBuilder b(loc, nested);
        Value negated = b.subf(b.f32(0), b.extract(sums, r));
        scf::YieldOp::create(
            b, b.insert(negated, args[0], b.add(tile.firstPosition, r)));
      });
  return loop.getResult(0);
}

/// One tile of queries over its live keys.
HeadState buildTile(TileBuilder &b, const TileContext &tile,
                    const GradOperands &grad, HeadState state, Value row) {
  const AttentionTileShape &shape = tile.shape;
  state.live = appendNewKeys(b, tile, filterList(b, tile, state.live));
  QueryTile queries = buildQueryTile(b, tile, grad);
  Value zero = b.f32(0);
  GradState initial{
      b.filled({shape.group * shape.queries, shape.headDim}, zero),
      state.gradKey, state.gradValue, state.gradScores, Value()};
  if (state.gradScores)
    initial.gradTau = b.filled({shape.queries}, zero);
  GradState sums = GradState::fromValues(buildBlockLoops(
      b, tile, state.live.count, initial.values(),
      [&](TileBuilder &b, const TileContext &tile, Value first,
          ValueRange args) {
        return buildGradBlock(b, tile, queries, state.live, first,
                              GradState::fromValues(args))
            .values();
      }));
  state.gradQuery =
      storeGradQuery(b, tile, sums.gradQuery, state.gradQuery, row);
  state.gradKey = sums.gradKey;
  state.gradValue = sums.gradValue;
  if (state.gradScores) {
    state.gradScores = sums.gradScores;
    state.gradTau = storeGradTau(b, tile, sums.gradTau, state.gradTau);
  }
  return state;
}

/// Rewrites the op into a parallel loop over (batch, kv head).
class GradTiler {
public:
  GradTiler(SparseAttentionGradOp op, AttentionTileShape shape,
            OpBuilder &builder)
      : op(op), shape(shape), grad(op), b(op.getLoc(), builder) {}

  SmallVector<Value> run() {
    numQueries = dim(op.getQuery(), 2);
    numKeys = dim(op.getKey(), 2);
    shift = b.sub(numKeys, numQueries);
    SmallVector<OpFoldResult> bounds = {dim(op.getKey(), 0),
                                        dim(op.getKey(), 1)};
    SmallVector<Value> inits = llvm::to_vector_of<Value>(op.getDpsInits());
    auto forall = scf::ForallOp::create(b, bounds, inits, std::nullopt);
    b.setInsertionPointToStart(forall.getBody());
    buildHead(forall);
    return llvm::to_vector_of<Value>(forall.getResults());
  }

private:
  Value dim(Value tensor, int64_t index) {
    return tensor::DimOp::create(b, tensor, index);
  }

  /// The part of destination `index` that belongs to one kv head.
  struct Part {
    SmallVector<OpFoldResult> offsets, sizes;
    RankedTensorType type;
  };

  Part getPart(unsigned index, Value batch, Value kvHead) {
    OpFoldResult one = b.getIndexAttr(1), zero = b.getIndexAttr(0);
    Type element = getElementTypeOrSelf(op.getDpsInits()[index].getType());
    int64_t dynamic = ShapedType::kDynamic;
    if (index == 0)
      return {{batch, b.mul(kvHead, b.index(shape.group)), zero, zero},
              {one, b.getIndexAttr(shape.group), numQueries,
               b.getIndexAttr(shape.headDim)},
              b.tensorType({shape.group, dynamic, shape.headDim}, element)};
    if (index > 2)
      return {{batch, kvHead, zero},
              {one, one, numKeys},
              b.tensorType({dynamic}, element)};
    int64_t width = index == 1 ? shape.headDim : shape.valueDim;
    return {{batch, kvHead, zero, zero},
            {one, one, numKeys, b.getIndexAttr(width)},
            b.tensorType({dynamic, width}, element)};
  }

  /// A zeroed f32 sum for the part `dest`: itself where it is f32.
  Value buildSums(Value dest) {
    auto type = cast<RankedTensorType>(dest.getType());
    Value sums = dest;
    if (!type.getElementType().isF32())
      sums = b.empty(type.getShape(), b.getF32Type(), numKeys);
    return linalg::FillOp::create(b, b.f32(0), sums).getResult(0);
  }

  /// The sums in the element type of the part `dest`.
  Value convertSums(Value sums, Value dest) {
    Type element = getElementTypeOrSelf(dest.getType());
    if (element.isF32())
      return sums;
    return b.map(sums, {{0, 1}}, dest, [&](TileBuilder &b, ValueRange args) {
      return b.fromF32(args[0], element);
    });
  }

  void buildHead(scf::ForallOp forall) {
    SmallVector<Value> ids = forall.getInductionVars();
    ValueRange outs = forall.getRegionIterArgs();
    SmallVector<Part> parts;
    SmallVector<Value> dests;
    for (unsigned i = 0; i < outs.size(); ++i) {
      parts.push_back(getPart(i, ids[0], ids[1]));
      dests.push_back(
          b.slice(parts[i].type, outs[i], parts[i].offsets, parts[i].sizes));
    }
    HeadState state{dests[0], buildSums(dests[1]), buildSums(dests[2]), Value(),
                    Value(),  LiveKeys()};
    if (dests.size() == 5) {
      state.gradScores = buildSums(dests[3]);
      state.gradTau = buildSums(dests[4]);
    }
    state = buildTiles(ids[0], ids[1], state);
    SmallVector<Value> results = {state.gradQuery,
                                  convertSums(state.gradKey, dests[1]),
                                  convertSums(state.gradValue, dests[2])};
    if (dests.size() == 5)
      results.append({state.gradScores, state.gradTau});

    b.setInsertionPointToStart(forall.getTerminator().getBody());
    for (auto [part, result, out] : llvm::zip_equal(parts, results, outs)) {
      SmallVector<OpFoldResult> strides(part.offsets.size(), b.getIndexAttr(1));
      tensor::ParallelInsertSliceOp::create(b, result, out, part.offsets,
                                            part.sizes, strides);
    }
  }

  HeadState buildTiles(Value batch, Value kvHead, HeadState state) {
    state.live = {b.empty({ShapedType::kDynamic}, b.getI32Type(), numKeys),
                  b.index(0), b.index(0)};
    auto loop = scf::ForOp::create(
        b, b.index(0), numQueries, b.index(shape.queries), state.values(),
        [&](OpBuilder &nested, Location loc, Value row, ValueRange args) {
          TileBuilder b(loc, nested);
          TileContext tile{
              AttentionOperands(op),
              shape,
              batch,
              kvHead,
              row,
              b.min(b.index(shape.queries), b.sub(numQueries, row)),
              b.add(row, shift)};
          HeadState next =
              buildTile(b, tile, grad, HeadState::fromValues(args), row);
          scf::YieldOp::create(b, next.values());
        });
    return HeadState::fromValues(loop.getResults());
  }

  SparseAttentionGradOp op;
  AttentionTileShape shape;
  GradOperands grad;
  TileBuilder b;
  Value numQueries, numKeys, shift;
};

/// sparsek.sparse_attention_grad ins(..) outs(%dq, %dk, %dv)
/// becomes
///   scf.forall (%b, %h) shared_outs(%dq, %dk, %dv) {
///     scf.for %tile iter_args(%list, %count, %next, %dq, %dk, %dv) {
///       scf.for %block iter_args(..) { linalg on tiles }
///     }
///   }
struct TileAttentionGrad : OpRewritePattern<SparseAttentionGradOp> {
  TileAttentionGrad(MLIRContext *context, const AttentionTileOptions &options)
      : OpRewritePattern(context), options(options) {}

  LogicalResult matchAndRewrite(SparseAttentionGradOp op,
                                PatternRewriter &rewriter) const override {
    if (!isa<RankedTensorType>(op.getGradQuery().getType()))
      return rewriter.notifyMatchFailure(op, "not on tensors");
    AttentionTileShape shape(op, options);
    rewriter.replaceOp(op, GradTiler(op, shape, rewriter).run());
    return success();
  }

  AttentionTileOptions options;
};

} // namespace

void sparsek::populateTileAttentionGradPatterns(
    RewritePatternSet &patterns, const AttentionTileOptions &options) {
  patterns.add<TileAttentionGrad>(patterns.getContext(), options);
}
