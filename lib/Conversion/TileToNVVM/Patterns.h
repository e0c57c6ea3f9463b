//===- Patterns.h - Patterns of the tile to nvvm conversion -----*- C++ -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEK_LIB_CONVERSION_TILETONVVM_PATTERNS_H
#define SPARSEK_LIB_CONVERSION_TILETONVVM_PATTERNS_H

#include "sparsek/Dialect/Tile/IR/Tile.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Transforms/DialectConversion.h"

namespace mlir::sparsek::tile {

class NVVMBuilder;

/// What the instructions of a chip are.
struct Chip {
  explicit Chip(StringRef name) : isHopper(name == "sm_90a") {}

  /// sm_90a: wgmma, TMA, setmaxnreg, blocking waits on barriers.
  bool isHopper;
};

/// Where the buffers and rings of a kernel lie. Shared memory is one block; the
/// swizzled buffers come first, aligned to 1024 bytes, then the others, aligned
/// to 16, then the barriers of the rings. A ring's barriers are all `full`
/// ones, then all `empty` ones, 8 bytes each.
struct SharedMemory {
  /// The address of a `tile.alloc`, or of the first barrier of a `tile.ring`.
  DenseMap<Operation *, Value> addresses;
};

/// Bytes of an mbarrier.
inline constexpr int64_t kBarrierBytes = 8;

/// Lays out the shared memory of `function`, computes the addresses, and lets
/// thread 0 initialize the barriers.
void planSharedMemory(gpu::GPUFuncOp function, const Chip &chip,
                      SharedMemory &memory);

/// The number of this thread in its group of `role`.
Value buildThreadInGroup(NVVMBuilder &b, RoleOp role);

/// Whether the groups of the role start where the hardware's do, else an error.
LogicalResult verifyRole(RoleOp role);

/// Replaces `tile.roles` by branches on the thread number and sets the block
/// size of its function.
void lowerRoles(RolesOp roles, const Chip &chip);

void populateSharedMemoryPatterns(const TypeConverter &converter,
                                  const SharedMemory &memory,
                                  RewritePatternSet &patterns);
void populateRolePatterns(const TypeConverter &converter,
                          RewritePatternSet &patterns);
void populateRingPatterns(const TypeConverter &converter, const Chip &chip,
                          RewritePatternSet &patterns);
void populateCopyPatterns(const TypeConverter &converter,
                          RewritePatternSet &patterns);
void populateWgmmaPatterns(const TypeConverter &converter,
                           RewritePatternSet &patterns);
void populateMmaSyncPatterns(const TypeConverter &converter,
                             RewritePatternSet &patterns);
void populateMmaTF32Patterns(const TypeConverter &converter,
                             RewritePatternSet &patterns);

/// Whether `op` is to be replaced by a machine instruction or an intrinsic: see
/// populateMathPatterns.
bool isApproximated(Operation *op);
void populateMathPatterns(const TypeConverter &converter,
                          RewritePatternSet &patterns);

/// Whether the product can be lowered for the chip, else an error.
LogicalResult verifyProduct(MmaOp op, const Chip &chip);

} // namespace mlir::sparsek::tile

#endif // SPARSEK_LIB_CONVERSION_TILETONVVM_PATTERNS_H
