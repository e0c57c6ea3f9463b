//===- Passes.h - Passes of the tile dialect --------------------*- C++ -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEK_DIALECT_TILE_TRANSFORMS_PASSES_H
#define SPARSEK_DIALECT_TILE_TRANSFORMS_PASSES_H

#include "mlir/Pass/Pass.h"

namespace mlir::sparsek::tile {

#define GEN_PASS_DECL
#include "sparsek/Dialect/Tile/Transforms/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "sparsek/Dialect/Tile/Transforms/Passes.h.inc"

} // namespace mlir::sparsek::tile

#endif // SPARSEK_DIALECT_TILE_TRANSFORMS_PASSES_H
