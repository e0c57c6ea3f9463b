//===- AttentionReach.h - Distances that a kernel's offsets hold -*- C++-*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LIB_CONVERSION_SPARSEKTOTILE_ATTENTIONREACH_H
#define LIB_CONVERSION_SPARSEKTOTILE_ATTENTIONREACH_H

#include "AttentionSchedule.h"

#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/SymbolTable.h"

namespace mlir::sparsek {

/// i1, made before the op: whether the rows of query, key and value that one
/// tile of `queries` queries can read lie within 4 GiB. If not, the call
/// reports which do not.
Value buildReachCheck(ImplicitLocOpBuilder &b, SparseAttentionOp op,
                      const AttentionShape &shape, int64_t queries,
                      SymbolTable &symbols);

} // namespace mlir::sparsek

#endif // LIB_CONVERSION_SPARSEKTOTILE_ATTENTIONREACH_H
