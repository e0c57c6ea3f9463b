//===- MmaSync.cpp - Products of warps, 16-bit operands -------------------===//
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
static constexpr int64_t kStepDepth = 16;
static constexpr int64_t kChunkElements = 8;

//===----------------------------------------------------------------------===//
// ldmatrix
//===----------------------------------------------------------------------===//

/// Lane `l` gives `ldmatrix` the address of row `l % 8` of the 8 x 8 matrix
/// `l / 8`. Of the four matrices of a 16 x 16 tile, 0 and 1 are neighbours down
/// the rows (`rowsFirst`), or along them.
static LanePlace getMatrixPlace(NVVMBuilder &b, bool rowsFirst) {
  auto bits = [&](Value value, int64_t shift, int64_t mask) -> Value {
    if (shift)
      value = arith::ShRUIOp::create(b, value, b.constant(shift));
    return arith::AndIOp::create(b, value, b.constant(mask));
  };
  Value lane = b.threadInWarp();
  Value zero = b.constant(0);
  if (rowsFirst)
    return {bits(lane, 0, 15), bits(lane, 4, 1), zero};
  Value row = b.add(bits(lane, 0, 7), bits(lane, 1, 8));
  return {row, bits(lane, 3, 1), zero};
}

/// Loads 2 or 4 matrices of 8 x 8 elements, each one register.
static SmallVector<Value> buildLoad(NVVMBuilder &b, Value pointer,
                                    int64_t count, bool transpose) {
  SmallVector<Type> types(count, b.getI32Type());
  auto type = LLVM::LLVMStructType::getLiteral(b.getContext(), types);
  Value matrices = NVVM::LdMatrixOp::create(
      b, type, pointer, static_cast<uint32_t>(count),
      transpose ? NVVM::MMALayout::col : NVVM::MMALayout::row,
      NVVM::LdStMatrixShapeAttr::get(b.getContext(), 8, 8),
      NVVM::LdStMatrixEltType::B16);
  SmallVector<Value> registers;
  for (int64_t i = 0; i < count; ++i)
    registers.push_back(LLVM::ExtractValueOp::create(b, matrices, i));
  return registers;
}

//===----------------------------------------------------------------------===//
// tile.mma
//===----------------------------------------------------------------------===//

namespace {

/// The instructions of one product.
class MmaSyncBuilder {
public:
  MmaSyncBuilder(NVVMBuilder &b, MmaOp op, MmaOp::Adaptor adaptor)
      : b(b), op(op), element(op.getB().getType().getElementType()),
        bReader(b, op, op.getB().getType(), adaptor.getB(),
                [&](NVVMBuilder &b) {
                  return getMatrixPlace(b, /*rowsFirst=*/!op.getTransposeB());
                }),
        acc(buildWarpAccumulator(b, op, adaptor)) {
    auto aType = dyn_cast<SharedType>(op.getA().getType());
    if (!aType) {
      a = b.unpack(adaptor.getA());
      return;
    }
    aReader.emplace(
        b, op, aType, buildAddressA(b, op, adaptor),
        [](NVVMBuilder &b) { return getMatrixPlace(b, /*rowsFirst=*/true); });
  }

  /// Two blocks of columns share a load; neighbouring products have different
  /// accumulators.
  SmallVector<Value> build() {
    for (int64_t depth = 0; depth < getDepth(op); depth += kStepDepth) {
      SmallVector<Value> aStep = getOperandA(depth);
      for (int64_t column = 0; column < getColumns(op);
           column += 2 * kBlockColumns)
        buildColumns(aStep, depth, column);
    }
    return acc;
  }

private:
  /// The four registers of A of a step.
  SmallVector<Value> getOperandA(int64_t depth) {
    if (aReader)
      return buildLoad(b, aReader->at(/*rows=*/0, depth / kChunkElements),
                       /*count=*/4, /*transpose=*/false);
    return SmallVector<Value>(ArrayRef(a).slice(depth / 4, 4));
  }

  /// One or two blocks of columns from `column` on.
  void buildColumns(ValueRange aStep, int64_t depth, int64_t column) {
    int64_t blocks =
        std::min<int64_t>(2, (getColumns(op) - column) / kBlockColumns);
    Value pointer = op.getTransposeB()
                        ? bReader.at(column, depth / kChunkElements)
                        : bReader.at(depth, column / kChunkElements);
    SmallVector<Value> matrices =
        buildLoad(b, pointer, 2 * blocks, /*transpose=*/!op.getTransposeB());
    for (int64_t i = 0; i < blocks; ++i)
      multiply(aStep, ArrayRef(matrices).slice(2 * i, 2),
               column / kBlockColumns + i);
  }

  /// One instruction: adds to the accumulator of a block of columns.
  void multiply(ValueRange aStep, ValueRange bStep, int64_t block) {
    auto type = element.isBF16() ? NVVM::MMATypes::bf16 : NVVM::MMATypes::f16;
    buildMmaSync(b, type, kStepDepth, toOperands(aStep), toOperands(bStep),
                 MutableArrayRef(acc).slice(4 * block, 4));
  }

  /// The op takes bf16 as i32, and f16 in pairs.
  SmallVector<Value> toOperands(ValueRange registers) {
    if (element.isBF16())
      return SmallVector<Value>(registers);
    auto type = VectorType::get(2, element);
    return llvm::map_to_vector(registers, [&](Value value) -> Value {
      return LLVM::BitcastOp::create(b, type, value);
    });
  }

  NVVMBuilder &b;
  MmaOp op;
  Type element;
  SwizzledReader bReader;
  /// The accumulators, four for each block of columns.
  SmallVector<Value> acc;
  /// Operand A in registers, two elements each, or in shared memory.
  SmallVector<Value> a;
  std::optional<SwizzledReader> aReader;
};

/// %r = tile.mma %a, %b, %acc transpose_b
///     : vector<8xbf16>, !tile.shared<16x16xbf16, swizzled>, vector<8xf32>
/// on a warp becomes
///
/// %m = nvvm.ldmatrix %lane_pointer {num = 4}
/// nvvm.mma.sync A[%a...] B[%m[0], %m[1]] C[%acc[0..3]]
/// nvvm.mma.sync A[%a...] B[%m[2], %m[3]] C[%acc[4..7]]
struct LowerMmaSync : OpConversionPattern<MmaOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(MmaOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    if (isWarpgroupProduct(op) || op.getB().getType().getElementType().isF32())
      return rewriter.notifyMatchFailure(op, "not 16-bit on a warp");
    NVVMBuilder b(op.getLoc(), rewriter);
    rewriter.replaceOp(op, b.pack(MmaSyncBuilder(b, op, adaptor).build()));
    return success();
  }
};

/// %r = tile.mma_wait 0, %s : vector<48xf32>   on a warp is %s: its products
/// are complete when their instructions are.
struct LowerWarpWait : OpConversionPattern<MmaWaitOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(MmaWaitOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    if (isOnWarpgroup(op))
      return rewriter.notifyMatchFailure(op, "on a warpgroup");
    rewriter.replaceOp(op, adaptor.getValues());
    return success();
  }
};

} // namespace

void tile::populateMmaSyncPatterns(const TypeConverter &converter,
                                   RewritePatternSet &patterns) {
  patterns.add<LowerMmaSync, LowerWarpWait>(converter, patterns.getContext());
}
