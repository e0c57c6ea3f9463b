//===- Passes.td - GPU modules to PTX ----------------------*- tablegen -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEK_TARGET_PTX_PASSES_TD
#define SPARSEK_TARGET_PTX_PASSES_TD

include "mlir/Pass/PassBase.td"

def SparseKGPUToPTX : Pass<"sparsek-gpu-to-ptx", "::mlir::ModuleOp"> {
  let summary = "replace GPU modules in the LLVM dialect by their PTX";
  let description = [{
    Translates each `gpu.module`, whose functions are in the LLVM and NVVM
    dialects, to LLVM IR and to PTX for a chip, and replaces it by a
    `gpu.binary` of the same name that holds the text:

    ```mlir
    gpu.module @m {
      llvm.func @f(%x: !llvm.ptr) attributes {gpu.kernel, nvvm.kernel} { ... }
    }
    ```

    becomes

    ```mlir
    gpu.binary @m [#gpu.object<#nvvm.target<chip = "sm_90a">, assembly = "...">]
    ```

    The middle end is light on purpose: vectors wider than 32 bits become
    scalars, and the result is cleaned up. LLVM's full pipeline makes the
    kernels slower: it reassociates addresses and lifts them out of loops into
    registers. Every inline assembly call is convergent, which the LLVM dialect
    cannot say, so that no pass copies a barrier into the sides of a branch.

    An error: a chip that is not `sm_80` or later; a call of a function that is
    not in the module (there is no device library).
  }];
  let options = [
    Option<"chip", "chip", "std::string", /*default=*/"\"sm_90a\"",
           "the GPU: sm_80, sm_86, sm_89, sm_90, sm_90a, ...">,
    Option<"features", "features", "std::string", /*default=*/"\"\"",
           "the PTX version, as +ptx87; the least that the chip needs if empty">,
    Option<"ptxFolder", "ptx-folder", "std::string", /*default=*/"\"\"",
           "also write the PTX of each module @m to m.ptx in this folder">
  ];
  let dependentDialects = ["::mlir::gpu::GPUDialect",
                           "::mlir::NVVM::NVVMDialect"];
}

#endif // SPARSEK_TARGET_PTX_PASSES_TD
