//===- AttentionKernel.cpp - Sparse attention on tiles --------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "AttentionKernel.h"

#include "AttentionConsumer.h"
#include "AttentionProducer.h"

#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace mlir::sparsek;

//===----------------------------------------------------------------------===//
// Helpers
//===----------------------------------------------------------------------===//

Term AttentionKernel::i32(int64_t value) {
  return {b, arith::ConstantOp::create(b, b.getI32IntegerAttr(value))};
}

Term AttentionKernel::toI32(Value index) {
  return {b, arith::IndexCastOp::create(b, b.getI32Type(), index)};
}

Value AttentionKernel::toIndex(Term i32) {
  return arith::IndexCastOp::create(b, b.getIndexType(), i32.get());
}

Term AttentionKernel::dim(Value memref, int64_t dimension) {
  return toI32(memref::DimOp::create(b, memref, dimension));
}

Term AttentionKernel::iota(int64_t size) {
  return {b, tile::IotaOp::create(b, VectorType::get({size}, b.getI32Type()))};
}

Term AttentionKernel::load(Value memref, ArrayRef<Term> indices) {
  SmallVector<Value> values =
      llvm::map_to_vector(indices, [&](Term index) { return toIndex(index); });
  return {b, memref::LoadOp::create(b, memref, values)};
}

Value AttentionKernel::slice(Value memref, ArrayRef<Term> leading,
                             ArrayRef<Term> offsets) {
  auto type = cast<MemRefType>(memref.getType());
  int64_t rank = type.getRank(), numLeading = leading.size();
  SmallVector<OpFoldResult> begins(rank, b.getIndexAttr(0));
  SmallVector<OpFoldResult> sizes(rank, b.getIndexAttr(1));
  SmallVector<OpFoldResult> strides(rank, b.getIndexAttr(1));
  SmallVector<int64_t> shape;
  for (int64_t i = 0; i < rank; ++i) {
    if (i < numLeading) {
      begins[i] = toIndex(leading[i]);
      continue;
    }
    sizes[i] = memref::getMixedSize(b, b.getLoc(), memref, i);
    shape.push_back(type.getDimSize(i));
    if (i - numLeading >= static_cast<int64_t>(offsets.size()))
      continue;
    Value begin = toIndex(offsets[i - numLeading]);
    Value size = getValueOrCreateConstantIndexOp(b, b.getLoc(), sizes[i]);
    begins[i] = begin;
    sizes[i] = Value(arith::SubIOp::create(b, size, begin));
    shape.back() = ShapedType::kDynamic;
  }
  MemRefType result = memref::SubViewOp::inferRankReducedResultType(
      shape, type, begins, sizes, strides);
  return memref::SubViewOp::create(b, result, memref, begins, sizes, strides);
}

Term AttentionKernel::slot(Value buffer, Term stage) {
  return {b, tile::SlotOp::create(b, buffer, stage)};
}

Value AttentionKernel::alloc(ArrayRef<int64_t> shape, Type elementType,
                             bool swizzled) {
  return tile::AllocOp::create(
      b, tile::SharedType::get(b.getContext(), shape, elementType, swizzled));
}

//===----------------------------------------------------------------------===//
// The kernel
//===----------------------------------------------------------------------===//

void AttentionKernel::addBuffers() {
  int64_t stages = schedule.stages, keys = schedule.keys;
  // A tile has at most 128 queries.
  Type i8 = b.getI8Type();
  queryTile = alloc({schedule.rows, shape.headDim}, shape.elementType, true);
  keyTiles = alloc({stages, keys, shape.headDim}, shape.elementType, true);
  valueTiles = alloc({stages, keys, shape.valueDim}, shape.elementType, true);
  if (schedule.hasWords(shape)) {
    visibles = alloc({stages, keys}, b.getI32Type());
  } else {
    lowers = alloc({stages, keys}, i8);
    lengths = alloc({stages, keys}, i8);
  }
  maskFlags = alloc({stages, schedule.producerWarps}, i8);
  if (shape.isGated()) {
    windowEnds = alloc({stages, keys}, i8);
    keyScores = alloc({stages, keys}, b.getF32Type());
    gateFlags = alloc({stages, schedule.producerWarps}, i8);
  }
  auto ring = [&](int64_t numStages) -> Value {
    return tile::RingOp::create(
        b, tile::RingType::get(b.getContext(), numStages),
        schedule.producerWarps, schedule.getConsumerWarps());
  };
  queryRing = ring(1);
  keyRing = ring(stages);
  valueRing = ring(stages);
}

