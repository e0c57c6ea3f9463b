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

/// Blocks of a multiprocessor: the more, the more loads are on their way. With
/// more than this, the registers do not suffice.
static constexpr int64_t kListBlocks = 4;
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
  /// The keys alive at a time and before its band, ascending: `length` of them
  /// are in shared memory, those from `resume` on in the tree alone.
  struct BlockList {
    Value length, resume;
  };
  /// Some members of the level above.
  struct Parents {
    Value count;
    function_ref<Value(Value)> get;
  };
  BlockList emitBlockList(Value time);
  Value expand(Level level, Parents parents, TreeRange range, Value time,
               function_ref<void(Value, Value)> sink);
  Value expandTo(Value shared, Level level, Parents parents, TreeRange range,
                 Value time);
  Value appendKeys(Value length, Parents parents, TreeRange range, Value time);
  void loadEnds(Value length);

  /// A tile of queries: its index, the position of its first query (0 if that
  /// is negative) and its row of the lists.
  struct Tile {
    Value index, time;
  };
  void emitTile(const Tile &tile, const BlockList &blockList);
  Value takeFromBlockList(Value length, Value found, const Tile &tile);
  Value takeFromTree(TreeRange keyRange, Value found, const Tile &tile);
  Value takeAll(ValueRange alive, ValueRange keys, Value found,
                const Tile &tile);
  Value take(Value alive, Value key, Value found, const Tile &tile);
  void emitEnd(Value band, Value found, const Tile &tile);

  /// The position of the tile's first query, or 0 if that is negative.
  Value getTime(Value tile);

  BlockBuilder b;
  Values row; // batch and head
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
  numTiles = b.toInteger(b.dim(kernel.getArgument(4), 2), 32);
  capacity = b.toInteger(b.dim(kernel.getArgument(6), 3), 32);
  start = b.slice(kernel.getArgument(4), row);
  count = b.slice(kernel.getArgument(5), row);
  list = b.slice(kernel.getArgument(6), row);
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
Value ListKernel::expand(Level level, Parents parents, TreeRange range,
                         Value time, function_ref<void(Value, Value)> sink) {
  Values children;
  SmallVector<BlockBuilder::Vote> votes;
  for (int64_t item = 0; item < kItems; ++item) {
    Value first = b.mul(b.getWarp(), b.i32(kItems));
    Value entry = b.add(first, b.i32(item));
    Value isParent = b.less(entry, parents.count);
    // Shared memory behind the list's end holds anything.
    Value parent = b.select(isParent, parents.get(entry), b.i32(0));
    Value child = b.add(b.shiftLeft(parent, kFanOutLog2), b.getLane());
    Value isAlive = tree.isAlive(level, child, range, time);
    children.push_back(child);
    votes.push_back(b.vote(b.bothOf(isParent, isAlive)));
  }
  return b.compact(votes, scratch, [&](size_t item, Value rank) {
    sink(children[item], rank);
  });
}

Value ListKernel::expandTo(Value shared, Level level, Parents parents,
                           TreeRange range, Value time) {
  return expand(level, parents, range, time, [&](Value child, Value rank) {
    b.storeAt(child, shared, rank);
  });
}

/// Appends the keys alive of some leaves to the `length` ones in shared memory.
/// The first key that does not fit goes to the resume slot.
Value ListKernel::appendKeys(Value length, Parents parents, TreeRange range,
                             Value time) {
  auto sink = [&](Value key, Value rank) {
    Value place = b.add(length, rank);
    b.when(b.less(place, b.i32(kSharedKeys)),
           [&] { b.storeAt(key, keys, place); });
    b.when(b.cmp(IntPredicate::eq, place, b.i32(kSharedKeys)),
           [&] { b.storeAt(key, resumeSlot, b.i32(0)); });
  };
  return b.add(length, expand(Level::Key, parents, range, time, sink));
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
  auto forRoots = [&](Value firstRoot, Value length) {
    auto getRoot = [&](Value i) { return b.add(firstRoot, i); };
    Value numNodes =
        expandTo(nodes, Level::Node, {b.sub(numRoots, firstRoot), getRoot},
                 nodeRange, time);
    auto forNodes = [&](Value firstNode, Value length) {
      auto getNode = [&](Value i) {
        return b.loadAt(nodes, b.add(firstNode, i));
      };
      Value numLeaves =
          expandTo(leaves, Level::Leaf, {b.sub(numNodes, firstNode), getNode},
                   leafRange, time);
      auto forLeaves = [&](Value firstLeaf, Value length) {
        auto getLeaf = [&](Value i) {
          return b.loadAt(leaves, b.add(firstLeaf, i));
        };
        return appendKeys(length, {b.sub(numLeaves, firstLeaf), getLeaf},
                          keyRange, time);
      };
      return b.loopUpTo(zero, numLeaves, step, length, limit, forLeaves);
    };
    return b.loopUpTo(zero, numNodes, step, length, limit, forNodes);
  };
  Value length = b.loopUpTo(zero, numRoots, step, zero, limit, forRoots);
  length = b.min(length, limit);
  loadEnds(length);
  return {length, b.loadAt(resumeSlot, zero)};
}

/// The ends of the keys in shared memory. Loaded only now: they would take
/// registers where those are scarce.
void ListKernel::loadEnds(Value length) {
  b.forEach(b.getThread(), length, kListWarps * kWarpSize, [&](Value i) {
    Value end = tree.latestEnd(Level::Key, b.loadAt(keys, i));
    b.storeAt(end, ends, i);
  });
  b.barrier();
}

