//===- MmaTF32.cpp - Products of warps, f32 operands ----------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "NVVMBuilder.h"
#include "Patterns.h"
#include "Products.h"
#include "SwizzledReader.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;
using namespace mlir::sparsek;
using namespace mlir::sparsek::tile;

/// Columns and depth of one instruction, elements of a 16-byte chunk.
static constexpr int64_t kBlockColumns = 8;
static constexpr int64_t kStepDepth = 8;
static constexpr int64_t kChunkElements = 4;
/// Columns whose small terms are summed at the same time.
static constexpr int64_t kPartColumns = 64;

//===----------------------------------------------------------------------===//
// tf32
//===----------------------------------------------------------------------===//

/// The bits of a f32 that a tf32 lacks, and half of their range.
static constexpr int64_t kLowBits = (1 << 13) - 1;
static constexpr int64_t kHalf = 1 << 12;

namespace {
/// Two i32 that the instruction takes as tf32, 11 bits each: it ignores the low
/// bits of its operands. Their sum is nearly a f32.
struct Split {
  Value big, small;
};
} // namespace

/// big = x rounded to tf32; small = x - big, exact
///
/// As integers, in three instructions: ptxas makes three of each
/// `cvt.rna.tf32`, which keeps NaNs with all bits set. Here they are kept by
/// `small`.
static Split buildSplit(NVVMBuilder &b, Value x) {
  Value bits = LLVM::BitcastOp::create(b, b.getI32Type(), x);
  Value big =
      arith::AndIOp::create(b, b.add(bits, kHalf), b.constant(~kLowBits));
  Value rest = arith::SubFOp::create(
      b, x, LLVM::BitcastOp::create(b, b.getF32Type(), big));
  return {big, LLVM::BitcastOp::create(b, b.getI32Type(), rest)};
}

static SmallVector<Split> buildSplits(NVVMBuilder &b, ValueRange elements) {
  return llvm::map_to_vector(elements,
                             [&](Value x) { return buildSplit(b, x); });
}

static SmallVector<Value> getBig(ArrayRef<Split> splits) {
  return llvm::map_to_vector(splits, [](Split x) { return x.big; });
}

static SmallVector<Value> getSmall(ArrayRef<Split> splits) {
  return llvm::map_to_vector(splits, [](Split x) { return x.small; });
}

//===----------------------------------------------------------------------===//
// Loads
//===----------------------------------------------------------------------===//

// Lane `l` has row (column of B) `g = l / 4` and `t = l % 4`. The instruction
// multiplies k = t and k = t + 4 in that lane. Layout `fragment` has elements
// 2t and 2t + 1 of a block of 8 there: these are given to the instruction
// instead, of both operands, since the order along the depth does not matter.

/// Row `g`, elements 2t and 2t + 1: operands with the depth along the rows.
static LanePlace getPairPlace(NVVMBuilder &b) {
  Value lane = b.threadInWarp();
  Value row = arith::ShRUIOp::create(b, lane, b.constant(2));
  Value half = arith::ShRUIOp::create(b, lane, b.constant(1));
  Value chunk = arith::AndIOp::create(b, half, b.constant(1));
  Value odd = arith::AndIOp::create(b, lane, b.constant(1));
  return {row, chunk, b.mul(odd, 8)};
}

/// Row 2t, element `g`: operand B with the depth down the rows.
static LanePlace getColumnPlace(NVVMBuilder &b) {
  Value lane = b.threadInWarp();
  Value row = b.mul(arith::AndIOp::create(b, lane, b.constant(3)), 2);
  Value chunk = arith::ShRUIOp::create(b, lane, b.constant(4));
  return {row, chunk, arith::AndIOp::create(b, lane, b.constant(12))};
}

/// Two neighbours in a row.
static SmallVector<Value> loadPair(NVVMBuilder &b, Value pointer) {
  auto type = VectorType::get(2, b.getF32Type());
  return b.unpack(LLVM::LoadOp::create(b, type, pointer, /*alignment=*/8));
}

static Value loadElement(NVVMBuilder &b, Value pointer) {
  return LLVM::LoadOp::create(b, b.getF32Type(), pointer, /*alignment=*/4);
}

//===----------------------------------------------------------------------===//
// tile.mma
//===----------------------------------------------------------------------===//

namespace {

/// The instructions of one product.
class MmaTF32Builder {
public:
  MmaTF32Builder(NVVMBuilder &b, MmaOp op, MmaOp::Adaptor adaptor)
      : b(b), op(op),
        bReader(b, op, op.getB().getType(), adaptor.getB(),
                op.getTransposeB() ? getPairPlace : getColumnPlace),
        acc(buildWarpAccumulator(b, op, adaptor)) {
    if (auto aType = dyn_cast<SharedType>(op.getA().getType()))
      aReader.emplace(b, op, aType, buildAddressA(b, op, adaptor),
                      getPairPlace);
    else
      a = b.unpack(adaptor.getA());
  }

