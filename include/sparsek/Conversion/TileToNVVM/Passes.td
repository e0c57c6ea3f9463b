//===- Passes.td - The tile to nvvm conversion -------------*- tablegen -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEK_CONVERSION_TILETONVVM_PASSES_TD
#define SPARSEK_CONVERSION_TILETONVVM_PASSES_TD

include "mlir/Pass/PassBase.td"

def ConvertTileToNVVM : Pass<"convert-tile-to-nvvm", "::mlir::ModuleOp"> {
  let summary = "lower distributed tile kernels to nvvm and llvm ops";
  let description = [{
    Takes every `gpu.func` after `-tile-distribute`: its vectors have rank 1 and
    belong to one thread.

    - Buffers and rings get fixed offsets in one block of dynamic shared memory,
      whose size in bytes becomes the attribute `tile.shared_bytes` of the
      function and the `dynamic_shared_memory_size` of its launches.
    - Thread 0 initializes the barriers of the rings first of all.
    - Roles become branches on the thread number; the number of threads becomes
      `known_block_size`, one block per multiprocessor.
    - Products of a warpgroup become `wgmma` (sm_90a). No `nvvm` op has operand A
      in registers or a run-time `scale-d`: it is inline assembly, one
      instruction each.
    - Products of a warp become `mma.sync` on all chips: m16n8k16 for f16 and
      bf16 with B (and A, in shared memory) read by `ldmatrix`; for f32, three of
      m16n8k8 on tf32 parts, `x` rounded and the rest of it (the error is that of
      f32 sums; an infinite operand gives NaN). Of a lane's address only an
      addition and some xors depend on the tile.
    - `math.exp2`, `math.log2` (f32) become `ex2.approx.ftz`, `lg2.approx.ftz`,
      `math.fma`, `arith.maxnumf`, `arith.minnumf` LLVM intrinsics, and
      `arith.truncf` to 16 bits one conversion for two elements, so that nothing
      is left that needs libdevice.
    - A vector of 16-bit floats that is carried by `scf` ops becomes one of i32,
      two elements each, as the products take them.
    - A `!tile.tensor_map` argument becomes a pointer; the launch passes a cast of
      the map. `tile.tensor_map_args` lists these arguments by their numbers in
      the `llvm.func` to come (`-tile-finalize-kernels`).
  }];
  let options = [Option<"chip", "chip", "std::string", "\"sm_90a\"",
                        "the GPU: sm_90a, or another from sm_80 on">];
  let dependentDialects =
      ["::mlir::arith::ArithDialect", "::mlir::LLVM::LLVMDialect",
       "::mlir::NVVM::NVVMDialect", "::mlir::scf::SCFDialect",
       "::mlir::vector::VectorDialect"];
}

def TileFinalizeKernels
    : Pass<"tile-finalize-kernels", "::mlir::gpu::GPUModuleOp"> {
  let summary = "pass tensor maps to kernels by value";
  let description = [{
    Runs after `convert-gpu-to-nvvm`, which drops `llvm.byval` and
    `nvvm.grid_constant`. Puts them on the arguments of an `llvm.func` that
    `tile.tensor_map_args` lists:

    ```mlir
    llvm.func @kernel(%map: !llvm.ptr) attributes {tile.tensor_map_args = array<i64: 0>} { ... }
    // becomes
    llvm.func @kernel(%map: !llvm.ptr {llvm.align = 64, llvm.byval = !llvm.array<128 x i8>, nvvm.grid_constant}) { ... }
    ```
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect",
                           "::mlir::NVVM::NVVMDialect"];
}

#endif // SPARSEK_CONVERSION_TILETONVVM_PASSES_TD
