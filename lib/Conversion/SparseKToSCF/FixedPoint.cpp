//===- FixedPoint.cpp - Exact sums of f32 as integers ---------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What is looked at (its sign, or its value as f64) is always
//   sum over the free scores (v - y) + c
// for a point y, at most 2^31 free scores and an integer |c| < 2^63. The free
// scores lie within an interval of length 1, and y within 2 of it or at 0 when
// the scores are below 4 in magnitude. So the true value is below 2^66 in
// magnitude, far inside the +-2^106 that 256 bits hold, and wrapping of the
// sums on the way (v and y alone can be as large as 2^128) cancels.
//
//===----------------------------------------------------------------------===//

#include "FixedPoint.h"

#include <cmath>

using namespace mlir;
using namespace mlir::sparsek;

/// The exponent of the unit: an f32 is an integer multiple of 2^-149.
static constexpr int64_t kUnitExponent = 149;
static constexpr int64_t kMantissaBits = 23;
static constexpr int64_t kLimbWidth = 64;

namespace {
/// f32 = mantissa * 2^(shift - 149), mantissa a signed i64, shift an i32.
struct Decomposed {
  Value mantissa;
  Value shift;
};
} // namespace

static Decomposed decompose(KernelBuilder &b, Value f32) {
  using IntPredicate = KernelBuilder::IntPredicate;
  Value bits = b.bits(f32);
  Value exponent =
      b.bitAnd(b.shiftRight(bits, kMantissaBits), b.integer(32, 0xff));
  Value fraction = b.bitAnd(bits, b.integer(32, (1 << kMantissaBits) - 1));
  Value isNormal = b.cmp(IntPredicate::ne, exponent, b.integer(32, 0));
  Value hidden = b.extendUnsigned(isNormal, 32);
  Value magnitude = b.bitOr(fraction, b.shiftLeft(hidden, kMantissaBits));
  Value isNegative = b.cmp(IntPredicate::slt, bits, b.integer(32, 0));
  Value mantissa =
      b.select(isNegative, b.sub(b.integer(32, 0), magnitude), magnitude);
  return {b.extendSigned(mantissa, 64), b.sub(exponent, hidden)};
}

/// mantissa << shift, as a shift within two limbs and a choice among the four
/// places of whole limbs: half the time of the general shift of an i256, which
/// goes through memory. The mantissa has less than 63 bits.
static Value shiftToUnit(KernelBuilder &b, Value mantissa, Value shift) {
  constexpr unsigned pairWidth = 2 * kLimbWidth;
  Value within = b.bitAnd(shift, b.integer(32, kLimbWidth - 1));
  Value pair = arith::ShLIOp::create(b, b.extendSigned(mantissa, pairWidth),
                                     b.extendUnsigned(within, pairWidth));
  Value wide = b.extendSigned(pair, kFixedWidth);
  Value result = wide;
  for (int64_t low = kLimbWidth; low < kFixedWidth; low += kLimbWidth) {
    Value isAbove =
        b.cmp(KernelBuilder::IntPredicate::sge, shift, b.integer(32, low));
    result = b.select(isAbove, b.shiftLeft(wide, low), result);
  }
  return result;
}

Value sparsek::emitFixed(KernelBuilder &b, Value f32) {
  auto [mantissa, shift] = decompose(b, f32);
  return shiftToUnit(b, mantissa, shift);
}

Value sparsek::emitFixedTimes(KernelBuilder &b, Value count, Value f32) {
  auto [mantissa, shift] = decompose(b, f32);
  return shiftToUnit(b, b.mul(count, mantissa), shift);
}

Value sparsek::emitFixedInteger(KernelBuilder &b, Value integer) {
  return b.shiftLeft(b.extendSigned(integer, kFixedWidth), kUnitExponent);
}

Value sparsek::emitIsPositive(KernelBuilder &b, Value fixed) {
  return b.cmp(KernelBuilder::IntPredicate::sgt, fixed,
               b.integer(kFixedWidth, 0));
}

/// The magnitude is below 2^(66 + 149), four limbs of 64 bits, each rounded to
/// f64 once and added without cancellation.
Value sparsek::emitFixedToF64(KernelBuilder &b, Value fixed) {
  Value zero = b.integer(kFixedWidth, 0);
  Value isNegative = b.cmp(KernelBuilder::IntPredicate::slt, fixed, zero);
  Value magnitude = b.select(isNegative, b.sub(zero, fixed), fixed);
  Value sum;
  for (int64_t low = 0; low < kFixedWidth; low += kLimbWidth) {
    Value limb = b.truncate(b.shiftRight(magnitude, low), kLimbWidth);
    Value digits = arith::UIToFPOp::create(b, b.getF64Type(), limb);
    Value scaled = b.mul(digits, b.f64(std::ldexp(1.0, low - kUnitExponent)));
    sum = sum ? b.add(scaled, sum) : scaled;
  }
  Value negated = arith::NegFOp::create(b, sum);
  return b.select(isNegative, negated, sum);
}
