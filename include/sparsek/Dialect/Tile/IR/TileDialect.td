//===- TileDialect.td - The tile dialect ------------------- *- tablegen -*===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEK_DIALECT_TILE_IR_TILEDIALECT_TD
#define SPARSEK_DIALECT_TILE_IR_TILEDIALECT_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/DialectBase.td"
include "mlir/IR/EnumAttr.td"

def Tile_Dialect : Dialect {
  let name = "tile";
  let cppNamespace = "::mlir::sparsek::tile";
  let summary = "GPU kernels on tiles: roles, rings, gathers and products";
  let description = [{
    A kernel at the tile level reads like its algorithm: warps have roles
    (`tile.roles`), a producer fills slots of shared memory (`tile.gather`,
    `tile.bulk_copy`) that it hands over through a ring of barriers
    (`tile.ring`), consumers multiply tiles (`tile.mma`), and everything else is
    arith, math and vector on tile-sized vectors. Nothing here knows about
    attention.

    *Groups.* The threads of a role form groups: warpgroups of 128 threads or
    warps of 32. A tile-sized vector belongs to one group, whose threads hold
    its elements together; `#tile.layout` says which thread holds what.
    `-tile-infer-layouts` finds the layouts, `-tile-distribute` replaces
    tile-sized vectors by the vectors that one thread holds, and
    `-convert-tile-to-nvvm` lowers the rest.
  }];
  let useDefaultAttributePrinterParser = 1;
  let useDefaultTypePrinterParser = 1;
}

//===----------------------------------------------------------------------===//
// Layouts
//===----------------------------------------------------------------------===//

def Tile_LayoutKind : I32EnumAttr<
    "LayoutKind", "how the threads of a group hold a vector", [
      I32EnumAttrCase<"fragment", 0>,
      I32EnumAttrCase<"row", 1>,
      I32EnumAttrCase<"column", 2>,
      I32EnumAttrCase<"linear", 3>,
      I32EnumAttrCase<"copy", 4>,
    ]> {
  let cppNamespace = "::mlir::sparsek::tile";
  let genSpecializedAttr = 0;
}

def Tile_LayoutAttr : AttrDef<Tile_Dialect, "Layout"> {
  let mnemonic = "layout";
  let summary = "which thread of a group holds which element of a vector";
  let description = [{
    Warp `w` of the group, lane `l` of the warp, `g = l / 4`, `t = l % 4`.

    - `fragment`, `M x N`, `M` = 16 times the warps of the group, `N` a multiple
      of 8: the accumulator and, with 16-bit elements, the register operand A of
      `wgmma` and `mma.sync`. A thread holds `N / 2` elements; of each block
      `b` of 8 columns, in this order:

      ```
      element 4b      row 16w + g       column 8b + 2t
      element 4b + 1  row 16w + g       column 8b + 2t + 1
      element 4b + 2  row 16w + g + 8   column 8b + 2t
      element 4b + 3  row 16w + g + 8   column 8b + 2t + 1

      lanes by (row g, columns 2t, 2t + 1) of one 8 x 8 block:
              0 1   2 3   4 5   6 7
        g=0   T0    T1    T2    T3
        g=1   T4    T5    T6    T7
        ...
        g=7   T28   T29   T30   T31
      ```
    - `row`, `M`: one value per row of a fragment; a thread holds rows
      `16w + g` and `16w + g + 8`, the four threads of a quad the same.
    - `column`, `N`: one value per column of a fragment; a thread holds columns
      `8b + 2t` and `8b + 2t + 1` of each block `b`, `N / 4` in all.
    - `linear`, `N` at most the threads of the group: thread `i` holds element
      `i`; threads from `N` on hold a value that means nothing.
    - `copy<lanes>`, `N`: row numbers of a gather. `lanes` neighbouring threads
      move one row together; the `p`-th such party holds the `N / parties`
      elements from `p * N / parties` on, each of its threads all of them.
  }];
  let parameters = (ins
    EnumParameter<Tile_LayoutKind>:$kind,
    DefaultValuedParameter<"int64_t", "0">:$lanes);
  let assemblyFormat = "`<` $kind (`,` `lanes` `=` $lanes^)? `>`";
}

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

def Tile_SharedType : TypeDef<Tile_Dialect, "Shared"> {
  let mnemonic = "shared";
  let summary = "a tile, or several slots of one, in shared memory";
  let description = [{
    `!tile.shared<4x96x128xbf16, swizzled>`: four slots of 96 rows of 128
    elements. Without `swizzled`, row-major. With it, each trailing `R x C`
    matrix is cut into panels of 128 bytes of each row, the last one possibly
    used in part: byte `p * 128 * R + r * 128 + ((c ^ (r % 8)) * 16)` holds the
    16-byte chunk `c` of row `r` in panel `p`. This is the 128-byte swizzle of
    TMA and of `wgmma`'s descriptors; the memory is aligned to 1024 bytes.
  }];
  let parameters = (ins
    ArrayRefParameter<"int64_t">:$shape,
    "::mlir::Type":$elementType,
    "bool":$swizzled);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    int64_t getRank() const { return getShape().size(); }
    /// Bytes of an element.
    int64_t getElementBytes() const;
    /// Panels of 128 bytes in a row; swizzled tiles only.
    int64_t getNumPanels() const;
    /// Bytes of one panel of all rows, 128 * R; swizzled tiles only.
    int64_t getPanelBytes() const;
    /// Bytes of the whole, all slots.
    int64_t getBytes() const;
    /// The type without its first dimension.
    SharedType getSlotType() const;
  }];
}

def Tile_RingType : TypeDef<Tile_Dialect, "Ring"> {
  let mnemonic = "ring";
  let summary = "a ring of slots handed from producers to consumers and back";
  let parameters = (ins "int64_t":$stages);
  let assemblyFormat = "`<` $stages `>`";
}

def Tile_TensorMapType : TypeDef<Tile_Dialect, "TensorMap"> {
  let mnemonic = "tensor_map";
  let summary = "a descriptor of a tensor in device memory for bulk copies";
  let description = [{
    128 bytes, made on the host by `tile.encode_tensor_map` and passed to a
    kernel by value.
  }];
}

#endif // SPARSEK_DIALECT_TILE_IR_TILEDIALECT_TD
