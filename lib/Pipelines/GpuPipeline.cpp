//===- GpuPipeline.cpp - sparsek ops to kernels in PTX --------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Phases.h"

#include "sparsek/Conversion/GPUHostToLLVM/Passes.h"
#include "sparsek/Conversion/SparseKToGPU/Passes.h"
#include "sparsek/Conversion/SparseKToTile/Passes.h"
#include "sparsek/Conversion/TileToNVVM/Passes.h"
#include "sparsek/Dialect/SparseK/Transforms/Passes.h"
#include "sparsek/Dialect/Tile/Transforms/Passes.h"
#include "sparsek/Pipelines/Pipelines.h"
#include "sparsek/Target/PTX/PTX.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/GPU/Transforms/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

/// Kernels to the LLVM and NVVM dialects. What has intrinsics goes there before
/// convert-gpu-to-nvvm, which turns math into calls of a device library.
static void addKernelLowering(OpPassManager &pm) {
  OpPassManager &kernels = pm.nest<gpu::GPUModuleOp>();
  kernels.addPass(createConvertVectorToSCFPass());
  kernels.addPass(createSCFToControlFlowPass());
  kernels.addPass(memref::createExpandStridedMetadataPass());
  kernels.addPass(createLowerAffinePass());
  kernels.addPass(createCanonicalizerPass());
  kernels.addPass(createCSEPass());
  kernels.addPass(createConvertNVGPUToNVVMPass());
  kernels.addPass(createConvertVectorToLLVMPass());
  kernels.addPass(createConvertMathToLLVMPass());
  kernels.addPass(createConvertNVVMToLLVMPass());
  // Every chip from sm_80 on reduces i32 over a warp in one instruction.
  ConvertGpuOpsToNVVMOpsOptions nvvmOptions;
  nvvmOptions.hasRedux = true;
  kernels.addPass(createConvertGpuOpsToNVVMOps(nvvmOptions));
  kernels.addPass(createConvertNVVMToLLVMPass());
  kernels.addPass(createArithToLLVMConversionPass());
  kernels.addPass(createConvertIndexToLLVMPass());
  kernels.addPass(sparsek::createTileFinalizeKernels());
  kernels.addPass(createReconcileUnrealizedCastsPass());
  kernels.addPass(createCanonicalizerPass());
  kernels.addPass(createCSEPass());
}

void sparsek::buildGpuPipeline(OpPassManager &pm,
                               const GpuPipelineOptions &options) {
  // Phase 1: tensors to memrefs in the GPU's memory.
  pm.addPass(createGpuKernelOutliningPass());
  pm.addPass(createCanonicalizerPass());
  addBufferization(pm);
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());

  // Phase 2: sparsek ops to launches and kernels on tiles.
  ConvertSparseKAttentionToTileOptions tileOptions;
  tileOptions.chip = options.chip;
  tileOptions.rows = options.rows;
  tileOptions.keys = options.keys;
  tileOptions.stages = options.stages;
  tileOptions.producerRegisters = options.producerRegisters;
  tileOptions.consumerRegisters = options.consumerRegisters;
  tileOptions.listCapacity = options.listCapacity;
  pm.addPass(createConvertSparseKAttentionToTile(tileOptions));
  pm.addPass(createConvertSparseKLiveListsToGPU());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());

  // Phase 3: what is left of the host's code only enqueues work.
  pm.addPass(createSparseKCheckGPUHost());

  // Phase 4: tiles to the vectors of a thread, to NVVM.
  pm.addPass(tile::createTileInferLayouts());
  pm.addPass(tile::createTileDistribute());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  ConvertTileToNVVMOptions nvvmOptions;
  nvvmOptions.chip = options.chip;
  pm.addPass(createConvertTileToNVVM(nvvmOptions));
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());

  // Phase 5: kernels to PTX.
  addKernelLowering(pm);
  SparseKGPUToPTXOptions ptxOptions;
  ptxOptions.chip = options.chip;
  ptxOptions.features = options.features;
  ptxOptions.ptxFolder = options.ptxFolder;
  pm.addPass(createSparseKGPUToPTX(ptxOptions));

  // Phase 6: the host's code to calls of the runtime, in the LLVM dialect.
  pm.addPass(createSparseKGPUHostToLLVM());
  addLLVMLowering(pm, /*threads=*/false);
}
