//===- DistributeVectors.cpp - Vectors in registers, for one thread -------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Distribute.h"

#include "sparsek/Dialect/Tile/Transforms/Layouts.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::sparsek::tile;

/// Independent chains of a reduction in registers.
static constexpr int64_t kChains = 4;

/// %0 = arith.constant dense<1.0> : vector<64x96xf32>
/// becomes
/// %0 = arith.constant dense<1.0> : vector<48xf32>
static LogicalResult distributeConstant(arith::ConstantOp op, Distributor &d) {
  if (!isa<VectorType>(op.getType())) {
    d.clone(op);
    return success();
  }
  auto splat = dyn_cast<SplatElementsAttr>(op.getValue());
  if (!splat)
    return op.emitOpError("expected all elements equal, got ") << op.getValue();
  auto type = cast<VectorType>(d.getThreadType(op));
  d.map(op, arith::ConstantOp::create(
                d.b, DenseElementsAttr::get(type,
                                            splat.getSplatValue<Attribute>())));
  return success();
}

/// %0 = tile.iota {row} : vector<64xi32>
/// becomes
/// %base = warp * 16 + lane / 4
/// %0 = vector.broadcast %base + dense<[0, 8]> : vector<2xi32>
static LogicalResult distributeIota(IotaOp op, Distributor &d) {
  auto type = cast<VectorType>(op.getType());
  auto threadType = cast<VectorType>(d.getThreadType(op));
  Value base = d.getElementBase(d.getLayout(op), type);
  Value result = vector::BroadcastOp::create(d.b, threadType, base);
  SmallVector<int32_t> offsets;
  for (int64_t offset :
       getElementOffsets(d.getLayout(op), type, d.getThreads()))
    offsets.push_back(static_cast<int32_t>(offset));
  auto constant = arith::ConstantOp::create(
      d.b, DenseElementsAttr::get(threadType, ArrayRef(offsets)));
  d.map(op, d.b.createOrFold<arith::AddIOp>(result, constant));
  return success();
}

/// Fragments repeat an element of a row (0 0 1 1 of each block of columns) or
/// of a column (0 1 0 1):
///
/// %0 = vector.broadcast %r : vector<64x1xf32> to vector<64x8xf32>
/// becomes
/// %0 = vector.shuffle %r, %r [0, 0, 1, 1] : vector<2xf32>, vector<2xf32>
static Value spread(Value source, bool isRow, int64_t size, Distributor &d) {
  SmallVector<int64_t> positions;
  for (int64_t i = 0; i < size; ++i)
    positions.push_back(isRow ? i / 2 % 2 : 2 * (i / 4) + i % 2);
  return vector::ShuffleOp::create(d.b, source, source, positions);
}

static LogicalResult distributeBroadcast(vector::BroadcastOp op,
                                         Distributor &d) {
  auto threadType = cast<VectorType>(d.getThreadType(op.getVector()));
  Value source = d.lookup(op.getSource());
  auto sourceType = dyn_cast<VectorType>(op.getSourceType());
  if (!sourceType) {
    d.map(op, vector::BroadcastOp::create(d.b, threadType, source));
    return success();
  }
  if (sourceType == op.getResultVectorType()) {
    d.map(op, source);
    return success();
  }
  if (op.getResultVectorType().getRank() != 2)
    return op.emitOpError("expected a broadcast of a scalar, or to rank 2");
  LayoutKind kind = d.getLayout(op.getSource()).getKind();
  if (kind != LayoutKind::row && kind != LayoutKind::column)
    return op.emitOpError("expected a broadcast of a row or a column, got ")
           << d.getLayout(op.getSource());
  d.map(op,
        spread(source, kind == LayoutKind::row, threadType.getDimSize(0), d));
  return success();
}

/// vector<64xf32> to vector<64x1xf32> or back: nothing to do.
static LogicalResult distributeShapeCast(vector::ShapeCastOp op,
                                         Distributor &d) {
  if (d.getLayout(op.getSource()) != d.getLayout(op.getResult()))
    return op.emitOpError("expected operand and result in one layout, got ")
           << d.getLayout(op.getSource()) << " and "
           << d.getLayout(op.getResult());
  d.map(op, d.lookup(op.getSource()));
  return success();
}

