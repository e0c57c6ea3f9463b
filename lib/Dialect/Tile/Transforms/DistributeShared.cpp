//===- DistributeShared.cpp - Shared memory, for one thread ---------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Distribute.h"

#include "sparsek/Dialect/Tile/Transforms/Layouts.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::sparsek::tile;

static Value loadShared(Type type, Value address, int64_t alignment,
                        Distributor &d) {
  return LLVM::LoadOp::create(d.b, type, d.sharedPointer(address),
                              static_cast<unsigned>(alignment));
}

//===----------------------------------------------------------------------===//
// Fragments
//===----------------------------------------------------------------------===//

/// Where a thread reads a fragment: `row` of the group, its chunk `chunk` (0 or
/// 1) of 16 bytes and `rest` bytes in it. The swizzle is an exclusive or of
/// bits 4 to 6, so the chunks 2 k further on are `address ^ (k % 4 * 32)` of
/// panel `k / 4`.
static Value getFragmentAddress(LoadOp op, Value row, Value chunk, Value rest,
                                Distributor &d) {
  if (Value first = op.getRow())
    row = d.add(d.lookup(first), row);
  Value swizzled = d.bitXor(chunk, d.bitAnd(row, 7));
  Value inTile = d.add(d.mul(row, kPanelBytes), d.shiftLeft(swizzled, 4));
  if (rest)
    inTile = d.add(inTile, rest);
  return d.add(d.getSharedAddress(op.getSource()), inTile);
}

/// The address of the pair of chunks `pair`, given that of pair 0.
static Value getPair(Value address, int64_t pair, SharedType type,
                     Distributor &d) {
  Value inPanel = d.bitXor(address, d.i32(pair % 4 * 2 * kChunkBytes));
  return d.add(inPanel, pair / 4 * type.getPanelBytes());
}

static Value loadMatrices(Value address, Distributor &d) {
  MLIRContext *context = d.b.getContext();
  Type i32 = d.b.getI32Type();
  auto type = LLVM::LLVMStructType::getLiteral(context, {i32, i32, i32, i32});
  return NVVM::LdMatrixOp::create(d.b, type, d.sharedPointer(address),
                                  /*num=*/4, NVVM::MMALayout::row,
                                  NVVM::LdStMatrixShapeAttr::get(context, 8, 8),
                                  NVVM::LdStMatrixEltType::B16);
}

/// %a = tile.load %q rows(%r) : ..., vector<64x128xbf16>
/// becomes 8 times
/// %m = nvvm.ldmatrix %p : (!llvm.ptr<3>) -> !llvm.struct<(i32, i32, i32, i32)>
/// of 16 columns each: lanes 0 to 15 name the rows of columns 0 to 7, lanes 16
/// to 31 those of columns 8 to 15.
static LogicalResult loadMatrixFragment(LoadOp op, Distributor &d) {
  SharedType source = op.getSource().getType();
  auto type = cast<VectorType>(op.getType());
  if (type.getDimSize(1) % 16)
    return op.emitOpError("expected a multiple of 16 columns, got ") << type;
  Value row = d.add(d.shiftLeft(d.getWarp(), 4), d.bitAnd(d.getLane(), 15));
  Value chunk = d.shiftRight(d.getLane(), 4);
  Value address = getFragmentAddress(op, row, chunk, /*rest=*/{}, d);
  SmallVector<Value> words;
  for (int64_t step = 0; step < type.getDimSize(1) / 16; ++step) {
    Value matrices = loadMatrices(getPair(address, step, source, d), d);
    for (int64_t i = 0; i < 4; ++i)
      words.push_back(LLVM::ExtractValueOp::create(d.b, matrices, i));
  }
  d.map(op,
        vector::BitCastOp::create(d.b, cast<VectorType>(d.getThreadType(op)),
                                  d.fromElements(words)));
  return success();
}

/// f32: 8 bytes of a row at a time. A block of 8 columns is a pair of chunks.
static LogicalResult loadWordFragment(LoadOp op, Distributor &d) {
  SharedType source = op.getSource().getType();
  auto type = cast<VectorType>(op.getType());
  Value row = d.add(d.shiftLeft(d.getWarp(), 4), d.getQuad());
  Value chunk = d.shiftRight(d.getQuadLane(), 1);
  Value rest = d.shiftLeft(d.bitAnd(d.getQuadLane(), 1), 3);
  Value address = getFragmentAddress(op, row, chunk, rest, d);
  auto pairType = VectorType::get(2, type.getElementType());
  SmallVector<Value> elements;
  for (int64_t block = 0; block < type.getDimSize(1) / 8; ++block) {
    Value first = getPair(address, block, source, d);
    for (int64_t offset : {int64_t(0), 8 * kPanelBytes})
      llvm::append_range(elements, d.toElements(loadShared(
                                       pairType, d.add(first, offset), 8, d)));
  }
  d.mapElements(op, elements);
  return success();
}

