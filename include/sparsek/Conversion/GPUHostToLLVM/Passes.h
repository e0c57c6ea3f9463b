//===- Passes.h - GPU host code to LLVM ----------------------- -*- C++ -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEK_CONVERSION_GPUHOSTTOLLVM_PASSES_H
#define SPARSEK_CONVERSION_GPUHOSTTOLLVM_PASSES_H

#include "mlir/Pass/Pass.h"

namespace mlir::sparsek {

#define GEN_PASS_DECL
#include "sparsek/Conversion/GPUHostToLLVM/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "sparsek/Conversion/GPUHostToLLVM/Passes.h.inc"

} // namespace mlir::sparsek

#endif // SPARSEK_CONVERSION_GPUHOSTTOLLVM_PASSES_H
