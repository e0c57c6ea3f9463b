//===- Bufferize.cpp - One-shot bufferization ---------------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sparsek/Dialect/SparseK/Transforms/Passes.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotAnalysis.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotModuleBufferize.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace mlir::sparsek {
#define GEN_PASS_DEF_SPARSEKBUFFERIZE
#include "sparsek/Dialect/SparseK/Transforms/Passes.h.inc"
} // namespace mlir::sparsek

using namespace mlir;
using namespace mlir::sparsek;

/// memref<..., strided<[?, ..., ?, 1], offset: ?>> of a tensor type.
static bufferization::BufferLikeType
getBoundaryType(bufferization::TensorLikeType type, Attribute memorySpace) {
  auto tensor = cast<TensorType>(type);
  auto ranked = dyn_cast<RankedTensorType>(tensor);
  if (!ranked)
    return cast<bufferization::BufferLikeType>(
        Type(UnrankedMemRefType::get(tensor.getElementType(), memorySpace)));
  SmallVector<int64_t> strides(ranked.getRank(), ShapedType::kDynamic);
  if (!strides.empty())
    strides.back() = 1;
  auto layout =
      StridedLayoutAttr::get(type.getContext(), ShapedType::kDynamic, strides);
  return cast<bufferization::BufferLikeType>(Type(MemRefType::get(
      ranked.getShape(), ranked.getElementType(), layout, memorySpace)));
}

namespace {

struct BufferizePass : sparsek::impl::SparseKBufferizeBase<BufferizePass> {
  void runOnOperation() override {
    bufferization::OneShotBufferizationOptions options;
    options.bufferizeFunctionBoundaries = true;
    options.inferFunctionResultLayout = false;
    options.functionArgTypeConverterFn =
        [](bufferization::TensorLikeType type, Attribute memorySpace,
           func::FuncOp, const bufferization::BufferizationOptions &) {
          return getBoundaryType(type, memorySpace);
        };
    bufferization::BufferizationState state;
    if (failed(bufferization::runOneShotModuleBufferize(getOperation(), options,
                                                        state)))
      signalPassFailure();
  }
};

} // namespace
