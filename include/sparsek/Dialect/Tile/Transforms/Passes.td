//===- Passes.td - Passes of the tile dialect --------------- *- tablegen -*===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEK_DIALECT_TILE_TRANSFORMS_PASSES_TD
#define SPARSEK_DIALECT_TILE_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def TileInferLayouts : Pass<"tile-infer-layouts"> {
  let summary = "find which thread holds which element of every vector";
  let description = [{
    Gives every op in a `tile.role` with vector results the attribute
    `tile.layouts`, a `#tile.layout` per vector result, which is also that of the
    loop-carried values and yields of `scf` ops. The arguments of the `before`
    region of an `scf.while` are in `tile.argument_layouts`.

    The shape decides for vectors of rank 2: `M x N` is `fragment`, `M x 1` is
    `row`. The layout of a vector of rank 1 comes from its uses:

    | use or result | layout |
    |---|---|
    | accumulator and result of `vector.multi_reduction`; `vector.shape_cast` to or from `M x 1`; indices, mask and value of `tile.scatter` | `row` |
    | operand of `vector.broadcast` to rank 2 | `column` |
    | indices of `tile.gather` | `copy` |
    | operand of `tile.store` and `tile.set_flag` | `linear` |
    | elementwise ops, `tile.mma_wait`, `scf.for`, `scf.while`, `scf.if` | the same everywhere |

    Splat constants, `tile.iota`, broadcasts of scalars, loads, and elementwise
    ops on nothing else, adapt: they take the layout of their use, and are
    cloned where uses differ. Every other value has one layout, two are an error.
    A vector of rank 1 that nothing decides about is `linear`.

    ```mlir
    %i = tile.iota : vector<64xi32>
    tile.store %i to %slot : vector<64xi32>, !tile.shared<64xi32>
    tile.gather %key[%i] to %keys : ...
    ```

    becomes

    ```mlir
    %i = tile.iota {tile.layouts = [#tile.layout<linear>]} : vector<64xi32>
    %j = tile.iota {tile.layouts = [#tile.layout<copy, lanes = 16>]} : vector<64xi32>
    tile.store %i to %slot : vector<64xi32>, !tile.shared<64xi32>
    tile.gather %key[%j] to %keys : ...
    ```
  }];
}

def TileDistribute : Pass<"tile-distribute"> {
  let summary = "replace vectors of a group by the vectors of one thread";
  let description = [{
    Rewrites the bodies of all `tile.role` ops, whose vectors have layouts
    (`-tile-infer-layouts`), for one thread. Every vector becomes the vector of
    rank 1 of the elements that a thread holds, in the order that `#tile.layout`
    gives: with `threads` in the group

    | vector | layout | a thread's |
    |---|---|---|
    | `vector<MxNxT>` | `fragment` | `vector<(N/2)xT>` |
    | `vector<MxT>`, `vector<Mx1xT>` | `row` | `vector<2xT>` |
    | `vector<NxT>` | `column` | `vector<(N/4)xT>` |
    | `vector<NxT>` | `linear` | `vector<1xT>` |
    | `vector<NxT>` | `copy<lanes>` | `vector<(N*lanes/threads)xT>` |

    Elementwise ops work on these. Reductions over columns combine a thread's
    elements and then those of its quad by shuffles. Loads of vectors become
    loads of a thread's elements, `tile.gather` asynchronous copies of 16 bytes,
    `tile.scatter` stores of 16 bytes after a transposition in quads, `tile.load`
    of 16-bit tiles `nvvm.ldmatrix`. Rings, slots, `tile.mma` and
    `tile.mma_wait` stay, on a thread's vectors.

    ```mlir
    %s = tile.mma ... : vector<64x8xf32>
    %m = vector.multi_reduction <maxnumf>, %s, %init
        {tile.layouts = [#tile.layout<row>]} [1] : vector<64x8xf32> to vector<64xf32>
    ```

    becomes

    ```mlir
    %e:4 = vector.to_elements %s : vector<4xf32>
    %0 = arith.maxnumf %e#0, %e#1 : f32
    %1 = nvvm.shfl.sync bfly %all, %0, %c1, %c31 : f32 -> f32
    %2 = arith.maxnumf %0, %1 : f32
    %3 = nvvm.shfl.sync bfly %all, %2, %c2, %c31 : f32 -> f32
    ...
    %m = vector.from_elements %r0, %r1 : vector<2xf32>
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::LLVM::LLVMDialect",
                           "::mlir::memref::MemRefDialect",
                           "::mlir::NVVM::NVVMDialect",
                           "::mlir::scf::SCFDialect",
                           "::mlir::vector::VectorDialect"];
}

#endif // SPARSEK_DIALECT_TILE_TRANSFORMS_PASSES_TD
