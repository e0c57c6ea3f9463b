//===- SparseKToSCF.cpp - Selection ops to loops --------------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Patterns.h"

#include "sparsek/Conversion/SparseKToSCF/Passes.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Transforms/DialectConversion.h"

namespace mlir::sparsek {
#define GEN_PASS_DEF_CONVERTSPARSEKTOSCF
#include "sparsek/Conversion/SparseKToSCF/Passes.h.inc"
} // namespace mlir::sparsek

using namespace mlir;
using namespace mlir::sparsek;

void sparsek::emitParallelRows(KernelBuilder &b, Value memref, int64_t rank,
                               function_ref<void(ValueRange)> body) {
  if (rank == 0)
    return body({});
  SmallVector<Value> lower(rank, b.index(0)), steps(rank, b.index(1)), upper;
  for (int64_t i = 0; i < rank; ++i)
    upper.push_back(b.dim(memref, i));
  scf::ParallelOp::create(
      b, lower, upper, steps,
      [&](OpBuilder &, Location, ValueRange row) { body(row); });
}

void sparsek::populateSparseKToSCFPatterns(RewritePatternSet &patterns) {
  patterns.add<LowerCausalTopkMask, LowerCausalTopkMaskGrad, LowerTopkMask,
               LowerTopkMaskGrad>(patterns.getContext());
}

/// The ops that the patterns rewrite.
static bool isSelection(Operation *op) {
  return isa<CausalTopkMaskOp, CausalTopkMaskGradOp, TopkMaskOp,
             TopkMaskGradOp>(op);
}

namespace {

/// The patterns do not match on tensors; says so in the user's words.
LogicalResult verifyOnMemrefs(Operation *root) {
  WalkResult result = root->walk([](DestinationStyleOpInterface op) {
    if (!isSelection(op) || op.hasPureBufferSemantics())
      return WalkResult::advance();
    op.emitOpError() << "has operands of type " << op->getOperand(0).getType()
                     << ", expected memrefs: bufferize first";
    return WalkResult::interrupt();
  });
  return failure(result.wasInterrupted());
}

struct ConvertSparseKToSCFPass
    : sparsek::impl::ConvertSparseKToSCFBase<ConvertSparseKToSCFPass> {
  void runOnOperation() override {
    if (failed(verifyOnMemrefs(getOperation())))
      return signalPassFailure();
    RewritePatternSet patterns(&getContext());
    populateSparseKToSCFPatterns(patterns);
    ConversionTarget target(getContext());
    target.addLegalDialect<arith::ArithDialect, math::MathDialect,
                           memref::MemRefDialect, scf::SCFDialect>();
    target.addIllegalOp<CausalTopkMaskOp, CausalTopkMaskGradOp, TopkMaskOp,
                        TopkMaskGradOp>();
    if (failed(applyPartialConversion(getOperation(), target,
                                      std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
