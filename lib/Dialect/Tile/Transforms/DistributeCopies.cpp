//===- DistributeCopies.cpp - Gathers to shared memory, for one thread ----===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Distribute.h"

#include "sparsek/Dialect/Tile/Transforms/Layouts.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;
using namespace mlir::sparsek::tile;

/// The rows of one period of the swizzle.
static constexpr int64_t kSwizzleRows = 8;

namespace {

/// One gather: parties of `lanes` threads each copy `rows` rows that follow
/// each other in shared memory; lane `i` moves chunks `i`, `i + 32`, ... of a
/// row.
class GatherLowering {
public:
  GatherLowering(GatherOp op, Distributor &d)
      : op(op), d(d), slot(op.getSlot().getType()),
        lanes(getGatherLayout(slot).getLanes()),
        rows(slot.getShape()[0] * lanes / d.getThreads()),
        chunks(slot.getShape()[1] * slot.getElementBytes() / kChunkBytes) {}

  LogicalResult run();

private:
  LogicalResult verify();
  Value getChunk();
  Value getFirstRow();
  Value getBase();
  SmallVector<Value> getAddresses();
  SmallVector<Value> getRowOffsets();
  Value getRowOffset(ArrayRef<Value> indices);
  Value getScaled(Value index, size_t dimension);
  bool hasSimpleSwizzle() const;
  Value getDestOffset(int64_t row);
  Value getDest(Value slotAddress, Value first, int64_t row);
  void copy(Value dest, Value source);
  void copyRound(ArrayRef<Value> addresses, Value slotAddress, int64_t round);

  GatherOp op;
  Distributor &d;
  SharedType slot;
  int64_t lanes, rows, chunks;
};

} // namespace

/// The chunk of a row that the thread moves first.
Value GatherLowering::getChunk() {
  return d.bitAnd(d.getThreadId(), lanes - 1);
}

/// The first row that the thread moves.
Value GatherLowering::getFirstRow() {
  return d.mul(d.shiftRight(d.getThreadId(), llvm::Log2_64(lanes)), rows);
}

//===----------------------------------------------------------------------===//
// Source addresses
//===----------------------------------------------------------------------===//

/// The address of the thread's chunk in row 0, where the source is defined.
Value GatherLowering::getBase() {
  Distributor::Global &global = d.getGlobal(op.getSource());
  Value &base = global.laneBases[lanes];
  if (!base)
    d.atDefinition(global.base, [&] {
      Value chunk = d.shiftLeft(getChunk(), llvm::Log2_64(kChunkBytes));
      base = d.opaque(d.add(global.base, d.toI64(chunk)));
    });
  return base;
}

/// Bytes from one `index` of `dimension` on, as i32.
Value GatherLowering::getScaled(Value index, size_t dimension) {
  const Distributor::Global &global = d.getGlobal(op.getSource());
  int64_t stride = global.staticStrides[dimension];
  if (!ShapedType::isDynamic(stride))
    return d.mul(index, stride * global.elementBytes);
  Value bytes;
  d.atDefinition(global.base, [&] {
    bytes = d.mul(arith::IndexCastOp::create(d.b, d.b.getI32Type(),
                                             global.strides[dimension]),
                  global.elementBytes);
  });
  return d.mul(index, bytes);
}

/// In 32 bits and hidden from the compiler, which would otherwise turn shift,
/// extension and addition into a slow multiplication in 64 bits.
Value GatherLowering::getRowOffset(ArrayRef<Value> indices) {
  Value sum;
  for (auto [dimension, index] : llvm::enumerate(indices)) {
    Value scaled = getScaled(index, dimension);
    sum = sum ? d.add(sum, scaled) : scaled;
  }
  return d.toI64(d.opaque(sum));
}

/// The offsets of the thread's rows, shared with an earlier gather of the same
/// rows of a source with the same strides.
SmallVector<Value> GatherLowering::getRowOffsets() {
  Distributor::RowOffsets key;
  key.block = d.b.getInsertionBlock();
  for (Value index : op.getIndices())
    key.indices.push_back(d.lookup(index));
  key.strides = d.getGlobal(op.getSource()).staticStrides;
  bool shareable = llvm::none_of(key.strides, ShapedType::isDynamic);
  for (const Distributor::RowOffsets &known : d.rowOffsets)
    if (shareable && known.block == key.block && known.indices == key.indices &&
        known.strides == key.strides)
      return known.offsets;

  SmallVector<SmallVector<Value>> elements;
  for (Value index : op.getIndices())
    elements.push_back(d.getElements(index));
  for (int64_t row = 0; row < rows; ++row) {
    SmallVector<Value> indices;
    for (ArrayRef<Value> ofDimension : elements)
      indices.push_back(ofDimension[row]);
    key.offsets.push_back(getRowOffset(indices));
  }
  d.rowOffsets.push_back(key);
  return key.offsets;
}

