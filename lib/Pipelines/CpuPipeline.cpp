//===- CpuPipeline.cpp - sparsek ops to LLVM for the CPU ------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sparsek/Conversion/SparseKToSCF/Passes.h"
#include "sparsek/Dialect/SparseK/Transforms/Passes.h"
#include "sparsek/Pipelines/Pipelines.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Affine/Transforms/Passes.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Bufferization/Pipelines/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/LLVMIR/Transforms/RequestCWrappers.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Dialect/SCF/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

/// Tensors to memrefs, once, and every allocation freed.
static void addBufferization(OpPassManager &pm) {
  pm.addPass(bufferization::createEmptyTensorEliminationPass());
  pm.addPass(bufferization::createEmptyTensorToAllocTensorPass());
  pm.addPass(sparsek::createSparseKBufferize());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  pm.addNestedPass<func::FuncOp>(bufferization::createBufferLoopHoistingPass());
  bufferization::buildBufferDeallocationPipeline(pm);
  pm.addPass(createConvertBufferizationToMemRefPass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(sparsek::createSparseKLowerCopies());
}

/// Memrefs, loops and vectors to the LLVM dialect.
static void addLLVMLowering(OpPassManager &pm,
                            const sparsek::CpuPipelineOptions &options) {
  if (options.threads) {
    pm.addPass(createConvertSCFToOpenMPPass());
    // Inlines memref.alloca_scope, which cannot hold several blocks.
    pm.addPass(createCanonicalizerPass());
  }
  pm.addPass(memref::createExpandStridedMetadataPass());
  pm.addPass(createLowerAffinePass());
  pm.addPass(createSCFToControlFlowPass());
  // Without this, processors without bf16 conversions call a function for each.
  arith::ArithExpandOpsPassOptions expandOptions;
  expandOptions.includeBf16 = true;
  pm.addNestedPass<func::FuncOp>(
      arith::createArithExpandOpsPass(expandOptions));
  pm.addNestedPass<func::FuncOp>(LLVM::createLLVMRequestCWrappersPass());
  // Intrinsics where LLVM has them, libm for the rest.
  pm.addPass(createConvertMathToLLVMPass());
  pm.addPass(createConvertMathToLibmPass());
  ConvertVectorToLLVMPassOptions vectorOptions;
  vectorOptions.reassociateFPReductions = true;
  pm.addPass(createConvertVectorToLLVMPass(vectorOptions));
  if (options.threads)
    pm.addPass(createConvertOpenMPToLLVMPass());
  pm.addPass(createConvertToLLVMPass());
  pm.addPass(createReconcileUnrealizedCastsPass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
}

void sparsek::buildHostPipeline(OpPassManager &pm,
                                const CpuPipelineOptions &options) {
  // Phase 1: tensors to memrefs; selection, on memrefs, to loops.
  pm.addPass(createConvertElementwiseToLinalgPass());
  addBufferization(pm);
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
  addLLVMLowering(pm, options);
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
}
