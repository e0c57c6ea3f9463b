//===- BufferizableOpInterfaceImpl.cpp - Bufferization of sparsek ops -----===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sparsek/Dialect/SparseK/Transforms/BufferizableOpInterfaceImpl.h"

#include "sparsek/Dialect/SparseK/IR/SparseK.h"

#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/Dialect/Bufferization/IR/DstBufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Utils/StructuredOpsUtils.h"

using namespace mlir;
using namespace mlir::bufferization;
using namespace mlir::sparsek;

namespace {

/// %r = sparsek.op ins(%t : tensor) outs(%d : tensor) -> tensor
/// becomes
///   sparsek.op ins(%m : memref) outs(%n : memref)
/// with %n for %r.
template <typename OpTy>
struct SparseKOpInterface
    : DstBufferizableOpInterfaceExternalModel<SparseKOpInterface<OpTy>, OpTy> {
  /// Destinations are written without being read. They may not share a buffer
  /// with an operand that is: the analysis copies there.
  bool bufferizesToMemoryRead(Operation *op, OpOperand &operand,
                              const AnalysisState &) const {
    return !cast<DestinationStyleOpInterface>(op).isDpsInit(&operand);
  }

  LogicalResult bufferize(Operation *op, RewriterBase &rewriter,
                          const BufferizationOptions &options,
                          BufferizationState &state) const {
    auto dpsOp = cast<DestinationStyleOpInterface>(op);
    if (!dpsOp.hasPureTensorSemantics())
      return success();
    OpBuilder::InsertionGuard guard(rewriter);
    rewriter.setInsertionPoint(op);
    SmallVector<Value> buffers;
    for (Value operand : op->getOperands()) {
      if (!isa<TensorType>(operand.getType())) {
        buffers.push_back(operand);
        continue;
      }
      FailureOr<Value> buffer = getBuffer(rewriter, operand, options, state);
      if (failed(buffer))
        return failure();
      buffers.push_back(*buffer);
    }
    OperandRange inits = dpsOp.getDpsInits();
    ArrayRef<Value> results =
        ArrayRef(buffers).slice(inits.getBeginOperandIndex(), inits.size());
    clone(rewriter, op, /*newResultTypes=*/TypeRange{}, buffers);
    replaceOpWithBufferizedValues(rewriter, op, results);
    return success();
  }
};

} // namespace

template <typename... Ops> static void attach(MLIRContext &context) {
  (Ops::template attachInterface<SparseKOpInterface<Ops>>(context), ...);
}

void sparsek::registerBufferizableOpInterfaceExternalModels(
    DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, SparseKDialect *) {
    attach<TopkMaskOp, CausalTopkMaskOp, SparseAttentionOp, ScoreOp,
           TopkMaskGradOp, CausalTopkMaskGradOp, SparseAttentionGradOp,
           LiveListsOp>(*context);
  });
}
