//===- SparseKGradOps.cpp - Verifiers and interfaces of the gradients -----===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "OpVerifiers.h"

#include "sparsek/Dialect/SparseK/IR/SparseK.h"

using namespace mlir;
using namespace mlir::sparsek;
using namespace mlir::sparsek::verify;

/// `operand` has the shape of `model`, and its element type if `sameElement`.
static LogicalResult verifyLike(Operation *op, Named model, Named operand,
                                bool sameElement, StringRef label) {
  if (failed(verifyRank(op, operand, model.type().getRank(), label)) ||
      (sameElement && failed(verifySameElementType(op, model, operand, label))))
    return failure();
  for (int64_t dim = 0; dim < model.type().getRank(); ++dim)
    if (failed(verifySameDim(op, model, dim, operand, dim, label)))
      return failure();
  return success();
}

//===----------------------------------------------------------------------===//
// TopkMaskGradOp
//===----------------------------------------------------------------------===//

LogicalResult TopkMaskGradOp::verify() {
  Named scores{"scores", getScores()};
  if (!scores.type().hasRank() || scores.type().getRank() < 1)
    return emitOpError() << "operand 'scores' has type "
                         << getScores().getType()
                         << ", expected rank at least 1 (C1)";
  for (Named operand : {Named{"grad_mask", getGradMask()},
                        Named{"grad_scores", getGradScores()}})
    if (failed(verifyLike(*this, scores, operand, /*sameElement=*/true, "C2")))
      return failure();
  SmallVector<Named> perRow = {{"tau", getTau()}};
  if (getGradTau())
    perRow.push_back({"grad_tau", getGradTau()});
  int64_t rank = scores.type().getRank();
  for (Named operand : perRow) {
    if (failed(verifyRank(*this, operand, rank - 1, "C3")))
      return failure();
    for (int64_t dim = 0; dim + 1 < rank; ++dim)
      if (failed(verifySameDim(*this, scores, dim, operand, dim, "C3")))
        return failure();
  }
  return verifySemantics(*this, "C4");
}

//===----------------------------------------------------------------------===//
// CausalTopkMaskGradOp
//===----------------------------------------------------------------------===//

LogicalResult CausalTopkMaskGradOp::verify() {
  Named scores{"scores", getScores()};
  if (failed(verifyAtLeast(*this, "window", getWindow(), 0, "C1")) ||
      failed(verifyRank(*this, scores, 3, "C2")))
    return failure();
  for (Named operand :
       {Named{"tau", getTau()}, Named{"free", getFree()},
        Named{"grad_tau", getGradTau()}, Named{"grad_scores", getGradScores()}})
    if (failed(verifyLike(*this, scores, operand, /*sameElement=*/false, "C3")))
      return failure();
  return verifySemantics(*this, "C4");
}

//===----------------------------------------------------------------------===//
// SparseAttentionGradOp
//===----------------------------------------------------------------------===//

int64_t SparseAttentionGradOp::getGroupSize() { return groupSize(*this); }

double SparseAttentionGradOp::getScaleValue() { return scaleValue(*this); }

/// (C10): the gradients of scores and tau come together, exactly where gated.
static LogicalResult verifyGateGradients(SparseAttentionGradOp op) {
  for (auto [name, value] : {std::pair{"grad_scores", op.getGradScores()},
                             std::pair{"grad_tau", op.getGradTau()}})
    if (static_cast<bool>(value) != op.isGated())
      return op.emitOpError()
             << "operand '" << name << "' is " << (value ? "there" : "missing")
             << ", expected it exactly when "
             << "gated, with gate '" << stringifyGate(op.getGate())
             << "' (C10)";
  return success();
}

