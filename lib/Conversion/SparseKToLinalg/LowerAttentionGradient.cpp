//===- LowerAttentionGradient.cpp - sparse_attention_grad to linalg -------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "AttentionPairs.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace mlir::sparsek;

static constexpr auto parallel = utils::IteratorType::parallel;
static constexpr auto reduction = utils::IteratorType::reduction;

namespace {

/// The gradients of one attention, written out in the names of the op's
/// description: A, P, D, g, s and dS. Every matrix is 0 where the key is not
/// visible, and the sums skip those pairs: what they hold, NaN included, must
/// not matter.
class AttentionGradBuilder : AttentionPairs {
public:
  AttentionGradBuilder(DenseBuilder &builder, SparseAttentionGradOp op)
      : AttentionPairs(builder, PairOperands::of(op)), op(op),
        gatesKeys(op.getGate() == Gate::key_value) {}

  /// One gradient per destination.
  SmallVector<Value> build();

private:
  Value newMatrix(ArrayRef<Operand> inputs, DenseBuilder::Body body);
  Value probabilities(Value dots);
  Value rowTerms();
  Value logitGradients(Value probs, Value products, Value rows);
  Value dotGradients(Value logitGrads);
  Value valueWeights(Value probs);
  Value gateGradients(Value probs, Value products, Value logitGrads,
                      Value dots);

  Value sumOverKeys(Value matrix, Value keyRows);
  Value sumOverQueries(Value matrix, Value queryRows);
  Value sumOfMatrix(Value matrix, ArrayRef<unsigned> kept);
  Value sumOfGroup(Value perHead);
  SmallVector<Value> gateResults(Value gateGrads);

  Operand end(unsigned rank) { return {op.getEnd(), kvMap(rank, {3})}; }
  Operand whole(Value matrix) { return {matrix, b.getMultiDimIdentityMap(4)}; }

  SparseAttentionGradOp op;
  bool gatesKeys;
};

} // namespace

static Value mul(DenseBuilder &b, Value x, Value y) {
  return arith::MulFOp::create(b, x, y);
}

static Value add(DenseBuilder &b, Value x, Value y) {
  return arith::AddFOp::create(b, x, y);
}

/// value where the condition holds, else 0.
static Value onlyIf(DenseBuilder &b, Value condition, Value value) {
  return arith::SelectOp::create(b, condition, value, b.f64(0.0));
}

//===----------------------------------------------------------------------===//
// Pairs
//===----------------------------------------------------------------------===//

Value AttentionGradBuilder::newMatrix(ArrayRef<Operand> inputs,
                                      DenseBuilder::Body body) {
  return updateMatrix(b.empty(sizes, b.getF64Type()), inputs, body);
}

/// A_ij = exp(logit_ij - lse_i).
Value AttentionGradBuilder::probabilities(Value dots) {
  SmallVector<Operand> inputs = {
      whole(dots), end(4), {op.getLse(), b.map(4, {0, 1, 2})}};
  if (gatesKeys)
    llvm::append_range(inputs, gateOperands());
  return newMatrix(
      inputs, [&](DenseBuilder &b, ValueRange args) -> SmallVector<Value> {
        Value logit = mul(b, args[0], b.f64(op.getScaleValue()));
        if (gatesKeys)
          logit = mul(b, logit, gate(b, args[3], args[4]));
        Value lse = b.castFloat(args[2], b.getF64Type());
        Value prob =
            math::ExpOp::create(b, arith::SubFOp::create(b, logit, lse));
        return {onlyIf(b, isVisible(b, args[1]), prob)};
      });
}

