//===- KernelBuilder.cpp - Terse emission of scalar loops -----------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelBuilder.h"

using namespace mlir;
using namespace mlir::sparsek;

using Values = KernelBuilder::Values;

/// A cache line and the widest vector register.
static constexpr int64_t kScratchAlignment = 64;

//===----------------------------------------------------------------------===//
// Constants and arithmetic
//===----------------------------------------------------------------------===//

Value KernelBuilder::index(int64_t value) {
  return arith::ConstantIndexOp::create(*this, value);
}

Value KernelBuilder::integer(unsigned width, int64_t value) {
  return arith::ConstantOp::create(
      *this, getIntegerAttr(getIntegerType(width),
                            APInt(width, value, /*isSigned=*/true)));
}

Value KernelBuilder::constantOf(Type floatType, double value) {
  return arith::ConstantOp::create(*this, getFloatAttr(floatType, value));
}

Value KernelBuilder::f32(float value) {
  return constantOf(getF32Type(), value);
}

Value KernelBuilder::f64(double value) {
  return constantOf(getF64Type(), value);
}

Value KernelBuilder::add(Value a, Value b) {
  if (isa<FloatType>(a.getType()))
    return arith::AddFOp::create(*this, a, b);
  return createOrFold<arith::AddIOp>(a, b);
}

Value KernelBuilder::sub(Value a, Value b) {
  if (isa<FloatType>(a.getType()))
    return arith::SubFOp::create(*this, a, b);
  return createOrFold<arith::SubIOp>(a, b);
}

Value KernelBuilder::mul(Value a, Value b) {
  if (isa<FloatType>(a.getType()))
    return arith::MulFOp::create(*this, a, b);
  return createOrFold<arith::MulIOp>(a, b);
}

Value KernelBuilder::div(Value a, Value b) {
  return arith::DivFOp::create(*this, a, b);
}

Value KernelBuilder::half(Value value) {
  return arith::ShRUIOp::create(*this, value, index(1));
}

Value KernelBuilder::select(Value condition, Value a, Value b) {
  return arith::SelectOp::create(*this, condition, a, b);
}

Value KernelBuilder::bitAnd(Value a, Value b) {
  return arith::AndIOp::create(*this, a, b);
}

Value KernelBuilder::bitOr(Value a, Value b) {
  return arith::OrIOp::create(*this, a, b);
}

Value KernelBuilder::cmp(IntPredicate predicate, Value a, Value b) {
  return arith::CmpIOp::create(*this, predicate, a, b);
}

Value KernelBuilder::cmp(FloatPredicate predicate, Value a, Value b) {
  return arith::CmpFOp::create(*this, predicate, a, b);
}

Value KernelBuilder::min(Value a, Value b) {
  return createOrFold<arith::MinSIOp>(a, b);
}

Value KernelBuilder::max(Value a, Value b) {
  return createOrFold<arith::MaxSIOp>(a, b);
}

//===----------------------------------------------------------------------===//
// Casts
//===----------------------------------------------------------------------===//

Value KernelBuilder::extendUnsigned(Value value, unsigned width) {
  return arith::ExtUIOp::create(*this, getIntegerType(width), value);
}

Value KernelBuilder::extendSigned(Value value, unsigned width) {
  return arith::ExtSIOp::create(*this, getIntegerType(width), value);
}

Value KernelBuilder::truncate(Value value, unsigned width) {
  return arith::TruncIOp::create(*this, getIntegerType(width), value);
}

Value KernelBuilder::toIndex(Value integer) {
  return arith::IndexCastOp::create(*this, getIndexType(), integer);
}

Value KernelBuilder::toInteger(Value index, unsigned width) {
  return arith::IndexCastOp::create(*this, getIntegerType(width), index);
}

Value KernelBuilder::shiftLeft(Value value, int64_t amount) {
  unsigned width = value.getType().getIntOrFloatBitWidth();
  return arith::ShLIOp::create(*this, value, integer(width, amount));
}

Value KernelBuilder::shiftRight(Value value, int64_t amount) {
  unsigned width = value.getType().getIntOrFloatBitWidth();
  return arith::ShRUIOp::create(*this, value, integer(width, amount));
}

Value KernelBuilder::bits(Value f32) {
  return arith::BitcastOp::create(*this, getI32Type(), f32);
}

