//===- AttentionSchedule.h - Tiles, rings and roles of a kernel  -*- C++
//-*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LIB_CONVERSION_SPARSEKTOTILE_ATTENTIONSCHEDULE_H
#define LIB_CONVERSION_SPARSEKTOTILE_ATTENTIONSCHEDULE_H

#include "sparsek/Dialect/SparseK/IR/SparseK.h"

namespace mlir::sparsek {

/// What an attention kernel is compiled for.
struct AttentionShape {
  Type elementType;
  int64_t headDim;
  int64_t valueDim;
  /// Query heads of a kv head, and how many of them share a tile.
  int64_t group;
  int64_t heads;
  Gate gate;
  int64_t window;
  double scale;

  /// Chunks of heads in a group.
  int64_t getNumChunks() const { return llvm::divideCeil(group, heads); }
  int64_t getElementBytes() const {
    return elementType.getIntOrFloatBitWidth() / 8;
  }
  bool isGated() const { return gate != Gate::none; }
};

/// How the kernel does it. Data, not code: a default per shape and chip, which
/// the options of the pass override.
struct AttentionSchedule {
  /// Rows of a tile: (query head of the group, query).
  int64_t rows = 128;
  /// Keys of a block.
  int64_t keys = 96;
  /// Slots of the rings of keys and values.
  int64_t stages = 4;
  /// Consumer warps in one group: 4, whose product is wgmma, or 1, mma.sync.
  int64_t groupWarps = 4;
  int64_t producerWarps = 4;
  /// Registers of a thread of each role, 0: an equal share.
  int64_t producerRegisters = 0;
  int64_t consumerRegisters = 0;
  /// Whether the consumers hold the query tile in registers.
  bool queryInRegisters = true;
  /// Whether blocks of neighbouring keys are fetched by TMA.
  bool bulk = false;

  int64_t getConsumerWarps() const { return rows / 16; }
  int64_t getThreads() const {
    return 32 * (producerWarps + getConsumerWarps());
  }
  /// Queries of a tile.
  int64_t getQueries(const AttentionShape &shape) const {
    return rows / shape.heads;
  }
  /// Whether the queries that see a key are the bits of a word. With gates
  /// there is no room for it beside four stages.
  bool hasWords(const AttentionShape &shape) const {
    return getQueries(shape) <= 32 && !shape.isGated();
  }
};

/// The shape of an op.
AttentionShape getAttentionShape(SparseAttentionOp op);

/// The default for a chip ("sm_90a", "sm_80"). Fails where no tile of that
/// shape fits the chip's shared memory.
FailureOr<AttentionSchedule> getDefaultSchedule(const AttentionShape &shape,
                                                StringRef chip);

} // namespace mlir::sparsek

#endif // LIB_CONVERSION_SPARSEKTOTILE_ATTENTIONSCHEDULE_H
