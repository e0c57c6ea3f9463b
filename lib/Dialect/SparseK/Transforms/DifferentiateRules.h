//===- DifferentiateRules.h - Reverse mode, op by op ------------*- C++ -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What Differentiate.cpp and the files with the rules of each dialect share.
// The cotangent of a value is the gradient of what is differentiated with
// respect to it. A rule is given an op whose results have cotangents and adds
// its share to the cotangents of the op's operands. It emits an error where it
// cannot.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEK_LIB_DIALECT_SPARSEK_TRANSFORMS_DIFFERENTIATERULES_H
#define SPARSEK_LIB_DIALECT_SPARSEK_TRANSFORMS_DIFFERENTIATERULES_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"

namespace mlir::sparsek::differentiate {

/// Which values depend on an argument that gets a gradient, and the sum of the
/// cotangents that have reached each of them so far.
class Cotangents {
public:
  explicit Cotangents(OpBuilder &builder) : builder(builder) {}

  void activate(Value value) { active.insert(value); }
  bool isActive(Value value) const { return active.contains(value); }

  /// The cotangent of `value`, null where none has reached it.
  Value lookup(Value value) const { return sums.lookup(value); }

  /// The cotangent of `value`, a tensor of zeros where none has reached it.
  Value lookupOrZeros(Location loc, Value value);

  /// Adds `cotangent` to that of `value`; drops it if `value` is not active.
  void add(Location loc, Value value, Value cotangent);

  OpBuilder &builder;

private:
  DenseSet<Value> active;
  DenseMap<Value, Value> sums;
};

/// Whether a value of this type can depend on an argument without carrying a
/// gradient: integers do.
bool isDiscrete(Type type);

/// What `op` computes with: its operands and what its regions capture, without
/// the destinations that it overwrites.
SmallVector<Value> getReadValues(Operation *op);

/// Whether `operand` is a destination of which `op` reads no element.
bool isOverwritten(OpOperand &operand);

/// The sizes of a tensor, from the destination it was written into if any, so
/// that they do not keep alive the op that computes its elements.
SmallVector<OpFoldResult> getSizes(OpBuilder &builder, Location loc,
                                   Value tensor);

/// An empty tensor of the type of `tensor`, or of its shape and `element`.
Value emptyLike(OpBuilder &builder, Location loc, Value tensor,
                Type element = {});

/// Zeros of the type of `value`, a float or a tensor, or of its shape and
/// `element`.
Value zerosLike(OpBuilder &builder, Location loc, Value value,
                Type element = {});

/// `value`, floats or a tensor of floats, with another element type.
Value castFloat(OpBuilder &builder, Location loc, Value value, Type element);

/// The type in which sums of `type` are taken: f32 or wider.
Type getSumType(Type type);

/// "cannot differentiate 'op'", for a reason to be appended.
InFlightDiagnostic emitCannotDifferentiate(Operation *op);

/// The cotangents of the operands of an elementwise op, on floats or on tensors
/// of them, from that of its result; an entry is null where the operand carries
/// none. Nothing where there is no rule.
std::optional<SmallVector<Value>> reverseScalar(OpBuilder &builder,
                                                Operation *op, Value cotangent);

LogicalResult reverseElementwise(Operation *op, Cotangents &cotangents);
LogicalResult reverseLinalg(linalg::LinalgOp op, Cotangents &cotangents);
LogicalResult reverseSparseK(Operation *op, Cotangents &cotangents);
LogicalResult reverseTensor(Operation *op, Cotangents &cotangents);

} // namespace mlir::sparsek::differentiate

#endif // SPARSEK_LIB_DIALECT_SPARSEK_TRANSFORMS_DIFFERENTIATERULES_H
