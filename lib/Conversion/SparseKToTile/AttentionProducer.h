//===- AttentionProducer.h - The warps that fetch keys -------- -*- C++ -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LIB_CONVERSION_SPARSEKTOTILE_ATTENTIONPRODUCER_H
#define LIB_CONVERSION_SPARSEKTOTILE_ATTENTIONPRODUCER_H

#include "AttentionKernel.h"

namespace mlir::sparsek {

/// The producer role of an AttentionKernel. What a block needs from memory
/// besides rows (list entries, ends, scores) is loaded one or two blocks ahead,
/// so that a copy never waits for its address.
class AttentionProducer {
public:
  explicit AttentionProducer(AttentionKernel &kernel)
      : k(kernel), b(kernel.b), shape(kernel.shape), schedule(kernel.schedule) {
  }

  void emit();

private:
  using Tile = AttentionKernel::Tile;

  /// What the threads know of the keys of a block, one key each.
  struct Keys {
    /// Which key, and whether it is one.
    Term index, isKey;
  };
  /// The same keys' ends and scores.
  struct Lifetimes {
    Term end, score;
  };
  /// A place in the rings.
  struct Place {
    Term stage, phase;
  };
  /// What is carried from block to block. Blocks of neighbouring keys, `bulk`,
  /// and of others, `gathered`, come in turns as long as there are both: bulk
  /// copies cost the producer next to nothing, so that a gather has the time of
  /// two blocks.
  struct State {
    Place place;
    /// The next block of each kind.
    Term bulk, gathered;
    /// Of the next gathered block and, last, of the one after it. The rows of
    /// values are those of keys; the threads share them out in another way
    /// where they have another size.
    Term rows, valueRows;
    Keys keys;
    Lifetimes lifetimes;
    Keys keysAfter;
    /// Of the next bulk block.
    Lifetimes bulkLifetimes;
  };

  void emitTile(const Tile &tile, Place &place, Term &queryPhase);
  /// The fields of a state that the kernel has use for.
  SmallVector<Term *> getFields(State &state) const;
  Terms pack(State state) const;
  State unpack(ArrayRef<Term> terms) const;
  State start(const Tile &tile, Place place);
  void setRows(const Tile &tile, Term block, State &state);
  State emitBlock(const Tile &tile, const State &state);
  State emitGathered(const Tile &tile, const State &state);
  State emitBulk(const Tile &tile, const State &state);
  void gatherQueries(const Tile &tile, Term queryPhase);
  /// The rows of a block to gather.
  Term getRows(const Tile &tile, Term block);
  Keys getKeys(const Tile &tile, Term block);
  Lifetimes getLifetimes(const Keys &keys);
  /// Hands a block's keys to the consumers, what they are and their rows.
  Term getWord(Term lower, Term length);
  void storeKeys(const Tile &tile, Term stage, const Keys &keys,
                 const Lifetimes &lifetimes);
  void storeGates(const Tile &tile, Term stage, const Keys &keys,
                  const Lifetimes &lifetimes);
  Keys getBulkKeys(const Tile &tile, Term block);
  void copy(const Tile &tile, Value map, Term firstKey, Value tiles, Value ring,
            Place place);
  /// A number below 256 of each key.
  void store(Term number, Value buffer, Term stage);
  void gather(Value rows, Value source, Term indices, Value ring, Place place);

  Term vectorLoad(Value memref, Term begin, Term mask, Term otherwise);
  Term vectorGather(Value memref, Term indices, Term mask, Term otherwise);

  AttentionKernel &k;
  ImplicitLocOpBuilder &b;
  const AttentionShape &shape;
  const AttentionSchedule &schedule;
  /// Of the tile at hand.
  Value keyRows, valueRows, ends, keyScores, list;
  /// The blocks that lie inside of its band; all others are gathered.
  Term bulkBlocks;
};

} // namespace mlir::sparsek

#endif // LIB_CONVERSION_SPARSEKTOTILE_ATTENTIONPRODUCER_H
