//===- Passes.td - sparsek ops to GPU kernels --------------*- tablegen -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEK_CONVERSION_SPARSEKTOGPU_PASSES_TD
#define SPARSEK_CONVERSION_SPARSEKTOGPU_PASSES_TD

include "mlir/Pass/PassBase.td"

def ConvertSparseKLiveListsToGPU
    : Pass<"convert-sparsek-live-lists-to-gpu", "::mlir::ModuleOp"> {
  let summary = "lower sparsek.live_lists on memrefs to two GPU kernels";
  let description = [{
    Rewrites `sparsek.live_lists` on memrefs of device memory into two launches
    and a `gpu.module` with their kernels, in upstream ops alone:

    - `summarize` writes the latest end and the earliest death of every leaf of
      32 keys and of every node of 32 leaves, a tree over the keys;
    - `list` gives a block of 256 threads some neighboring tiles. All warps
      together list the keys alive at the first of them, down the tree, in
      shared memory. Then every warp takes tiles in turn: it finds the tile's
      band from the earliest deaths, and its list from the block's list and, by
      the latest ends, from the keys that the block's list does not cover.

    The work is O(Nk) plus the output, and the tree's nodes (one for 1,024 keys)
    for every block of up to 1,024 queries. Any layout of the memrefs is
    accepted. The op on tensors is an error: bufferize first.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::gpu::GPUDialect",
                           "::mlir::math::MathDialect",
                           "::mlir::memref::MemRefDialect",
                           "::mlir::NVVM::NVVMDialect",
                           "::mlir::scf::SCFDialect"];
}

#endif // SPARSEK_CONVERSION_SPARSEKTOGPU_PASSES_TD
