//===- Rings.cpp - Rings of barriers --------------------------------------===//
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
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::sparsek;
using namespace mlir::sparsek::tile;

//===----------------------------------------------------------------------===//
// Barriers
//===----------------------------------------------------------------------===//

static Value buildFullBarrier(NVVMBuilder &b, Value ring, Value stage) {
  return b.add(ring, b.mul(stage, kBarrierBytes));
}

static Value buildEmptyBarrier(NVVMBuilder &b, RingType type, Value ring,
                               Value stage) {
  return b.add(buildFullBarrier(b, ring, stage),
               type.getStages() * kBarrierBytes);
}

/// Spins until the phase of the given parity has completed. Before sm_90 the
/// test does not suspend the thread. The labels are local to the braces, so the
/// text may occur any number of times.
static void buildBarrierWait(NVVMBuilder &b, Value barrier, Value phase,
                             const Chip &chip) {
  StringRef test = chip.isHopper ? "try_wait" : "test_wait";
  b.assembly("{\n.reg .pred P;\nL:\nmbarrier." + test +
                 ".parity.shared.b64 P, [$0], $1;\n@P bra D;\nbra L;\nD:\n}",
             /*tied=*/{}, {barrier, phase});
}

/// One arrival for the warp, after what all its threads did before.
static void buildWarpArrive(NVVMBuilder &b, Value barrier) {
  NVVM::SyncWarpOp::create(b, b.constant(-1));
  b.when(b.isEqual(b.threadInWarp(), 0), [&](NVVMBuilder &b) {
    NVVM::MBarrierArriveOp::create(b, b.getI64Type(), b.sharedPointer(barrier),
                                   /*count=*/Value());
  });
}

/// wgmma reads shared memory through the async proxy, gathers and stores write
/// through the generic one. Products of warps use the generic one.
static void buildProxyFence(NVVMBuilder &b, Operation *op, const Chip &chip) {
  if (!chip.isHopper || !isOnWarpgroup(op))
    return;
  NVVM::FenceProxyOp::create(
      b, NVVM::ProxyKind::async_shared,
      NVVM::SharedSpaceAttr::get(b.getContext(),
                                 NVVM::SharedSpace::shared_cta));
}

//===----------------------------------------------------------------------===//
// Patterns
//===----------------------------------------------------------------------===//

