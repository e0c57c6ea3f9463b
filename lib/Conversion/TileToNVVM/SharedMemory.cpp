//===- SharedMemory.cpp - Layout of shared memory -------------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "NVVMBuilder.h"
#include "Patterns.h"

#include "sparsek/Conversion/TileToNVVM/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::sparsek;
using namespace mlir::sparsek::tile;

/// Alignment of swizzled buffers, whose swizzle is a function of the address,
/// and of the others.
static constexpr int64_t kSwizzleAlignment = 1024;
static constexpr int64_t kBufferAlignment = 16;

/// The dynamic shared memory of all kernels of a module.
static constexpr llvm::StringLiteral kSharedSymbol = "tile_shared";

//===----------------------------------------------------------------------===//
// The plan
//===----------------------------------------------------------------------===//

namespace {
/// Offsets from the start of shared memory, in the order of assignment.
struct Offsets {
  SmallVector<std::pair<Operation *, int64_t>> places;
  int64_t bytes = 0;

  void place(Operation *op, int64_t size, int64_t alignment) {
    bytes = llvm::alignTo(bytes, alignment);
    places.push_back({op, bytes});
    bytes += size;
  }
};
} // namespace

static int64_t getStages(RingOp ring) {
  return ring.getResult().getType().getStages();
}

static Offsets assignOffsets(gpu::GPUFuncOp function) {
  Offsets offsets;
  auto placeBuffers = [&](bool swizzled, int64_t alignment) {
    function.walk([&](AllocOp op) {
      SharedType type = op.getResult().getType();
      if (type.getSwizzled() == swizzled)
        offsets.place(op, type.getBytes(), alignment);
    });
  };
  placeBuffers(/*swizzled=*/true, kSwizzleAlignment);
  placeBuffers(/*swizzled=*/false, kBufferAlignment);
  function.walk([&](RingOp op) {
    offsets.place(op, 2 * getStages(op) * kBarrierBytes, kBarrierBytes);
  });
  return offsets;
}

//===----------------------------------------------------------------------===//
// The prologue
//===----------------------------------------------------------------------===//

/// The symbol of the module's dynamic shared memory, made where it is missing.
///
/// It is aligned as swizzled buffers need it, which `gpu.dynamic_shared_memory`
/// does not promise.
static LLVM::GlobalOp getOrCreateSharedSymbol(gpu::GPUModuleOp module) {
  if (auto global = module.lookupSymbol<LLVM::GlobalOp>(kSharedSymbol))
    return global;
  OpBuilder b = OpBuilder::atBlockBegin(module.getBody());
  auto type = LLVM::LLVMArrayType::get(b.getI8Type(), 0);
  return LLVM::GlobalOp::create(
      b, module.getLoc(), type, /*isConstant=*/false, LLVM::Linkage::External,
      kSharedSymbol, /*value=*/Attribute(), kSwizzleAlignment,
      static_cast<unsigned>(NVVM::NVVMMemorySpace::Shared));
}

/// The address of shared memory. Opaque: else ptxas recomputes it in loops.
static Value buildBase(NVVMBuilder &b, LLVM::GlobalOp global) {
  Value pointer = LLVM::AddressOfOp::create(b, global);
  Value address = LLVM::PtrToIntOp::create(b, b.getI32Type(), pointer);
  return b.opaque(address).front();
}

static void initializeBarriers(NVVMBuilder &b, Value base, int64_t offset,
                               int64_t stages, int64_t count) {
  for (int64_t stage = 0; stage < stages; ++stage)
    NVVM::MBarrierInitOp::create(
        b, b.sharedPointer(b.add(base, offset + stage * kBarrierBytes)),
        b.constant(count), /*predicate=*/Value());
}

