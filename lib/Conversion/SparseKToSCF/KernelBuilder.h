//===- KernelBuilder.h - Terse emission of scalar loops ---------*- C++ -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LIB_CONVERSION_SPARSEKTOSCF_KERNELBUILDER_H
#define LIB_CONVERSION_SPARSEKTOSCF_KERNELBUILDER_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mlir::sparsek {

/// A builder whose emitting code reads like the loops that it emits. Bodies of
/// loops and branches are callbacks that run with the insertion point inside.
class KernelBuilder : public ImplicitLocOpBuilder {
public:
  using ImplicitLocOpBuilder::ImplicitLocOpBuilder;
  using IntPredicate = arith::CmpIPredicate;
  using FloatPredicate = arith::CmpFPredicate;
  using Values = SmallVector<Value>;

  Value index(int64_t value);
  Value integer(unsigned width, int64_t value);
  Value f32(float value);
  Value f64(double value);
  Value constantOf(Type floatType, double value);

  /// Sums and products of integers, indices or floats alike.
  Value add(Value a, Value b);
  Value sub(Value a, Value b);
  Value mul(Value a, Value b);
  /// The quotient of two floats.
  Value div(Value a, Value b);
  /// Half of an index that is not negative.
  Value half(Value index);
  Value select(Value condition, Value a, Value b);
  Value bitAnd(Value a, Value b);
  Value bitOr(Value a, Value b);
  Value cmp(IntPredicate predicate, Value a, Value b);
  Value cmp(FloatPredicate predicate, Value a, Value b);
  /// The smaller of two indices (signed: a length can be negative).
  Value min(Value a, Value b);
  Value max(Value a, Value b);

  /// Integers of any width and index: unsigned and signed widening, truncation.
  Value extendUnsigned(Value value, unsigned width);
  Value extendSigned(Value value, unsigned width);
  Value truncate(Value value, unsigned width);
  Value toIndex(Value integer);
  Value toInteger(Value index, unsigned width);
  Value shiftLeft(Value value, int64_t amount);
  Value shiftRight(Value value, int64_t amount);
  Value bits(Value f32);
  Value toF64(Value f32);
  Value integerToF64(Value integer);
  /// A float of at most 32 bits as f32.
  Value toF32(Value value);
  /// A float as one of `type`, which is not wider.
  Value truncateFloat(Value value, Type type);

  /// The indices of an entry of a row.
  Values appended(ValueRange row, Value position);
  Value load(Value memref, ValueRange indices);
  void store(Value value, Value memref, ValueRange indices);
  /// An entry of a memref of i32 that holds indices.
  Value loadIndex(Value memref, Value position);
  void storeIndex(Value index, Value memref, Value position);
  /// Scratch memory; the builder frees it in freeScratch.
  Value scratch(ArrayRef<int64_t> staticShape, Type elementType,
                ValueRange dynamicSizes = {});
  void freeScratch();
  Value dim(Value memref, int64_t dimension);

  /// for %iv = lower to upper
  void loop(Value lower, Value upper, function_ref<void(Value)> body);
  /// The same with loop-carried values: the body returns the next ones.
  Values loop(Value lower, Value upper, ValueRange inits,
              function_ref<Values(Value, ValueRange)> body);
  Values branch(Value condition, function_ref<Values()> thenBody,
                function_ref<Values()> elseBody);
  void when(Value condition, function_ref<void()> body);
  /// While `test` of the loop-carried values holds, `body` makes the next ones
  /// from them and from the extra values that `test` computed on the way.
  struct Test {
    Value condition;
    Values extras;
  };
  Values loopWhile(ValueRange inits, TypeRange extraTypes,
                   function_ref<Test(ValueRange)> test,
                   function_ref<Values(ValueRange, ValueRange)> body);

private:
  Values scratchBuffers;
};

} // namespace mlir::sparsek

#endif // LIB_CONVERSION_SPARSEKTOSCF_KERNELBUILDER_H
