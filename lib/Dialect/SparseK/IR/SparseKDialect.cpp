//===- SparseKDialect.cpp - The sparsek dialect ---------------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sparsek/Dialect/SparseK/IR/SparseK.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/Transforms/InliningUtils.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::sparsek;

#include "sparsek/Dialect/SparseK/IR/SparseKDialect.cpp.inc"
#include "sparsek/Dialect/SparseK/IR/SparseKEnums.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "sparsek/Dialect/SparseK/IR/SparseKAttributes.cpp.inc"

namespace {
/// Every op can stand in any function.
struct SparseKInlinerInterface : DialectInlinerInterface {
  using DialectInlinerInterface::DialectInlinerInterface;

  bool isLegalToInline(Operation *op, Region *dest, bool wouldBeCloned,
                       IRMapping &mapping) const final {
    return true;
  }
};
} // namespace

void SparseKDialect::initialize() {
  addInterfaces<SparseKInlinerInterface>();
  addAttributes<
#define GET_ATTRDEF_LIST
#include "sparsek/Dialect/SparseK/IR/SparseKAttributes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "sparsek/Dialect/SparseK/IR/SparseKOps.cpp.inc"
      >();
}

Operation *SparseKDialect::materializeConstant(OpBuilder &builder,
                                               Attribute value, Type type,
                                               Location loc) {
  return arith::ConstantOp::materialize(builder, value, type, loc);
}