namespace {

template <typename Op> struct RingPattern : OpConversionPattern<Op> {
  RingPattern(const TypeConverter &converter, const Chip &chip,
              MLIRContext *context)
      : OpConversionPattern<Op>(converter, context), chip(chip) {}

  const Chip &chip;
};

/// tile.acquire %ring[%stage, %phase] : !tile.ring<4>
/// becomes a wait for barrier `empty[%stage]`.
struct LowerAcquire : RingPattern<AcquireOp> {
  using RingPattern::RingPattern;
  LogicalResult
  matchAndRewrite(AcquireOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    NVVMBuilder b(op.getLoc(), rewriter);
    Value barrier = buildEmptyBarrier(b, op.getRing().getType(),
                                      adaptor.getRing(), adaptor.getStage());
    buildBarrierWait(b, barrier, adaptor.getPhase(), chip);
    rewriter.eraseOp(op);
    return success();
  }
};

/// tile.commit async %ring[%stage]   becomes
///
/// nvvm.cp.async.mbarrier.arrive %full       // each thread, when copies landed
/// nvvm.bar.warp.sync -1
/// scf.if %lane0 { nvvm.mbarrier.arrive %full }
///
/// The first arrival also raises the expected count, so the warp counts once.
struct LowerCommit : RingPattern<CommitOp> {
  using RingPattern::RingPattern;
  LogicalResult
  matchAndRewrite(CommitOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    NVVMBuilder b(op.getLoc(), rewriter);
    Value full = buildFullBarrier(b, adaptor.getRing(), adaptor.getStage());
    if (op.getAsync())
      NVVM::CpAsyncMBarrierArriveOp::create(b, b.sharedPointer(full));
    buildWarpArrive(b, full);
    rewriter.eraseOp(op);
    return success();
  }
};

/// tile.wait fence %ring[%stage, %phase]
/// becomes a wait for barrier `full[%stage]`, and a proxy fence on a
/// warpgroup of sm_90a.
struct LowerWait : RingPattern<WaitOp> {
  using RingPattern::RingPattern;
  LogicalResult
  matchAndRewrite(WaitOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    NVVMBuilder b(op.getLoc(), rewriter);
    Value full = buildFullBarrier(b, adaptor.getRing(), adaptor.getStage());
    buildBarrierWait(b, full, adaptor.getPhase(), chip);
    if (op.getFence())
      buildProxyFence(b, op, chip);
    rewriter.eraseOp(op);
    return success();
  }
};

/// %r = tile.test %ring[%stage, %phase]
/// becomes nvvm.mbarrier.test.wait %full, %phase
struct LowerTest : RingPattern<TestOp> {
  using RingPattern::RingPattern;
  LogicalResult
  matchAndRewrite(TestOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    NVVMBuilder b(op.getLoc(), rewriter);
    Value full = buildFullBarrier(b, adaptor.getRing(), adaptor.getStage());
    rewriter.replaceOp(
        op, NVVM::MBarrierTestWaitOp::create(
                b, b.getI1Type(), b.sharedPointer(full), adaptor.getPhase()));
    return success();
  }
};

/// tile.fence becomes nvvm.fence.proxy on a warpgroup of sm_90a, nothing
/// elsewhere.
struct LowerFence : RingPattern<FenceOp> {
  using RingPattern::RingPattern;
  LogicalResult
  matchAndRewrite(FenceOp op, OpAdaptor,
                  ConversionPatternRewriter &rewriter) const override {
    NVVMBuilder b(op.getLoc(), rewriter);
    buildProxyFence(b, op, chip);
    rewriter.eraseOp(op);
    return success();
  }
};

/// tile.release %ring[%stage]
/// becomes an arrival of the warp at barrier `empty[%stage]`.
struct LowerRelease : RingPattern<ReleaseOp> {
  using RingPattern::RingPattern;
  LogicalResult
  matchAndRewrite(ReleaseOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    NVVMBuilder b(op.getLoc(), rewriter);
    buildWarpArrive(b,
                    buildEmptyBarrier(b, op.getRing().getType(),
                                      adaptor.getRing(), adaptor.getStage()));
    rewriter.eraseOp(op);
    return success();
  }
};

/// %s, %p = tile.advance %ring[%stage, %phase] : !tile.ring<4>   becomes
///
/// %next = %stage + 1;  %wrap = %next == 4
/// %s = select %wrap, 0, %next;  %p = %phase ^ zext(%wrap)
struct LowerAdvance : RingPattern<AdvanceOp> {
  using RingPattern::RingPattern;
  LogicalResult
  matchAndRewrite(AdvanceOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    NVVMBuilder b(op.getLoc(), rewriter);
    Value next = b.add(adaptor.getStage(), 1);
    Value wrap = b.isEqual(next, op.getRing().getType().getStages());
    Value stage = arith::SelectOp::create(b, wrap, b.constant(0), next);
    Value flip = arith::ExtUIOp::create(b, b.getI32Type(), wrap);
    Value phase = arith::XOrIOp::create(b, adaptor.getPhase(), flip);
    rewriter.replaceOp(op, {stage, phase});
    return success();
  }
};

} // namespace

void tile::populateRingPatterns(const TypeConverter &converter,
                                const Chip &chip, RewritePatternSet &patterns) {
  patterns.add<LowerAcquire, LowerAdvance, LowerCommit, LowerFence,
               LowerRelease, LowerTest, LowerWait>(converter, chip,
                                                   patterns.getContext());
}
