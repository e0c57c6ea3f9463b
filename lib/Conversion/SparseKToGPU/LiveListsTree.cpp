//===- LiveListsTree.cpp - Lifetimes as a tree of bounds ------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LiveListsTree.h"

#include <limits>

using namespace mlir;
using namespace mlir::sparsek;

using Values = KernelBuilder::Values;

static constexpr int64_t kNever = std::numeric_limits<int32_t>::max();
static constexpr int64_t kLongAgo = std::numeric_limits<int32_t>::min();

/// Which of the two bounds of a summary.
static constexpr int64_t kLatestEnd = 0;
static constexpr int64_t kEarliestDeath = 1;

TreeRange TreeRange::getParents(BlockBuilder &b) const {
  return {lower ? b.shiftRight(lower, kFanOutLog2) : Value(),
          b.ceilDiv(upper, kFanOutLog2)};
}

LifetimeTree::LifetimeTree(BlockBuilder &b, Value end, Value summary,
                           ValueRange row)
    : b(b), end(b.slice(end, row)), summary(b.slice(summary, row)) {
  numKeys = b.toInteger(b.dim(end, 2), 32);
  Value nodes = b.ceilDiv(numKeys, 2 * kFanOutLog2);
  numNodes = b.max(nodes, b.i32(1));
}

MemRefType LifetimeTree::getSummaryType(MLIRContext *context) {
  int64_t dynamic = ShapedType::kDynamic;
  return MemRefType::get({dynamic, dynamic, dynamic, 2},
                         IntegerType::get(context, 32));
}

LifetimeTree::Sizes LifetimeTree::getSizes(KernelBuilder &b, Value end) {
  Value keys = b.dim(end, 2);
  Value nodes = arith::CeilDivUIOp::create(b, keys, b.index(kNodeKeys));
  nodes = b.max(nodes, b.index(1));
  Value members = b.mul(nodes, b.index(kFanOut + 1));
  return {{b.dim(end, 0), b.dim(end, 1), members}, nodes};
}

Values LifetimeTree::summaryIndices(Level level, int64_t kind, Value i) {
  assert(level != Level::Key && "keys have no summary");
  if (level == Level::Node)
    i = b.add(b.shiftLeft(numNodes, kFanOutLog2), i);
  return {i, b.index(kind)};
}

Value LifetimeTree::latestEnd(Level level, Value i) {
  if (level == Level::Key)
    return b.loadAt(end, i);
  return b.loadAt(summary, summaryIndices(level, kLatestEnd, i));
}

Value LifetimeTree::earliestDeath(Level level, Value i) {
  if (level == Level::Key)
    return b.max(latestEnd(level, i), i);
  return b.loadAt(summary, summaryIndices(level, kEarliestDeath, i));
}

void LifetimeTree::storeSummary(Level level, Value i, Value latestEnd,
                                Value earliestDeath) {
  b.storeAt(latestEnd, summary, summaryIndices(level, kLatestEnd, i));
  b.storeAt(earliestDeath, summary, summaryIndices(level, kEarliestDeath, i));
}

Value LifetimeTree::isAlive(Level level, Value i, TreeRange range, Value time) {
  // The load may be of another member, never of none: no branch is needed.
  Value last = b.sub(range.upper, b.i32(1));
  Value isLater = b.less(time, latestEnd(level, b.min(i, last)));
  Value isAlive = b.bothOf(isLater, b.less(i, range.upper));
  if (!range.lower)
    return isAlive;
  Value isAfter = b.cmp(BlockBuilder::IntPredicate::sge, i, range.lower);
  return b.bothOf(isAlive, isAfter);
}

Value LifetimeTree::findLastDeadNode(Value time) {
  Value none = b.i32(-1), zero = b.i32(0);
  // Lane 0 looks at the highest node.
  Values found = b.loopWhile(
      {b.shiftRight(time, 2 * kFanOutLog2), none}, /*extraTypes=*/{},
      [&](ValueRange values) -> KernelBuilder::Test {
        Value more = b.cmp(BlockBuilder::IntPredicate::sge, values[0], zero);
        Value isOpen = b.less(values[1], zero);
        return {b.bothOf(more, isOpen), {}};
      },
      [&](ValueRange values, ValueRange) -> Values {
        Value highest = values[0];
        Value node = b.sub(highest, b.getLane());
        Value death = earliestDeath(Level::Node, b.max(node, zero));
        Value isNode = b.cmp(BlockBuilder::IntPredicate::sge, node, zero);
        Value isDead = b.cmp(BlockBuilder::IntPredicate::sle, death, time);
        Value mask = b.ballot(b.bothOf(isNode, isDead));
        Value any = b.cmp(BlockBuilder::IntPredicate::ne, mask, zero);
        Value last = b.sub(highest, b.lowestBit(mask));
        return {b.sub(highest, b.i32(kWarpSize)), b.select(any, last, none)};
      });
  return found[1];
}

