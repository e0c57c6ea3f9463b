//===- SparseKOps.cpp - Verifiers and interfaces of the ops ---------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "OpVerifiers.h"

#include "sparsek/Dialect/SparseK/IR/SparseK.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <limits>

using namespace mlir;
using namespace mlir::sparsek;
using namespace mlir::sparsek::verify;

/// The keyword of a gate, without the spaces that an enum attribute prints.
static ParseResult parseGate(OpAsmParser &parser, GateAttr &gate) {
  StringRef keyword;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseKeyword(&keyword))
    return failure();
  std::optional<Gate> value = symbolizeGate(keyword);
  if (!value)
    return parser.emitError(loc)
           << "expected gate 'none', 'value' or 'key_value', got '" << keyword
           << "'";
  gate = GateAttr::get(parser.getContext(), *value);
  return success();
}

static void printGate(OpAsmPrinter &printer, Operation *, GateAttr gate) {
  printer << stringifyGate(gate.getValue());
}

#define GET_OP_CLASSES
#include "sparsek/Dialect/SparseK/IR/SparseKOps.cpp.inc"

//===----------------------------------------------------------------------===//
// TopkMaskOp
//===----------------------------------------------------------------------===//

LogicalResult TopkMaskOp::verify() {
  Named scores{"scores", getScores()}, mask{"mask", getMask()},
      tau{"tau", getTau()};
  if (failed(verifyAtLeast(*this, "topk", getTopk(), 1, "C1")))
    return failure();
  if (!scores.type().hasRank() || scores.type().getRank() < 1)
    return emitOpError() << "operand 'scores' has type "
                         << getScores().getType()
                         << ", expected rank at least 1 (C2)";
  int64_t rank = scores.type().getRank();
  if (failed(verifyRank(*this, mask, rank, "C3")) ||
      failed(verifySameElementType(*this, scores, mask, "C3")) ||
      failed(verifyRank(*this, tau, rank - 1, "C4")))
    return failure();
  for (int64_t i = 0; i < rank; ++i)
    if (failed(verifySameDim(*this, scores, i, mask, i, "C3")))
      return failure();
  for (int64_t i = 0; i + 1 < rank; ++i)
    if (failed(verifySameDim(*this, scores, i, tau, i, "C4")))
      return failure();
  return verifySemantics(*this, "C5");
}

Speculation::Speculatability TopkMaskOp::getSpeculatability() {
  return getTensorSpeculatability(*this);
}

void TopkMaskOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>
        &effects) {
  getBufferEffects(*this, effects);
}

LogicalResult
TopkMaskOp::reifyResultShapes(OpBuilder &builder,
                              ReifiedRankedShapedTypeDims &shapes) {
  return reifyFromInits(builder, *this, shapes);
}

//===----------------------------------------------------------------------===//
// CausalTopkMaskOp
//===----------------------------------------------------------------------===//

LogicalResult CausalTopkMaskOp::verify() {
  Named scores{"scores", getScores()};
  if (failed(verifyAtLeast(*this, "topk", getTopk(), 1, "C1")) ||
      failed(verifyAtLeast(*this, "window", getWindow(), 0, "C2")) ||
      failed(verifyRank(*this, scores, 3, "C3")))
    return failure();
  if (!scores.type().isDynamicDim(2) &&
      scores.dim(2) > std::numeric_limits<int32_t>::max())
    return emitOpError() << "operand 'scores' has " << scores.dim(2)
                         << " keys, expected a number that fits i32 (C3)";
  for (Named init : {Named{"end", getEnd()}, Named{"tau", getTau()},
                     Named{"free", getFree()}}) {
    if (failed(verifyRank(*this, init, 3, "C4")))
      return failure();
    for (int64_t i = 0; i < 3; ++i)
      if (failed(verifySameDim(*this, scores, i, init, i, "C4")))
        return failure();
  }
  return verifySemantics(*this, "C5");
}

Speculation::Speculatability CausalTopkMaskOp::getSpeculatability() {
  return getTensorSpeculatability(*this);
}

void CausalTopkMaskOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>
        &effects) {
  getBufferEffects(*this, effects);
}

LogicalResult
CausalTopkMaskOp::reifyResultShapes(OpBuilder &builder,
                                    ReifiedRankedShapedTypeDims &shapes) {
  return reifyFromInits(builder, *this, shapes);
}

//===----------------------------------------------------------------------===//
// SparseAttentionOp
//===----------------------------------------------------------------------===//

int64_t SparseAttentionOp::getGroupSize() { return verify::groupSize(*this); }

double SparseAttentionOp::getScaleValue() { return verify::scaleValue(*this); }

LogicalResult SparseAttentionOp::verify() {
  Named query{"query", getQuery()}, key{"key", getKey()},
      value{"value", getValue()}, output{"output", getOutput()},
      end{"end", getEnd()}, lse{"lse", getLse()};
  SmallVector<Named> perKey = {value, end};
  if (failed(verifyAtLeast(*this, "window", getWindow(), 0, "C1")) ||
      failed(verifyGateOperands(*this)))
    return failure();
  if (getScores())
    perKey.append({{"scores", getScores()}, {"tau", getTau()}});

  for (Named operand : {query, key, value, output})
    if (failed(verifyRank(*this, operand, 4, "C2")) ||
        failed(verifySameElementType(*this, query, operand, "C3")))
      return failure();
  SmallVector<Named> perToken(ArrayRef(perKey).drop_front());
  perToken.push_back(lse);
  for (Named operand : perToken)
    if (failed(verifyRank(*this, operand, 3, "C2")))
      return failure();

  if (failed(verifyHeadDims(*this, query, key, value, output)) ||
      failed(verifySizes(*this, query, key, {output, lse}, perKey)) ||
      failed(verifyGroup(*this, query.dim(1), key.dim(1))))
    return failure();
  if (failed(verifyScale(*this)))
    return failure();
  return verifySemantics(*this, "C9");
}

Speculation::Speculatability SparseAttentionOp::getSpeculatability() {
  return getTensorSpeculatability(*this);
}

void SparseAttentionOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>
        &effects) {
  getBufferEffects(*this, effects);
}

LogicalResult
SparseAttentionOp::reifyResultShapes(OpBuilder &builder,
                                     ReifiedRankedShapedTypeDims &shapes) {
  return reifyFromInits(builder, *this, shapes);
}

//===----------------------------------------------------------------------===//
// ScoreOp
//===----------------------------------------------------------------------===//

LogicalResult ScoreOp::verify() {
  Named x{"x", getX()}, weight{"weight", getWeight()}, bias{"bias", getBias()},
      slope{"slope", getSlope()}, scores{"scores", getScores()};
  if (failed(verifyRank(*this, x, 3, "C1")) ||
      failed(verifyRank(*this, weight, 2, "C1")) ||
      failed(verifyRank(*this, bias, 1, "C1")) ||
      failed(verifyRank(*this, slope, 1, "C1")) ||
      failed(verifyRank(*this, scores, 3, "C1")) ||
      failed(verifySameElementType(*this, x, weight, "C2")) ||
      failed(verifySameDim(*this, x, 2, weight, 1, "C3")) ||
      failed(verifySameDim(*this, weight, 0, bias, 0, "C3")) ||
      failed(verifySameDim(*this, weight, 0, slope, 0, "C3")) ||
      failed(verifySameDim(*this, x, 0, scores, 0, "C3")) ||
      failed(verifySameDim(*this, weight, 0, scores, 1, "C3")) ||
      failed(verifySameDim(*this, x, 1, scores, 2, "C3")))
    return failure();
  return verifySemantics(*this, "C4");
}

Speculation::Speculatability ScoreOp::getSpeculatability() {
  return getTensorSpeculatability(*this);
}

void ScoreOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>
        &effects) {
  getBufferEffects(*this, effects);
}

LogicalResult ScoreOp::reifyResultShapes(OpBuilder &builder,
                                         ReifiedRankedShapedTypeDims &shapes) {
  return reifyFromInits(builder, *this, shapes);
}
