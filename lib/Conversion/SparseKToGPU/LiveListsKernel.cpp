//===- LiveListsKernel.cpp - The kernel that writes the lists -------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LiveListsKernel.h"

#include "LiveListsTree.h"

using namespace mlir;
using namespace mlir::sparsek;

using Values = KernelBuilder::Values;
using IntPredicate = KernelBuilder::IntPredicate;

/// Keys of the block's own list, in shared memory. What does not fit is read
/// again from the tree by each tile.
static constexpr int64_t kSharedKeys = 2048;
/// Parents or keys that a warp looks at in one step, for the latency of loads.
static constexpr int64_t kItems = 4;
/// Parents in one step of the block, and what they have of children.
static constexpr int64_t kParents = kListWarps * kItems;
static constexpr int64_t kChildren = kParents * kFanOut;

namespace {

/// Emits the kernel's body.
class ListKernel {
public:
  ListKernel(gpu::GPUFuncOp kernel, int64_t tileSize);
  void emit();

  /// Shared memory, in the order of the attributions.
  static SmallVector<Type> getWorkgroupTypes(MLIRContext *context);

private:
  /// The keys alive at `time` before `upper`, ascending: the first of them in
  /// shared memory, and from `resume` on those in the tree alone.
  struct BlockList {
    Value length, resume;
  };
  BlockList emitBlockList(Value time);
  Value expand(Level level, Value numParents,
               function_ref<Value(Value)> getParent, TreeRange range,
               Value time, function_ref<void(Value, Value)> sink);
  Value expandToShared(Level level, Value numParents,
                       function_ref<Value(Value)> getParent, TreeRange range,
                       Value time, Value shared);
  Value appendKeys(Value numParents, Value firstParent, TreeRange range,
                   Value time, Value length);

  void emitTile(Value tile, const BlockList &blockList);
  Value takeFromBlockList(Value length, Value time, Value found, Value tile);
  Value takeFromTree(TreeRange keys, Value time, Value found, Value tile);
  Value take(Value alive, Value key, Value found, Value tile);
  void emitEnd(Value band, Value found, Value tile);

  /// The position of the tile's first query, or 0 if that is negative.
  Value getTime(Value tile);
  Value loadShared(Value shared, Value i) { return b.loadAt(shared, i); }

  BlockBuilder b;
  Values row;
  LifetimeTree tree;
  int64_t tileSize;
  Value start, count, list, shift, tilesPerBlock, numTiles, capacity;
  Value scratch, nodes, leaves, keys, ends, resumeSlot;
};

} // namespace

SmallVector<Type> ListKernel::getWorkgroupTypes(MLIRContext *context) {
  Type i32 = IntegerType::get(context, 32);
  auto get = [&](int64_t size) { return getWorkgroupType(context, size, i32); };
  return {get(kListWarps),  get(kChildren),   get(kChildren),
          get(kSharedKeys), get(kSharedKeys), get(1)};
}

static Values getRow(BlockBuilder &b) {
  return {b.blockIndex(gpu::Dimension::z), b.blockIndex(gpu::Dimension::y)};
}

ListKernel::ListKernel(gpu::GPUFuncOp kernel, int64_t tileSize)
    : b(kernel, kListWarps), row(getRow(b)),
      tree(b, kernel.getArgument(0), kernel.getArgument(1), row),
      tileSize(tileSize) {
  Value numQueries = b.toInteger(kernel.getArgument(2), 32);
  shift = b.sub(tree.getNumKeys(), numQueries);
  tilesPerBlock = b.toInteger(kernel.getArgument(3), 32);
  start = kernel.getArgument(4);
  count = kernel.getArgument(5);
  list = kernel.getArgument(6);
  numTiles = b.toInteger(b.dim(start, 2), 32);
  capacity = b.toInteger(b.dim(list, 3), 32);
  ArrayRef<BlockArgument> shared = kernel.getWorkgroupAttributions();
  scratch = shared[0];
  nodes = shared[1];
  leaves = shared[2];
  keys = shared[3];
  ends = shared[4];
  resumeSlot = shared[5];
}

Value ListKernel::getTime(Value tile) {
  Value first = b.add(b.mul(tile, b.i32(tileSize)), shift);
  return b.max(first, b.i32(0));
}

//===----------------------------------------------------------------------===//
// The block's list
//===----------------------------------------------------------------------===//