//===----------------------------------------------------------------------===//
// A tile, by one warp
//===----------------------------------------------------------------------===//

/// Appends the lanes' keys that are alive to the tile's `found` ones. The first
/// that does not fit begins the band.
Value ListKernel::take(Value alive, Value key, Value found, const Tile &tile) {
  Value mask = b.ballot(alive);
  Value rank = b.add(found, b.rankIn(mask));
  Value fits = b.less(rank, capacity);
  b.when(b.bothOf(alive, fits),
         [&] { b.storeAt(key, list, {tile.index, rank}); });
  Value isNext = b.cmp(IntPredicate::eq, rank, capacity);
  b.when(b.bothOf(alive, isNext), [&] { b.storeAt(key, start, tile.index); });
  return b.add(found, b.countBits(mask));
}

Value ListKernel::takeAll(ValueRange alive, ValueRange keys, Value found,
                          const Tile &tile) {
  for (auto [isAlive, key] : llvm::zip_equal(alive, keys))
    found = take(isAlive, key, found, tile);
  return found;
}

Value ListKernel::takeFromBlockList(Value length, Value found,
                                    const Tile &tile) {
  return b.loopUpTo(b.i32(0), length, b.i32(kItems * kWarpSize), found,
                    capacity, [&](Value first, Value found) {
                      Values listed, alive;
                      for (int64_t item = 0; item < kItems; ++item) {
                        Value offset =
                            b.add(b.getLane(), b.i32(item * kWarpSize));
                        Value i = b.add(first, offset);
                        Value isAlive = b.less(tile.time, b.loadAt(ends, i));
                        listed.push_back(b.loadAt(keys, i));
                        alive.push_back(b.bothOf(isAlive, b.less(i, length)));
                      }
                      for (int64_t item = 0; item < kItems; ++item)
                        found = take(alive[item], listed[item], found, tile);
                      return found;
                    });
}

Value ListKernel::takeFromTree(TreeRange keyRange, Value found,
                               const Tile &tile) {
  TreeRange leafRange = keyRange.getParents(b);
  TreeRange nodeRange = leafRange.getParents(b);
  auto getFirst = [&](Value parent) {
    return b.shiftLeft(parent, kFanOutLog2);
  };
  auto forKeys = [&](Value firstLeaf, ValueRange bits, Value found) {
    Values keys, alive;
    for (Value bit : bits) {
      Value leaf = b.add(firstLeaf, bit);
      keys.push_back(b.add(getFirst(leaf), b.getLane()));
      Value isAlive =
          tree.isAlive(Level::Key, keys.back(), keyRange, tile.time);
      Value exists = b.less(bit, b.i32(kFanOut));
      alive.push_back(b.bothOf(isAlive, exists));
    }
    return takeAll(alive, keys, found, tile);
  };
  auto forLeaves = [&](Value node, Value found) {
    Value first = getFirst(node);
    Value leaf = b.add(first, b.getLane());
    Value mask =
        b.ballot(tree.isAlive(Level::Leaf, leaf, leafRange, tile.time));
    return b.loopBits(mask, kItems, found, capacity,
                      [&](ValueRange bits, Value found) {
                        return forKeys(first, bits, found);
                      });
  };
  return b.loopUpTo(
      nodeRange.lower, nodeRange.upper, b.i32(kWarpSize), found, capacity,
      [&](Value first, Value found) {
        Value node = b.add(first, b.getLane());
        Value mask =
            b.ballot(tree.isAlive(Level::Node, node, nodeRange, tile.time));
        return b.loopBits(mask, /*items=*/1, found, capacity,
                          [&](ValueRange bits, Value found) {
                            return forLeaves(b.add(first, bits[0]), found);
                          });
      });
}

/// The tile's count, its start if the list holds all keys before the band, and
/// zeros up to a multiple of four entries.
void ListKernel::emitEnd(Value band, Value found, const Tile &tile) {
  Value listed = b.min(found, capacity);
  b.when(b.cmp(IntPredicate::eq, b.getLane(), b.i32(0)), [&] {
    b.storeAt(listed, count, tile.index);
    b.when(b.cmp(IntPredicate::sle, found, capacity),
           [&] { b.storeAt(band, start, tile.index); });
  });
  Value place = b.add(listed, b.getLane());
  Value padded = b.bitAnd(b.add(listed, b.i32(3)), b.i32(-4));
  b.when(b.less(place, b.min(padded, capacity)),
         [&] { b.storeAt(b.i32(0), list, {tile.index, place}); });
}

void ListKernel::emitTile(const Tile &tile, const BlockList &blockList) {
  Value band = b.add(tree.findLastDead(tile.time), b.i32(1));
  Value found = takeFromBlockList(blockList.length, b.i32(0), tile);
  found = takeFromTree({blockList.resume, band}, found, tile);
  emitEnd(band, found, tile);
}

void ListKernel::emit() {
  Value block = b.toInteger(b.blockIndex(gpu::Dimension::x), 32);
  Value first = b.mul(block, tilesPerBlock);
  Value last = b.min(b.add(first, tilesPerBlock), numTiles);
  BlockList blockList = emitBlockList(getTime(first));
  b.forEach(b.add(first, b.getWarp()), last, kListWarps,
            [&](Value i) { emitTile({i, getTime(i)}, blockList); });
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
      ListKernel::getWorkgroupTypes(context), kListWarps, kListBlocks);
  ListKernel(kernel, op.getTile()).emit();
  return kernel;
}
