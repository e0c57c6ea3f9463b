//===- Compare.cpp - Results against the reference's ----------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Compare.h"

#include <algorithm>
#include <cmath>

using namespace mlir::sparsek::run;

static double getRelativeBound(int32_t elementType) {
  switch (elementType) {
  case SPARSEK_F16:
    return 4 * 0x1p-11 + 1e-5;
  case SPARSEK_BF16:
    return 4 * 0x1p-8 + 1e-5;
  default:
    return 1e-5;
  }
}

static Comparison compareFloats(const HostTensor &result,
                                const HostTensor &reference) {
  Comparison comparison;
  double magnitude = 1;
  for (int64_t i = 0, e = result.getNumElements(); i < e; ++i) {
    double got = result.getFloat(i), expected = reference.getFloat(i);
    if (std::isfinite(got) && std::isfinite(expected)) {
      comparison.largestError =
          std::max(comparison.largestError, std::abs(got - expected));
      magnitude = std::max(magnitude, std::abs(expected));
    } else if (got != expected && !(std::isnan(got) && std::isnan(expected))) {
      ++comparison.numMismatches;
    }
  }
  comparison.bound = getRelativeBound(result.get().elementType) * magnitude;
  return comparison;
}

Comparison mlir::sparsek::run::compare(const HostTensor &result,
                                       const HostTensor &reference) {
  Comparison comparison;
  comparison.sameSizes = result.getSizes() == reference.getSizes();
  if (!comparison.sameSizes)
    return comparison;
  if (result.isFloat())
    return compareFloats(result, reference);
  for (int64_t i = 0, e = result.getNumElements(); i < e; ++i)
    comparison.largestError = std::max(
        comparison.largestError, std::abs(double(result.getInteger(i)) -
                                          double(reference.getInteger(i))));
  return comparison;
}
