//===- RadixSort.h - Sorting of a row of scores -----------------*- C++ -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LIB_CONVERSION_SPARSEKTOSCF_RADIXSORT_H
#define LIB_CONVERSION_SPARSEKTOSCF_RADIXSORT_H

#include "KernelBuilder.h"

namespace mlir::sparsek {

/// A row of `count` scores in ascending order, equal scores with the later
/// position first: the worst comes first.
struct SortedRow {
  /// memref<?xi64>: entry r holds the ordered key (high half) and the position
  /// (low half) of the score of rank r.
  Value pairs;
  /// How many of the scores are -inf or NaN: the first ranks.
  Value missing;
};

/// Sorts by four stable passes over digits of 8 bits. `loadScore` emits the
/// load of the f32 score at a position; a NaN counts as -inf, -0 as +0, +inf
/// as the largest finite f32.
SortedRow emitRadixSort(KernelBuilder &b, Value count,
                        function_ref<Value(Value)> loadScore);

/// The score and the position of an entry of SortedRow::pairs.
Value emitScoreOfPair(KernelBuilder &b, Value pair);
Value emitPositionOfPair(KernelBuilder &b, Value pair);

} // namespace mlir::sparsek

#endif // LIB_CONVERSION_SPARSEKTOSCF_RADIXSORT_H
