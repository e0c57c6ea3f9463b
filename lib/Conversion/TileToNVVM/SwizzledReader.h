//===- SwizzledReader.h - Reads of swizzled tiles ---------------*- C++ -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEK_LIB_CONVERSION_TILETONVVM_SWIZZLEDREADER_H
#define SPARSEK_LIB_CONVERSION_TILETONVVM_SWIZZLEDREADER_H

#include "NVVMBuilder.h"

#include "sparsek/Dialect/Tile/IR/Tile.h"

#include <array>

namespace mlir::sparsek::tile {

/// Where a lane starts in a swizzled tile: a row, a 16-byte chunk and a byte of
/// it, all i32 and small (row below 16, chunk below 8).
struct LanePlace {
  Value row, chunk, byte;
};

/// Addresses of one lane in a swizzled tile.
///
/// Row `r`, chunk `c` lies at `c / 8 * panel + r * 128 + (c ^ r) % 8 * 16`.
/// Going from the lane's place `(r0, c0)` by constants `(dr, dc)` is
///
///   r0 * 128 + (c0 ^ r0) % 8 * 16         once per role
///   + tile                                once per product
///   xor (dc ^ dr) % 8 * 16                at most 8 values
///   + dc / 8 * panel + dr * 128           a constant offset of the load
///
/// where `r0 % 8` and `dr % 8` have no bit in common, nor have `c0` and `dc`.
class SwizzledReader {
public:
  /// `user` is the op in whose role the lane's offset is computed.
  SwizzledReader(NVVMBuilder &b, Operation *user, SharedType type,
                 Value address, function_ref<LanePlace(NVVMBuilder &)> place);

  /// `!llvm.ptr<3>` to the lane's place moved by `rows` and `chunks`.
  Value at(int64_t rows, int64_t chunks);

private:
  NVVMBuilder &b;
  SharedType type;
  /// The lane's address in the tile.
  Value base;
  /// Pointers to `base ^ i * 16`, made when needed.
  std::array<Value, 8> pointers;
};

} // namespace mlir::sparsek::tile

#endif // SPARSEK_LIB_CONVERSION_TILETONVVM_SWIZZLEDREADER_H
