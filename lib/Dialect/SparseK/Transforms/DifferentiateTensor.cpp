//===- DifferentiateTensor.cpp - Reverse mode of arith, math and tensor ---===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "DifferentiateRules.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::sparsek::differentiate;

//===----------------------------------------------------------------------===//
// Elementwise ops
//===----------------------------------------------------------------------===//

/// d is the cotangent of the result y.
///
///   a + b   d, d             exp(a)     d y
///   a - b   d, -d            log(a)     d / a
///   a * b   d b, d a         sqrt(a)    d / (y + y)
///   a / b   d / b, -(d/b) y  rsqrt(a)   -(d y) / (a + a)
///   -a      -d               tanh(a)    d - (d y) y
///   c ? a : b   c ? d : 0, c ? 0 : d
///
/// No rule but the last needs a constant: scalars and tensors share them.
std::optional<SmallVector<Value>>
sparsek::differentiate::reverseScalar(OpBuilder &builder, Operation *op,
                                      Value d) {
  Location loc = op->getLoc();
  auto add = [&](Value a, Value b) -> Value {
    return arith::AddFOp::create(builder, loc, a, b);
  };
  auto sub = [&](Value a, Value b) -> Value {
    return arith::SubFOp::create(builder, loc, a, b);
  };
  auto mul = [&](Value a, Value b) -> Value {
    return arith::MulFOp::create(builder, loc, a, b);
  };
  auto div = [&](Value a, Value b) -> Value {
    return arith::DivFOp::create(builder, loc, a, b);
  };
  auto neg = [&](Value a) -> Value {
    return arith::NegFOp::create(builder, loc, a);
  };
  using Result = std::optional<SmallVector<Value>>;
  Value a = op->getNumOperands() > 0 ? op->getOperand(0) : Value();
  Value b = op->getNumOperands() > 1 ? op->getOperand(1) : Value();
  Value y = op->getResult(0);
  return llvm::TypeSwitch<Operation *, Result>(op)
      .Case([&](arith::AddFOp) { return Result({d, d}); })
      .Case([&](arith::SubFOp) { return Result({d, neg(d)}); })
      .Case([&](arith::MulFOp) { return Result({mul(d, b), mul(d, a)}); })
      .Case([&](arith::DivFOp) {
        Value quotient = div(d, b);
        return Result({quotient, neg(mul(quotient, y))});
      })
      .Case([&](arith::NegFOp) { return Result({neg(d)}); })
      .Case<arith::ExtFOp, arith::TruncFOp>([&](Operation *) {
        return Result(
            {castFloat(builder, loc, d, getElementTypeOrSelf(a.getType()))});
      })
      .Case([&](arith::SelectOp) {
        Value zeros = zerosLike(builder, loc, d);
        return Result({Value(),
                       arith::SelectOp::create(builder, loc, a, d, zeros),
                       arith::SelectOp::create(builder, loc, a, zeros, d)});
      })
      .Case([&](math::ExpOp) { return Result({mul(d, y)}); })
      .Case([&](math::LogOp) { return Result({div(d, a)}); })
      .Case([&](math::SqrtOp) { return Result({div(d, add(y, y))}); })
      .Case([&](math::RsqrtOp) {
        return Result({neg(div(mul(d, y), add(a, a)))});
      })
      .Case([&](math::TanhOp) { return Result({sub(d, mul(mul(d, y), y))}); })
      .Default([](Operation *) { return Result(); });
}

LogicalResult
sparsek::differentiate::reverseElementwise(Operation *op,
                                           Cotangents &cotangents) {
  // Vectors and scalars outside of a body never reach a tensor that is returned
  // but through an op without a rule, which has been reported before.
  if (op->getNumResults() != 1 ||
      !isa<RankedTensorType>(op->getResult(0).getType()))
    return emitCannotDifferentiate(op);
  std::optional<SmallVector<Value>> gradients = reverseScalar(
      cotangents.builder, op, cotangents.lookup(op->getResult(0)));
  if (!gradients)
    return emitCannotDifferentiate(op);
  for (auto [operand, gradient] :
       llvm::zip_equal(op->getOperands(), *gradients))
    if (gradient)
      cotangents.add(op->getLoc(), operand, gradient);
  return success();
}

//===----------------------------------------------------------------------===//
// Tensor ops
//===----------------------------------------------------------------------===//

/// %y = tensor.extract_slice %x[...]
/// becomes
///   %dx = tensor.insert_slice %dy into %zeros[...]
static void reverseExtractSlice(tensor::ExtractSliceOp op, Cotangents &c) {
  Value zeros = zerosLike(c.builder, op.getLoc(), op.getSource());
  c.add(op.getLoc(), op.getSource(),
        tensor::InsertSliceOp::create(
            c.builder, op.getLoc(), c.lookup(op.getResult()), zeros,
            op.getMixedOffsets(), op.getMixedSizes(), op.getMixedStrides()));
}

/// %y = tensor.insert_slice %x into %t[...]
/// becomes
///   %dx = tensor.extract_slice %dy[...]
///   %dt = tensor.insert_slice %zeros into %dy[...]
static void reverseInsertSlice(tensor::InsertSliceOp op, Cotangents &c) {
  Location loc = op.getLoc();
  Value dy = c.lookup(op.getResult());
  if (c.isActive(op.getSource()))
    c.add(loc, op.getSource(),
          tensor::ExtractSliceOp::create(
              c.builder, loc, op.getSourceType(), dy, op.getMixedOffsets(),
              op.getMixedSizes(), op.getMixedStrides()));
  if (c.isActive(op.getDest()))
    c.add(loc, op.getDest(),
          tensor::InsertSliceOp::create(
              c.builder, loc, zerosLike(c.builder, loc, op.getSource()), dy,
              op.getMixedOffsets(), op.getMixedSizes(), op.getMixedStrides()));
}

LogicalResult sparsek::differentiate::reverseTensor(Operation *op,
                                                    Cotangents &cotangents) {
  OpBuilder &builder = cotangents.builder;
  Location loc = op->getLoc();
  Value dy = cotangents.lookup(op->getResult(0));
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](tensor::CastOp cast) -> LogicalResult {
        if (!isa<RankedTensorType>(cast.getType()) ||
            !isa<RankedTensorType>(cast.getSource().getType()))
          return emitCannotDifferentiate(op)
                 << " from " << cast.getSource().getType() << " to "
                 << cast.getType() << ", expected ranked tensors";
        cotangents.add(loc, cast.getSource(),
                       tensor::CastOp::create(builder, loc,
                                              cast.getSource().getType(), dy));
        return success();
      })
      .Case([&](tensor::ExpandShapeOp expand) {
        cotangents.add(loc, expand.getSrc(),
                       tensor::CollapseShapeOp::create(
                           builder, loc, expand.getSrcType(), dy,
                           expand.getReassociationIndices()));
        return success();
      })
      .Case([&](tensor::CollapseShapeOp collapse) {
        cotangents.add(loc, collapse.getSrc(),
                       tensor::ExpandShapeOp::create(
                           builder, loc, collapse.getSrcType(), dy,
                           collapse.getReassociationIndices(),
                           getSizes(builder, loc, collapse.getSrc())));
        return success();
      })
      .Case([&](tensor::ExtractSliceOp slice) {
        reverseExtractSlice(slice, cotangents);
        return success();
      })
      .Case([&](tensor::InsertSliceOp slice) {
        reverseInsertSlice(slice, cotangents);
        return success();
      })
      .Default([](Operation *other) -> LogicalResult {
        return emitCannotDifferentiate(other);
      });
}
