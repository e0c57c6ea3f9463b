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

  void emitTile(const Tile &tile, Place &place, Term &queryPhase);
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
};

} // namespace mlir::sparsek

#endif // LIB_CONVERSION_SPARSEKTOTILE_ATTENTIONPRODUCER_H
