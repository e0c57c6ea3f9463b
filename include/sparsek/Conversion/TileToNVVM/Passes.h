//===- Passes.h - Tile kernels to nvvm --------------------------*- C++ -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEK_CONVERSION_TILETONVVM_PASSES_H
#define SPARSEK_CONVERSION_TILETONVVM_PASSES_H

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Pass/Pass.h"

namespace mlir::sparsek {

/// The bytes of dynamic shared memory of a kernel, an i32 on its function.
inline constexpr llvm::StringLiteral kSharedBytesAttr = "tile.shared_bytes";
/// The arguments of a kernel that are tensor maps, numbered as those of the
/// `llvm.func` that it becomes (a ranked memref counts 3 + 2 * rank).
inline constexpr llvm::StringLiteral kTensorMapArgsAttr =
    "tile.tensor_map_args";

#define GEN_PASS_DECL
#include "sparsek/Conversion/TileToNVVM/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "sparsek/Conversion/TileToNVVM/Passes.h.inc"

} // namespace mlir::sparsek

#endif // SPARSEK_CONVERSION_TILETONVVM_PASSES_H
