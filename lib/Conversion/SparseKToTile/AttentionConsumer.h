//===- AttentionConsumer.h - The warps that attend ------------ -*- C++ -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LIB_CONVERSION_SPARSEKTOTILE_ATTENTIONCONSUMER_H
#define LIB_CONVERSION_SPARSEKTOTILE_ATTENTIONCONSUMER_H

#include "AttentionKernel.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace mlir::sparsek {

/// The consumer role of an AttentionKernel. Each group has `16 * groupWarps`
/// rows of the tile.
class AttentionConsumer {
public:
  explicit AttentionConsumer(AttentionKernel &kernel);

  void emit();

private:
  using Tile = AttentionKernel::Tile;

  struct Place {
    Term stage, phase;
  };
  /// The running softmax of the rows: the maximum of the products, at some
  /// block, that the exponentials refer to, and the sums of the exponentials,
  /// not yet summed over the 8 columns of a block.
  struct Softmax {
    Term maximum, sums;
  };
  /// A block's probabilities, whether older ones have shrunk, and how much.
  struct Probabilities {
    Term values, shrunk, factor;
  };
  /// Whether some pairs of a block are invisible, or have a gate.
  struct Flags {
    Term masked, gated;
  };
  /// The rows of the tile at hand.
  struct Rows {
    Term tau;
  };

  void emitTiles();
  /// Queries of the tile that the producer has fetched: to registers, and back.
  Term loadQueries(Term phase, Term wanted);
  Terms emitTile(ArrayRef<Term> state, Term &more);
  Term multiplyKeys(Term queries, Term accumulator, Term stage,
                    bool sync = false);
  Term multiplyValues(Term probabilities, Term accumulator, Term stage,
                      Term accumulate);
  Terms waitProducts(int64_t pending, ArrayRef<Term> values);
  Term pin(Term values);
  Place advance(Place place);
  void release(Value ring, Term stage);
  void waitFull(Value ring, Place place);

  Rows loadRows(const Tile &tile);
  Flags loadFlags(Term stage);
  /// The products of invisible pairs become -inf.
  Term mask(Term products, Term stage);
  /// Times the gates of a slot's keys.
  Term gate(Term values, Term stage, const Rows &rows);
  /// The products of a block as they are exponentiated: with their sign, the
  /// gates of keys, and -inf where invisible.
  Term prepare(Term products, Term stage, const Flags &flags, const Rows &rows);
  /// Raises the running maximum to that of the products, and exponentiates.
  Probabilities raise(Term products, const Softmax &before, Softmax &after);
  /// exp2 of a tile's first block. Releases the keys.
  Probabilities exponentiateFirst(Term products, Term stage, const Flags &flags,
                                  const Rows &rows, Softmax &softmax);
  /// exp2 of a further block.
  Probabilities exponentiate(Term queries, Term products, Term stage,
                             const Flags &flags, const Rows &rows,
                             Softmax &softmax);
  Term exponentials(Term products, Term maximum);
  /// Times the gates of values; releases the keys.
  void finish(Probabilities &probabilities, Term stage, const Flags &flags,
              const Rows &rows);
  Term applyGates(Term values, Term stage, const Flags &flags,
                  const Rows &rows);
  Term getReference(Term maximum);
  Term sumColumns(Term values);
  Term shrink(Term values, const Probabilities &probabilities);
  Term toOperand(Term values);
  void writeRows(const Tile &tile, Term output, const Softmax &softmax);

  Term f32(double value);
  Term zeros(int64_t columns);
  /// One value a row as a whole fragment.
  Term spread(Term rowValues, int64_t columns);
  Term spreadColumns(Term columnValues);
  Term reduce(vector::CombiningKind kind, Term values, double init);
  Term loadColumn(Value buffer, Term stage);

  AttentionKernel &k;
  ImplicitLocOpBuilder &b;
  const AttentionShape &shape;
  const AttentionSchedule &schedule;
  /// Rows of a group.
  const int64_t groupRows;
  /// |scale| * log2(e), 1 for a scale of 0: `prepare` gives the products the
  /// sign, or makes them 0.
  double scale;
  /// The rows' queries in the tile.
  Term query;
  /// Where the group's rows begin in the tile.
  Term firstRow;
};

} // namespace mlir::sparsek

#endif // LIB_CONVERSION_SPARSEKTOTILE_ATTENTIONCONSUMER_H