void AttentionKernel::addScalars() {
  numQueries = dim(query, 2);
  numKeys = dim(key, 2);
  numHeads = dim(key, 1);
  tilesPerHead = dim(start, 2);
  numLanes = dim(key, 0) * numHeads * shape.getNumChunks();
  numTiles = tilesPerHead * numLanes;
  blockId = toI32(gpu::BlockIdOp::create(b, gpu::Dimension::x));
  gridSize = toI32(gpu::GridDimOp::create(b, gpu::Dimension::x));
}

/// Long tiles first: the tiles at a head's end, of all heads.
AttentionKernel::Lists AttentionKernel::loadLists(Term index) {
  Term inside = index.min(numTiles - 1);
  Term lane = inside.modulo(numLanes);
  Term head = lane.divide(shape.getNumChunks());
  SmallVector<Term> indices = {head.divide(numHeads), head.modulo(numHeads),
                               tilesPerHead - 1 - inside.divide(numLanes)};
  return {load(start, indices), load(count, indices)};
}

AttentionKernel::Tile AttentionKernel::getTile(Term index, const Lists &lists) {
  Tile result;
  Term lane = index.modulo(numLanes);
  Term head = lane.divide(shape.getNumChunks());
  result.chunk = lane.modulo(shape.getNumChunks());
  result.kvHead = head.modulo(numHeads);
  result.batch = head.divide(numHeads);
  result.tile = tilesPerHead - 1 - index.divide(numLanes);
  result.first = result.tile * queries + (numKeys - numQueries);
  result.last = (result.first + queries).min(numKeys) - 1;
  result.band = (result.last - lists.start + 1).max(0);
  result.count = lists.count;
  result.padded = (lists.count + 3) & i32(-4);
  result.blocks = (result.band + result.padded + (schedule.keys - 1))
                      .divide(schedule.keys)
                      .max(1);
  result.listBegin = result.blocks * schedule.keys - result.padded;
  return result;
}

gpu::GPUFuncOp AttentionKernel::build(StringRef name, TypeRange argumentTypes) {
  auto kernel =
      gpu::GPUFuncOp::create(b, name, b.getFunctionType(argumentTypes, {}));
  kernel->setAttr(gpu::GPUDialect::getKernelFuncAttrName(), b.getUnitAttr());
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(&kernel.getBody().front());
  unsigned next = 0;
  auto take = [&] { return kernel.getArgument(next++); };
  query = take(), key = take(), value = take(), end = take();
  if (shape.isGated())
    scores = take(), tau = take();
  output = take(), lse = take();
  start = take(), count = take(), list = take();
  if (schedule.bulk)
    keyMap = take(), valueMap = take();

  addBuffers();
  auto roles = tile::RolesOp::create(b);
  gpu::ReturnOp::create(b);
  b.createBlock(&roles.getBody());
  auto role = [&](StringRef roleName, int64_t warps, int64_t groupWarps,
                  int64_t registers) {
    b.setInsertionPointToEnd(&roles.getBody().front());
    auto op = tile::RoleOp::create(b, roleName, warps, groupWarps,
                                   registers ? b.getI64IntegerAttr(registers)
                                             : IntegerAttr());
    b.createBlock(&op.getBody());
    // In each role by itself: one value for both is one register for both.
    addScalars();
  };
  role("producer", schedule.producerWarps, schedule.producerWarps,
       schedule.producerRegisters);
  AttentionProducer(*this).emit();
  role("consumer", schedule.getConsumerWarps(), schedule.groupWarps,
       schedule.consumerRegisters);
  AttentionConsumer(*this).emit();
  return kernel;
}
