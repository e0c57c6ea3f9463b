//===- TileOps.cpp - Verifiers of the tile dialect -----------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sparsek/Dialect/Tile/IR/Tile.h"

#include "mlir/IR/Builders.h"

#define GET_OP_CLASSES
#include "sparsek/Dialect/Tile/IR/TileOps.cpp.inc"

using namespace mlir;
using namespace mlir::sparsek::tile;

//===----------------------------------------------------------------------===//
// Roles
//===----------------------------------------------------------------------===//

LogicalResult RolesOp::verify() {
  for (Operation &op : getBody().front())
    if (!isa<RoleOp>(op))
      return op.emitOpError("in 'tile.roles', expected only 'tile.role'");
  return success();
}

LogicalResult RoleOp::verify() {
  if (getGroupWarps() != 1 && getGroupWarps() != 4)
    return emitOpError("expected groups of 1 or 4 warps, got ")
           << getGroupWarps();
  if (getWarps() <= 0 || getWarps() % getGroupWarps())
    return emitOpError("expected warps to be a positive multiple of ")
           << getGroupWarps() << ", got " << getWarps();
  if (!getRegisters())
    return success();
  int64_t registers = *getRegisters();
  if (registers < 24 || registers > 256 || registers % 8)
    return emitOpError(
               "expected registers to be a multiple of 8 from 24 to 256, got ")
           << registers;
  if (getWarps() % 4)
    return emitOpError("expected whole warpgroups where registers are given");
  return success();
}

//===----------------------------------------------------------------------===//
// Shared memory and copies
//===----------------------------------------------------------------------===//

LogicalResult SlotOp::inferReturnTypes(MLIRContext *,
                                       std::optional<Location> location,
                                       SlotOp::Adaptor adaptor,
                                       SmallVectorImpl<Type> &types) {
  auto source = cast<SharedType>(adaptor.getSource().getType());
  if (source.getRank() < (source.getSwizzled() ? 3 : 2))
    return emitOptionalError(location,
                             "'tile.slot' op expected several slots,"
                             " got ",
                             source);
  types.push_back(source.getSlotType());
  return success();
}

LogicalResult GatherOp::verify() {
  auto source = cast<MemRefType>(getSource().getType());
  SharedType slot = getSlot().getType();
  if (!slot.getSwizzled() || slot.getRank() != 2)
    return emitOpError("expected slot to be a swizzled matrix, got ") << slot;
  if (slot.getElementType() != source.getElementType() ||
      source.getShape().back() != slot.getShape().back())
    return emitOpError("expected rows of source and slot to agree, got ")
           << source << " and " << slot;
  if (static_cast<int64_t>(getIndices().size()) != source.getRank() - 1)
    return emitOpError("expected ")
           << source.getRank() - 1 << " index vectors, got "
           << getIndices().size();
  return success();
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

LogicalResult MmaOp::verify() {
  if (!isa<VectorType, SharedType>(getA().getType()))
    return emitOpError("expected a to be a vector or in shared memory, got ")
           << getA().getType();
  if (getARow() && !isa<SharedType>(getA().getType()))
    return emitOpError("expected rows only where a is in shared memory");
  if (getAccumulate() && getOverwrite())
    return emitOpError("expected accumulate or overwrite, got both");
  SharedType b = getB().getType();
  if (!b.getSwizzled() || b.getRank() != 2)
    return emitOpError("expected b to be a swizzled matrix, got ") << b;
  auto acc = cast<VectorType>(getAcc().getType());
  if (acc.getRank() == 1)
    return success();
  int64_t depth = b.getShape()[getTransposeB() ? 1 : 0];
  int64_t columns = b.getShape()[getTransposeB() ? 0 : 1];
  if (acc.getRank() != 2 || acc.getShape()[1] != columns)
    return emitOpError("expected acc to have ")
           << columns << " columns as b, got " << acc;
  if (auto a = dyn_cast<VectorType>(getA().getType()))
    if (a.getRank() != 2 || a.getShape()[1] != depth ||
        a.getShape()[0] != acc.getShape()[0])
      return emitOpError("expected a to be ")
             << acc.getShape()[0] << " x " << depth << ", got " << a;
  return success();
}

LogicalResult MmaWaitOp::inferReturnTypes(MLIRContext *,
                                          std::optional<Location>,
                                          MmaWaitOp::Adaptor adaptor,
                                          SmallVectorImpl<Type> &types) {
  llvm::append_range(types, adaptor.getValues().getTypes());
  return success();
}

LogicalResult PinOp::inferReturnTypes(MLIRContext *, std::optional<Location>,
                                      PinOp::Adaptor adaptor,
                                      SmallVectorImpl<Type> &types) {
  llvm::append_range(types, adaptor.getValues().getTypes());
  return success();
}