  SmallVector<Value> build() {
    for (int64_t first = 0; first < getColumns(op); first += kPartColumns)
      buildPart(first, std::min(first + kPartColumns, getColumns(op)));
    return acc;
  }

private:
  /// Operand A of a step, in the order of the instruction: rows g and g + 8 of
  /// k = t, then of k = t + 4.
  SmallVector<Value> getOperandA(int64_t depth) {
    SmallVector<Value> elements;
    if (aReader) {
      elements = loadPair(b, aReader->at(/*rows=*/0, depth / kChunkElements));
      llvm::append_range(
          elements,
          loadPair(b, aReader->at(/*rows=*/8, depth / kChunkElements)));
    } else {
      elements = SmallVector<Value>(ArrayRef(a).slice(depth / 2, 4));
    }
    std::swap(elements[1], elements[2]);
    return elements;
  }

  /// Operand B of a step and a block of columns.
  SmallVector<Value> loadOperandB(int64_t depth, int64_t column) {
    if (op.getTransposeB())
      return loadPair(b, bReader.at(column, depth / kChunkElements));
    int64_t chunk = column / kChunkElements;
    return {loadElement(b, bReader.at(depth, chunk)),
            loadElement(b, bReader.at(depth + 1, chunk))};
  }

  /// The columns from `first` to before `last`. Small terms have accumulators
  /// of their own, added at the end: tensor cores round sums towards zero, and
  /// every instruction less that adds to the large ones makes the error less.
  /// The two are independent too.
  void buildPart(int64_t first, int64_t last) {
    Value zero = arith::ConstantOp::create(b, b.getF32FloatAttr(0.0f));
    SmallVector<Value> small((last - first) / 2, zero);
    MutableArrayRef<Value> big =
        MutableArrayRef(acc).slice(first / 2, small.size());
    for (int64_t depth = 0; depth < getDepth(op); depth += kStepDepth) {
      SmallVector<Split> aStep = buildSplits(b, getOperandA(depth));
      for (int64_t column = first; column < last; column += kBlockColumns)
        multiply(aStep, buildSplits(b, loadOperandB(depth, column)),
                 MutableArrayRef(small).slice((column - first) / 2, 4),
                 big.slice((column - first) / 2, 4));
    }
    for (auto [sum, part] : llvm::zip_equal(big, small))
      sum = arith::AddFOp::create(b, sum, part);
  }

  /// Three instructions. small * small is below the error of the others.
  void multiply(ArrayRef<Split> aStep, ArrayRef<Split> bStep,
                MutableArrayRef<Value> small, MutableArrayRef<Value> big) {
    auto add = [&](ValueRange aOperands, ValueRange bOperands,
                   MutableArrayRef<Value> sums) {
      buildMmaSync(b, NVVM::MMATypes::tf32, kStepDepth, aOperands, bOperands,
                   sums);
    };
    add(getSmall(aStep), getBig(bStep), small);
    add(getBig(aStep), getSmall(bStep), small);
    add(getBig(aStep), getBig(bStep), big);
  }

  NVVMBuilder &b;
  MmaOp op;
  SwizzledReader bReader;
  /// The accumulators, four for each block of columns.
  SmallVector<Value> acc;
  /// Operand A in registers, or in shared memory.
  SmallVector<Value> a;
  std::optional<SwizzledReader> aReader;
};

/// %r = tile.mma %a, %b, %acc transpose_b
///     : vector<4xf32>, !tile.shared<8x8xf32, swizzled>, vector<4xf32>
/// on a warp becomes
///
/// %k = llvm.load %lane_pointer : vector<2xf32>
/// 3 of  nvvm.mma.sync  of tf32 parts of %a and %k, two of them on a sum of
/// small terms that is added at the end
struct LowerMmaTF32 : OpConversionPattern<MmaOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(MmaOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    if (isOnWarpgroup(op) || !op.getB().getType().getElementType().isF32())
      return rewriter.notifyMatchFailure(op, "not f32 on a warp");
    NVVMBuilder b(op.getLoc(), rewriter);
    rewriter.replaceOp(op, b.pack(MmaTF32Builder(b, op, adaptor).build()));
    return success();
  }
};

} // namespace

void tile::populateMmaTF32Patterns(const TypeConverter &converter,
                                   RewritePatternSet &patterns) {
  patterns.add<LowerMmaTF32>(converter, patterns.getContext());
}
