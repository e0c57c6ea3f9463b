//===- Passes.h - Passes of the sparsek dialect -----------------*- C++ -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEK_DIALECT_SPARSEK_TRANSFORMS_PASSES_H
#define SPARSEK_DIALECT_SPARSEK_TRANSFORMS_PASSES_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace mlir::sparsek {

#define GEN_PASS_DECL
#include "sparsek/Dialect/SparseK/Transforms/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "sparsek/Dialect/SparseK/Transforms/Passes.h.inc"

} // namespace mlir::sparsek

#endif // SPARSEK_DIALECT_SPARSEK_TRANSFORMS_PASSES_H
