//===- TileBuilder.cpp - Arithmetic and slices on tiles -------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "AttentionTile.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::sparsek;

Value TileBuilder::empty(ArrayRef<int64_t> shape, Type elementType,
                         ValueRange dynamic) {
  return tensor::EmptyOp::create(*this, shape, elementType, dynamic);
}

Value TileBuilder::filled(ArrayRef<int64_t> shape, Value value) {
  Value init = empty(shape, value.getType());
  return linalg::FillOp::create(*this, value, init).getResult(0);
}

Value TileBuilder::extract(Value tensor, ValueRange indices) {
  return tensor::ExtractOp::create(*this, tensor, indices);
}

Value TileBuilder::insert(Value value, Value tensor, ValueRange indices) {
  return tensor::InsertOp::create(*this, value, tensor, indices);
}

Value TileBuilder::slice(RankedTensorType type, Value tensor,
                         ArrayRef<OpFoldResult> offsets,
                         ArrayRef<OpFoldResult> sizes) {
  SmallVector<OpFoldResult> strides(offsets.size(), getIndexAttr(1));
  return tensor::ExtractSliceOp::create(*this, type, tensor, offsets, sizes,
                                        strides);
}

Value TileBuilder::insertSlice(Value source, Value tensor,
                               ArrayRef<OpFoldResult> offsets,
                               ArrayRef<OpFoldResult> sizes) {
  SmallVector<OpFoldResult> strides(offsets.size(), getIndexAttr(1));
  return tensor::InsertSliceOp::create(*this, source, tensor, offsets, sizes,
                                       strides);
}

/// Offsets and sizes of tensor[first].
static void getFirst(TileBuilder &b, Value tensor, Value first,
                     SmallVector<OpFoldResult> &offsets,
                     SmallVector<OpFoldResult> &sizes) {
  auto type = cast<RankedTensorType>(tensor.getType());
  offsets.assign(type.getRank(), b.getIndexAttr(0));
  offsets[0] = first;
  sizes = {b.getIndexAttr(1)};
  for (int64_t size : type.getShape().drop_front())
    sizes.push_back(b.getIndexAttr(size));
}

Value TileBuilder::sliceFirst(Value tensor, Value first) {
  auto type = cast<RankedTensorType>(tensor.getType());
  SmallVector<OpFoldResult> offsets, sizes;
  getFirst(*this, tensor, first, offsets, sizes);
  return slice(tensorType(type.getShape().drop_front(), type.getElementType()),
               tensor, offsets, sizes);
}

Value TileBuilder::insertFirst(Value source, Value tensor, Value first) {
  SmallVector<OpFoldResult> offsets, sizes;
  getFirst(*this, tensor, first, offsets, sizes);
  return insertSlice(source, tensor, offsets, sizes);
}

AffineMap sparsek::project(MLIRContext *context, unsigned rank,
                           ArrayRef<unsigned> dims) {
  SmallVector<AffineExpr> exprs;
  for (unsigned dim : dims)
    exprs.push_back(getAffineDimExpr(dim, context));
  return AffineMap::get(rank, 0, exprs, context);
}

Value TileBuilder::sliceRows(Value matrix, Value first, int64_t count) {
  auto type = cast<RankedTensorType>(matrix.getType());
  int64_t width = type.getDimSize(1);
  return slice(tensorType({count, width}, type.getElementType()), matrix,
               {first, getIndexAttr(0)},
               {getIndexAttr(count), getIndexAttr(width)});
}

Value TileBuilder::insertRows(Value source, Value matrix, Value first) {
  auto type = cast<RankedTensorType>(source.getType());
  return insertSlice(
      source, matrix, {first, getIndexAttr(0)},
      {getIndexAttr(type.getDimSize(0)), getIndexAttr(type.getDimSize(1))});
}

Value TileBuilder::map(ValueRange inputs,
                       ArrayRef<SmallVector<unsigned>> inputDims, Value output,
                       function_ref<Value(TileBuilder &, ValueRange)> body) {
  unsigned rank = cast<RankedTensorType>(output.getType()).getRank();
  SmallVector<AffineMap> maps;
  for (ArrayRef<unsigned> dims : inputDims)
    maps.push_back(project(getContext(), rank, dims));
  maps.push_back(getMultiDimIdentityMap(rank));
  SmallVector<utils::IteratorType> iterators(rank,
                                             utils::IteratorType::parallel);
  auto generic = linalg::GenericOp::create(
      *this, output.getType(), inputs, output, maps, iterators,
      [&](OpBuilder &nested, Location loc, ValueRange args) {
        TileBuilder b(loc, nested);
        Value result = body(b, args);
        linalg::YieldOp::create(b, result);
      });
  return generic.getResult(0);
}

Value TileBuilder::toF32(Value value) {
  if (value.getType().isF32())
    return value;
  return arith::ExtFOp::create(*this, getF32Type(), value);
}

Value TileBuilder::fromF32(Value value, Type type) {
  if (type.isF32())
    return value;
  return arith::TruncFOp::create(*this, type, value);
}

Value TileBuilder::compare(arith::CmpFPredicate predicate, Value x, Value y) {
  return arith::CmpFOp::create(*this, predicate, x, y);
}

Value TileBuilder::clampToUnit(Value x) {
  Value zero = f32(0), one = f32(1);
  Value positive = select(compare(arith::CmpFPredicate::OGT, x, zero), x, zero);
  return select(compare(arith::CmpFPredicate::OLT, positive, one), positive,
                one);
}

Value TileBuilder::finiteOrZero(Value x) {
  Value none = compare(arith::CmpFPredicate::OEQ, x, f32(-kInfinity));
  return select(none, f32(0), x);
}

Value sparsek::buildTransposedProduct(TileBuilder &builder, Value a, Value b,
                                      Value accumulator) {
  MLIRContext *context = builder.getContext();
  SmallVector<AffineMap> maps = {project(context, 3, {2, 0}),
                                 project(context, 3, {2, 1}),
                                 project(context, 3, {0, 1})};
  return linalg::ContractOp::create(builder, TypeRange{accumulator.getType()},
                                    ValueRange{a, b}, accumulator,
                                    builder.getAffineMapArrayAttr(maps))
      .getResult(0);
}