Value LifetimeTree::findLastDeadChild(Level level, Value parent, Value time) {
  Value first = b.shiftLeft(parent, kFanOutLog2);
  Value child = b.add(first, b.getLane());
  Value death;
  if (level == Level::Key) {
    Value last = b.sub(numKeys, b.i32(1));
    death = b.select(b.less(child, numKeys),
                     earliestDeath(level, b.min(child, last)), b.i32(kNever));
  } else {
    death = earliestDeath(level, child);
  }
  Value isDead = b.cmp(BlockBuilder::IntPredicate::sle, death, time);
  return b.add(first, b.highestBit(b.ballot(isDead)));
}

Value LifetimeTree::findLastDead(Value time) {
  Value node = findLastDeadNode(time);
  Value exists = b.cmp(BlockBuilder::IntPredicate::sge, node, b.i32(0));
  return b.branch(
      exists,
      [&]() -> Values {
        Value leaf = findLastDeadChild(Level::Leaf, node, time);
        return {findLastDeadChild(Level::Key, leaf, time)};
      },
      [&]() -> Values { return {node}; })[0];
}

//===----------------------------------------------------------------------===//
// The kernel that makes the summary
//===----------------------------------------------------------------------===//

/// All threads that a multiprocessor has.
static constexpr int64_t kSummarizeBlocks = 8;

/// Latest end and earliest death of key `i`; neutral where there is none.
static Values loadBounds(BlockBuilder &b, LifetimeTree &tree, Value i) {
  return b.branch(
      b.less(i, tree.getNumKeys()),
      [&]() -> Values {
        Value end = tree.latestEnd(Level::Key, i);
        return {end, b.max(end, i)};
      },
      [&]() -> Values { return {b.i32(kLongAgo), b.i32(kNever)}; });
}

gpu::GPUFuncOp sparsek::createSummarizeKernel(gpu::GPUModuleOp module,
                                              Location loc,
                                              MemRefType endType) {
  MLIRContext *context = module.getContext();
  Type leavesType =
      getWorkgroupType(context, kFanOut, endType.getElementType());
  gpu::GPUFuncOp kernel =
      createKernel(module, loc, "summarize",
                   {endType, LifetimeTree::getSummaryType(context)},
                   {leavesType, leavesType}, kSummarizeWarps, kSummarizeBlocks);
  BlockBuilder b(kernel, kSummarizeWarps);
  Value ends = kernel.getWorkgroupAttributions()[0];
  Value deaths = kernel.getWorkgroupAttributions()[1];
  LifetimeTree tree(
      b, kernel.getArgument(0), kernel.getArgument(1),
      {b.blockIndex(gpu::Dimension::z), b.blockIndex(gpu::Dimension::y)});
  Value node = b.toInteger(b.blockIndex(gpu::Dimension::x), 32);
  Value isFirstLane =
      b.cmp(BlockBuilder::IntPredicate::eq, b.getLane(), b.i32(0));

  // A warp's leaves are kSummarizeWarps apart, so the block reads in order.
  for (int64_t i = 0; i < kFanOut; i += kSummarizeWarps) {
    Value inNode = b.add(b.getWarp(), b.i32(i));
    Value leaf = b.add(b.shiftLeft(node, kFanOutLog2), inNode);
    Value key = b.add(b.shiftLeft(leaf, kFanOutLog2), b.getLane());
    Values bounds = loadBounds(b, tree, key);
    Value end = b.warpMax(bounds[0]), death = b.warpMin(bounds[1]);
    b.when(isFirstLane, [&] {
      tree.storeSummary(Level::Leaf, leaf, end, death);
      b.storeAt(end, ends, inNode);
      b.storeAt(death, deaths, inNode);
    });
  }
  b.barrier();
  Value isFirstWarp =
      b.cmp(BlockBuilder::IntPredicate::eq, b.getWarp(), b.i32(0));
  b.when(isFirstWarp, [&] {
    Value end = b.warpMax(b.loadAt(ends, b.getLane()));
    Value death = b.warpMin(b.loadAt(deaths, b.getLane()));
    b.when(isFirstLane,
           [&] { tree.storeSummary(Level::Node, node, end, death); });
  });
  b.finish();
  return kernel;
}