/// The members of `range` that are alive, of the children of up to kParents
/// parents, go to `sink(child, rank)` in ascending order. Returns their number.
Value ListKernel::expand(Level level, Value numParents,
                         function_ref<Value(Value)> getParent, TreeRange range,
                         Value time, function_ref<void(Value, Value)> sink) {
  Values children;
  SmallVector<BlockBuilder::Vote> votes;
  for (int64_t item = 0; item < kItems; ++item) {
    Value first = b.mul(b.getWarp(), b.i32(kItems));
    Value entry = b.add(first, b.i32(item));
    Value isParent = b.less(entry, numParents);
    // Shared memory behind the list's end holds anything.
    Value parent = b.select(isParent, getParent(entry), b.i32(0));
    Value child = b.add(b.shiftLeft(parent, kFanOutLog2), b.getLane());
    Value isAlive = tree.isAlive(level, child, range, time);
    children.push_back(child);
    votes.push_back(b.vote(b.bothOf(isParent, isAlive)));
  }
  return b.compact(votes, scratch, [&](size_t item, Value rank) {
    sink(children[item], rank);
  });
}

Value ListKernel::expandToShared(Level level, Value numParents,
                                 function_ref<Value(Value)> getParent,
                                 TreeRange range, Value time, Value shared) {
  return expand(
      level, numParents, getParent, range, time,
      [&](Value child, Value rank) { b.storeAt(child, shared, rank); });
}

/// Appends the keys alive of some leaves to the `length` ones in shared memory.
/// The first key that does not fit goes to the resume slot.
Value ListKernel::appendKeys(Value numParents, Value firstParent,
                             TreeRange range, Value time, Value length) {
  Value added = expand(
      Level::Key, numParents,
      [&](Value entry) {
        return loadShared(leaves, b.add(firstParent, entry));
      },
      range, time,
      [&](Value key, Value rank) {
        Value place = b.add(length, rank);
        b.when(b.less(place, b.i32(kSharedKeys)), [&] {
          b.storeAt(key, keys, place);
          b.storeAt(tree.latestEnd(Level::Key, key), ends, place);
        });
        b.when(b.cmp(IntPredicate::eq, place, b.i32(kSharedKeys)),
               [&] { b.storeAt(key, resumeSlot, b.i32(0)); });
      });
  return b.add(length, added);
}

ListKernel::BlockList ListKernel::emitBlockList(Value time) {
  TreeRange keyRange{Value(), b.add(tree.findLastDead(time), b.i32(1))};
  TreeRange leafRange = keyRange.getParents(b);
  TreeRange nodeRange = leafRange.getParents(b);
  Value numRoots = nodeRange.getParents(b).upper;
  b.when(b.cmp(IntPredicate::eq, b.getThread(), b.i32(0)),
         [&] { b.storeAt(keyRange.upper, resumeSlot, b.i32(0)); });
  b.barrier();

  Value zero = b.i32(0), step = b.i32(kParents), limit = b.i32(kSharedKeys);
  auto forNodes = [&](Value firstRoot, Value length) -> Value {
    Value numNodes = expandToShared(
        Level::Node, b.sub(numRoots, firstRoot),
        [&](Value entry) { return b.add(firstRoot, entry); }, nodeRange, time,
        nodes);
    auto forLeaves = [&](Value firstNode, Value length) -> Value {
      Value numLeaves = expandToShared(
          Level::Leaf, b.sub(numNodes, firstNode),
          [&](Value entry) {
            return loadShared(nodes, b.add(firstNode, entry));
          },
          leafRange, time, leaves);
      return b.loopUpTo(zero, numLeaves, step, length, limit,
                        [&](Value firstLeaf, Value length) {
                          return appendKeys(b.sub(numLeaves, firstLeaf),
                                            firstLeaf, keyRange, time, length);
                        });
    };
    return b.loopUpTo(zero, numNodes, step, length, limit, forLeaves);
  };
  Value length = b.loopUpTo(zero, numRoots, step, zero, limit, forNodes);
  return {b.min(length, limit), loadShared(resumeSlot, zero)};
}

//===----------------------------------------------------------------------===//
// A tile, by one warp
//===----------------------------------------------------------------------===//

/// Appends the lanes' keys that are alive to the tile's `found` ones. The first
/// that does not fit begins the band.
Value ListKernel::take(Value alive, Value key, Value found, Value tile) {
  Value mask = b.ballot(alive);
  Value rank = b.add(found, b.rankIn(mask));
  Value fits = b.less(rank, capacity);
  b.when(b.bothOf(alive, fits),
         [&] { b.storeAt(key, list, {row[0], row[1], tile, rank}); });
  Value isNext = b.cmp(IntPredicate::eq, rank, capacity);
  b.when(b.bothOf(alive, isNext),
         [&] { b.storeAt(key, start, {row[0], row[1], tile}); });
  return b.add(found, b.countBits(mask));
}

