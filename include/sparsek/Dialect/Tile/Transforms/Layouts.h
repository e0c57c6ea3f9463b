//===- Layouts.h - Which thread holds which element -------------*- C++ -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The maps behind #tile.layout, and the attributes in which layouts are kept.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEK_DIALECT_TILE_TRANSFORMS_LAYOUTS_H
#define SPARSEK_DIALECT_TILE_TRANSFORMS_LAYOUTS_H

#include "sparsek/Dialect/Tile/IR/Tile.h"

namespace mlir::sparsek::tile {

/// A layout per vector result of an op.
inline constexpr llvm::StringLiteral kLayoutsAttr = "tile.layouts";
/// A layout per vector argument of the first region of an scf.while.
inline constexpr llvm::StringLiteral kArgumentLayoutsAttr =
    "tile.argument_layouts";

/// Succeeds if a group of `threads` can hold `type` in `layout`; otherwise says
/// what is wrong through `emitError`.
LogicalResult verifyLayout(LayoutAttr layout, VectorType type, int64_t threads,
                           llvm::function_ref<InFlightDiagnostic()> emitError);

/// The vector that one thread holds.
VectorType getThreadType(LayoutAttr layout, VectorType type, int64_t threads);

/// Where the elements of a vector of rank 1 are that a thread holds: element
/// `i` of the thread is element `base(thread) + offsets[i]` of the vector.
SmallVector<int64_t> getElementOffsets(LayoutAttr layout, VectorType type,
                                       int64_t threads);

/// See getElementOffsets.
int64_t getElementBase(LayoutAttr layout, VectorType type, int64_t threads,
                       int64_t thread);

/// Row and column of element `i` of `thread` in a vector of rank 2 in layout
/// fragment.
std::pair<int64_t, int64_t> getFragmentElement(int64_t thread, int64_t i);

/// Whether threads from the vector's size on hold nothing of it.
bool isPartial(LayoutAttr layout, VectorType type, int64_t threads);

/// The layout of the row numbers of a gather to `slot`: as many lanes as a row
/// has chunks of 16 bytes, rounded up to a power of two, 32 at most.
LayoutAttr getGatherLayout(SharedType slot);

} // namespace mlir::sparsek::tile

#endif // SPARSEK_DIALECT_TILE_TRANSFORMS_LAYOUTS_H
