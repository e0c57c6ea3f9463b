//===- Signature.h - Types of compiled functions -------------- -*- C++ -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEK_RUNTIME_SIGNATURE_H
#define SPARSEK_RUNTIME_SIGNATURE_H

#include "sparsek-c/SparseK.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"

#include <string>
#include <vector>

namespace mlir::sparsek::runtime {

/// What compiled code assumes about the strides of an argument.
enum class Layout : uint8_t {
  /// Any strides but the innermost, which is 1: tensors.
  InnerUnit,
  /// Row by row: memrefs without a layout.
  Contiguous,
  /// Those of the memref's type.
  Strided,
};

/// An argument or result. A scalar has rank 0.
struct ValueType {
  SparseKTensorType tensor = {};
  Layout layout = Layout::InnerUnit;
  bool isScalar = false;
  /// Whether the function can write to the argument: a memref that is more than
  /// read.
  bool isWritable = false;
  /// Of Layout::Strided; SPARSEK_DYNAMIC where the type says nothing.
  int64_t strides[SPARSEK_MAX_RANK] = {};
};

struct FunctionSignature {
  std::string name;
  std::vector<ValueType> inputs;
  std::vector<ValueType> results;
};

using Signatures = std::vector<FunctionSignature>;

/// The signatures of the public functions of a module that has not been lowered
/// yet. Emits an error and fails on a type that cannot be passed.
FailureOr<Signatures> getSignatures(ModuleOp module);

/// Signatures as bytes and back. Reading fails on bytes that were not written
/// by this version.
std::string writeSignatures(const Signatures &signatures);
FailureOr<Signatures> readSignatures(StringRef bytes);

/// "f32", and the bytes of an element in memory.
StringRef getElementTypeName(int32_t elementType);
int64_t getElementSize(int32_t elementType);

/// "tensor<4x?xf32>".
std::string toString(const SparseKTensorType &type);
/// The type of a tensor of the caller.
std::string toString(const SparseKTensor &tensor);

} // namespace mlir::sparsek::runtime

#endif // SPARSEK_RUNTIME_SIGNATURE_H
