//===- DifferentiateSparseK.cpp - Reverse mode of the sparsek ops ---------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "DifferentiateRules.h"

#include "sparsek/Dialect/SparseK/IR/SparseK.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Utils/StructuredOpsUtils.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::sparsek;
using namespace mlir::sparsek::differentiate;

/// %p, %t = sparsek.topk_mask ins(%z)
/// becomes
///   %dz = sparsek.topk_mask_grad ins(%z, %t, %dp) grad_tau(%dt)
static void reverseTopkMask(TopkMaskOp op, Cotangents &c) {
  Location loc = op.getLoc();
  Value scores = op.getScores();
  Value gradMask = c.lookupOrZeros(loc, op.getResult(0));
  auto gradient = TopkMaskGradOp::create(
      c.builder, loc, scores.getType(), scores, op.getResult(1), gradMask,
      c.lookup(op.getResult(1)), emptyLike(c.builder, loc, scores));
  c.add(loc, scores, gradient.getResult(0));
}

/// %end, %t, %free = sparsek.causal_topk_mask ins(%u)
/// becomes
///   %du = sparsek.causal_topk_mask_grad ins(%u, %t, %free, %dt)
static void reverseCausalTopkMask(CausalTopkMaskOp op, Cotangents &c) {
  Location loc = op.getLoc();
  Value scores = op.getScores();
  auto gradient = CausalTopkMaskGradOp::create(
      c.builder, loc, scores.getType(), scores, op.getResult(1),
      op.getResult(2), c.lookup(op.getResult(1)),
      emptyLike(c.builder, loc, scores), op.getWindow());
  c.add(loc, scores, gradient.getResult(0));
}

/// %o, %l = sparsek.sparse_attention ins(%q, %k, %v, %end) gating(%u, %t)
/// becomes
///   %dq, %dk, %dv, %du, %dt = sparsek.sparse_attention_grad
///       ins(%q, %k, %v, %end, %o, %l, %do) grad_lse(%dl) gating(%u, %t)
static void reverseSparseAttention(SparseAttentionOp op, Cotangents &c) {
  Location loc = op.getLoc();
  SmallVector<Value> sources = {op.getQuery(), op.getKey(), op.getValue()};
  if (op.isGated())
    sources.append({op.getScores(), op.getTau()});
  SmallVector<Value> inits;
  for (Value source : sources)
    inits.push_back(emptyLike(c.builder, loc, source));
  bool gated = op.isGated();
  auto gradient = SparseAttentionGradOp::create(
      c.builder, loc, TypeRange(ValueRange(sources)), op.getQuery(),
      op.getKey(), op.getValue(), op.getEnd(), op.getResult(0), op.getResult(1),
      c.lookupOrZeros(loc, op.getResult(0)), c.lookup(op.getResult(1)),
      op.getScores(), op.getTau(), inits[0], inits[1], inits[2],
      gated ? inits[3] : Value(), gated ? inits[4] : Value(), op.getGateAttr(),
      op.getWindowAttr(), op.getScaleAttr(), op.getGroupAttr());
  for (auto [source, result] : llvm::zip_equal(sources, gradient.getResults()))
    c.add(loc, source, result);
}

/// The product of `lhs` and `rhs`, summed in f32 into the shape of `like`, with
/// the element type of `like`.
static Value contract(OpBuilder &builder, Location loc, Value lhs, Value rhs,
                      Value like, ArrayRef<AffineMap> maps) {
  Value zeros = zerosLike(builder, loc, like, builder.getF32Type());
  Value sum = linalg::ContractOp::create(builder, loc, zeros.getType(),
                                         ValueRange{lhs, rhs}, zeros,
                                         builder.getAffineMapArrayAttr(maps))
                  .getResult(0);
  return castFloat(builder, loc, sum, getElementTypeOrSelf(like.getType()));
}

/// The sum over b and n of `gradient` [b, h, n], times n if `byPosition`.
static Value sumOverTokens(OpBuilder &builder, Location loc, Value gradient,
                           Value like, bool byPosition) {
  AffineExpr b, h, n;
  bindDims(builder.getContext(), b, h, n);
  SmallVector<AffineMap> maps = {
      AffineMap::getMultiDimIdentityMap(3, builder.getContext()),
      AffineMap::get(3, 0, h)};
  auto reduction = utils::IteratorType::reduction;
  Value zeros = zerosLike(builder, loc, like);
  return linalg::GenericOp::create(
             builder, loc, zeros.getType(), gradient, zeros, maps,
             {reduction, utils::IteratorType::parallel, reduction},
             [&](OpBuilder &body, Location loc, ValueRange args) {
               Value term = args[0];
               if (byPosition) {
                 Value index = linalg::IndexOp::create(body, loc, 2);
                 Value integer = arith::IndexCastOp::create(
                     body, loc, body.getI64Type(), index);
                 Value position = arith::SIToFPOp::create(
                     body, loc, body.getF32Type(), integer);
                 term = arith::MulFOp::create(body, loc, term, position);
               }
               Value sum = arith::AddFOp::create(body, loc, args[1], term);
               linalg::YieldOp::create(body, loc, sum);
             })
      .getResult(0);
}

/// %u = sparsek.score ins(%x, %w, %bias, %slope)
/// becomes
///   %dx[b, n, c] = sum over h of %du[b, h, n] %w[h, c]
///   %dw[h, c] = sum over b and n of %du[b, h, n] %x[b, n, c]
///   %dbias[h] = sum over b and n of %du[b, h, n]
///   %dslope[h] = sum over b and n of %du[b, h, n] n
static void reverseScore(ScoreOp op, Cotangents &c) {
  Location loc = op.getLoc();
  MLIRContext *context = op.getContext();
  AffineExpr b, h, n, channel;
  bindDims(context, b, h, n, channel);
  AffineMap scoresMap = AffineMap::get(4, 0, {b, h, n}, context);
  AffineMap xMap = AffineMap::get(4, 0, {b, n, channel}, context);
  AffineMap weightMap = AffineMap::get(4, 0, {h, channel}, context);
  Value du = c.lookup(op.getResult(0));
  if (c.isActive(op.getX()))
    c.add(loc, op.getX(),
          contract(c.builder, loc, du, op.getWeight(), op.getX(),
                   {scoresMap, weightMap, xMap}));
  if (c.isActive(op.getWeight()))
    c.add(loc, op.getWeight(),
          contract(c.builder, loc, du, op.getX(), op.getWeight(),
                   {scoresMap, xMap, weightMap}));
  if (c.isActive(op.getBias()))
    c.add(loc, op.getBias(),
          sumOverTokens(c.builder, loc, du, op.getBias(),
                        /*byPosition=*/false));
  if (c.isActive(op.getSlope()))
    c.add(loc, op.getSlope(),
          sumOverTokens(c.builder, loc, du, op.getSlope(),
                        /*byPosition=*/true));
}

LogicalResult sparsek::differentiate::reverseSparseK(Operation *op,
                                                     Cotangents &cotangents) {
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](TopkMaskOp topk) {
        reverseTopkMask(topk, cotangents);
        return success();
      })
      .Case([&](CausalTopkMaskOp topk) {
        reverseCausalTopkMask(topk, cotangents);
        return success();
      })
      .Case([&](SparseAttentionOp attention) {
        reverseSparseAttention(attention, cotangents);
        return success();
      })
      .Case([&](ScoreOp score) {
        reverseScore(score, cotangents);
        return success();
      })
      .Default([](Operation *other) -> LogicalResult {
        return emitCannotDifferentiate(other);
      });
}
