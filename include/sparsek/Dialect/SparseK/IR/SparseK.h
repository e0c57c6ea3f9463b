//===- SparseK.h - The sparsek dialect --------------------------*- C++ -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEK_DIALECT_SPARSEK_IR_SPARSEK_H
#define SPARSEK_DIALECT_SPARSEK_IR_SPARSEK_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "sparsek/Dialect/SparseK/IR/SparseKDialect.h.inc"
#include "sparsek/Dialect/SparseK/IR/SparseKEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "sparsek/Dialect/SparseK/IR/SparseKAttributes.h.inc"

#define GET_OP_CLASSES
#include "sparsek/Dialect/SparseK/IR/SparseKOps.h.inc"

#endif // SPARSEK_DIALECT_SPARSEK_IR_SPARSEK_H
