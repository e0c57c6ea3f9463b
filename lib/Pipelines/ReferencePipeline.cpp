//===- ReferencePipeline.cpp - The reference lowering as a pipeline -------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sparsek/Conversion/SparseKToLinalg/SparseKToLinalg.h"
#include "sparsek/Dialect/SparseK/Transforms/Passes.h"
#include "sparsek/Pipelines/Pipelines.h"

#include "mlir/Transforms/Passes.h"

using namespace mlir;

void sparsek::buildReferencePipeline(OpPassManager &pm) {
  pm.addPass(createSparseKMemRefToTensor());
  pm.addPass(createConvertSparseKToLinalg());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
}
