//===- Compare.h - Results against the reference's ------------ -*- C++ -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEK_TOOLS_SPARSEK_RUN_COMPARE_H
#define SPARSEK_TOOLS_SPARSEK_RUN_COMPARE_H

#include "HostTensor.h"

namespace mlir::sparsek::run {

/// How far a result is from the reference's.
struct Comparison {
  /// The largest |result - reference|, where both are finite.
  double largestError = 0;
  /// The largest error that is allowed: none for integers; for floats
  /// `r * max(1, largest |reference|)`, with r = 1e-5 for f32 and f64, and for
  /// f16 and bf16 1e-5 plus 4 times the unit roundoff: both sides round the
  /// result once, and the tiled path may round the softmax, too.
  double bound = 0;
  /// Elements that are infinite or NaN on one side alone.
  int64_t numMismatches = 0;
  /// Sizes differ: nothing else was compared.
  bool sameSizes = true;

  bool holds() const {
    return sameSizes && numMismatches == 0 && largestError <= bound;
  }
};

Comparison compare(const HostTensor &result, const HostTensor &reference);

} // namespace mlir::sparsek::run

#endif // SPARSEK_TOOLS_SPARSEK_RUN_COMPARE_H
