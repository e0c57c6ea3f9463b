//===- DistributeScatter.cpp - Stores to device memory, for one thread ----===//
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
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <numeric>

using namespace mlir;
using namespace mlir::sparsek::tile;

/// Columns of a block of a fragment.
static constexpr int64_t kBlockColumns = 8;
/// The widest store.
static constexpr int64_t kMaxStoreBytes = 16;

namespace {

/// Words that lie next to each other, in the row from byte `offset + constant`
/// on; the offset, i32, depends on the thread.
struct Piece {
  SmallVector<Value> words;
  Value offset;
  int64_t constant = 0;
};

class ScatterLowering {
public:
  ScatterLowering(ScatterOp op, Distributor &d)
      : op(op), d(d), global(d.getGlobal(op.getDest())) {}

  LogicalResult run();

private:
  LogicalResult scatterElements();
  LogicalResult scatterFragment(VectorType type);

  void exchange(Value &even, Value &odd, Value isOdd, int64_t mask);
  Piece getPiece(ArrayRef<Value> words, int64_t block);
  SmallVector<Piece> getPieces(ArrayRef<Value> words);
  SmallVector<Piece> getPairs(ArrayRef<Value> words);
  SmallVector<Value> getIndices(int64_t row);
  Value getRowAddress(int64_t row);
  int64_t getAlignment();
  void store(const Piece &piece, Value rowAddress);

  ScatterOp op;
  Distributor &d;
  Distributor::Global &global;
};

} // namespace

/// The indices of the thread's row `row`.
SmallVector<Value> ScatterLowering::getIndices(int64_t row) {
  SmallVector<Value> indices;
  for (Value index : op.getIndices())
    indices.push_back(d.getElements(index)[row]);
  return indices;
}

/// The address of the thread's row `row`, as i64.
Value ScatterLowering::getRowAddress(int64_t row) {
  Value address = global.base;
  for (auto [dimension, index] : llvm::enumerate(getIndices(row))) {
    int64_t stride = global.staticStrides[dimension];
    Value wide = d.toI64(index);
    Value elements = ShapedType::isDynamic(stride)
                         ? d.mul(wide, d.toI64(global.strides[dimension]))
                         : d.mul(wide, stride);
    address = d.add(address, d.mul(elements, global.elementBytes));
  }
  return address;
}

/// The alignment of rows that the strides allow; dynamic ones are multiples of
/// 16 bytes, as the base is.
int64_t ScatterLowering::getAlignment() {
  int64_t alignment = kMaxStoreBytes;
  for (int64_t stride : ArrayRef(global.staticStrides).drop_back())
    if (!ShapedType::isDynamic(stride))
      alignment = std::gcd(alignment, stride * global.elementBytes);
  return alignment;
}

void ScatterLowering::store(const Piece &piece, Value rowAddress) {
  // The constant last, where it becomes a part of the instruction.
  Value address =
      d.add(d.add(rowAddress, d.toI64(piece.offset)), piece.constant);
  int64_t bytes =
      piece.words.size() * piece.words[0].getType().getIntOrFloatBitWidth() / 8;
  LLVM::StoreOp::create(d.b, d.fromElements(piece.words),
                        d.globalPointer(address),
                        static_cast<unsigned>(std::min(bytes, getAlignment())));
}

//===----------------------------------------------------------------------===//
// 16-bit fragments: transposition in quads
//===----------------------------------------------------------------------===//

/// One step of a transposition: the odd of two lanes gives `even` for the even
/// lane's `odd`.
void ScatterLowering::exchange(Value &even, Value &odd, Value isOdd,
                               int64_t mask) {
  Value sent = arith::SelectOp::create(d.b, isOdd, even, odd);
  Value got = d.shuffleXor(sent, mask);
  even = arith::SelectOp::create(d.b, isOdd, got, even);
  odd = arith::SelectOp::create(d.b, isOdd, odd, got);
}

static Value isBitSet(Value value, int64_t bit, Distributor &d) {
  return arith::CmpIOp::create(d.b, arith::CmpIPredicate::ne,
                               d.bitAnd(value, bit), d.i32(0));
}

/// Words, each of two columns, of 4, 2 or 1 blocks from `block` on. Lane `t` of
/// a quad has columns 2t, 2t + 1 of each:
///
///   4 blocks: after two steps all of block t,                   16 bytes
///   2 blocks: after one step half t / 2 of block t % 2,          8 bytes
///   1 block:  columns 2t, 2t + 1,                                4 bytes
Piece ScatterLowering::getPiece(ArrayRef<Value> words, int64_t block) {
  Piece piece{SmallVector<Value>(words), Value()};
  MutableArrayRef<Value> w = piece.words;
  Value lane = d.getQuadLane();
  Value isOdd = isBitSet(lane, 1, d);
  for (size_t i = 0; i + 1 < w.size(); i += 2)
    exchange(w[i], w[i + 1], isOdd, /*mask=*/1);
  if (w.size() == 4) {
    Value isUpper = isBitSet(lane, 2, d);
    exchange(w[0], w[2], isUpper, /*mask=*/2);
    exchange(w[1], w[3], isUpper, /*mask=*/2);
  }
  int64_t blockBytes = kBlockColumns * global.elementBytes;
  piece.constant = block * blockBytes;
  if (w.size() == 4)
    piece.offset = d.mul(lane, blockBytes);
  else if (w.size() == 2)
    piece.offset = d.add(d.mul(d.bitAnd(lane, 1), blockBytes),
                         d.shiftLeft(d.bitAnd(lane, 2), 2));
  else
    piece.offset = d.shiftLeft(lane, 2);
  return piece;
}