/// D_i - grad_lse_i, with D_i = grad_output_i . output_i.
Value AttentionGradBuilder::rowTerms() {
  ArrayRef<OpFoldResult> rowSizes = ArrayRef(sizes).drop_back();
  Value zeros = b.filled(rowSizes, b.getF64FloatAttr(0.0));
  AffineMap identity = b.getMultiDimIdentityMap(4);
  auto dot = [](DenseBuilder &b, ValueRange args) -> SmallVector<Value> {
    Value product = mul(b, b.castFloat(args[0], b.getF64Type()),
                        b.castFloat(args[1], b.getF64Type()));
    return {add(b, args[2], product)};
  };
  Value dots =
      b.loops({parallel, parallel, parallel, reduction},
              {{op.getGradOutput(), identity}, {op.getOutput(), identity}},
              {{zeros, b.map(4, {0, 1, 2})}}, dot)
          .front();
  if (!op.getGradLse())
    return dots;
  return b.elementwise(
      {op.getGradLse()}, dots,
      [](DenseBuilder &b, ValueRange args) -> SmallVector<Value> {
        Value gradLse = b.castFloat(args[0], b.getF64Type());
        return {arith::SubFOp::create(b, args[1], gradLse)};
      });
}

/// dS_ij = A_ij (g_ij P_ij - D_i + grad_lse_i).
Value AttentionGradBuilder::logitGradients(Value probs, Value products,
                                           Value rows) {
  SmallVector<Operand> inputs = {
      whole(probs), whole(products), {rows, b.map(4, {0, 1, 2})}, end(4)};
  if (op.isGated())
    llvm::append_range(inputs, gateOperands());
  return newMatrix(
      inputs, [&](DenseBuilder &b, ValueRange args) -> SmallVector<Value> {
        Value product = args[1];
        if (op.isGated())
          product = mul(b, product, gate(b, args[4], args[5]));
        Value difference = arith::SubFOp::create(b, product, args[2]);
        return {onlyIf(b, isVisible(b, args[3]), mul(b, args[0], difference))};
      });
}

/// The gradients of query_i . key_j: scale dS_ij, times g_ij for key_value.
Value AttentionGradBuilder::dotGradients(Value logitGrads) {
  SmallVector<Operand> inputs = {whole(logitGrads)};
  if (gatesKeys)
    llvm::append_range(inputs, gateOperands());
  return newMatrix(
      inputs, [&](DenseBuilder &b, ValueRange args) -> SmallVector<Value> {
        Value gradient = mul(b, args[0], b.f64(op.getScaleValue()));
        if (gatesKeys)
          gradient = mul(b, gradient, gate(b, args[1], args[2]));
        return {gradient};
      });
}

/// A_ij g_ij.
Value AttentionGradBuilder::valueWeights(Value probs) {
  if (!op.isGated())
    return probs;
  SmallVector<Operand> inputs = {whole(probs)};
  llvm::append_range(inputs, gateOperands());
  return newMatrix(inputs,
                   [&](DenseBuilder &b, ValueRange args) -> SmallVector<Value> {
                     return {mul(b, args[0], gate(b, args[1], args[2]))};
                   });
}

/// s_ij dg_ij, with dg_ij = A_ij P_ij (key_value: + scale dS_ij dot_ij).
Value AttentionGradBuilder::gateGradients(Value probs, Value products,
                                          Value logitGrads, Value dots) {
  SmallVector<Operand> inputs = {whole(probs), whole(products),
                                 whole(logitGrads), whole(dots), end(4)};
  llvm::append_range(inputs, gateOperands());
  return newMatrix(
      inputs, [&](DenseBuilder &b, ValueRange args) -> SmallVector<Value> {
        Value gradient = mul(b, args[0], args[1]);
        if (gatesKeys) {
          Value viaLogit =
              mul(b, mul(b, args[2], args[3]), b.f64(op.getScaleValue()));
          gradient = add(b, gradient, viaLogit);
        }
        Value isOld = arith::XOrIOp::create(b, isRecent(b),
                                            b.constant(b.getBoolAttr(true)));
        Value follows =
            arith::AndIOp::create(b, isOld, followsTau(b, args[5], args[6]));
        Value counts = arith::AndIOp::create(b, follows, isVisible(b, args[4]));
        return {onlyIf(b, counts, gradient)};
      });
}

//===----------------------------------------------------------------------===//
// Sums
//===----------------------------------------------------------------------===//

