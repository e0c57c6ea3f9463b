//===- DenseBuilder.cpp - Dense loops over tensors ------------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "DenseBuilder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::sparsek;

SmallVector<Value> DenseBuilder::loops(ArrayRef<utils::IteratorType> iterators,
                                       ArrayRef<Operand> inputs,
                                       ArrayRef<Operand> outputs, Body body) {
  SmallVector<Value> ins, outs;
  SmallVector<AffineMap> maps;
  for (const Operand &operand : inputs) {
    ins.push_back(operand.tensor);
    maps.push_back(operand.map);
  }
  for (const Operand &operand : outputs) {
    outs.push_back(operand.tensor);
    maps.push_back(operand.map);
  }
  auto op = linalg::GenericOp::create(
      *this, TypeRange(ValueRange(outs)), ins, outs, maps, iterators,
      [&](OpBuilder &builder, Location loc, ValueRange args) {
        DenseBuilder inner(loc, builder);
        linalg::YieldOp::create(inner, body(inner, args));
      });
  return llvm::to_vector_of<Value>(op.getResults());
}

Value DenseBuilder::elementwise(ValueRange inputs, Value output, Body body) {
  int64_t rank = cast<RankedTensorType>(output.getType()).getRank();
  AffineMap identity = getMultiDimIdentityMap(rank);
  SmallVector<Operand> operands;
  for (Value input : inputs)
    operands.push_back({input, identity});
  SmallVector<utils::IteratorType> iterators(rank,
                                             utils::IteratorType::parallel);
  return loops(iterators, operands, {{output, identity}}, body).front();
}

Value DenseBuilder::truncated(Value value, Value output) {
  return elementwise(
      {value}, output,
      [](DenseBuilder &b, ValueRange args) -> SmallVector<Value> {
        return {b.castFloat(args[0], cast<FloatType>(args[1].getType()))};
      });
}

Value DenseBuilder::empty(ArrayRef<OpFoldResult> sizes, Type elementType) {
  return tensor::EmptyOp::create(*this, sizes, elementType);
}

Value DenseBuilder::filled(ArrayRef<OpFoldResult> sizes, TypedAttr value) {
  return filled(empty(sizes, value.getType()), constant(value));
}

Value DenseBuilder::filled(Value output, Value value) {
  return linalg::FillOp::create(*this, value, output).getResult(0);
}

AffineMap DenseBuilder::map(unsigned rank, ArrayRef<unsigned> results) {
  return AffineMap::getMultiDimMapWithTargets(rank, results, getContext());
}

Value DenseBuilder::constant(TypedAttr value) {
  return arith::ConstantOp::create(*this, value);
}

Value DenseBuilder::toValue(OpFoldResult value) {
  return getValueOrCreateConstantIndexOp(*this, getLoc(), value);
}

Value DenseBuilder::castFloat(Value value, FloatType type) {
  auto step = [&](FloatType to) {
    unsigned from = cast<FloatType>(value.getType()).getWidth();
    if (from < to.getWidth())
      value = arith::ExtFOp::create(*this, to, value);
    else if (from > to.getWidth())
      value = arith::TruncFOp::create(*this, to, value);
  };
  step(getF32Type());
  step(type);
  return value;
}

Value DenseBuilder::clamp01(Value value) {
  auto type = cast<FloatType>(value.getType());
  Value zero = constant(FloatAttr::get(type, 0.0));
  Value one = constant(FloatAttr::get(type, 1.0));
  Value positive = arith::MaximumFOp::create(*this, value, zero);
  return arith::MinimumFOp::create(*this, positive, one);
}
