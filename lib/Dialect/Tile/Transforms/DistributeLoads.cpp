//===- DistributeLoads.cpp - Loads from device memory, for one thread -----===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Distribute.h"

#include "sparsek/Dialect/Tile/Transforms/Layouts.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::sparsek::tile;

/// The widest load.
static constexpr int64_t kMaxLoadBytes = 16;

/// `indices` of a memref with `offset`, an index, added to the last one.
static SmallVector<Value> getIndices(OperandRange indices, Value offset,
                                     Distributor &d) {
  SmallVector<Value> result;
  for (Value index : indices)
    result.push_back(d.lookup(index));
  result.back() = d.add(result.back(), offset);
  return result;
}

/// How many elements of a thread follow each other in memory.
static int64_t getRun(LayoutAttr layout, int64_t size) {
  switch (layout.getKind()) {
  case LayoutKind::column:
    return 2;
  case LayoutKind::copy:
    return size;
  default:
    return 1;
  }
}

/// Elements of one load: a power of two of bytes that divides `alignment`, the
/// alignment of the whole vector, and the bytes of a thread's run.
static int64_t getLoadWidth(int64_t run, int64_t elementBytes,
                            int64_t alignment) {
  int64_t bytes = std::min(kMaxLoadBytes, std::max(alignment, elementBytes));
  while (run * elementBytes % bytes)
    bytes /= 2;
  return std::max<int64_t>(1, bytes / elementBytes);
}

/// %0 = vector.load %list[%i] {alignment = 16} : memref<?xi32>, vector<96xi32>
/// in layout copy<lanes = 16> of 128 threads becomes three loads of
/// vector<4xi32> from %i + 12 * (thread / 16) on; without an alignment, in
/// other layouts, loads of single elements.
static LogicalResult distributeLoad(vector::LoadOp op, Distributor &d) {
  VectorType type = op.getVectorType();
  LayoutAttr layout = d.getLayout(op);
  if (type.getRank() != 1)
    return op.emitOpError("expected a vector of rank 1, got ") << type;
  auto offsets = getElementOffsets(layout, type, d.getThreads());
  int64_t width = getLoadWidth(
      getRun(layout, offsets.size()), type.getElementTypeBitWidth() / 8,
      static_cast<int64_t>(op.getAlignment().value_or(1)));
  auto chunkType = VectorType::get(width, type.getElementType());
  int64_t bytes = width * type.getElementTypeBitWidth() / 8;
  Value base =
      d.inPrologue([&] { return d.toIndex(d.getElementBase(layout, type)); });
  Value holds = d.getHolds(layout, type);
  SmallVector<Value> elements;
  for (size_t i = 0; i < offsets.size(); i += width) {
    Value chunk = d.getWhere(
        holds,
        [&]() -> Value {
          return vector::LoadOp::create(
              d.b, chunkType, d.lookup(op.getBase()),
              getIndices(op.getIndices(), d.add(base, offsets[i]), d),
              /*nontemporal=*/false, llvm::MaybeAlign(bytes));
        },
        d.zero(chunkType));
    llvm::append_range(elements, d.toElements(chunk));
  }
  d.mapElements(op, elements);
  return success();
}

/// Whether all elements of a mask are known to be set.
static bool isAllSet(Value mask) {
  SplatElementsAttr splat;
  return matchPattern(mask, m_Constant(&splat)) && splat.getSplatValue<bool>();
}

/// Element by element: base[indices], the last one plus `positions[i]` (an
/// index), where `mask` is set, else the element of `passThru`.
static void distributeMasked(Operation *op, Value base, OperandRange indices,
                             ArrayRef<Value> positions, Value mask,
                             Value passThru, Distributor &d) {
  Value result = op->getResult(0);
  Value holds =
      d.getHolds(d.getLayout(result), cast<VectorType>(result.getType()));
  bool all = isAllSet(mask);
  SmallVector<Value> masks = d.getElements(mask);
  SmallVector<Value> others = d.getElements(passThru);
  SmallVector<Value> elements;
  for (auto [i, position] : llvm::enumerate(positions))
    elements.push_back(d.getWhere(
        d.both(all ? Value() : masks[i], holds),
        [&]() -> Value {
          return memref::LoadOp::create(d.b, d.lookup(base),
                                        getIndices(indices, position, d));
        },
        others[i]));
  d.mapElements(result, elements);
}

/// %0 = vector.maskedload %m[%i], %mask, %other : ..., vector<96xi32>
/// becomes, for every element of the thread,
/// %e = scf.if %mask_e { memref.load %m[%i + its number] } else { %other_e }
static LogicalResult distributeMaskedLoad(vector::MaskedLoadOp op,
                                          Distributor &d) {
  VectorType type = op.getVectorType();
  if (type.getRank() != 1)
    return op.emitOpError("expected a vector of rank 1, got ") << type;
  LayoutAttr layout = d.getLayout(op);
  Value base =
      d.inPrologue([&] { return d.toIndex(d.getElementBase(layout, type)); });
  SmallVector<Value> positions;
  for (int64_t offset : getElementOffsets(layout, type, d.getThreads()))
    positions.push_back(d.add(base, offset));
  distributeMasked(op, op.getBase(), op.getIndices(), positions, op.getMask(),
                   op.getPassThru(), d);
  return success();
}

/// %0 = vector.gather %m[%i] [%v], %mask, %other : ..., vector<96xi32>
/// becomes, for every element of the thread,
/// %e = scf.if %mask_e { memref.load %m[%i + %v_e] } else { %other_e }
static LogicalResult distributeGather(vector::GatherOp op, Distributor &d) {
  if (op.getVectorType().getRank() != 1 ||
      !isa<MemRefType>(op.getBase().getType()))
    return op.emitOpError("expected a vector of rank 1 from a memref");
  SmallVector<Value> positions;
  for (Value element : d.getElements(op.getIndices()))
    positions.push_back(d.toIndex(element));
  distributeMasked(op, op.getBase(), op.getOffsets(), positions, op.getMask(),
                   op.getPassThru(), d);
  return success();
}

void mlir::sparsek::tile::populateLoadRules(RuleTable &rules) {
  rules.add(distributeGather);
  rules.add(distributeLoad);
  rules.add(distributeMaskedLoad);
}