//===----------------------------------------------------------------------===//
// Rank 1
//===----------------------------------------------------------------------===//

/// Columns as pairs, which lie next to each other, other layouts element by
/// element.
static LogicalResult loadElements(LoadOp op, Distributor &d) {
  auto type = cast<VectorType>(op.getType());
  LayoutAttr layout = d.getLayout(op);
  int64_t bytes = op.getSource().getType().getElementBytes();
  int64_t width = layout.getKind() == LayoutKind::column ? 2 : 1;
  auto chunkType = VectorType::get(width, type.getElementType());
  Value base = d.mul(d.getElementBase(layout, type), bytes);
  Value address = d.add(d.getSharedAddress(op.getSource()), base);
  Value holds = d.getHolds(layout, type);
  auto offsets = getElementOffsets(layout, type, d.getThreads());
  SmallVector<Value> elements;
  for (size_t i = 0; i < offsets.size(); i += width) {
    Value chunk = d.getWhere(
        holds,
        [&] {
          return loadShared(chunkType, d.add(address, offsets[i] * bytes),
                            width * bytes, d);
        },
        d.zero(chunkType));
    llvm::append_range(elements, d.toElements(chunk));
  }
  d.mapElements(op, elements);
  return success();
}

static LogicalResult distributeLoad(LoadOp op, Distributor &d) {
  SharedType source = op.getSource().getType();
  auto type = cast<VectorType>(op.getType());
  if (type.getRank() == 1) {
    if (source.getSwizzled() || source.getRank() != 1)
      return op.emitOpError("expected a buffer of rank 1 without swizzle, got ")
             << source;
    return loadElements(op, d);
  }
  if (!source.getSwizzled() || source.getRank() != 2)
    return op.emitOpError("expected a swizzled matrix, got ") << source;
  switch (source.getElementBytes()) {
  case 2:
    return loadMatrixFragment(op, d);
  case 4:
    return loadWordFragment(op, d);
  default:
    return op.emitOpError("expected elements of 16 or 32 bits, got ") << source;
  }
}

/// tile.store %v to %slot : vector<96xi32>, !tile.shared<96xi32>
/// becomes, on a warpgroup,
/// scf.if %thread < 96 { llvm.store %v0, %address + 4 * %thread }
static LogicalResult distributeStore(StoreOp op, Distributor &d) {
  auto type = cast<VectorType>(op.getValue().getType());
  SharedType dest = op.getDest().getType();
  if (type.getRank() != 1 || dest.getSwizzled() || dest.getRank() != 1)
    return op.emitOpError("expected a vector of rank 1 and a buffer without "
                          "swizzle, got ")
           << type << " and " << dest;
  LayoutAttr layout = d.getLayout(op.getValue());
  int64_t bytes = dest.getElementBytes();
  Value element = d.getElements(op.getValue()).front();
  Value offset = d.mul(d.getElementBase(layout, type), bytes);
  Value address = d.add(d.getSharedAddress(op.getDest()), offset);
  d.when(d.getHolds(layout, type), [&] {
    LLVM::StoreOp::create(d.b, element, d.sharedPointer(address),
                          static_cast<unsigned>(bytes));
  });
  return success();
}

/// tile.set_flag %mask to %flag : vector<96xi1>, !tile.shared<4xi8>
/// becomes
/// %any = nvvm.vote.sync any %all, %mask0
/// scf.if %lane == 0 { llvm.store %any, %flag + %warp }
/// nvvm.bar.warp.sync %all
static LogicalResult distributeSetFlag(SetFlagOp op, Distributor &d) {
  auto type = cast<VectorType>(op.getMask().getType());
  Value holds = d.getHolds(d.getLayout(op.getMask()), type);
  Value mask = d.both(d.getElements(op.getMask()).front(), holds);
  Value any = arith::ExtUIOp::create(d.b, d.b.getI8Type(), d.voteAny(mask));
  Value address = d.add(d.getSharedAddress(op.getFlag()), d.getWarp());
  Value isFirst = d.inPrologue([&]() -> Value {
    return arith::CmpIOp::create(d.b, arith::CmpIPredicate::eq, d.getLane(),
                                 d.i32(0));
  });
  d.when(isFirst,
         [&] { LLVM::StoreOp::create(d.b, any, d.sharedPointer(address), 1); });
  NVVM::SyncWarpOp::create(d.b, d.i32(-1));
  return success();
}

void mlir::sparsek::tile::populateSharedRules(RuleTable &rules) {
  rules.add(distributeLoad);
  rules.add(distributeSetFlag);
  rules.add(distributeStore);
}