Value ListKernel::takeFromBlockList(Value length, Value time, Value found,
                                    Value tile) {
  return b.loopUpTo(b.i32(0), length, b.i32(kItems * kWarpSize), found,
                    capacity, [&](Value first, Value found) {
                      Values listed, alive;
                      for (int64_t item = 0; item < kItems; ++item) {
                        Value offset =
                            b.add(b.getLane(), b.i32(item * kWarpSize));
                        Value i = b.add(first, offset);
                        Value isAlive = b.less(time, loadShared(ends, i));
                        listed.push_back(loadShared(keys, i));
                        alive.push_back(b.bothOf(isAlive, b.less(i, length)));
                      }
                      for (int64_t item = 0; item < kItems; ++item)
                        found = take(alive[item], listed[item], found, tile);
                      return found;
                    });
}

Value ListKernel::takeFromTree(TreeRange keyRange, Value time, Value found,
                               Value tile) {
  TreeRange leafRange = keyRange.getParents(b);
  TreeRange nodeRange = leafRange.getParents(b);
  auto getChild = [&](Value parent) {
    return b.add(b.shiftLeft(parent, kFanOutLog2), b.getLane());
  };
  auto forKeys = [&](Value leaf, Value found) {
    Value key = getChild(leaf);
    Value alive = tree.isAlive(Level::Key, key, keyRange, time);
    return take(alive, key, found, tile);
  };
  auto forLeaves = [&](Value node, Value found) {
    Value leaf = getChild(node);
    Value mask = b.ballot(tree.isAlive(Level::Leaf, leaf, leafRange, time));
    return b.loopBits(mask, found, capacity, [&](Value bit, Value found) {
      return forKeys(b.add(b.shiftLeft(node, kFanOutLog2), bit), found);
    });
  };
  return b.loopUpTo(
      nodeRange.lower, nodeRange.upper, b.i32(kWarpSize), found, capacity,
      [&](Value first, Value found) {
        Value node = b.add(first, b.getLane());
        Value mask = b.ballot(tree.isAlive(Level::Node, node, nodeRange, time));
        return b.loopBits(mask, found, capacity, [&](Value bit, Value found) {
          return forLeaves(b.add(first, bit), found);
        });
      });
}

/// The tile's count, its start if the list holds all keys before the band, and
/// zeros up to a multiple of four entries.
void ListKernel::emitEnd(Value band, Value found, Value tile) {
  Value listed = b.min(found, capacity);
  b.when(b.cmp(IntPredicate::eq, b.getLane(), b.i32(0)), [&] {
    b.storeAt(listed, count, {row[0], row[1], tile});
    b.when(b.cmp(IntPredicate::sle, found, capacity),
           [&] { b.storeAt(band, start, {row[0], row[1], tile}); });
  });
  Value place = b.add(listed, b.getLane());
  Value padded = b.bitAnd(b.add(listed, b.i32(3)), b.i32(-4));
  b.when(b.less(place, b.min(padded, capacity)),
         [&] { b.storeAt(b.i32(0), list, {row[0], row[1], tile, place}); });
}

void ListKernel::emitTile(Value tile, const BlockList &blockList) {
  Value time = getTime(tile);
  Value band = b.add(tree.findLastDead(time), b.i32(1));
  Value found = takeFromBlockList(blockList.length, time, b.i32(0), tile);
  found = takeFromTree({blockList.resume, band}, time, found, tile);
  emitEnd(band, found, tile);
}

void ListKernel::emit() {
  Value block = b.toInteger(b.blockIndex(gpu::Dimension::x), 32);
  Value first = b.mul(block, tilesPerBlock);
  Value last = b.min(b.add(first, tilesPerBlock), numTiles);
  BlockList blockList = emitBlockList(getTime(first));
  scf::ForOp::create(b, b.add(first, b.getWarp()), last, b.i32(kListWarps),
                     ValueRange(),
                     [&](OpBuilder &, Location, Value tile, ValueRange) {
                       emitTile(tile, blockList);
                       scf::YieldOp::create(b);
                     });
  b.finish();
}

gpu::GPUFuncOp sparsek::createListKernel(gpu::GPUModuleOp module,
                                         LiveListsOp op) {
  MLIRContext *context = module.getContext();
  Type index = IndexType::get(context);
  gpu::GPUFuncOp kernel = createKernel(
      module, op.getLoc(), "list",
      {op.getEnd().getType(), LifetimeTree::getSummaryType(context), index,
       index, op.getStart().getType(), op.getCount().getType(),
       op.getList().getType()},
      ListKernel::getWorkgroupTypes(context), kListWarps);
  ListKernel(kernel, op.getTile()).emit();
  return kernel;
}