/// The words of one row, one per block, in pieces as wide as they go.
SmallVector<Piece> ScatterLowering::getPieces(ArrayRef<Value> words) {
  SmallVector<Piece> pieces;
  size_t block = 0;
  for (size_t width : {4, 2, 1})
    for (; block + width <= words.size(); block += width)
      pieces.push_back(getPiece(words.slice(block, width), block));
  return pieces;
}

//===----------------------------------------------------------------------===//
// 32-bit fragments and rows
//===----------------------------------------------------------------------===//

/// The elements of one row, two per block: 8 bytes each.
SmallVector<Piece> ScatterLowering::getPairs(ArrayRef<Value> words) {
  SmallVector<Piece> pieces;
  Value inBlock = d.mul(d.getQuadLane(), 2 * global.elementBytes);
  int64_t blockBytes = kBlockColumns * global.elementBytes;
  for (size_t i = 0; i < words.size(); i += 2)
    pieces.push_back({SmallVector<Value>(words.slice(i, 2)), inBlock,
                      static_cast<int64_t>(i / 2) * blockBytes});
  return pieces;
}

/// tile.scatter %o to %out[%h, %q] mask %ok : vector<64x128xbf16>, ...
/// becomes, for both rows of the thread, eight shuffles for each 32 columns and
/// scf.if %ok_r { llvm.store %words : vector<4xi32>, ... }
LogicalResult ScatterLowering::scatterFragment(VectorType type) {
  Value value = d.lookup(op.getValue());
  bool isHalf = global.elementBytes == 2;
  if (isHalf) {
    auto words = VectorType::get(type.getDimSize(1) / 4, d.b.getI32Type());
    value = vector::BitCastOp::create(d.b, words, value);
  }
  SmallVector<Value> elements = d.toElements(value);
  SmallVector<Value> masks = d.getElements(op.getMask());
  int64_t perRow = isHalf ? 1 : 2;
  for (int64_t row = 0; row < 2; ++row) {
    SmallVector<Value> ofRow;
    for (auto [i, element] : llvm::enumerate(elements))
      if (static_cast<int64_t>(i / perRow % 2) == row)
        ofRow.push_back(element);
    SmallVector<Piece> pieces = isHalf ? getPieces(ofRow) : getPairs(ofRow);
    d.when(masks[row], [&] {
      Value address = getRowAddress(row);
      for (const Piece &piece : pieces)
        store(piece, address);
    });
  }
  return success();
}

/// The first lane of a quad, which all hold the same, stores the element.
LogicalResult ScatterLowering::scatterElements() {
  Value isFirst = arith::CmpIOp::create(d.b, arith::CmpIPredicate::eq,
                                        d.getQuadLane(), d.i32(0));
  SmallVector<Value> elements = d.getElements(op.getValue());
  SmallVector<Value> masks = d.getElements(op.getMask());
  for (int64_t row = 0; row < 2; ++row)
    d.when(d.both(isFirst, masks[row]), [&] {
      SmallVector<Value> indices;
      for (Value index : getIndices(row))
        indices.push_back(d.toIndex(index));
      memref::StoreOp::create(d.b, elements[row], d.lookup(op.getDest()),
                              indices);
    });
  return success();
}

LogicalResult ScatterLowering::run() {
  auto type = cast<VectorType>(op.getValue().getType());
  auto dest = cast<MemRefType>(op.getDest().getType());
  int64_t rank =
      static_cast<int64_t>(op.getIndices().size()) + type.getRank() - 1;
  if (dest.getRank() != rank)
    return op.emitOpError("expected dest of rank ") << rank << ", got " << dest;
  if (type.getRank() == 1)
    return scatterElements();
  if (dest.getShape().back() != type.getShape().back() ||
      global.staticStrides.back() != 1)
    return op.emitOpError("expected dest with contiguous rows of ")
           << type.getShape().back() << " elements, got " << dest;
  if (global.elementBytes != 2 && global.elementBytes != 4)
    return op.emitOpError("expected elements of 16 or 32 bits, got ") << dest;
  return scatterFragment(type);
}

static LogicalResult distributeScatter(ScatterOp op, Distributor &d) {
  return ScatterLowering(op, d).run();
}

void mlir::sparsek::tile::populateScatterRules(RuleTable &rules) {
  rules.add(distributeScatter);
}
