//===- RadixSort.cpp - Sorting of a row of scores -------------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The bits of an f32 order like the numbers once a negative one is inverted and
// a positive one gets its sign bit flipped. Pairs (key, position) are made in
// descending order of position and every pass is stable, so equal scores come
// out with the later position first. One reading of the scores makes the pairs
// and the histograms of all four passes; a pass whose digit is the same for
// every key moves nothing and is skipped (f16 and bf16 scores, constant ones).
//
//===----------------------------------------------------------------------===//

#include "RadixSort.h"

#include <limits>

using namespace mlir;
using namespace mlir::sparsek;

using FloatPredicate = KernelBuilder::FloatPredicate;
using IntPredicate = KernelBuilder::IntPredicate;
using Values = KernelBuilder::Values;

/// The sign bit of an i32, as the signed number that it is.
static constexpr int64_t kSignBit = std::numeric_limits<int32_t>::min();
static constexpr int64_t kDigitBits = 8;
static constexpr int64_t kBuckets = 1 << kDigitBits;
static constexpr int64_t kPasses = 32 / kDigitBits;

/// The score as a finite f32 or -inf, without a negative zero.
static Value normalizeScore(KernelBuilder &b, Value score) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  constexpr float largest = std::numeric_limits<float>::max();
  Value isNaN = b.cmp(FloatPredicate::UNO, score, score);
  Value isZero = b.cmp(FloatPredicate::OEQ, score, b.f32(0));
  Value isHuge = b.cmp(FloatPredicate::OGT, score, b.f32(largest));
  Value value = b.select(isNaN, b.f32(-infinity), score);
  value = b.select(isZero, b.f32(0), value);
  return b.select(isHuge, b.f32(largest), value);
}

/// The i32 whose unsigned order is the order of the scores.
static Value keyOfScore(KernelBuilder &b, Value score) {
  Value bits = b.bits(score);
  Value sign = arith::ShRSIOp::create(b, bits, b.integer(32, 31));
  Value flip = b.bitOr(sign, b.integer(32, kSignBit));
  return arith::XOrIOp::create(b, bits, flip);
}

/// Digit `pass` of the key of a pair, as an index.
static Value digitOfPair(KernelBuilder &b, Value pair, Value pass) {
  Value amount =
      b.toInteger(b.add(b.index(32), b.mul(pass, b.index(kDigitBits))), 64);
  Value shifted = arith::ShRUIOp::create(b, pair, amount);
  Value digit = b.bitAnd(shifted, b.integer(64, kBuckets - 1));
  return b.toIndex(digit);
}

/// counts[pass][digit] += 1; returns the value before.
static Value emitIncrement(KernelBuilder &b, Value counts, Value pass,
                           Value digit) {
  Value old = b.load(counts, {pass, digit});
  b.store(b.add(old, b.integer(32, 1)), counts, {pass, digit});
  return old;
}

namespace {
struct Keys {
  /// The last pair made, 0 for an empty row: any pair serves to find a digit
  /// that all of them share.
  Value lastPair;
  Value missing;
};
} // namespace

/// for t: pairs[t] = (key(score[n - 1 - t]), n - 1 - t), counted by digits.
static Keys emitKeys(KernelBuilder &b, Value count, Value pairs, Value counts,
                     function_ref<Value(Value)> loadScore) {
  b.loop(b.index(0), b.index(kPasses), [&](Value pass) {
    b.loop(b.index(0), b.index(kBuckets), [&](Value digit) {
      b.store(b.integer(32, 0), counts, {pass, digit});
    });
  });
  Value last = b.sub(count, b.index(1));
  Value infinity = b.f32(-std::numeric_limits<float>::infinity());
  Values results =
      b.loop(b.index(0), count, {b.integer(64, 0), b.index(0)},
             [&](Value slot, ValueRange args) -> Values {
               Value position = b.sub(last, slot);
               Value score = normalizeScore(b, loadScore(position));
               Value key = b.extendUnsigned(keyOfScore(b, score), 64);
               Value pair =
                   b.bitOr(b.shiftLeft(key, 32), b.toInteger(position, 64));
               b.store(pair, pairs, slot);
               for (int64_t pass = 0; pass < kPasses; ++pass)
                 emitIncrement(b, counts, b.index(pass),
                               digitOfPair(b, pair, b.index(pass)));
               Value isMissing = b.cmp(FloatPredicate::OEQ, score, infinity);
               Value more = b.add(args[1], b.index(1));
               return {pair, b.select(isMissing, more, args[1])};
             });
  return {results[0], results[1]};
}

/// One stable pass from `source` to `target`: exclusive prefix sums make the
/// counts the first slot of every bucket.
static void emitPass(KernelBuilder &b, Value count, Value pass, Value counts,
                     Value source, Value target) {
  b.loop(b.index(0), b.index(kBuckets), b.integer(32, 0),
         [&](Value digit, ValueRange args) -> Values {
           Value size = b.load(counts, {pass, digit});
           b.store(args[0], counts, {pass, digit});
           return {b.add(args[0], size)};
         });
  b.loop(b.index(0), count, [&](Value slot) {
    Value pair = b.load(source, slot);
    Value digit = digitOfPair(b, pair, pass);
    Value place = emitIncrement(b, counts, pass, digit);
    b.store(pair, target, b.toIndex(place));
  });
}

SortedRow sparsek::emitRadixSort(KernelBuilder &b, Value count,
                                 function_ref<Value(Value)> loadScore) {
  Type i64 = b.getI64Type();
  Value source = b.scratch(ShapedType::kDynamic, i64, count);
  Value target = b.scratch(ShapedType::kDynamic, i64, count);
  Value counts = b.scratch({kPasses, kBuckets}, b.getI32Type());
  Keys keys = emitKeys(b, count, source, counts, loadScore);

  Value all = b.toInteger(count, 32);
  Values sorted =
      b.loop(b.index(0), b.index(kPasses), {source, target},
             [&](Value pass, ValueRange buffers) -> Values {
               Value digit = digitOfPair(b, keys.lastPair, pass);
               Value shared = b.load(counts, {pass, digit});
               Value isConstant = b.cmp(IntPredicate::eq, shared, all);
               return b.branch(
                   isConstant, [&]() -> Values { return Values(buffers); },
                   [&]() -> Values {
                     emitPass(b, count, pass, counts, buffers[0], buffers[1]);
                     return {buffers[1], buffers[0]};
                   });
             });
  return {sorted[0], keys.missing};
}

Value sparsek::emitScoreOfPair(KernelBuilder &b, Value pair) {
  Value key = b.truncate(b.shiftRight(pair, 32), 32);
  // A key with its highest bit set was a positive score.
  Value isPositive = b.cmp(IntPredicate::slt, key, b.integer(32, 0));
  Value flip = b.select(isPositive, b.integer(32, kSignBit), b.integer(32, -1));
  Value bits = arith::XOrIOp::create(b, key, flip);
  return arith::BitcastOp::create(b, b.getF32Type(), bits);
}

Value sparsek::emitPositionOfPair(KernelBuilder &b, Value pair) {
  return b.toIndex(b.extendUnsigned(b.truncate(pair, 32), 64));
}
