//===- Wgmma.cpp - Products of warpgroups ---------------------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "NVVMBuilder.h"
#include "Patterns.h"
#include "Products.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;
using namespace mlir::sparsek;
using namespace mlir::sparsek::tile;

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

/// Rows of a product, and depth of one instruction with 16-bit operands.
static constexpr int64_t kRows = 64;
static constexpr int64_t kStepDepth = 16;

//===----------------------------------------------------------------------===//
// Descriptors
//===----------------------------------------------------------------------===//

/// The high word of every descriptor: 1024 bytes from 8 rows to the next 8, and
/// the 128-byte swizzle. Constant, so that only the low word is computed.
static constexpr int64_t kDescriptorHigh = (1 << 30) | (1024 >> 4);

/// The low word of the descriptor of a tile: its address and the distance of
/// panels, in units of 16 bytes. Hardware ignores the distance where the depth
/// runs along the rows of the tile.
///
/// lo = address >> 4 | distance >> 4 << 16
static Value buildDescriptorLow(NVVMBuilder &b, Value address,
                                int64_t panelDistance) {
  Value units = arith::ShRUIOp::create(b, address, b.constant(4));
  return arith::OrIOp::create(b, units, b.constant(panelDistance >> 4 << 16));
}

/// How far a descriptor moves to depth `step * 16`.
///
/// - Depth along the rows (`transpose_b`, operand A): 32 bytes, after four
/// steps
///   the next panel.
/// - Depth down the rows: 16 rows of 128 bytes.
static int64_t getStepUnits(SharedType tile, bool depthInRow, int64_t step) {
  if (!depthInRow)
    return step * kStepDepth * kPanelBytes / kChunkBytes;
  int64_t bytes = step * kStepDepth * tile.getElementBytes();
  return (bytes / kPanelBytes * tile.getPanelBytes() + bytes % kPanelBytes) /
         kChunkBytes;
}

//===----------------------------------------------------------------------===//
// tile.mma
//===----------------------------------------------------------------------===//

namespace {

/// The instructions of one product. They are inline assembly, one instruction
/// each: `nvvm.wgmma.mma_async` has neither operand A in registers nor a
/// run-time `scale-d`.
class WgmmaBuilder {
public:
  WgmmaBuilder(NVVMBuilder &b, MmaOp op, MmaOp::Adaptor adaptor)
      : b(b), op(op), adaptor(adaptor),
        aType(dyn_cast<SharedType>(op.getA().getType())) {
    SharedType bType = op.getB().getType();
    bLow = buildDescriptorLow(b, adaptor.getB(),
                              op.getTransposeB() ? kChunkBytes
                                                 : bType.getPanelBytes());
    if (!aType) {
      a = b.unpack(adaptor.getA());
      return;
    }
    aLow = buildDescriptorLow(b, buildAddressA(b, op, adaptor), kChunkBytes);
  }

  /// All steps along the depth, committed as one group.
  SmallVector<Value> build() {
    SmallVector<Value> acc = b.opaque(b.unpack(adaptor.getAcc()));
    NVVM::WgmmaFenceAlignedOp::create(b);
    for (int64_t step = 0; step < getDepth(op) / kStepDepth; ++step)
      acc = buildStep(acc, step);
    NVVM::WgmmaGroupSyncAlignedOp::create(b);
    return acc;
  }

private:
  /// {
  /// .reg .pred p;  .reg .b64 db;
  /// mov.b64 db, {low, high};
  /// setp.ne.b32 p, accumulate, 0;
  /// wgmma.mma_async... {acc}, {a}, db, p, 1, 1, transpose;
  /// }
  SmallVector<Value> buildStep(ValueRange acc, int64_t step) {
    SmallVector<Value> inputs;
    // Registers are numbered: results, tied inputs, inputs.
    auto addInput = [&](Value value) {
      inputs.push_back(value);
      return "$" + std::to_string(2 * acc.size() + inputs.size() - 1);
    };
    std::string text = "{\n.reg .pred p;\n";
    std::string aText = buildOperandA(step, text, addInput);
    appendDescriptor(
        text, "db",
        addInput(b.add(bLow, getStepUnits(op.getB().getType(),
                                          op.getTransposeB(), step))));
    text += "setp.ne.b32 p, " + buildAccumulate(step, addInput) + ", 0;\n";
    text += getMnemonic() + " {";
    for (size_t i = 0; i < acc.size(); ++i)
      text += (i ? ", $" : "$") + std::to_string(i);
    text += "}, " + aText + ", db, p, 1, 1, " + (aType ? "0, " : "") +
            (op.getTransposeB() ? "0" : "1") + ";\n}";
    return b.assembly(text, acc, inputs);
  }

