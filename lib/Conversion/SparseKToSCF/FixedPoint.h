//===- FixedPoint.h - Exact sums of f32 as integers -------------*- C++ -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LIB_CONVERSION_SPARSEKTOSCF_FIXEDPOINT_H
#define LIB_CONVERSION_SPARSEKTOSCF_FIXEDPOINT_H

#include "KernelBuilder.h"

namespace mlir::sparsek {

/// Exact arithmetic on f32 values as integers of 256 bits in units of 2^-149,
/// the smallest positive f32. A finite f32 is its mantissa shifted left by at
/// most 253, so conversion is one shift. Sums and products wrap modulo 2^256,
/// which is harmless: a result is right whenever its true value lies within
/// +-2^106, however large the terms are. FixedPoint.cpp says why those that are
/// looked at do.
constexpr unsigned kFixedWidth = 256;

/// value in units of 2^-149.
Value emitFixed(KernelBuilder &b, Value f32);

/// count * value in units of 2^-149; count is an i64 below 2^31.
Value emitFixedTimes(KernelBuilder &b, Value count, Value f32);

/// An i64 in units of 2^-149.
Value emitFixedInteger(KernelBuilder &b, Value integer);

/// A fixed-point number as f64, with a relative error below 2^-50.
Value emitFixedToF64(KernelBuilder &b, Value fixed);

/// fixed > 0
Value emitIsPositive(KernelBuilder &b, Value fixed);

} // namespace mlir::sparsek

#endif // LIB_CONVERSION_SPARSEKTOSCF_FIXEDPOINT_H
