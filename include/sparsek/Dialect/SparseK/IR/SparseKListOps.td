//===- SparseKListOps.td - Lifetimes as lists of live keys --*- tablegen -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Included by SparseKOps.td, which holds the base class of the ops.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEK_DIALECT_SPARSEK_IR_SPARSEKLISTOPS_TD
#define SPARSEK_DIALECT_SPARSEK_IR_SPARSEKLISTOPS_TD

def SparseK_LiveListsOp : SparseK_Op<"live_lists"> {
  let summary = "the keys that each tile of queries has to look at";
  let description = [{
    Splits `num_queries` queries into `T = ceil(Nq / tile)` tiles. The keys that
    a tile can see are a *band*, every key from `start` on, and a *list* of
    single keys before it. With `q_t = max(t * tile + Nk - Nq, 0)` the position
    of the first query of tile `t`:

    ```
    dead_t    = { j <= q_t : end[j] <= q_t }
    band_t    = 1 + max dead_t, or 0 where dead_t is empty
    A_t       = { j < band_t : end[j] > q_t }, ascending
    ```

    so the keys `band_t .. q_t` are all visible to the tile's first query. Where
    `A_t` fits the list, `|A_t| <= C`:

    ```
    start[t] = band_t,  count[t] = |A_t|,  list[t, 0 .. count[t]) = A_t
    ```

    Otherwise the band begins at the first key that does not fit:

    ```
    start[t] = A_t[C],  count[t] = C,      list[t, 0 .. C) = A_t[0 .. C)
    ```

    In both cases the list and the keys `start[t] .. i` hold every key that a
    query at position `i` of the tile can see, and `end` still tells which of
    them it does see. Behind its last key a list is padded with zeros to a
    multiple of 4 entries; what follows is unspecified.

    Operands:
    - `end [B, Hkv, Nk]`, i32, any values,
    - `num_queries`, the number of queries `Nq`,
    - `start [B, Hkv, T]` and `count [B, Hkv, T]`, i32 (destinations),
    - `list [B, Hkv, T, C]`, i32 (destination).

    Constraints:
    - (C1) `tile >= 1`, and it fits i32.
    - (C2) `end`, `start` and `count` have rank 3, `list` has rank 4.
    - (C3) `Nk` fits i32.
    - (C4) all operands agree on `B` and `Hkv`; `start`, `count` and `list`
      agree on `T`, which is `ceil(Nq / tile)`.
    - (C5) `C` is a multiple of 4.
    - (C6) operands are all tensors or all memrefs; results match the tensor
      destinations.

    Example:

    ```mlir
    %nq = arith.constant 1024 : index
    sparsek.live_lists tile(32) ins(%end : memref<1x2x?xi32>) queries(%nq)
        outs(%start, %count, %list
             : memref<1x2x32xi32>, memref<1x2x32xi32>, memref<1x2x32x512xi32>)
    ```
  }];
  let arguments = (ins
    SparseK_I32Shaped:$end,
    Index:$num_queries,
    SparseK_I32Shaped:$start,
    SparseK_I32Shaped:$count,
    SparseK_I32Shaped:$list,
    I64Attr:$tile);
  let assemblyFormat = [{
    `tile` `(` $tile `)` `ins` `(` $end `:` type($end) `)`
    `queries` `(` $num_queries `)`
    `outs` `(` $start `,` $count `,` $list `:`
               type($start) `,` type($count) `,` type($list) `)`
    attr-dict (`->` type($results)^)?
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() {
      return ::mlir::MutableOperandRange(*this, /*start=*/2, /*length=*/3);
    }
  }];
}

#endif // SPARSEK_DIALECT_SPARSEK_IR_SPARSEKLISTOPS_TD