/// sum_j matrix_ij row_j, [B, Hq, Nq, e].
Value AttentionGradBuilder::sumOverKeys(Value matrix, Value keyRows) {
  SmallVector<OpFoldResult> resultSizes = sizes;
  resultSizes[3] = tensor::getMixedSize(b, op.getLoc(), keyRows, 3);
  Value zeros = b.filled(resultSizes, b.getF64FloatAttr(0.0));
  auto body = [&](DenseBuilder &b, ValueRange args) -> SmallVector<Value> {
    Value term = mul(b, args[0], b.castFloat(args[1], b.getF64Type()));
    return {add(b, args[3], onlyIf(b, isVisible(b, args[2]), term))};
  };
  return b
      .loops({parallel, parallel, parallel, reduction, parallel},
             {{matrix, b.map(5, {0, 1, 2, 3})},
              {keyRows, kvMap(5, {3, 4})},
              end(5)},
             {{zeros, b.map(5, {0, 1, 2, 4})}}, body)
      .front();
}

/// sum_i matrix_ij row_i, [B, Hq, Nk, e].
Value AttentionGradBuilder::sumOverQueries(Value matrix, Value queryRows) {
  SmallVector<OpFoldResult> resultSizes = sizes;
  resultSizes[2] = sizes[3];
  resultSizes[3] = tensor::getMixedSize(b, op.getLoc(), queryRows, 3);
  Value zeros = b.filled(resultSizes, b.getF64FloatAttr(0.0));
  auto body = [&](DenseBuilder &b, ValueRange args) -> SmallVector<Value> {
    Value term = mul(b, args[0], b.castFloat(args[1], b.getF64Type()));
    return {add(b, args[3], onlyIf(b, isVisible(b, args[2]), term))};
  };
  return b
      .loops({parallel, parallel, reduction, parallel, parallel},
             {{matrix, b.map(5, {0, 1, 2, 3})},
              {queryRows, b.map(5, {0, 1, 2, 4})},
              end(5)},
             {{zeros, b.map(5, {0, 1, 3, 4})}}, body)
      .front();
}

/// The sum over the one loop of b, h, r, j that `kept` leaves out.
Value AttentionGradBuilder::sumOfMatrix(Value matrix, ArrayRef<unsigned> kept) {
  SmallVector<utils::IteratorType> iterators(4, reduction);
  SmallVector<OpFoldResult> resultSizes;
  for (unsigned loop : kept) {
    iterators[loop] = parallel;
    resultSizes.push_back(sizes[loop]);
  }
  Value zeros = b.filled(resultSizes, b.getF64FloatAttr(0.0));
  auto body = [](DenseBuilder &b, ValueRange args) -> SmallVector<Value> {
    return {add(b, args[0], args[1])};
  };
  return b.loops(iterators, {whole(matrix)}, {{zeros, b.map(4, kept)}}, body)
      .front();
}

/// [B, Hq, ...] to [B, Hkv, ...]: the sum over the query heads of every group.
Value AttentionGradBuilder::sumOfGroup(Value perHead) {
  Location loc = op.getLoc();
  int64_t group = operands.group;
  SmallVector<OpFoldResult> expanded = tensor::getMixedSizes(b, loc, perHead);
  SmallVector<ReassociationIndices> reassociation = {{0}, {1, 2}};
  unsigned rank = expanded.size();
  for (unsigned dim = 2; dim < rank; ++dim)
    reassociation.push_back({dim + 1});
  expanded[1] = affine::makeComposedFoldedAffineApply(
      b, loc, b.getAffineDimExpr(0).floorDiv(group), {expanded[1]});
  expanded.insert(expanded.begin() + 2, b.getIndexAttr(group));
  SmallVector<int64_t> shape = decomposeMixedValues(expanded).first;
  Value grouped = tensor::ExpandShapeOp::create(
      b, RankedTensorType::get(shape, b.getF64Type()), perHead, reassociation,
      expanded);

  SmallVector<OpFoldResult> resultSizes = expanded;
  resultSizes.erase(resultSizes.begin() + 2);
  Value zeros = b.filled(resultSizes, b.getF64FloatAttr(0.0));
  SmallVector<utils::IteratorType> iterators(rank + 1, parallel);
  iterators[2] = reduction;
  AffineMap identity = b.getMultiDimIdentityMap(rank + 1);
  auto body = [](DenseBuilder &b, ValueRange args) -> SmallVector<Value> {
    return {add(b, args[0], args[1])};
  };
  return b
      .loops(iterators, {{grouped, identity}},
             {{zeros, identity.dropResult(2)}}, body)
      .front();
}