/// Thread 0 initializes all barriers; the block waits for it.
static void buildInitialization(NVVMBuilder &b, Value base,
                                const Offsets &offsets, const Chip &chip) {
  b.when(b.isEqual(b.threadInBlock(), 0), [&](NVVMBuilder &b) {
    for (auto [op, offset] : offsets.places) {
      auto ring = dyn_cast<RingOp>(op);
      if (!ring)
        continue;
      int64_t stages = getStages(ring);
      initializeBarriers(b, base, offset, stages, ring.getProducers());
      initializeBarriers(b, base, offset + stages * kBarrierBytes, stages,
                         ring.getConsumers());
    }
    // The async proxy signals barriers too.
    if (chip.isHopper)
      NVVM::FenceMbarrierInitOp::create(b);
  });
  NVVM::Barrier0Op::create(b);
}

void tile::planSharedMemory(gpu::GPUFuncOp function, const Chip &chip,
                            SharedMemory &memory) {
  Offsets offsets = assignOffsets(function);
  if (offsets.places.empty())
    return;
  NVVMBuilder b(function.getLoc(), function.getContext());
  b.setInsertionPointToStart(&function.getBody().front());
  Value base = buildBase(b, getOrCreateSharedSymbol(
                                function->getParentOfType<gpu::GPUModuleOp>()));
  for (auto [op, offset] : offsets.places)
    memory.addresses[op] = b.add(base, offset);
  if (llvm::any_of(offsets.places,
                   [](auto place) { return isa<RingOp>(place.first); }))
    buildInitialization(b, base, offsets, chip);
  function->setAttr(kSharedBytesAttr, b.getI32IntegerAttr(offsets.bytes));
}

//===----------------------------------------------------------------------===//
// Patterns
//===----------------------------------------------------------------------===//

namespace {

/// %k = tile.alloc : !tile.shared<...>, %r = tile.ring ... : !tile.ring<4>
/// becomes the address that planSharedMemory has computed.
template <typename Op> struct LowerAllocation : OpConversionPattern<Op> {
  LowerAllocation(const TypeConverter &converter, const SharedMemory &memory,
                  MLIRContext *context)
      : OpConversionPattern<Op>(converter, context), memory(memory) {}

  LogicalResult
  matchAndRewrite(Op op, typename Op::Adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    rewriter.replaceOp(op, memory.addresses.lookup(op));
    return success();
  }

  const SharedMemory &memory;
};

/// %s = tile.slot %k[%i] : !tile.shared<4x96x128xbf16, swizzled>
/// becomes %k + %i * 24576
struct LowerSlot : OpConversionPattern<SlotOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(SlotOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    NVVMBuilder b(op.getLoc(), rewriter);
    int64_t bytes = op.getResult().getType().getBytes();
    Value offset = b.mul(adaptor.getIndex(), bytes);
    rewriter.replaceOp(op, b.add(adaptor.getSource(), offset));
    return success();
  }
};

/// tile.address is the converted buffer itself.
struct LowerAddress : OpConversionPattern<AddressOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(AddressOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    rewriter.replaceOp(op, adaptor.getSource());
    return success();
  }
};

/// %f = tile.test_flag %flags : !tile.shared<4xi8>
/// becomes one load of all flags, compared with 0.
struct LowerTestFlag : OpConversionPattern<TestFlagOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(TestFlagOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    int64_t bytes = op.getFlag().getType().getBytes();
    if (bytes != 1 && bytes != 4)
      return op.emitOpError("expected flags of 1 or 4 bytes, got ") << bytes;
    NVVMBuilder b(op.getLoc(), rewriter);
    Type type = b.getIntegerType(bytes * 8);
    Value word = LLVM::LoadOp::create(
        b, type, b.sharedPointer(adaptor.getFlag()), bytes);
    Value zero = arith::ConstantOp::create(b, b.getIntegerAttr(type, 0));
    rewriter.replaceOpWithNewOp<arith::CmpIOp>(op, arith::CmpIPredicate::ne,
                                               word, zero);
    return success();
  }
};

} // namespace

void tile::populateSharedMemoryPatterns(const TypeConverter &converter,
                                        const SharedMemory &memory,
                                        RewritePatternSet &patterns) {
  patterns.add<LowerAllocation<AllocOp>, LowerAllocation<RingOp>>(
      converter, memory, patterns.getContext());
  patterns.add<LowerAddress, LowerSlot, LowerTestFlag>(converter,
                                                       patterns.getContext());
}
