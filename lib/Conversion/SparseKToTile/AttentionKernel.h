//===- AttentionKernel.h - Sparse attention on tiles ---------- -*- C++ -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LIB_CONVERSION_SPARSEKTOTILE_ATTENTIONKERNEL_H
#define LIB_CONVERSION_SPARSEKTOTILE_ATTENTIONKERNEL_H

#include "AttentionSchedule.h"
#include "Term.h"

#include "sparsek/Dialect/Tile/IR/Tile.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"

namespace mlir::sparsek {

/// Emits one attention kernel at the tile level.
///
/// A thread block takes tile after tile. A tile is `queries` neighbouring
/// queries of `heads` query heads of one kv head, `rows` rows in all, row
/// `head * queries + query`. Its keys are a band, `start .. qhi`, and a list of
/// `count` older keys (`sparsek.live_lists`), in positions
///
///   0 .. band-1            key qhi - position
///   band .. first-1        nothing (the last block need not be full)
///   first .. blocks*keys   list[position - first]
///
/// and blocks of `keys` positions. One warpgroup, the producer, fetches the
/// rows of a block into the next slots of a ring for the keys and one for the
/// values, those of a block inside of the band with one bulk copy, with what
/// the consumers must know of each key: the queries of the tile that it is
/// visible to. The consumers keep in registers the rows' sums and output, and
/// the maximum of some block that the exponentials refer to. Of block b+1 the
/// product of queries and keys is issued before the product of probabilities
/// and values of block b, which runs under the exponentials; of the next tile,
/// before this tile's output is written.
class AttentionKernel {
public:
  AttentionKernel(ImplicitLocOpBuilder &builder, const AttentionShape &shape,
                  const AttentionSchedule &schedule)
      : b(builder), shape(shape), schedule(schedule),
        queries(schedule.getQueries(shape)) {}

  /// The kernel, of arguments query, key, value, end, (scores, tau,) output,
  /// lse, start, count, list, and with a bulk schedule the tensor maps of key
  /// and value.
  gpu::GPUFuncOp build(StringRef name, TypeRange argumentTypes);

private:
  friend class AttentionProducer;
  friend class AttentionConsumer;

  /// Where a tile's queries and keys lie.
  struct Tile {
    Term batch, kvHead, chunk, tile;
    /// Position of the first query; can be negative.
    Term first;
    /// Position of the last query.
    Term last;
    /// Keys of the band; entries of the list, and those rounded up to 4.
    Term band, count, padded;
    /// Number of blocks, at least 1, and the position that the list begins at.
    Term blocks, listBegin;
  };
  /// The lists of a tile, loaded ahead of time.
  struct Lists {
    Term start, count;
  };

  Term i32(int64_t value);
  Term dim(Value memref, int64_t dimension);
  Term iota(int64_t size);
  Term toI32(Value index);
  Value toIndex(Term i32);
  /// One element of a memref of rank 3.
  Term load(Value memref, ArrayRef<Term> indices);
  /// The part of a memref at the leading indices, from `offsets` on in the
  /// dimensions that follow.
  Value slice(Value memref, ArrayRef<Term> leading,
              ArrayRef<Term> offsets = {});
  Term slot(Value buffer, Term stage);
  Value alloc(ArrayRef<int64_t> shape, Type elementType, bool swizzled = false);

  void addBuffers();
  void addScalars();
  /// The lists of tile `index` of the grid's order; those of the last tile for
  /// an index beyond the end.
  Lists loadLists(Term index);
  Tile getTile(Term index, const Lists &lists);

  ImplicitLocOpBuilder &b;
  const AttentionShape &shape;
  const AttentionSchedule &schedule;
  const int64_t queries;

  Value query, key, value, end, scores, tau, output, lse, start, count, list;
  Value keyMap, valueMap;
  /// Sizes, and the number of tiles of a head and in all.
  Term numQueries, numKeys, numHeads, numLanes, tilesPerHead, numTiles;
  Term blockId, gridSize;

  Value queryRing, keyRing, valueRing;
  Value queryTile, keyTiles, valueTiles;
  /// Of each key of a slot: the queries that see it as a word of a bit each,
  /// or, for tiles of more queries than that, the first one and how many they
  /// are; the first query that has it outside of the window, its score.
  Value visibles, lowers, lengths, windowEnds, keyScores;
  /// Whether a slot has a key that not all queries see, or one with a gate.
  Value maskFlags, gateFlags;
};

} // namespace mlir::sparsek

#endif // LIB_CONVERSION_SPARSEKTOTILE_ATTENTIONKERNEL_H
