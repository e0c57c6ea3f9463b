//===- Tile.h - The tile dialect ----------------------------- -*- C++ -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEK_DIALECT_TILE_IR_TILE_H
#define SPARSEK_DIALECT_TILE_IR_TILE_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/RegionKindInterface.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "sparsek/Dialect/Tile/IR/TileDialect.h.inc"
#include "sparsek/Dialect/Tile/IR/TileEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "sparsek/Dialect/Tile/IR/TileAttributes.h.inc"

#define GET_TYPEDEF_CLASSES
#include "sparsek/Dialect/Tile/IR/TileTypes.h.inc"

#define GET_OP_CLASSES
#include "sparsek/Dialect/Tile/IR/TileOps.h.inc"

namespace mlir::sparsek::tile {

/// The threads of a warp and of a warpgroup.
inline constexpr int64_t kWarpThreads = 32;
inline constexpr int64_t kWarpgroupThreads = 128;
/// Bytes of a panel's row, and of the chunks that the swizzle permutes.
inline constexpr int64_t kPanelBytes = 128;
inline constexpr int64_t kChunkBytes = 16;

} // namespace mlir::sparsek::tile

#endif // SPARSEK_DIALECT_TILE_IR_TILE_H