//===----------------------------------------------------------------------===//
// Results
//===----------------------------------------------------------------------===//

/// grad_scores_j = sum_i s_ij dg_ij and grad_tau_i = - sum_j s_ij dg_ij, 0 at
/// positions without a query.
SmallVector<Value> AttentionGradBuilder::gateResults(Value gateGrads) {
  Value perKey = sumOfGroup(sumOfMatrix(gateGrads, {0, 1, 3}));
  Value perQuery = sumOfGroup(sumOfMatrix(gateGrads, {0, 1, 2}));
  Value negated = b.elementwise(
      {}, perQuery, [](DenseBuilder &b, ValueRange args) -> SmallVector<Value> {
        return {arith::SubFOp::create(b, b.f64(0.0), args[0])};
      });
  Value perPosition = alignAtEnd(b, negated, sizes[2], sizes[3], b.f64(0.0));
  return {b.truncated(perKey, op.getGradScores()),
          b.truncated(perPosition, op.getGradTau())};
}

SmallVector<Value> AttentionGradBuilder::build() {
  Value dots = dotProducts(op.getQuery(), op.getKey());
  Value products = dotProducts(op.getGradOutput(), op.getValue());
  Value probs = probabilities(dots);
  Value logitGrads = logitGradients(probs, products, rowTerms());
  Value dotGrads = dotGradients(logitGrads);
  Value query = sumOverKeys(dotGrads, op.getKey());
  Value key = sumOfGroup(sumOverQueries(dotGrads, op.getQuery()));
  Value value =
      sumOfGroup(sumOverQueries(valueWeights(probs), op.getGradOutput()));
  SmallVector<Value> results = {b.truncated(query, op.getGradQuery()),
                                b.truncated(key, op.getGradKey()),
                                b.truncated(value, op.getGradValue())};
  if (op.isGated())
    llvm::append_range(
        results, gateResults(gateGradients(probs, products, logitGrads, dots)));
  return results;
}

namespace {

/// sparsek.sparse_attention_grad ins(%q, %k, %v, %end, %o, %lse, %do) outs(..)
/// becomes, in f64,
///   %dots = linalg.generic q . k                          (b, h, r, j, e)
///   %P = linalg.generic do . v                            (b, h, r, j, e)
///   %A = linalg.generic visible ? exp(logit - lse) : 0    (b, h, r, j)
///   %D = linalg.generic do . o, less grad_lse             (b, h, r, e)
///   %dS = linalg.generic A * (gate * P - D)               (b, h, r, j)
///   %dq = linalg.generic scale * %dS . k                  (b, h, r, j, e)
///   %dk, %dv = linalg.generic sums over the queries       (b, h, r, j, e),
///              and over the heads of a group              (b, h, g, j, e)
///   and, gated, the sums of s * dg over the queries and over the keys
struct SparseAttentionGradToLinalg : OpRewritePattern<SparseAttentionGradOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(SparseAttentionGradOp op,
                                PatternRewriter &rewriter) const override {
    if (!op.hasPureTensorSemantics())
      return rewriter.notifyMatchFailure(op, "not on tensors");
    DenseBuilder b(op.getLoc(), rewriter);
    rewriter.replaceOp(op, AttentionGradBuilder(b, op).build());
    return success();
  }
};

} // namespace

void sparsek::populateAttentionGradientToLinalgPatterns(
    RewritePatternSet &patterns) {
  patterns.add<SparseAttentionGradToLinalg>(patterns.getContext());
}