/// All addresses of a gather, each in a register of its own: with fewer, one
/// copy waits until the one before has read its address. They do not need the
/// slot, so they go before the wait for it.
SmallVector<Value> GatherLowering::getAddresses() {
  Value base = getBase();
  OpBuilder::InsertionGuard guard(d.b);
  SmallVector<Value> operands{base};
  for (Value index : op.getIndices())
    operands.push_back(d.lookup(index));
  d.setInsertionPointBeforeAcquire(operands);
  SmallVector<Value> addresses;
  for (Value offset : getRowOffsets())
    addresses.push_back(d.opaque(d.add(base, offset)));
  return addresses;
}

//===----------------------------------------------------------------------===//
// Destination addresses
//===----------------------------------------------------------------------===//

/// Whether the chunk of the thread's row `i` is that of its first row with `i`
/// or'ed in exclusively: where no carry reaches the three bits of the swizzle.
bool GatherLowering::hasSimpleSwizzle() const {
  return rows % 4 == 0 || llvm::isPowerOf2_64(rows);
}

/// Bytes from the start of the slot to the thread's chunk in its row `row`.
Value GatherLowering::getDestOffset(int64_t row) {
  return d.inPrologue([&] {
    Value chunk = getChunk();
    Value rowInTile = d.add(getFirstRow(), row);
    Value swizzled = d.bitXor(d.bitAnd(chunk, 7), d.bitAnd(rowInTile, 7));
    Value panel = d.mul(d.shiftRight(chunk, 3), slot.getPanelBytes());
    return d.add(d.add(panel, d.mul(rowInTile, kPanelBytes)),
                 d.shiftLeft(swizzled, 4));
  });
}

/// The address of the thread's chunk in its row `row`; `first` is that in row
/// 0.
Value GatherLowering::getDest(Value slotAddress, Value first, int64_t row) {
  if (!hasSimpleSwizzle())
    return d.add(slotAddress, getDestOffset(row));
  Value swizzled = d.bitXor(first, d.i32(row % kSwizzleRows * kChunkBytes));
  return d.add(swizzled, row * kPanelBytes);
}

/// nvvm.cp.async.shared.global %dest, %source, 16, cache = cg
void GatherLowering::copy(Value dest, Value source) {
  NVVM::CpAsyncOp::create(d.b, d.sharedPointer(dest), d.globalPointer(source),
                          kChunkBytes, NVVM::LoadCacheModifierKind::CG,
                          /*cpSize=*/Value());
}

/// The chunks from `round` on, one per lane, of all rows.
void GatherLowering::copyRound(ArrayRef<Value> addresses, Value slotAddress,
                               int64_t round) {
  int64_t panels = round * kChunkBytes / kPanelBytes * slot.getPanelBytes();
  Value first = d.add(slotAddress, getDestOffset(0));
  for (auto [row, address] : llvm::enumerate(addresses)) {
    Value dest = d.add(getDest(slotAddress, first, row), panels);
    copy(dest, d.add(address, round * kChunkBytes));
  }
}

LogicalResult GatherLowering::verify() {
  for (Value index : op.getIndices()) {
    auto type = cast<VectorType>(index.getType());
    if (type.getDimSize(0) != slot.getShape()[0])
      return op.emitOpError("expected ")
             << slot.getShape()[0] << " indices for " << slot << ", got "
             << type;
  }
  return success();
}

LogicalResult GatherLowering::run() {
  if (failed(verify()))
    return failure();
  SmallVector<Value> addresses = getAddresses();
  Value slotAddress = d.getSharedAddress(op.getSlot());
  // Lanes in excess of a row's chunks pass.
  for (int64_t round = 0; round < chunks; round += lanes) {
    Value hasChunk;
    if (round + lanes > chunks)
      hasChunk = d.inPrologue([&]() -> Value {
        return arith::CmpIOp::create(d.b, arith::CmpIPredicate::ult, getChunk(),
                                     d.i32(chunks - round));
      });
    d.when(hasChunk, [&] { copyRound(addresses, slotAddress, round); });
  }
  return success();
}

/// tile.gather %key[%rows] to %slot : memref<?x128xbf16>,
///     !tile.shared<96x128xbf16, swizzled>, vector<96xi32>
/// becomes, on a warpgroup, twelve times
/// %offset = %row << 8, hidden; %source = %base + zext %offset, hidden
/// and then twelve times
/// nvvm.cp.async.shared.global (%dest ^ (i % 8 * 16)) + i * 128, %source, 16
static LogicalResult distributeGather(GatherOp op, Distributor &d) {
  return GatherLowering(op, d).run();
}

void mlir::sparsek::tile::populateCopyRules(RuleTable &rules) {
  rules.add(distributeGather);
}
