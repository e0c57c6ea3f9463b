//===- CpuPipeline.cpp - sparsek ops to LLVM for the CPU ------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Phases.h"

#include "sparsek/Conversion/SparseKToSCF/Passes.h"
#include "sparsek/Dialect/SparseK/Transforms/Passes.h"
#include "sparsek/Pipelines/Pipelines.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/SCF/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

void sparsek::buildHostPipeline(OpPassManager &pm,
                                const CpuPipelineOptions &options) {
  // Phase 1: tensors to memrefs; selection, on memrefs, to loops.
  pm.addPass(createConvertElementwiseToLinalgPass());
  addBufferization(pm);
  pm.addPass(createSparseKLowerCopies());
  pm.addPass(createConvertSparseKToSCF());

  // Phase 2: what is left of linalg to loops; parallel loops to threads.
  pm.addNestedPass<func::FuncOp>(createConvertLinalgToLoopsPass());
  pm.addNestedPass<func::FuncOp>(createForallToParallelLoopPass());
  pm.addPass(createCanonicalizerPass());

  // Phase 3: vectors to registers, math to arithmetic.
  pm.addPass(createSparseKApproximateMath());
  pm.addPass(createSparseKLowerVectors());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());

  // Phase 4: the LLVM dialect.
  addLLVMLowering(pm, options.threads);
}

void sparsek::buildCpuPipeline(OpPassManager &pm,
                               const CpuPipelineOptions &options) {
  // Phase 1: canonical sparsek ops on tensors, dense ops to linalg.
  pm.addPass(createSparseKMemRefToTensor());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createSparseKLowerScore());

  // Phase 2: attention to tiles.
  SparseKTileAttentionOptions attentionOptions;
  attentionOptions.vectorBits = options.vectorBits;
  pm.addPass(createSparseKTileAttention(attentionOptions));

  // Phase 3: tiles to registers, on tensors.
  SparseKVectorizeTilesOptions tileOptions;
  tileOptions.vectorBits = options.vectorBits;
  pm.addNestedPass<func::FuncOp>(createSparseKVectorizeTiles(tileOptions));
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());

  // Phase 4 on: bufferization, loops, threads, LLVM.
  buildHostPipeline(pm, options);
}

void sparsek::registerPipelines() {
  PassPipelineRegistration<>(
      "sparsek-reference-pipeline",
      "Lower sparsek ops to dense linalg on tensors, the reference.",
      buildReferencePipeline);
  PassPipelineRegistration<CpuPipelineOptions>(
      "sparsek-host-pipeline",
      "Lower upstream ops on tensors to the LLVM dialect.", buildHostPipeline);
  PassPipelineRegistration<CpuPipelineOptions>(
      "sparsek-cpu-pipeline",
      "Lower sparsek ops to tiled, vectorized, threaded code in the LLVM "
      "dialect.",
      buildCpuPipeline);
  PassPipelineRegistration<GpuPipelineOptions>(
      "sparsek-gpu-pipeline",
      "Lower sparsek ops to kernels for an NVIDIA GPU, as PTX, and host code "
      "in the LLVM dialect.",
      buildGpuPipeline);
}