/// Columns from a multiple of 8 on are a range of the thread's elements.
static LogicalResult distributeSlice(vector::ExtractStridedSliceOp op,
                                     Distributor &d) {
  auto sourceType = op.getSourceVectorType();
  auto resultType = cast<VectorType>(op.getType());
  SmallVector<int64_t> offsets, strides;
  op.getOffsets(offsets);
  for (Attribute stride : op.getStrides())
    strides.push_back(cast<IntegerAttr>(stride).getInt());
  bool allStridesOne = llvm::all_of(strides, [](int64_t s) { return s == 1; });
  if (sourceType.getRank() != 2 || offsets.size() != 2 || !allStridesOne ||
      resultType.getDimSize(0) != sourceType.getDimSize(0) || offsets[1] % 8)
    return op.emitOpError("expected all rows and columns from a multiple of 8 "
                          "on of a vector of rank 2");
  auto threadType = cast<VectorType>(d.getThreadType(op.getResult()));
  d.map(op, vector::ExtractStridedSliceOp::create(
                d.b, d.lookup(op.getSource()), ArrayRef(offsets[1] / 2),
                ArrayRef(threadType.getDimSize(0)), ArrayRef<int64_t>(1)));
  return success();
}

/// `elements` combined in several chains, so that one need not wait for the
/// other.
static Value
reduceInRegisters(ArrayRef<Value> elements,
                  llvm::function_ref<Value(Value, Value)> combine) {
  SmallVector<Value> chains(elements.take_front(kChains));
  for (auto [i, element] : llvm::enumerate(elements.drop_front(chains.size())))
    chains[i % kChains] = combine(chains[i % kChains], element);
  while (chains.size() > 1) {
    Value last = chains.pop_back_val();
    Value &first = chains[(chains.size() - 1) / 2];
    first = combine(first, last);
  }
  return chains.front();
}

/// %m = vector.multi_reduction <maxnumf>, %s, %init [1]
///     : vector<64x96xf32> to vector<64xf32>
/// combines a thread's 24 elements of a row, these with the other three threads
/// of the quad, and the result with the thread's element of %init.
static LogicalResult distributeReduction(vector::MultiDimReductionOp op,
                                         Distributor &d) {
  Type elementType = op.getSourceVectorType().getElementType();
  if (op.getSourceVectorType().getRank() != 2 ||
      op.getReductionDims() != ArrayRef<int64_t>(1))
    return op.emitOpError("expected a reduction over the columns of a vector "
                          "of rank 2");
  if (!elementType.isF32() && !elementType.isInteger(32))
    return op.emitOpError("expected elements of type f32 or i32, got ")
           << elementType;
  auto combine = [&](Value x, Value y) {
    return vector::makeArithReduction(d.b, op.getLoc(), op.getKind(), x, y);
  };
  SmallVector<Value> elements = d.getElements(op.getSource());
  SmallVector<Value> init = d.getElements(op.getAcc());
  SmallVector<Value> results;
  for (int64_t row = 0; row < 2; ++row) {
    SmallVector<Value> ofRow;
    for (auto [i, element] : llvm::enumerate(elements))
      if (static_cast<int64_t>(i / 2 % 2) == row)
        ofRow.push_back(element);
    Value result = reduceInRegisters(ofRow, combine);
    for (int64_t mask : {1, 2})
      result = combine(result, d.shuffleXor(result, mask));
    results.push_back(combine(init[row], result));
  }
  d.mapElements(op, results);
  return success();
}

/// The elements of a mask that the thread holds, or'ed.
static Value anyOfThread(Value mask, Distributor &d) {
  Value any;
  for (Value element : d.getElements(mask))
    any = any ? Value(arith::OrIOp::create(d.b, any, element)) : element;
  Value holds = d.getHolds(d.getLayout(mask), cast<VectorType>(mask.getType()));
  return d.both(any, holds);
}

/// %any = tile.any %mask : vector<64xi1>
/// becomes
/// %0 = arith.ori %mask0, %mask1
/// %any = nvvm.vote.sync any %all, %0
static LogicalResult distributeAny(AnyOp op, Distributor &d) {
  d.map(op, d.voteAny(anyOfThread(op.getMask(), d)));
  return success();
}

void mlir::sparsek::tile::populateVectorRules(RuleTable &rules) {
  rules.add(distributeAny);
  rules.add(distributeBroadcast);
  rules.add(distributeConstant);
  rules.add(distributeIota);
  rules.add(distributeReduction);
  rules.add(distributeShapeCast);
  rules.add(distributeSlice);
}
