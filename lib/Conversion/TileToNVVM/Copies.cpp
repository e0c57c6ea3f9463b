//===- Copies.cpp - Bulk copies -------------------------------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "NVVMBuilder.h"
#include "Patterns.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;
using namespace mlir::sparsek;
using namespace mlir::sparsek::tile;

namespace {

/// tile.bulk_copy %map[%x, %y] to %slot signal %ring[%stage]
///     : !tile.shared<96x128xbf16, swizzled>, !tile.ring<4>
/// becomes, by thread 0 of the group,
///
/// nvvm.mbarrier.expect_tx %full, 24576
/// nvvm.cp.async.bulk.tensor... %slot, %map, %full, box[%x, %y]
/// nvvm.cp.async.bulk.tensor... %slot + 12288, %map, %full, box[%x + 64, %y]
struct LowerBulkCopy : OpConversionPattern<BulkCopyOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(BulkCopyOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    NVVMBuilder b(op.getLoc(), rewriter);
    Value barrier =
        b.add(adaptor.getRing(), b.mul(adaptor.getStage(), kBarrierBytes));
    Value thread = buildThreadInGroup(b, op->getParentOfType<RoleOp>());
    b.when(b.isEqual(thread, 0), [&](NVVMBuilder &b) {
      buildCopies(b, op.getSlot().getType(), adaptor, barrier);
    });
    rewriter.eraseOp(op);
    return success();
  }

  static void buildCopies(NVVMBuilder &b, SharedType slot, OpAdaptor adaptor,
                          Value barrier) {
    Value signal = b.sharedPointer(barrier);
    NVVM::MBarrierExpectTxOp::create(b, signal, b.constant(slot.getBytes()));
    auto cluster = LLVM::LLVMPointerType::get(
        b.getContext(),
        static_cast<unsigned>(NVVM::NVVMMemorySpace::SharedCluster));
    int64_t columns = kPanelBytes / slot.getElementBytes();
    for (int64_t panel = 0; panel < slot.getNumPanels(); ++panel) {
      Value address = b.add(adaptor.getSlot(), panel * slot.getPanelBytes());
      Value dest =
          LLVM::AddrSpaceCastOp::create(b, cluster, b.sharedPointer(address));
      SmallVector<Value> box(adaptor.getCoordinates());
      box.front() = b.add(box.front(), panel * columns);
      NVVM::CpAsyncBulkTensorGlobalToSharedClusterOp::create(
          b, dest, adaptor.getMap(), box, signal, /*im2colOffsets=*/{},
          /*multicastMask=*/{}, /*l2CacheHint=*/{}, NVVM::TMALoadMode::TILE,
          /*isCTAOnly=*/false, /*group=*/{}, /*predicate=*/{});
    }
  }
};

} // namespace

void tile::populateCopyPatterns(const TypeConverter &converter,
                                RewritePatternSet &patterns) {
  patterns.add<LowerBulkCopy>(converter, patterns.getContext());
}