  /// Operand A of a step: four registers or a descriptor.
  std::string buildOperandA(int64_t step, std::string &text,
                            function_ref<std::string(Value)> addInput) {
    if (aType) {
      appendDescriptor(
          text, "da",
          addInput(
              b.add(aLow, getStepUnits(aType, /*depthInRow=*/true, step))));
      return "da";
    }
    std::string registers = "{";
    for (int64_t i = 0; i < 4; ++i)
      registers += (i ? ", " : "") + addInput(a[4 * step + i]);
    return registers + "}";
  }

  static void appendDescriptor(std::string &text, StringRef name,
                               const std::string &low) {
    text += (".reg .b64 " + name + ";\nmov.b64 " + name + ", {" + low + ", " +
             Twine(kDescriptorHigh) + "};\n")
                .str();
  }

  /// Whether a step adds to the accumulator: a literal wherever it is known.
  std::string buildAccumulate(int64_t step,
                              function_ref<std::string(Value)> addInput) {
    if (step != 0)
      return "1";
    if (op.getOverwrite())
      return "0";
    if (!adaptor.getAccumulate())
      return "1";
    return addInput(
        arith::ExtUIOp::create(b, b.getI32Type(), adaptor.getAccumulate()));
  }

  std::string getMnemonic() {
    bool isBF16 = op.getB().getType().getElementType().isBF16();
    StringRef type = isBF16 ? "bf16" : "f16";
    return ("wgmma.mma_async.sync.aligned.m" + Twine(kRows) + "n" +
            Twine(getColumns(op)) + "k" + Twine(kStepDepth) + ".f32." + type +
            "." + type)
        .str();
  }

  NVVMBuilder &b;
  MmaOp op;
  MmaOp::Adaptor adaptor;
  /// The type of operand A in shared memory, else null.
  SharedType aType;
  /// Operand A in registers, two elements each.
  SmallVector<Value> a;
  Value aLow, bLow;
};

/// %r = tile.mma %a, %b, %acc transpose_b
///     : vector<64xbf16>, !tile.shared<96x128xbf16, swizzled>, vector<48xf32>
/// on a warpgroup becomes
///
/// nvvm.wgmma.fence.aligned
/// 8 of  llvm.inline_asm "wgmma.mma_async..."
/// nvvm.wgmma.commit.group.sync.aligned
struct LowerWgmma : OpConversionPattern<MmaOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(MmaOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    if (!isWarpgroupProduct(op))
      return rewriter.notifyMatchFailure(op, "not of a warpgroup");
    NVVMBuilder b(op.getLoc(), rewriter);
    rewriter.replaceOp(op, b.pack(WgmmaBuilder(b, op, adaptor).build()));
    return success();
  }
};

/// The vectors after an instruction that all their elements are tied to.
static SmallVector<Value> tie(NVVMBuilder &b, const Twine &instruction,
                              ValueRange vectors) {
  SmallVector<Value> elements, results;
  for (Value vector : vectors)
    llvm::append_range(elements, b.unpack(vector));
  ArrayRef<Value> rest = elements = b.assembly(instruction, elements);
  for (Value vector : vectors) {
    int64_t size = cast<VectorType>(vector.getType()).getNumElements();
    results.push_back(b.pack(rest.take_front(size)));
    rest = rest.drop_front(size);
  }
  return results;
}

/// %r = tile.mma_wait 1, %s : vector<48xf32>   on a warpgroup becomes
///
/// llvm.inline_asm "wgmma.wait_group.sync.aligned 1;" with the elements tied
///
/// Tying them states that they change here, so that no use moves above it.
struct LowerWgmmaWait : OpConversionPattern<MmaWaitOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(MmaWaitOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    if (!isOnWarpgroup(op))
      return rewriter.notifyMatchFailure(op, "not on a warpgroup");
    NVVMBuilder b(op.getLoc(), rewriter);
    rewriter.replaceOp(
        op,
        tie(b, "wgmma.wait_group.sync.aligned " + Twine(op.getPending()) + ";",
            adaptor.getValues()));
    return success();
  }
};

/// %r = tile.pin %e : vector<48xf32>   becomes
///
/// llvm.inline_asm "" with the elements tied
struct LowerPin : OpConversionPattern<PinOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(PinOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    NVVMBuilder b(op.getLoc(), rewriter);
    rewriter.replaceOp(op, tie(b, "", adaptor.getValues()));
    return success();
  }
};

} // namespace

void tile::populateWgmmaPatterns(const TypeConverter &converter,
                                 RewritePatternSet &patterns) {
  patterns.add<LowerPin, LowerWgmma, LowerWgmmaWait>(converter,
                                                     patterns.getContext());
}
