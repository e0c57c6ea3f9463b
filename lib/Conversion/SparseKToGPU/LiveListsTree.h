//===- LiveListsTree.h - Lifetimes as a tree of bounds ----------*- C++ -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Keys, leaves of 32 keys and nodes of 32 leaves. A leaf and a node know the
// latest end of their keys, so that a search for keys that are alive passes
// over those without one, and the earliest death, for the keys that are dead.
// A key dies at max(end, its position): one that is never visible is dead from
// its own position on, and not before it.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_CONVERSION_SPARSEKTOGPU_LIVELISTSTREE_H
#define LIB_CONVERSION_SPARSEKTOGPU_LIVELISTSTREE_H

#include "BlockBuilder.h"

namespace mlir::sparsek {

/// The children of a leaf and of a node: one for each lane of a warp.
inline constexpr int64_t kFanOutLog2 = 5;
inline constexpr int64_t kFanOut = int64_t(1) << kFanOutLog2;
static_assert(kFanOut == kWarpSize);
inline constexpr int64_t kNodeKeys = kFanOut * kFanOut;

enum class Level { Key, Leaf, Node };

/// The members lower <= i < upper of a level; without `lower`, from 0.
struct TreeRange {
  Value lower, upper;

  /// The parents of the members.
  TreeRange getParents(BlockBuilder &b) const;
};

/// The keys of one kv head with the leaves and nodes over them, as kernels see
/// them.
class LifetimeTree {
public:
  /// `end` [B, Hkv, Nk], `summary` [B, Hkv, 33 * nodes, 2], batch and head.
  LifetimeTree(BlockBuilder &b, Value end, Value summary, ValueRange row);

  /// The type of `summary`: [.., 0] are the latest ends, [.., 1] the earliest
  /// deaths; 32 * nodes leaves, then the nodes.
  static MemRefType getSummaryType(MLIRContext *context);
  /// On the host: its dynamic sizes, and the number of nodes (at least one).
  struct Sizes {
    KernelBuilder::Values summary;
    Value nodes;
  };
  static Sizes getSizes(KernelBuilder &b, Value end);

  Value getNumKeys() const { return numKeys; }
  /// Of the member `i` of a level.
  Value latestEnd(Level level, Value i);
  Value earliestDeath(Level level, Value i);
  void storeSummary(Level level, Value i, Value latestEnd, Value earliestDeath);

  /// Whether `range`, which is not empty, holds the member `i` and it is alive
  /// at `time`: of a key, `end` > `time`, which means that only where the key
  /// is not after `time`; of a leaf and a node, that one of its keys may be.
  Value isAlive(Level level, Value i, TreeRange range, Value time);

  /// Each warp: the last key that is dead at `time`, or -1.
  Value findLastDead(Value time);

private:
  Value findLastDeadNode(Value time);
  /// The last of the 32 children of `parent` with an earliest death <= `time`;
  /// there is one.
  Value findLastDeadChild(Level level, Value parent, Value time);
  KernelBuilder::Values summaryIndices(Level level, int64_t kind, Value i);

  BlockBuilder &b;
  Value end, summary;
  Value numKeys, numNodes;
};

/// The warps of a block that makes a node.
inline constexpr int64_t kSummarizeWarps = 8;

/// The kernel `summarize(end, summary)`: a block for each node.
gpu::GPUFuncOp createSummarizeKernel(gpu::GPUModuleOp module, Location loc,
                                     MemRefType endType);

} // namespace mlir::sparsek

#endif // LIB_CONVERSION_SPARSEKTOGPU_LIVELISTSTREE_H
