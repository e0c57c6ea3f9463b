//===- Products.cpp - What all products share -----------------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Products.h"

#include "NVVMBuilder.h"
#include "Patterns.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::sparsek;
using namespace mlir::sparsek::tile;

/// Rows of a warp's instruction. Columns come in blocks of 8, as many as 32 in
/// a warpgroup's instruction.
static constexpr int64_t kWarpRows = 16;
static constexpr int64_t kColumnBlock = 8;
static constexpr int64_t kMaxColumns = 256;

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

int64_t tile::getColumns(MmaOp op) {
  return op.getB().getType().getShape()[op.getTransposeB() ? 0 : 1];
}

int64_t tile::getDepth(MmaOp op) {
  return op.getB().getType().getShape()[op.getTransposeB() ? 1 : 0];
}

bool tile::isOnWarpgroup(Operation *op) {
  return op->getParentOfType<RoleOp>().getGroupWarps() == 4;
}

bool tile::isWarpgroupProduct(MmaOp op) {
  return isOnWarpgroup(op) && !op.getSync();
}

//===----------------------------------------------------------------------===//
// Checks
//===----------------------------------------------------------------------===//

/// Checks what a vector holds of a tile: `expected` elements for each thread.
static LogicalResult verifyElements(MmaOp op, StringRef name, Type type,
                                    int64_t expected) {
  auto vector = dyn_cast<VectorType>(type);
  if (!vector || vector.getNumElements() == expected)
    return success();
  return op.emitOpError("expected ") << name << " to have " << expected
                                     << " elements per thread, got " << vector;
}

/// Checks that instructions for the element type exist.
static LogicalResult verifyElementType(MmaOp op, const Chip &chip) {
  Type element = op.getB().getType().getElementType();
  if (isa<BFloat16Type, Float16Type>(element))
    return success();
  if (isWarpgroupProduct(op))
    return op.emitOpError(
               "expected b of a warpgroup's product to be f16 or bf16, got ")
           << element;
  if (element.isF32())
    return success();
  return op.emitOpError("expected b to be f16, bf16 or f32, got ") << element;
}

LogicalResult tile::verifyProduct(MmaOp op, const Chip &chip) {
  if (isWarpgroupProduct(op) && !chip.isHopper)
    return op.emitOpError("expected groups of 1 warp: only sm_90a has products "
                          "of warpgroups");
  if (failed(verifyElementType(op, chip)))
    return failure();
  int64_t columns = getColumns(op), depth = getDepth(op);
  if (isWarpgroupProduct(op) &&
      (columns % kColumnBlock || columns > kMaxColumns))
    return op.emitOpError("expected a multiple of 8 columns, at most ")
           << kMaxColumns << ", got " << columns;
  if (columns % kColumnBlock)
    return op.emitOpError("expected a multiple of 8 columns, got ") << columns;
  // 32 bytes of each row of A.
  int64_t step = 32 / op.getB().getType().getElementBytes();
  if (depth % step)
    return op.emitOpError("expected a depth of a multiple of ")
           << step << ", got " << depth;
  if (failed(verifyElements(op, "a", op.getA().getType(), depth / 2)))
    return failure();
  return verifyElements(op, "acc", op.getAcc().getType(), columns / 2);
}

//===----------------------------------------------------------------------===//
// Parts of products
//===----------------------------------------------------------------------===//

Value tile::buildAddressA(NVVMBuilder &b, MmaOp op, MmaOp::Adaptor adaptor) {
  assert(isa<SharedType>(op.getA().getType()) && "expected a in shared memory");
  Value address = adaptor.getA();
  if (adaptor.getARow())
    address = b.add(address, b.mul(adaptor.getARow(), kPanelBytes));
  if (!isOnWarpgroup(op) || isWarpgroupProduct(op))
    return address;
  // A warp of the group by itself.
  Value thread = buildThreadInGroup(b, op->getParentOfType<RoleOp>());
  Value warp = arith::ShRUIOp::create(b, thread, b.constant(5));
  return b.add(address, b.mul(warp, kWarpRows * kPanelBytes));
}

SmallVector<Value> tile::buildWarpAccumulator(NVVMBuilder &b, MmaOp op,
                                              MmaOp::Adaptor adaptor) {
  SmallVector<Value> acc = b.unpack(adaptor.getAcc());
  if (!op.getOverwrite() && !adaptor.getAccumulate())
    return acc;
  Value zero = arith::ConstantOp::create(b, b.getF32FloatAttr(0.0f));
  SmallVector<Value> zeros(acc.size(), zero);
  if (op.getOverwrite())
    return zeros;
  // A branch that is almost never taken costs less than a select for each
  // element. It stays one because its zeros are opaque.
  auto choice = scf::IfOp::create(
      b, adaptor.getAccumulate(),
      [&](OpBuilder &inner, Location loc) {
        scf::YieldOp::create(inner, loc, acc);
      },
      [&](OpBuilder &inner, Location loc) {
        scf::YieldOp::create(inner, loc, NVVMBuilder(loc, inner).opaque(zeros));
      });
  return SmallVector<Value>(choice.getResults());
}

void tile::buildMmaSync(NVVMBuilder &b, NVVM::MMATypes type, int64_t depth,
                        ValueRange aOperands, ValueRange bOperands,
                        MutableArrayRef<Value> acc) {
  SmallVector<Type> types(acc.size(), b.getF32Type());
  Value result = NVVM::MmaOp::create(
      b, LLVM::LLVMStructType::getLiteral(b.getContext(), types), aOperands,
      bOperands, SmallVector<Value>(acc), {kWarpRows, kColumnBlock, depth},
      /*b1Op=*/std::nullopt, /*intOverflow=*/std::nullopt,
      std::array{type, type},
      std::array{NVVM::MMALayout::row, NVVM::MMALayout::col});
  for (size_t i = 0; i < acc.size(); ++i)
    acc[i] = LLVM::ExtractValueOp::create(b, result, i);
}
