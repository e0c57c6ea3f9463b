//===- Pipelines.h - Lowering pipelines -------------------------*- C++ -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEK_PIPELINES_PIPELINES_H
#define SPARSEK_PIPELINES_PIPELINES_H

#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassOptions.h"

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace mlir::sparsek {

/// Registers the dialects that the pipelines read and make, with the interface
/// implementations (bufferization, tiling, LLVM conversion) they rely on.
void registerAllDialects(DialectRegistry &registry);

/// Registers the project's passes and pipelines, and the upstream passes that
/// `sparsek-opt` offers.
void registerAllPasses();

/// Options of `--sparsek-cpu-pipeline`.
struct CpuPipelineOptions : PassPipelineOptions<CpuPipelineOptions> {
  PassOptions::Option<int64_t> vectorBits{
      *this, "vector-bits",
      llvm::cl::desc("width of the target's vector registers: 128, 256, 512"),
      llvm::cl::init(512)};
  PassOptions::Option<bool> threads{
      *this, "threads", llvm::cl::desc("run parallel loops on OpenMP threads"),
      llvm::cl::init(true)};
};

/// sparsek ops on tensors or memrefs -> dense linalg on tensors. O(N^2); every
/// op of the result is upstream's. See docs/lowerings/reference.md.
void buildReferencePipeline(OpPassManager &pm);

/// Upstream ops on tensors -> LLVM dialect: one bufferization, loops, OpenMP.
/// What both pipelines below end in, and, after buildReferencePipeline, what
/// runs the reference.
void buildHostPipeline(OpPassManager &pm, const CpuPipelineOptions &options);

/// sparsek ops -> tiled, vectorized, threaded LLVM dialect.
void buildCpuPipeline(OpPassManager &pm, const CpuPipelineOptions &options);

/// Registers the pipelines above by name: --sparsek-reference-pipeline,
/// --sparsek-host-pipeline and --sparsek-cpu-pipeline.
void registerPipelines();

} // namespace mlir::sparsek

#endif // SPARSEK_PIPELINES_PIPELINES_H
