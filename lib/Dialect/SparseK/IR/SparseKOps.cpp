//===- SparseKOps.cpp - Verifiers and interfaces of the ops ---------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sparsek/Dialect/SparseK/IR/SparseK.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <cmath>
#include <limits>

using namespace mlir;
using namespace mlir::sparsek;

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
// Verification helpers. Messages name the operand, what it is and what it
// should be, and end in the label of the constraint in the op's description.
//===----------------------------------------------------------------------===//

namespace {

/// An operand with the name it has in the op's description.
struct Named {
  StringRef name;
  Value value;

  ShapedType type() const { return cast<ShapedType>(value.getType()); }
  int64_t dim(int64_t index) const { return type().getDimSize(index); }
};

LogicalResult verifyRank(Operation *op, Named operand, int64_t rank,
                         StringRef label) {
  if (operand.type().hasRank() && operand.type().getRank() == rank)
    return success();
  return op->emitOpError() << "operand '" << operand.name << "' has type "
                           << operand.value.getType() << ", expected rank "
                           << rank << " (" << label << ")";
}

LogicalResult verifySameElementType(Operation *op, Named a, Named b,
                                    StringRef label) {
  if (a.type().getElementType() == b.type().getElementType())
    return success();
  return op->emitOpError() << "operand '" << b.name << "' has element type "
                           << b.type().getElementType() << ", expected "
                           << a.type().getElementType() << " as operand '"
                           << a.name << "' (" << label << ")";
}

/// Dimension `aDim` of `a` and `bDim` of `b` agree where both are static.
LogicalResult verifySameDim(Operation *op, Named a, int64_t aDim, Named b,
                            int64_t bDim, StringRef label) {
  if (succeeded(verifyCompatibleDims({a.dim(aDim), b.dim(bDim)})))
    return success();
  return op->emitOpError() << "operand '" << b.name << "' has size "
                           << b.dim(bDim) << " in dimension " << bDim
                           << ", expected " << a.dim(aDim) << " as dimension "
                           << aDim << " of operand '" << a.name << "' ("
                           << label << ")";
}

LogicalResult verifyAtLeast(Operation *op, StringRef name, int64_t value,
                            int64_t minimum, StringRef label) {
  if (value >= minimum)
    return success();
  return op->emitOpError() << "attribute '" << name << "' is " << value
                           << ", expected at least " << minimum << " (" << label
                           << ")";
}

/// All operands are tensors, with one result of the same type per destination,
/// or all are memrefs, without results.
LogicalResult verifySemantics(DestinationStyleOpInterface op, StringRef label) {
  bool isTensor = op.hasPureTensorSemantics();
  if (!isTensor && !op.hasPureBufferSemantics())
    return op->emitOpError()
           << "expected all operands to be tensors or all to be memrefs ("
           << label << ")";
  auto inits = op.getDpsInits();
  size_t expected = isTensor ? inits.size() : 0;
  if (op->getNumResults() != expected)
    return op->emitOpError()
           << "has " << op->getNumResults() << " results, expected " << expected
           << " (" << label << ")";
  for (auto [index, result] : llvm::enumerate(op->getResults()))
    if (result.getType() != inits[index].getType())
      return op->emitOpError()
             << "result " << index << " has type " << result.getType()
             << ", expected the type of its destination "
             << inits[index].getType() << " (" << label << ")";
  return success();
}

/// Reads of the inputs and writes of the destinations of an op on memrefs.
void getBufferEffects(
    DestinationStyleOpInterface op,
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>
        &effects) {
  for (OpOperand &operand : op->getOpOperands()) {
    if (!isa<MemRefType>(operand.get().getType()))
      continue;
    if (op.isDpsInit(&operand))
      effects.emplace_back(MemoryEffects::Write::get(), &operand);
    else
      effects.emplace_back(MemoryEffects::Read::get(), &operand);
  }
}

/// On tensors an op only computes; on memrefs it writes.
Speculation::Speculatability
getTensorSpeculatability(DestinationStyleOpInterface op) {
  return op.hasPureTensorSemantics() ? Speculation::Speculatable
                                     : Speculation::NotSpeculatable;
}

/// The shape of every result is that of its destination.
LogicalResult reifyFromInits(OpBuilder &builder, DestinationStyleOpInterface op,
                             ReifiedRankedShapedTypeDims &shapes) {
  for (Value init : op.getDpsInits())
    if (isa<RankedTensorType>(init.getType()))
      shapes.push_back(tensor::getMixedSizes(builder, op->getLoc(), init));
  return success();
}

} // namespace

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

