//===- Products.h - What all products share ---------------------*- C++ -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEK_LIB_CONVERSION_TILETONVVM_PRODUCTS_H
#define SPARSEK_LIB_CONVERSION_TILETONVVM_PRODUCTS_H

#include "sparsek/Dialect/Tile/IR/Tile.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

namespace mlir::sparsek::tile {

class NVVMBuilder;

/// The columns N and the depth K of a product.
int64_t getColumns(MmaOp op);
int64_t getDepth(MmaOp op);

/// Whether the groups of the op's role are warpgroups, else they are warps.
bool isOnWarpgroup(Operation *op);

/// Whether a product is a warpgroup's, else it is of its warps by themselves.
bool isWarpgroupProduct(MmaOp op);

/// The address of operand A in shared memory, from row `a_row` on.
Value buildAddressA(NVVMBuilder &b, MmaOp op, MmaOp::Adaptor adaptor);

/// The accumulator that the instructions of a warp's product start with: that
/// of the op, or zeros.
SmallVector<Value> buildWarpAccumulator(NVVMBuilder &b, MmaOp op,
                                        MmaOp::Adaptor adaptor);

/// One `mma.sync` m16n8k`depth`, operands of `type`: adds to the four elements
/// of `acc`.
void buildMmaSync(NVVMBuilder &b, NVVM::MMATypes type, int64_t depth,
                  ValueRange aOperands, ValueRange bOperands,
                  MutableArrayRef<Value> acc);

} // namespace mlir::sparsek::tile

#endif // SPARSEK_LIB_CONVERSION_TILETONVVM_PRODUCTS_H
