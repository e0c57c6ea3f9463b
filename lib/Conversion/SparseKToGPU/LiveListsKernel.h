//===- LiveListsKernel.h - The kernel that writes the lists -----*- C++ -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LIB_CONVERSION_SPARSEKTOGPU_LIVELISTSKERNEL_H
#define LIB_CONVERSION_SPARSEKTOGPU_LIVELISTSKERNEL_H

#include "BlockBuilder.h"

#include "sparsek/Dialect/SparseK/IR/SparseK.h"

namespace mlir::sparsek {

/// The warps of a block: it has one tile for each of them at least.
inline constexpr int64_t kListWarps = 8;

/// The kernel `list(end, summary, num_queries, tiles_per_block, start, count,
/// list)`: a block for each `tiles_per_block` tiles of a kv head.
gpu::GPUFuncOp createListKernel(gpu::GPUModuleOp module, LiveListsOp op);

} // namespace mlir::sparsek

#endif // LIB_CONVERSION_SPARSEKTOGPU_LIVELISTSKERNEL_H
