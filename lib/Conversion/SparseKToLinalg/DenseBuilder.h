//===- DenseBuilder.h - Dense loops over tensors ----------------*- C++ -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEK_LIB_CONVERSION_SPARSEKTOLINALG_DENSEBUILDER_H
#define SPARSEK_LIB_CONVERSION_SPARSEKTOLINALG_DENSEBUILDER_H

#include "mlir/Dialect/Utils/StructuredOpsUtils.h"
#include "mlir/IR/AffineMap.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mlir {
class RewritePatternSet;
} // namespace mlir

namespace mlir::sparsek {

/// A tensor operand of a dense loop nest with the map from loops to elements.
struct Operand {
  Value tensor;
  AffineMap map;
};

/// Builds linalg ops, and the scalar arithmetic in their bodies, at one place
/// in the IR.
class DenseBuilder : public ImplicitLocOpBuilder {
public:
  using ImplicitLocOpBuilder::ImplicitLocOpBuilder;

  /// Computes one scalar per destination from one scalar per operand.
  using Body =
      function_ref<SmallVector<Value>(DenseBuilder &builder, ValueRange args)>;

  /// One linalg.generic over `iterators`; returns its results.
  SmallVector<Value> loops(ArrayRef<utils::IteratorType> iterators,
                           ArrayRef<Operand> inputs, ArrayRef<Operand> outputs,
                           Body body);

  /// An elementwise op on tensors of the shape of `output`.
  Value elementwise(ValueRange inputs, Value output, Body body);

  /// `value`, converted to the element type of `output`, written over it.
  Value truncated(Value value, Value output);

  /// An uninitialized tensor.
  Value empty(ArrayRef<OpFoldResult> sizes, Type elementType);
  /// A tensor of `sizes` full of `value`.
  Value filled(ArrayRef<OpFoldResult> sizes, TypedAttr value);
  /// `output` overwritten with the scalar `value`.
  Value filled(Value output, Value value);

  /// The map from `rank` loops to the elements that `results` name.
  AffineMap map(unsigned rank, ArrayRef<unsigned> results);

  Value constant(TypedAttr value);
  Value f64(double value) { return constant(getF64FloatAttr(value)); }
  Value f32(float value) { return constant(getF32FloatAttr(value)); }
  Value i64(int64_t value) { return constant(getI64IntegerAttr(value)); }
  Value i32(int32_t value) { return constant(getI32IntegerAttr(value)); }
  Value index(int64_t value) { return constant(getIndexAttr(value)); }
  Value toValue(OpFoldResult value);

  /// A float, converted by way of f32, exactly where the type widens.
  Value castFloat(Value value, FloatType type);
  /// min(max(value, 0), 1).
  Value clamp01(Value value);
};

/// 0 < fl32(score - tau) < 1: the mask of the score follows tau.
Value followsTau(DenseBuilder &b, Value score, Value tau);

/// The patterns that the files of this library contribute.
void populateAttentionGradientToLinalgPatterns(RewritePatternSet &patterns);
void populateAttentionToLinalgPatterns(RewritePatternSet &patterns);
void populateMaskGradientsToLinalgPatterns(RewritePatternSet &patterns);
void populateTopkToLinalgPatterns(RewritePatternSet &patterns);

} // namespace mlir::sparsek

#endif // SPARSEK_LIB_CONVERSION_SPARSEKTOLINALG_DENSEBUILDER_H
