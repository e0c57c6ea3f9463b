//===- OpVerifiers.h - What the ops' verifiers share -------------*- C++
//-*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Messages name the operand, what it is and what it should be, and end in the
// label of the constraint in the op's description.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEK_LIB_DIALECT_SPARSEK_IR_OPVERIFIERS_H
#define SPARSEK_LIB_DIALECT_SPARSEK_IR_OPVERIFIERS_H

#include "sparsek/Dialect/SparseK/IR/SparseK.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/TypeUtilities.h"

#include <cmath>

namespace mlir::sparsek::verify {

/// An operand with the name it has in the op's description.
struct Named {
  StringRef name;
  Value value;

  ShapedType type() const { return cast<ShapedType>(value.getType()); }
  int64_t dim(int64_t index) const { return type().getDimSize(index); }
};

inline LogicalResult verifyRank(Operation *op, Named operand, int64_t rank,
                                StringRef label) {
  if (operand.type().hasRank() && operand.type().getRank() == rank)
    return success();
  return op->emitOpError() << "operand '" << operand.name << "' has type "
                           << operand.value.getType() << ", expected rank "
                           << rank << " (" << label << ")";
}

inline LogicalResult verifySameElementType(Operation *op, Named a, Named b,
                                           StringRef label) {
  if (a.type().getElementType() == b.type().getElementType())
    return success();
  return op->emitOpError() << "operand '" << b.name << "' has element type "
                           << b.type().getElementType() << ", expected "
                           << a.type().getElementType() << " as operand '"
                           << a.name << "' (" << label << ")";
}

/// Dimension `aDim` of `a` and `bDim` of `b` agree where both are static.
inline LogicalResult verifySameDim(Operation *op, Named a, int64_t aDim,
                                   Named b, int64_t bDim, StringRef label) {
  if (succeeded(verifyCompatibleDims({a.dim(aDim), b.dim(bDim)})))
    return success();
  return op->emitOpError() << "operand '" << b.name << "' has size "
                           << b.dim(bDim) << " in dimension " << bDim
                           << ", expected " << a.dim(aDim) << " as dimension "
                           << aDim << " of operand '" << a.name << "' ("
                           << label << ")";
}

inline LogicalResult verifyAtLeast(Operation *op, StringRef name, int64_t value,
                                   int64_t minimum, StringRef label) {
  if (value >= minimum)
    return success();
  return op->emitOpError() << "attribute '" << name << "' is " << value
                           << ", expected at least " << minimum << " (" << label
                           << ")";
}

/// All operands are tensors, with one result of the same type per destination,
/// or all are memrefs, without results.
inline LogicalResult verifySemantics(DestinationStyleOpInterface op,
                                     StringRef label) {
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
inline void getBufferEffects(
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
inline Speculation::Speculatability
getTensorSpeculatability(DestinationStyleOpInterface op) {
  return op.hasPureTensorSemantics() ? Speculation::Speculatable
                                     : Speculation::NotSpeculatable;
}

/// The shape of every result is that of its destination.
inline LogicalResult reifyFromInits(OpBuilder &builder,
                                    DestinationStyleOpInterface op,
                                    ReifiedRankedShapedTypeDims &shapes) {
  for (Value init : op.getDpsInits())
    if (isa<RankedTensorType>(init.getType()))
      shapes.push_back(tensor::getMixedSizes(builder, op->getLoc(), init));
  return success();
}

//===----------------------------------------------------------------------===//
// Attention and its gradient
//===----------------------------------------------------------------------===//

template <typename AttentionOp> int64_t groupSize(AttentionOp op) {
  if (std::optional<int64_t> group = op.getGroup())
    return *group;
  return cast<ShapedType>(op.getQuery().getType()).getDimSize(1) /
         cast<ShapedType>(op.getKey().getType()).getDimSize(1);
}

template <typename AttentionOp> double scaleValue(AttentionOp op) {
  if (std::optional<APFloat> scale = op.getScale())
    return scale->convertToDouble();
  return 1.0 / std::sqrt(static_cast<double>(op.getHeadDim()));
}

/// (C8)
template <typename AttentionOp> LogicalResult verifyScale(AttentionOp op) {
  if (!op.getScale() || op.getScale()->isFinite())
    return success();
  return op.emitOpError() << "attribute 'scale' is " << op.getScaleAttr()
                          << ", expected a finite number (C8)";
}

/// (C4): the head dimensions are static, positive and agree.
inline LogicalResult verifyHeadDims(Operation *op, Named query, Named key,
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
inline LogicalResult verifySizes(Operation *op, Named query, Named key,
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
template <typename AttentionOp>
LogicalResult verifyGroup(AttentionOp op, int64_t queryHeads, int64_t kvHeads) {
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
template <typename AttentionOp>
LogicalResult verifyGateOperands(AttentionOp op) {
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

} // namespace mlir::sparsek::verify

#endif // SPARSEK_LIB_DIALECT_SPARSEK_IR_OPVERIFIERS_H
