//===- Passes.td - GPU host code to LLVM -------------------*- tablegen -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEK_CONVERSION_GPUHOSTTOLLVM_PASSES_TD
#define SPARSEK_CONVERSION_GPUHOSTTOLLVM_PASSES_TD

include "mlir/Pass/PassBase.td"

def SparseKCheckGPUHost : Pass<"sparsek-check-gpu-host", "::mlir::ModuleOp"> {
  let summary = "refuse host code that touches the GPU's memory";
  let description = [{
    In a module for the GPU every memref of a function lies in the GPU's memory.
    Host code may allocate, free, copy, fill and pass it on, take views of it
    and ask for sizes. Any other op on a memref is an error: it has no lowering
    to the GPU, and on the host it would read or write memory that is not there.

    ```
    error: 'sparsek.causal_topk_mask' op has no GPU lowering yet: its operands
    lie in the GPU's memory, which host code cannot access
    ```

    Changes nothing.
  }];
}

def SparseKGPUHostToLLVM
    : Pass<"sparsek-gpu-host-to-llvm", "::mlir::ModuleOp"> {
  let summary = "lower launches and device memory to calls of the runtime";
  let description = [{
    Rewrites the ops of host code that concern the GPU to calls of the runtime,
    which enqueue the work on the stream of the call in progress:

    | op | call |
    | --- | --- |
    | `gpu.launch_func` | `sparsek_gpu_launch` |
    | `memref.alloc`, `memref.dealloc` | `sparsek_gpu_alloc`, `sparsek_gpu_free` |
    | `memref.copy`, `gpu.memcpy` | `sparsek_gpu_copy` |
    | `gpu.memset` | `sparsek_gpu_fill` |
    | `tile.encode_tensor_map` | `sparsek_gpu_encode` |

    Every memref is in the GPU's memory. A launch passes a memref as the fields
    of its descriptor, as `-convert-gpu-to-nvvm` expects them, and a tensor map by
    value, its 128 bytes.

    The PTX of a `gpu.binary` becomes a constant, and each kernel that is
    launched a global:

    ```mlir
    gpu.launch_func @m::@f blocks in (%g, %1, %1) threads in (%b, %1, %1) args(%x : f32, ...)
    ```

    becomes

    ```mlir
    llvm.mlir.global internal constant @sparsek_gpu_image_m("...\00")
    llvm.mlir.global internal @sparsek_gpu_kernel_m_f() : !llvm.struct<(ptr, i64, ptr, ptr)> {
      // the image, its size, "f", and null, where the runtime keeps what it has loaded
    }
    llvm.store %x, %p0 : f32, !llvm.ptr
    llvm.store %p0, %parameters : !llvm.ptr, !llvm.ptr
    llvm.call @sparsek_gpu_launch(%kernel, %g, %1, %1, %b, %1, %1, %shared, %parameters)
    ```

    An error: tokens (`async`), clusters, a kernel that no `gpu.binary` holds.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

#endif // SPARSEK_CONVERSION_GPUHOSTTOLLVM_PASSES_TD