/// (C9) and (C10): every gradient looks like what it is the gradient of.
static LogicalResult verifyGradients(SparseAttentionGradOp op) {
  Named query{"query", op.getQuery()}, key{"key", op.getKey()},
      value{"value", op.getValue()}, output{"output", op.getOutput()},
      end{"end", op.getEnd()}, lse{"lse", op.getLse()};
  SmallVector<std::tuple<Named, Named, bool, StringRef>> pairs = {
      {output, {"grad_output", op.getGradOutput()}, true, "C9"},
      {query, {"grad_query", op.getGradQuery()}, true, "C9"},
      {key, {"grad_key", op.getGradKey()}, true, "C9"},
      {value, {"grad_value", op.getGradValue()}, true, "C9"}};
  if (op.getGradLse())
    pairs.push_back({lse, {"grad_lse", op.getGradLse()}, true, "C9"});
  if (op.isGated()) {
    pairs.push_back({end, {"grad_scores", op.getGradScores()}, false, "C10"});
    pairs.push_back({end, {"grad_tau", op.getGradTau()}, false, "C10"});
  }
  for (auto [model, gradient, sameElement, label] : pairs)
    if (failed(verifyLike(op, model, gradient, sameElement, label)))
      return failure();
  return success();
}

LogicalResult SparseAttentionGradOp::verify() {
  Named query{"query", getQuery()}, key{"key", getKey()},
      value{"value", getValue()}, output{"output", getOutput()},
      end{"end", getEnd()}, lse{"lse", getLse()};
  if (failed(verifyAtLeast(*this, "window", getWindow(), 0, "C1")) ||
      failed(verifyGateOperands(*this)))
    return failure();
  SmallVector<Named> perToken = {end, lse};
  if (getScores())
    perToken.append({{"scores", getScores()}, {"tau", getTau()}});
  for (Named operand : {query, key, value, output})
    if (failed(verifyRank(*this, operand, 4, "C2")) ||
        failed(verifySameElementType(*this, query, operand, "C3")))
      return failure();
  for (Named operand : perToken)
    if (failed(verifyRank(*this, operand, 3, "C2")))
      return failure();
  SmallVector<Named> perKey = {value, end};
  perKey.append(perToken.begin() + 2, perToken.end());
  if (failed(verifyHeadDims(*this, query, key, value, output)) ||
      failed(verifySizes(*this, query, key, {output, lse}, perKey)) ||
      failed(verifyGroup(*this, query.dim(1), key.dim(1))) ||
      failed(verifyScale(*this)) || failed(verifyGateGradients(*this)) ||
      failed(verifyGradients(*this)))
    return failure();
  return verifySemantics(*this, "C11");
}

//===----------------------------------------------------------------------===//
// TopkMaskGradOp: interfaces
//===----------------------------------------------------------------------===//

Speculation::Speculatability TopkMaskGradOp::getSpeculatability() {
  return getTensorSpeculatability(*this);
}

void TopkMaskGradOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>
        &effects) {
  getBufferEffects(*this, effects);
}

LogicalResult
TopkMaskGradOp::reifyResultShapes(OpBuilder &builder,
                                  ReifiedRankedShapedTypeDims &shapes) {
  return reifyFromInits(builder, *this, shapes);
}

//===----------------------------------------------------------------------===//
// CausalTopkMaskGradOp: interfaces
//===----------------------------------------------------------------------===//

Speculation::Speculatability CausalTopkMaskGradOp::getSpeculatability() {
  return getTensorSpeculatability(*this);
}

void CausalTopkMaskGradOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>
        &effects) {
  getBufferEffects(*this, effects);
}

LogicalResult
CausalTopkMaskGradOp::reifyResultShapes(OpBuilder &builder,
                                        ReifiedRankedShapedTypeDims &shapes) {
  return reifyFromInits(builder, *this, shapes);
}

//===----------------------------------------------------------------------===//
// SparseAttentionGradOp: interfaces
//===----------------------------------------------------------------------===//

Speculation::Speculatability SparseAttentionGradOp::getSpeculatability() {
  return getTensorSpeculatability(*this);
}

void SparseAttentionGradOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>
        &effects) {
  getBufferEffects(*this, effects);
}

LogicalResult
SparseAttentionGradOp::reifyResultShapes(OpBuilder &builder,
                                         ReifiedRankedShapedTypeDims &shapes) {
  return reifyFromInits(builder, *this, shapes);
}
