//===- LiveLists.cpp - sparsek.live_lists to two launches -----------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LiveListsKernel.h"
#include "LiveListsTree.h"

#include "sparsek/Conversion/SparseKToGPU/Passes.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/SymbolTable.h"

namespace mlir::sparsek {
#define GEN_PASS_DEF_CONVERTSPARSEKLIVELISTSTOGPU
#include "sparsek/Conversion/SparseKToGPU/Passes.h.inc"
} // namespace mlir::sparsek

using namespace mlir;
using namespace mlir::sparsek;

/// Queries of a block, at most, unless its warps then have no tile each: the
/// block's list is one of its first query, and gets worse.
static constexpr int64_t kBlockQueries = 1024;
/// Blocks that a device has room for at a time, roughly: below, blocks get
/// fewer tiles rather than leaving some of the device idle.
static constexpr int64_t kConcurrentBlocks = 1024;

static void launch(KernelBuilder &b, gpu::GPUFuncOp kernel, int64_t numWarps,
                   gpu::KernelDim3 grid, ValueRange operands) {
  gpu::KernelDim3 block{b.index(numWarps * kWarpSize), b.index(1), b.index(1)};
  gpu::LaunchFuncOp::create(b, kernel, grid, block,
                            /*dynamicSharedMemorySize=*/Value(), operands);
}

/// Tiles of a block: enough blocks for the device, then as many as are good.
static Value getTilesPerBlock(KernelBuilder &b, LiveListsOp op, Value numTiles,
                              ValueRange rows) {
  Value all = b.mul(numTiles, b.mul(rows[0], rows[1]));
  Value tiles = arith::CeilDivUIOp::create(b, all, b.index(kConcurrentBlocks));
  auto tileSize = static_cast<int64_t>(op.getTile());
  int64_t most = std::max(kBlockQueries / tileSize, kListWarps);
  return b.min(b.max(tiles, b.index(kListWarps)), b.index(most));
}

/// sparsek.live_lists tile(32) ins(%end) queries(%nq) outs(%s, %c, %l : memref)
/// becomes
///   %summary = memref.alloc(..) : memref<?x?x2x?xi32>
///   gpu.launch_func @sparsek_live_lists::@summarize .. args(%end, %summary)
///   gpu.launch_func @sparsek_live_lists::@list ..
///       args(%end, %summary, %nq, %tiles_per_block, %s, %c, %l)
///   memref.dealloc %summary
static void lowerLiveLists(LiveListsOp op, SymbolTable &symbols) {
  OpBuilder moduleBuilder(op.getContext());
  auto kernels = gpu::GPUModuleOp::create(moduleBuilder, op.getLoc(),
                                          "sparsek_live_lists");
  symbols.insert(kernels);
  gpu::GPUFuncOp summarize = createSummarizeKernel(
      kernels, op.getLoc(), cast<MemRefType>(op.getEnd().getType()));
  gpu::GPUFuncOp list = createListKernel(kernels, op);

  KernelBuilder b(op.getLoc(), op);
  LifetimeTree::Sizes sizes = LifetimeTree::getSizes(b, op.getEnd());
  Value batches = sizes.summary[0], heads = sizes.summary[1];
  Value summary = memref::AllocOp::create(
      b, LifetimeTree::getSummaryType(op.getContext()), sizes.summary);
  launch(b, summarize, kSummarizeWarps, {sizes.nodes, heads, batches},
         {op.getEnd(), summary});
  Value numTiles = b.dim(op.getStart(), 2);
  Value tilesPerBlock = getTilesPerBlock(b, op, numTiles, {batches, heads});
  Value blocks = arith::CeilDivUIOp::create(b, numTiles, tilesPerBlock);
  launch(b, list, kListWarps, {blocks, heads, batches},
         {op.getEnd(), summary, op.getNumQueries(), tilesPerBlock,
          op.getStart(), op.getCount(), op.getList()});
  memref::DeallocOp::create(b, summary);
  op.erase();
}

namespace {

struct ConvertSparseKLiveListsToGPUPass
    : sparsek::impl::ConvertSparseKLiveListsToGPUBase<
          ConvertSparseKLiveListsToGPUPass> {
  void runOnOperation() override;
};

} // namespace

void ConvertSparseKLiveListsToGPUPass::runOnOperation() {
  SmallVector<LiveListsOp> ops;
  getOperation().walk([&](LiveListsOp op) { ops.push_back(op); });
  SymbolTable symbols(getOperation());
  for (LiveListsOp op : ops) {
    if (!op.hasPureBufferSemantics()) {
      op.emitOpError() << "has operands of type " << op.getEnd().getType()
                       << ", expected memrefs: bufferize first";
      return signalPassFailure();
    }
    lowerLiveLists(op, symbols);
  }
  if (!ops.empty())
    getOperation()->setAttr(gpu::GPUDialect::getContainerModuleAttrName(),
                            UnitAttr::get(&getContext()));
}