Value KernelBuilder::toF64(Value f32) {
  return arith::ExtFOp::create(*this, getF64Type(), f32);
}

Value KernelBuilder::integerToF64(Value integer) {
  return arith::SIToFPOp::create(*this, getF64Type(), integer);
}

Value KernelBuilder::toF32(Value value) {
  if (value.getType().isF32())
    return value;
  return arith::ExtFOp::create(*this, getF32Type(), value);
}

Value KernelBuilder::truncateFloat(Value value, Type type) {
  if (value.getType() == type)
    return value;
  return arith::TruncFOp::create(*this, type, value);
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

Values KernelBuilder::appended(ValueRange row, Value position) {
  Values indices(row);
  indices.push_back(position);
  return indices;
}

Value KernelBuilder::load(Value memref, ValueRange indices) {
  return memref::LoadOp::create(*this, memref, indices);
}

void KernelBuilder::store(Value value, Value memref, ValueRange indices) {
  memref::StoreOp::create(*this, value, memref, indices);
}

Value KernelBuilder::loadIndex(Value memref, Value position) {
  return toIndex(load(memref, position));
}

void KernelBuilder::storeIndex(Value index, Value memref, Value position) {
  store(toInteger(index, 32), memref, position);
}

Value KernelBuilder::scratch(ArrayRef<int64_t> staticShape, Type elementType,
                             ValueRange dynamicSizes) {
  auto type = MemRefType::get(staticShape, elementType);
  Value buffer = memref::AllocOp::create(*this, type, dynamicSizes,
                                         getI64IntegerAttr(kScratchAlignment));
  scratchBuffers.push_back(buffer);
  return buffer;
}

void KernelBuilder::freeScratch() {
  for (Value buffer : scratchBuffers)
    memref::DeallocOp::create(*this, buffer);
  scratchBuffers.clear();
}

Value KernelBuilder::dim(Value memref, int64_t dimension) {
  return createOrFold<memref::DimOp>(memref, dimension);
}

//===----------------------------------------------------------------------===//
// Control flow. The callbacks of the upstream builders run with the insertion
// point of this very builder inside the region, so their arguments are unused.
//===----------------------------------------------------------------------===//

void KernelBuilder::loop(Value lower, Value upper,
                         function_ref<void(Value)> body) {
  loop(lower, upper, {}, [&](Value iv, ValueRange) -> Values {
    body(iv);
    return {};
  });
}

Values KernelBuilder::loop(Value lower, Value upper, ValueRange inits,
                           function_ref<Values(Value, ValueRange)> body) {
  auto op =
      scf::ForOp::create(*this, lower, upper, index(1), inits,
                         [&](OpBuilder &, Location, Value iv, ValueRange args) {
                           scf::YieldOp::create(*this, body(iv, args));
                         });
  return Values(op.getResults());
}

Values KernelBuilder::branch(Value condition, function_ref<Values()> thenBody,
                             function_ref<Values()> elseBody) {
  auto op = scf::IfOp::create(
      *this, condition,
      [&](OpBuilder &, Location) { scf::YieldOp::create(*this, thenBody()); },
      [&](OpBuilder &, Location) { scf::YieldOp::create(*this, elseBody()); });
  return Values(op.getResults());
}

void KernelBuilder::when(Value condition, function_ref<void()> body) {
  scf::IfOp::create(*this, condition, [&](OpBuilder &, Location) {
    body();
    scf::YieldOp::create(*this);
  });
}

Values
KernelBuilder::loopWhile(ValueRange inits, TypeRange extraTypes,
                         function_ref<Test(ValueRange)> test,
                         function_ref<Values(ValueRange, ValueRange)> body) {
  SmallVector<Type> passedTypes(inits.getTypes());
  passedTypes.append(extraTypes.begin(), extraTypes.end());
  size_t count = inits.size();
  auto op = scf::WhileOp::create(
      *this, passedTypes, inits,
      [&](OpBuilder &, Location, ValueRange args) {
        Test tested = test(args);
        Values passed(args);
        passed.append(tested.extras);
        scf::ConditionOp::create(*this, tested.condition, passed);
      },
      [&](OpBuilder &, Location, ValueRange args) {
        scf::YieldOp::create(
            *this, body(args.take_front(count), args.drop_front(count)));
      });
  return Values(op.getResults().take_front(count));
}
