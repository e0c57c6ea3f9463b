//===- Math.cpp - Math without libdevice ----------------------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "NVVMBuilder.h"
#include "Patterns.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::sparsek;
using namespace mlir::sparsek::tile;

/// A scalar or a vector of rank 1, without scalable size.
static bool isThreadValue(Type type) {
  auto vector = dyn_cast<VectorType>(type);
  return !vector || (vector.getRank() == 1 && !vector.isScalable());
}

/// A conversion of pairs of f32 to 16 bits.
static bool isPackedTruncation(arith::TruncFOp op) {
  auto type = dyn_cast<VectorType>(op.getType());
  if (!type || !isThreadValue(type) || type.getNumElements() % 2)
    return false;
  return isa<BFloat16Type, Float16Type>(type.getElementType()) &&
         getElementTypeOrSelf(op.getIn().getType()).isF32();
}

bool tile::isApproximated(Operation *op) {
  if (auto truncation = dyn_cast<arith::TruncFOp>(op))
    return isPackedTruncation(truncation);
  if (!isa<math::Exp2Op, math::Log2Op, math::FmaOp, arith::MaxNumFOp,
           arith::MinNumFOp>(op))
    return false;
  Type type = op->getResult(0).getType();
  return isThreadValue(type) && getElementTypeOrSelf(type).isF32();
}

namespace {

/// %y = math.exp2 %x : vector<48xf32>
/// becomes 48 of  llvm.call_intrinsic "llvm.nvvm.ex2.approx.ftz.f"
template <typename Op> struct LowerApproximation : OpConversionPattern<Op> {
  LowerApproximation(const TypeConverter &converter, MLIRContext *context,
                     StringRef intrinsic)
      : OpConversionPattern<Op>(converter, context), intrinsic(intrinsic) {}

  LogicalResult
  matchAndRewrite(Op op, typename Op::Adaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    NVVMBuilder b(op.getLoc(), rewriter);
    auto call = [&](Value x) -> Value {
      return LLVM::CallIntrinsicOp::create(b, b.getF32Type(),
                                           b.getStringAttr(intrinsic), x)
          .getResult(0);
    };
    Value x = adaptor.getOperand();
    if (!isa<VectorType>(x.getType())) {
      rewriter.replaceOp(op, call(x));
      return success();
    }
    rewriter.replaceOp(op, b.pack(llvm::map_to_vector(b.unpack(x), call)));
    return success();
  }

  StringRef intrinsic;
};

/// arith.maxnumf, arith.minnumf, math.fma
/// become llvm.intr.maxnum, llvm.intr.minnum, llvm.intr.fma
template <typename Op, typename Intrinsic>
struct LowerToIntrinsic : OpConversionPattern<Op> {
  using OpConversionPattern<Op>::OpConversionPattern;
  LogicalResult
  matchAndRewrite(Op op, typename Op::Adaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    rewriter.replaceOpWithNewOp<Intrinsic>(op, op.getType(),
                                           adaptor.getOperands());
    return success();
  }
};

/// %y = arith.truncf %x : vector<48xf32> to vector<48xbf16>
/// becomes 24 of  nvvm.convert.f32x2.to.bf16x2 %x[2i + 1], %x[2i]
/// in a vector<24xi32>
struct LowerTruncation : OpConversionPattern<arith::TruncFOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(arith::TruncFOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    NVVMBuilder b(op.getLoc(), rewriter);
    Type element = getElementTypeOrSelf(op.getType());
    SmallVector<Value> elements = b.unpack(adaptor.getIn()), pairs;
    for (size_t i = 0; i < elements.size(); i += 2) {
      Value pair = convert(b, element, elements[i + 1], elements[i]);
      pairs.push_back(LLVM::BitcastOp::create(b, b.getI32Type(), pair));
    }
    rewriter.replaceOp(op, b.pack(pairs));
    return success();
  }

  static Value convert(NVVMBuilder &b, Type element, Value high, Value low) {
    auto type = VectorType::get(2, element);
    if (element.isBF16())
      return NVVM::ConvertF32x2ToBF16x2Op::create(b, type, high, low,
                                                  /*random_bits=*/Value(),
                                                  NVVM::FPRoundingMode::RN);
    return NVVM::ConvertF32x2ToF16x2Op::create(
        b, type, high, low, /*random_bits=*/Value(), NVVM::FPRoundingMode::RN);
  }
};

} // namespace

void tile::populateMathPatterns(const TypeConverter &converter,
                                RewritePatternSet &patterns) {
  MLIRContext *context = patterns.getContext();
  patterns.add<LowerApproximation<math::Exp2Op>>(converter, context,
                                                 "llvm.nvvm.ex2.approx.ftz.f");
  patterns.add<LowerApproximation<math::Log2Op>>(converter, context,
                                                 "llvm.nvvm.lg2.approx.ftz.f");
  patterns.add<LowerToIntrinsic<arith::MaxNumFOp, LLVM::MaxNumOp>,
               LowerToIntrinsic<arith::MinNumFOp, LLVM::MinNumOp>,
               LowerToIntrinsic<math::FmaOp, LLVM::FMAOp>, LowerTruncation>(
      converter, context);
}
