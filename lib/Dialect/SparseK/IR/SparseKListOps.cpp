//===- SparseKListOps.cpp - Verifiers and interfaces of list ops ----------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "OpVerifiers.h"

#include "sparsek/Dialect/SparseK/IR/SparseK.h"

#include <limits>

using namespace mlir;
using namespace mlir::sparsek;
using namespace mlir::sparsek::verify;

/// What lists are padded to.
static constexpr int64_t kListMultiple = 4;

LogicalResult LiveListsOp::verify() {
  Named end{"end", getEnd()}, start{"start", getStart()},
      count{"count", getCount()}, list{"list", getList()};
  constexpr int64_t maxI32 = std::numeric_limits<int32_t>::max();
  auto tile = static_cast<int64_t>(getTile());
  if (failed(verifyAtLeast(*this, "tile", tile, 1, "C1")))
    return failure();
  if (tile > maxI32)
    return emitOpError() << "attribute 'tile' is " << tile
                         << ", expected a number that fits i32 (C1)";
  if (failed(verifyRank(*this, end, 3, "C2")) ||
      failed(verifyRank(*this, start, 3, "C2")) ||
      failed(verifyRank(*this, count, 3, "C2")) ||
      failed(verifyRank(*this, list, 4, "C2")))
    return failure();
  if (!end.type().isDynamicDim(2) && end.dim(2) > maxI32)
    return emitOpError() << "operand 'end' has " << end.dim(2)
                         << " keys, expected a number that fits i32 (C3)";
  for (int64_t i = 0; i < 2; ++i)
    if (failed(verifySameDim(*this, end, i, start, i, "C4")))
      return failure();
  for (int64_t i = 0; i < 3; ++i)
    if (failed(verifySameDim(*this, start, i, count, i, "C4")) ||
        failed(verifySameDim(*this, start, i, list, i, "C4")))
      return failure();
  if (!list.type().isDynamicDim(3) && list.dim(3) % kListMultiple != 0)
    return emitOpError() << "operand 'list' has size " << list.dim(3)
                         << " in dimension 3, expected a multiple of "
                         << kListMultiple << " (C5)";
  return verifySemantics(*this, "C6");
}

Speculation::Speculatability LiveListsOp::getSpeculatability() {
  return getTensorSpeculatability(*this);
}

void LiveListsOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>
        &effects) {
  getBufferEffects(*this, effects);
}

LogicalResult
LiveListsOp::reifyResultShapes(OpBuilder &builder,
                               ReifiedRankedShapedTypeDims &shapes) {
  return reifyFromInits(builder, *this, shapes);
}
