//===- SwizzledReader.cpp - Reads of swizzled tiles -----------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SwizzledReader.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;
using namespace mlir::sparsek::tile;

/// Chunks of a panel's row; rows until the swizzle repeats.
static constexpr int64_t kPanelChunks = kPanelBytes / kChunkBytes;
static constexpr int64_t kSwizzleMask = kPanelChunks - 1;

/// row * 128 + (chunk ^ row) % 8 * 16 + byte
static Value buildLaneOffset(NVVMBuilder &b, const LanePlace &place) {
  Value swizzled = arith::XOrIOp::create(b, place.chunk, place.row);
  swizzled = arith::AndIOp::create(b, swizzled, b.constant(kSwizzleMask));
  Value offset =
      b.add(b.mul(place.row, kPanelBytes), b.mul(swizzled, kChunkBytes));
  return b.add(offset, place.byte);
}

SwizzledReader::SwizzledReader(NVVMBuilder &b, Operation *user, SharedType type,
                               Value address,
                               function_ref<LanePlace(NVVMBuilder &)> place)
    : b(b), type(type) {
  Value offset;
  {
    OpBuilder::InsertionGuard guard(b);
    auto role = user->getParentOfType<RoleOp>();
    b.setInsertionPointToStart(&role.getBody().front());
    offset = buildLaneOffset(b, place(b));
  }
  base = b.add(address, offset);
}

Value SwizzledReader::at(int64_t rows, int64_t chunks) {
  int64_t swizzle = (chunks ^ rows) & kSwizzleMask;
  Value &pointer = pointers[swizzle];
  if (!pointer) {
    Value address = base;
    if (swizzle)
      address =
          arith::XOrIOp::create(b, base, b.constant(swizzle * kChunkBytes));
    pointer = b.sharedPointer(address);
  }
  int64_t offset =
      chunks / kPanelChunks * type.getPanelBytes() + rows * kPanelBytes;
  if (offset == 0)
    return pointer;
  return LLVM::GEPOp::create(b, pointer.getType(), b.getI8Type(), pointer,
                             LLVM::GEPArg(offset));
}
