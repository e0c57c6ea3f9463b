//===- Passes.td - sparsek ops to kernels on tiles ---------*- tablegen -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEK_CONVERSION_SPARSEKTOTILE_PASSES_TD
#define SPARSEK_CONVERSION_SPARSEKTOTILE_PASSES_TD

include "mlir/Pass/PassBase.td"

def ConvertSparseKAttentionToTile
    : Pass<"convert-sparsek-attention-to-tile", "::mlir::ModuleOp"> {
  let summary = "lower sparsek.sparse_attention on memrefs to kernels on tiles";
  let description = [{
    Rewrites each `sparsek.sparse_attention` on memrefs of device memory into
    `sparsek.live_lists`, which says which keys each tile of queries has to look
    at, and the launch of a kernel that looks at them. The kernel, in a
    `gpu.module`, is made of dialect `tile`: a producer role that gathers keys
    and values into rings of shared memory, a consumer role that multiplies, and
    arith, math and vector ops on vectors of a tile's size. See
    docs/lowerings/gpu.md.

    The schedule (rows and keys of a tile, stages of the rings, warps and
    registers of the roles) is a default for the op's shape and the chip, of
    which the options override parts. The op on tensors is an error: bufferize
    first.

    ```mlir
    sparsek.sparse_attention window(512) ins(%q, %k, %v, %end : ...)
        outs(%o, %lse : ...)
    // becomes
    sparsek.live_lists tile(32) ins(%end : ...) queries(%nq)
        outs(%start, %count, %list : ...)
    gpu.launch_func @sparse_attention_kernels::@sparse_attention blocks in (...)
        threads in (...) args(%q : ..., %k : ..., ...)
    ```
  }];
  let options = [
    Option<"chip", "chip", "std::string", [{"sm_90a"}],
           "the GPU to compile for: sm_90a uses wgmma, others mma.sync">,
    Option<"rows", "rows", "int64_t", "0",
           "rows of a tile, queries times heads; 0: the default">,
    Option<"keys", "keys", "int64_t", "0",
           "keys of a block; 0: the default">,
    Option<"stages", "stages", "int64_t", "0",
           "slots of the rings; 0: the default">,
    Option<"producerRegisters", "producer-registers", "int64_t", "0",
           "registers of a producer thread (sm_90a); 0: the default">,
    Option<"consumerRegisters", "consumer-registers", "int64_t", "0",
           "registers of a consumer thread (sm_90a); 0: the default">,
    Option<"listCapacity", "list-capacity", "int64_t", "1024",
           "entries of a tile's list, a multiple of 4; a tile with more keys "
           "than that walks all keys from there on">,
  ];
  let dependentDialects = [
    "::mlir::arith::ArithDialect",   "::mlir::func::FuncDialect",
    "::mlir::gpu::GPUDialect",       "::mlir::LLVM::LLVMDialect",
    "::mlir::math::MathDialect",
    "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect",
    "::mlir::sparsek::tile::TileDialect", "::mlir::vector::VectorDialect"];
}

#endif // SPARSEK_CONVERSION_SPARSEKTOTILE_PASSES_TD
