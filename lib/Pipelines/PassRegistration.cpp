//===- PassRegistration.cpp - Passes by name ------------------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// For the tools alone: the C API's library has no use for passes by name, and
// naming all of upstream's conversions would double its size.
//
//===----------------------------------------------------------------------===//

#include "sparsek/Conversion/GPUHostToLLVM/Passes.h"
#include "sparsek/Conversion/SparseKToGPU/Passes.h"
#include "sparsek/Conversion/SparseKToLinalg/SparseKToLinalg.h"
#include "sparsek/Conversion/SparseKToSCF/Passes.h"
#include "sparsek/Conversion/SparseKToTile/Passes.h"
#include "sparsek/Conversion/TileToNVVM/Passes.h"
#include "sparsek/Dialect/SparseK/Transforms/Passes.h"
#include "sparsek/Dialect/Tile/Transforms/Passes.h"
#include "sparsek/Pipelines/Pipelines.h"
#include "sparsek/Target/PTX/PTX.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Affine/Transforms/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/GPU/Transforms/Passes.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Dialect/SCF/Transforms/Passes.h"
#include "mlir/Dialect/Transform/Transforms/Passes.h"
#include "mlir/Dialect/Vector/Transforms/Passes.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

void sparsek::registerAllPasses() {
  registerSparseKPasses();
  registerSparseKToLinalgPasses();
  registerSparseKToGPUPasses();
  registerSparseKToSCFPasses();
  registerSparseKToTilePasses();
  registerTileToNVVMPasses();
  registerSparseKGPUHostPasses();
  registerSparseKPTXPasses();
  tile::registerTilePasses();
  registerPipelines();

  registerTransformsPasses();
  registerConversionPasses();
  registerLinalgPasses();
  affine::registerAffinePasses();
  bufferization::registerBufferizationPasses();
  registerGPUPasses();
  memref::registerMemRefPasses();
  registerSCFPasses();
  transform::registerTransformPasses();
  vector::registerVectorPasses();
}
