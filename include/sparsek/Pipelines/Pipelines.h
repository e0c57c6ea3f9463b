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

/// Options of `--sparsek-gpu-pipeline`.
struct GpuPipelineOptions : PassPipelineOptions<GpuPipelineOptions> {
  PassOptions::Option<std::string> chip{
      *this, "chip",
      llvm::cl::desc("the GPU: sm_80, sm_86, sm_89, sm_90, sm_90a, ..."),
      llvm::cl::init("sm_90a")};
  PassOptions::Option<std::string> features{
      *this, "features",
      llvm::cl::desc("the PTX version, as +ptx87; the least that the chip "
                     "needs if empty"),
      llvm::cl::init("")};
  PassOptions::Option<int64_t> rows{
      *this, "rows",
      llvm::cl::desc("rows of an attention tile; the schedule's if 0"),
      llvm::cl::init(0)};
  PassOptions::Option<int64_t> keys{
      *this, "keys",
      llvm::cl::desc("keys of an attention block; the schedule's if 0"),
      llvm::cl::init(0)};
  PassOptions::Option<int64_t> stages{
      *this, "stages",
      llvm::cl::desc("slots of the attention rings; the schedule's if 0"),
      llvm::cl::init(0)};
  PassOptions::Option<int64_t> producerRegisters{
      *this, "producer-registers",
      llvm::cl::desc("registers of a thread that fetches keys (sm_90a); the "
                     "schedule's if 0"),
      llvm::cl::init(0)};
  PassOptions::Option<int64_t> consumerRegisters{
      *this, "consumer-registers",
      llvm::cl::desc("registers of a thread that attends (sm_90a); the "
                     "schedule's if 0"),
      llvm::cl::init(0)};
  PassOptions::Option<int64_t> listCapacity{
      *this, "list-capacity",
      llvm::cl::desc("keys that a tile's list can hold, a multiple of 4"),
      llvm::cl::init(1024)};
  PassOptions::Option<std::string> ptxFolder{
      *this, "ptx-folder",
      llvm::cl::desc("write the PTX of each GPU module to a file here"),
      llvm::cl::init("")};
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

/// sparsek ops -> kernels as PTX, and host code in the LLVM dialect that
/// launches them through the runtime. All tensors and memrefs of the host code
/// are in the GPU's memory; what has no lowering to the GPU is an error.
void buildGpuPipeline(OpPassManager &pm, const GpuPipelineOptions &options);

/// Registers the pipelines above by name: --sparsek-reference-pipeline,
/// --sparsek-host-pipeline, --sparsek-cpu-pipeline and --sparsek-gpu-pipeline.
void registerPipelines();

} // namespace mlir::sparsek

#endif // SPARSEK_PIPELINES_PIPELINES_H
