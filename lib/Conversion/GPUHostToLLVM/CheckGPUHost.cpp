//===- CheckGPUHost.cpp - Host code beside the GPU ------------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sparsek/Conversion/GPUHostToLLVM/Passes.h"

#include "sparsek/Dialect/Tile/IR/Tile.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Interfaces/ViewLikeInterface.h"

namespace mlir::sparsek {
#define GEN_PASS_DEF_SPARSEKCHECKGPUHOST
#include "sparsek/Conversion/GPUHostToLLVM/Passes.h.inc"
} // namespace mlir::sparsek

using namespace mlir;

static bool isShaped(Type type) {
  return isa<BaseMemRefType, TensorType>(type);
}

/// Whether an op on memrefs leaves their elements alone or has a lowering that
/// does not: one that asks, passes on, or enqueues work.
static bool isAllowed(Operation *op) {
  if (isa_and_nonnull<func::FuncDialect, scf::SCFDialect,
                      cf::ControlFlowDialect>(op->getDialect()))
    return true;
  return isa<ViewLikeOpInterface, memref::AllocOp, memref::DeallocOp,
             memref::CopyOp, memref::DimOp, memref::RankOp,
             memref::ExtractStridedMetadataOp,
             memref::ExtractAlignedPointerAsIndexOp, arith::SelectOp,
             bufferization::DeallocOp, gpu::LaunchFuncOp, gpu::MemcpyOp,
             gpu::MemsetOp, sparsek::tile::EncodeTensorMapOp>(op);
}

namespace {

struct CheckGPUHostPass
    : sparsek::impl::SparseKCheckGPUHostBase<CheckGPUHostPass> {
  void runOnOperation() override {
    WalkResult result =
        getOperation().walk<WalkOrder::PreOrder>([](Operation *op) {
          if (isa<gpu::GPUModuleOp>(op))
            return WalkResult::skip();
          bool touchesMemory = llvm::any_of(op->getOperandTypes(), isShaped) ||
                               llvm::any_of(op->getResultTypes(), isShaped);
          if (!touchesMemory || isAllowed(op))
            return WalkResult::advance();
          op->emitOpError(
              "has no GPU lowering yet: its operands lie in the GPU's "
              "memory, which host code cannot access");
          return WalkResult::interrupt();
        });
    if (result.wasInterrupted())
      signalPassFailure();
  }
};

} // namespace
