//===- Float16.cpp - Conversions from and to 16-bit floats ----------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// Processors without F16C or AVX512-BF16 convert 16-bit floats by calls of the
// compiler's support library, which a process need not have loaded. These are
// those functions, by LLVM's names and calling convention, rounding to nearest,
// ties to even.
//
//===----------------------------------------------------------------------===//

#include "sparsek/Runtime/Float16.h"

#include "CallState.h"

#include "llvm/ADT/bit.h"

#include <cstdint>

using namespace mlir::sparsek::runtime;

float mlir::sparsek::runtime::halfToFloat(uint16_t half) {
  uint32_t sign = uint32_t(half & 0x8000u) << 16;
  uint32_t magnitude = half & 0x7fffu;
  if (magnitude >= 0x7c00u) // infinity and NaN
    return llvm::bit_cast<float>(sign | 0x7f800000u |
                                 (magnitude & 0x3ffu) << 13);
  // The fraction and exponent of the half, as a float 2^112 times too small.
  // The product is exact, for halves that are subnormal too.
  float scaled = llvm::bit_cast<float>(magnitude << 13) * 0x1p112f;
  return llvm::bit_cast<float>(sign | llvm::bit_cast<uint32_t>(scaled));
}

/// Rounds a finite or infinite magnitude to the float format with
/// `fractionBits` and the smallest normal exponent `minExponent`, whose
/// infinity is `infinity`. Works on the bits of a double, in which every float
/// is exact and normal, so that there is one rounding.
static uint16_t roundToBits(double value, int fractionBits, int minExponent,
                            uint16_t infinity, uint16_t quietNaN) {
  uint64_t bits = llvm::bit_cast<uint64_t>(value);
  uint16_t sign = uint16_t(bits >> 48 & 0x8000u);
  bits &= ~(uint64_t(1) << 63);
  if (bits > 0x7ff0000000000000u)
    return sign | quietNaN;
  int exponent = int(bits >> 52) - 1023;
  if (exponent > -minExponent + 1)
    return sign | infinity;
  // Below minExponent the spacing stays that of the subnormals.
  int lost = 52 - fractionBits;
  if (exponent < minExponent)
    lost += minExponent - exponent;
  if (lost > 53)
    return sign;
  uint64_t fraction = (bits & 0xfffffffffffffu) | uint64_t(1) << 52;
  uint64_t half = uint64_t(1) << (lost - 1);
  uint64_t rest = fraction & ((half << 1) - 1);
  uint64_t kept = fraction >> lost;
  kept += rest > half || (rest == half && (kept & 1));
  // A carry out of the fraction raises the exponent, up to infinity.
  if (exponent >= minExponent)
    kept += uint64_t(exponent - minExponent) << fractionBits;
  return sign | uint16_t(kept);
}

float mlir::sparsek::runtime::bfloatToFloat(uint16_t bfloat) {
  return llvm::bit_cast<float>(uint32_t(bfloat) << 16);
}

uint16_t mlir::sparsek::runtime::doubleToHalf(double value) {
  return roundToBits(value, 10, -14, 0x7c00, 0x7e00);
}

uint16_t mlir::sparsek::runtime::doubleToBfloat(double value) {
  return roundToBits(value, 7, -126, 0x7f80, 0x7fc0);
}

static float extendHalf(_Float16 value) {
  return halfToFloat(llvm::bit_cast<uint16_t>(value));
}

static double extendHalfToDouble(_Float16 value) {
  return double(halfToFloat(llvm::bit_cast<uint16_t>(value)));
}

static _Float16 truncateToHalf(float value) {
  return llvm::bit_cast<_Float16>(doubleToHalf(double(value)));
}

static _Float16 truncateDoubleToHalf(double value) {
  return llvm::bit_cast<_Float16>(doubleToHalf(value));
}

static __bf16 truncateToBfloat(float value) {
  return llvm::bit_cast<__bf16>(doubleToBfloat(double(value)));
}

static __bf16 truncateDoubleToBfloat(double value) {
  return llvm::bit_cast<__bf16>(doubleToBfloat(value));
}

llvm::ArrayRef<RuntimeSymbol> mlir::sparsek::runtime::getFloatSymbols() {
  static const RuntimeSymbol symbols[] = {
      {"__extendhfsf2", reinterpret_cast<void *>(extendHalf)},
      {"__gnu_h2f_ieee", reinterpret_cast<void *>(extendHalf)},
      {"__extendhfdf2", reinterpret_cast<void *>(extendHalfToDouble)},
      {"__truncsfhf2", reinterpret_cast<void *>(truncateToHalf)},
      {"__gnu_f2h_ieee", reinterpret_cast<void *>(truncateToHalf)},
      {"__truncdfhf2", reinterpret_cast<void *>(truncateDoubleToHalf)},
      {"__truncsfbf2", reinterpret_cast<void *>(truncateToBfloat)},
      {"__truncdfbf2", reinterpret_cast<void *>(truncateDoubleToBfloat)},
  };
  return symbols;
}