int64_t SparseAttentionOp::getGroupSize() {
  if (std::optional<int64_t> group = getGroup())
    return *group;
  return cast<ShapedType>(getQuery().getType()).getDimSize(1) /
         cast<ShapedType>(getKey().getType()).getDimSize(1);
}

double SparseAttentionOp::getScaleValue() {
  if (std::optional<APFloat> scale = getScale())
    return scale->convertToDouble();
  return 1.0 / std::sqrt(static_cast<double>(getHeadDim()));
}

/// (C4): the head dimensions are static, positive and agree.
static LogicalResult verifyHeadDims(Operation *op, Named query, Named key,
                                    Named value, Named output) {
  for (Named operand : {query, key, value, output})
    if (operand.type().isDynamicDim(3) || operand.dim(3) < 1)
      return op->emitOpError() << "operand '" << operand.name << "' has type "
                               << operand.value.getType()
                               << ", expected a static positive head dimension "
                                  "(C4)";
  return success(succeeded(verifySameDim(op, query, 3, key, 3, "C4")) &&
                 succeeded(verifySameDim(op, value, 3, output, 3, "C4")));
}

/// (C5): `perKey` agree with the key on B, Hkv and Nk; the query agrees with it
/// on B, and `perQuery` with the query on B, Hq and Nq.
static LogicalResult verifySizes(Operation *op, Named query, Named key,
                                 ArrayRef<Named> perQuery,
                                 ArrayRef<Named> perKey) {
  if (failed(verifySameDim(op, query, 0, key, 0, "C5")))
    return failure();
  for (int64_t dim = 0; dim < 3; ++dim) {
    for (Named operand : perKey)
      if (failed(verifySameDim(op, key, dim, operand, dim, "C5")))
        return failure();
    for (Named operand : perQuery)
      if (failed(verifySameDim(op, query, dim, operand, dim, "C5")))
        return failure();
  }
  return success();
}

/// (C6): the group size is known and consistent with the head counts.
static LogicalResult verifyGroup(SparseAttentionOp op, int64_t queryHeads,
                                 int64_t kvHeads) {
  std::optional<int64_t> group = op.getGroup();
  if (group && *group < 1)
    return op.emitOpError()
           << "attribute 'group' is " << *group << ", expected at least 1 (C6)";
  bool hasQueryHeads = !ShapedType::isDynamic(queryHeads);
  bool hasKvHeads = !ShapedType::isDynamic(kvHeads);
  if (!group && !(hasQueryHeads && hasKvHeads))
    return op.emitOpError() << "attribute 'group' is missing, expected Hq / "
                               "Hkv where a head count is dynamic (C6)";
  if (hasQueryHeads && hasKvHeads &&
      (kvHeads < 1 || queryHeads < 1 || queryHeads % kvHeads != 0))
    return op.emitOpError() << "operand 'query' has " << queryHeads
                            << " heads, expected a positive multiple of the "
                            << kvHeads << " heads of operand 'key' (C6)";
  if (!group)
    return success();
  if (hasQueryHeads && hasKvHeads && *group != queryHeads / kvHeads)
    return op.emitOpError()
           << "attribute 'group' is " << *group
           << ", expected Hq / Hkv = " << queryHeads / kvHeads << " (C6)";
  if (hasQueryHeads && queryHeads % *group != 0)
    return op.emitOpError() << "attribute 'group' is " << *group
                            << ", expected a divisor of the " << queryHeads
                            << " heads of operand 'query' (C6)";
  return success();
}

/// (C7): scores and tau come together, and always where gated.
static LogicalResult verifyGateOperands(SparseAttentionOp op) {
  bool hasScores = static_cast<bool>(op.getScores());
  bool hasTau = static_cast<bool>(op.getTau());
  if (hasScores && hasTau)
    return success();
  StringRef missing = hasScores ? "tau" : "scores";
  if (op.isGated())
    return op.emitOpError()
           << "operand '" << missing << "' is missing, expected with gate '"
           << stringifyGate(op.getGate()) << "' (C7)";
  if (hasScores != hasTau)
    return op.emitOpError()
           << "operand '" << missing << "' is missing, expected with operand '"
           << (hasScores ? "scores" : "tau") << "' (C7)";
  return success();
}

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
  if (getScale() && !getScale()->isFinite())
    return emitOpError() << "attribute 'scale' is " << getScaleAttr()
                         << ", expected a finite number (C8)";
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
