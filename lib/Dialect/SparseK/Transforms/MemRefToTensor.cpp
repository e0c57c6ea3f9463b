//===- MemRefToTensor.cpp - sparsek ops on memrefs to tensors -------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sparsek/Dialect/SparseK/IR/SparseK.h"
#include "sparsek/Dialect/SparseK/Transforms/Passes.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StructuredOpsUtils.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Interfaces/ViewLikeInterface.h"

namespace mlir::sparsek {
#define GEN_PASS_DEF_SPARSEKMEMREFTOTENSOR
#include "sparsek/Dialect/SparseK/Transforms/Passes.h.inc"
} // namespace mlir::sparsek

using namespace mlir;
using namespace mlir::sparsek;

/// The memref that `memref` is a view of.
static Value getViewedMemRef(Value memref) {
  while (auto view = memref.getDefiningOp<ViewLikeOpInterface>())
    memref = view.getViewSource();
  return memref;
}

/// Whether another operand of `op` visibly shares memory with `init`.
static bool sharesMemory(DestinationStyleOpInterface op, OpOperand &init) {
  Value base = getViewedMemRef(init.get());
  return llvm::any_of(op->getOpOperands(), [&](OpOperand &operand) {
    return &operand != &init && getViewedMemRef(operand.get()) == base;
  });
}

/// What the tensor op takes in place of `operand`: a tensor for a memref.
static Value getTensor(OpBuilder &builder, DestinationStyleOpInterface op,
                       OpOperand &operand) {
  Location loc = op->getLoc();
  bool isInit = op.isDpsInit(&operand);
  auto type = dyn_cast<MemRefType>(operand.get().getType());
  if (!type)
    return operand.get();
  if (isInit && sharesMemory(op, operand))
    return tensor::EmptyOp::create(
        builder, loc, memref::getMixedSizes(builder, loc, operand.get()),
        type.getElementType());
  return bufferization::ToTensorOp::create(
      builder, loc, memref::getTensorTypeFromMemRefType(type), operand.get(),
      /*restrict=*/true, /*writable=*/isInit);
}

/// sparsek.topk_mask ins(%z : memref) outs(%p, %t : memref)
/// becomes
///   %z1 = bufferization.to_tensor %z restrict
///   %p1 = bufferization.to_tensor %p restrict writable, and so for %t
///   %r:2 = sparsek.topk_mask ins(%z1 : tensor) outs(%p1, %t1 : tensor)
///   bufferization.materialize_in_destination %r#0 in writable %p, and so on
///
/// `restrict` is the only form that bufferization takes. It holds within one
/// op; between ops, reads stay in their order because to_tensor reads memory
/// and materialize_in_destination writes it, and each tensor dies at its op.
static void rewriteOnTensors(RewriterBase &rewriter,
                             DestinationStyleOpInterface op) {
  Location loc = op->getLoc();
  rewriter.setInsertionPoint(op);
  SmallVector<Value> tensors;
  for (OpOperand &operand : op->getOpOperands())
    tensors.push_back(getTensor(rewriter, op, operand));
  OperandRange inits = op.getDpsInits();
  ValueRange tensorInits =
      ValueRange(tensors).slice(inits.getBeginOperandIndex(), inits.size());
  Operation *tensorOp = clone(rewriter, op, tensorInits.getTypes(), tensors);
  for (auto [result, init] : llvm::zip_equal(tensorOp->getResults(), inits))
    bufferization::MaterializeInDestinationOp::create(
        rewriter, loc, /*result=*/Type(), result, init, /*restrict=*/false,
        /*writable=*/true);
  rewriter.eraseOp(op);
}

namespace {

struct MemRefToTensorPass
    : sparsek::impl::SparseKMemRefToTensorBase<MemRefToTensorPass> {
  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    getOperation()->walk([&](DestinationStyleOpInterface op) {
      if (isa_and_nonnull<SparseKDialect>(op->getDialect()) &&
          op.hasPureBufferSemantics())
        rewriteOnTensors(rewriter, op);
    });
  }
};

} // namespace
