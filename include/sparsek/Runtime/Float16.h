//===- Float16.h - Conversions from and to 16-bit floats ------ -*- C++ -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEK_RUNTIME_FLOAT16_H
#define SPARSEK_RUNTIME_FLOAT16_H

#include <cstdint>

namespace mlir::sparsek::runtime {

/// The bits of f16 and bf16 values, from and to other floats, rounded to
/// nearest, ties to even.
float halfToFloat(uint16_t half);
float bfloatToFloat(uint16_t bfloat);
uint16_t doubleToHalf(double value);
uint16_t doubleToBfloat(double value);

} // namespace mlir::sparsek::runtime

#endif // SPARSEK_RUNTIME_FLOAT16_H
