//===- Canonicalization.cpp - What canonical forms share ---------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Canonicalization.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::sparsek;

Value sparsek::fill(OpBuilder &builder, Location loc, Value dest,
                    double value) {
  Type type = getElementTypeOrSelf(dest.getType());
  TypedAttr attr = isa<FloatType>(type)
                       ? TypedAttr(builder.getFloatAttr(type, value))
                       : TypedAttr(builder.getIntegerAttr(
                             type, static_cast<int64_t>(value)));
  Value constant = arith::ConstantOp::create(builder, loc, attr);
  auto op = linalg::FillOp::create(builder, loc, constant, dest);
  return op->getNumResults() ? op->getResult(0) : Value();
}

void sparsek::replaceByFills(PatternRewriter &rewriter,
                             DestinationStyleOpInterface op,
                             ArrayRef<double> values) {
  SmallVector<Value> results;
  for (auto [dest, value] : llvm::zip_equal(op.getDpsInits(), values))
    if (Value filled = fill(rewriter, op->getLoc(), dest, value))
      results.push_back(filled);
  rewriter.replaceOp(op, results);
}

std::optional<int64_t> sparsek::getConstantEnd(Value end) {
  DenseIntElementsAttr attr;
  if (matchPattern(end, m_Constant(&attr)) && attr.isSplat())
    return attr.getSplatValue<APInt>().getSExtValue();
  APInt value;
  if (auto fillOp = end.getDefiningOp<linalg::FillOp>())
    if (matchPattern(fillOp.getInputs()[0], m_ConstantInt(&value)))
      return value.getSExtValue();
  return std::nullopt;
}
