//===- CausalTopkMask.cpp - causal_topk_mask as loops ---------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Position j joins the candidates at the query i = j + window. All candidates
// of a row, n = max(0, N - window), are sorted once, worst first; ranks from 1
// are the nodes of a doubly linked list in that order, 0 and n + 1 its ends.
// Unlinking the nodes backwards in time leaves in each the neighbours that it
// had among the earlier positions, so linking it again at its time is one
// store, and the list always holds exactly the present scores (Knuth's dancing
// links). Everything else is pointers into the list that go up:
//   worst       the worst selected score; a worse newcomer is evicted at once,
//               another one evicts `worst`
//   lowest, lowestSaturated   the piece of the threshold, see TauWalk.cpp
//   firstAbove  the first score u with u > tau
//   firstOne    the first score u with fl32(u - tau) >= 1
// A newcomer takes a pointer's place if it comes before it and qualifies, and
// otherwise pointers follow the links, past each score at most once. So a row
// takes O(n) time after the sort.
//
// free = the number of scores from firstAbove up to firstOne, by the very f32
// predicate 0 < fl32(u - tau) < 1: subtraction rounds monotonically, so the
// scores that meet it are contiguous in the order. While tau = -inf both
// pointers stand at the first finite score and none is free.
//
//===----------------------------------------------------------------------===//

#include "Patterns.h"
#include "RadixSort.h"
#include "TauWalk.h"

#include <functional>
#include <limits>

using namespace mlir;
using namespace mlir::sparsek;

using FloatPredicate = KernelBuilder::FloatPredicate;
using IntPredicate = KernelBuilder::IntPredicate;
using Values = KernelBuilder::Values;

static constexpr float kInfinity = std::numeric_limits<float>::infinity();

namespace {

/// The number of scores with 0 < fl32(u - tau) < 1, and the ends of their
/// range.
struct FreeCount {
  Value count;      ///< i32
  Value firstAbove; ///< index, node
  Value firstOne;   ///< index, node
};

/// Emits the loops of one row.
class CausalRow {
public:
  CausalRow(KernelBuilder &b, CausalTopkMaskOp op, ValueRange row)
      : b(b), op(op), row(row), zero(b.index(0)), one(b.index(1)),
        walkNext([this](Value node) { return next(node); }) {}

  void emit();

private:
  Value next(Value node) { return b.loadIndex(nexts, node); }
  void storeOutput(Value value, Value output, Value position) {
    b.store(value, output, {row[0], row[1], position});
  }
  void emitDefaults();
  void emitNodes();
  void emitUnlink();
  Value emitSelect(Value joins, Value query, Value node, Value worst);
  Values emitJoin(Value node, ValueRange carried);
  FreeCount emitCountNewcomer(FreeCount count, Value node, Value tau);
  FreeCount emitRecount(FreeCount count, Value tau);
  void emitQueries();

  KernelBuilder &b;
  CausalTopkMaskOp op;
  ValueRange row; ///< batch and kv head
  Value zero, one;
  std::function<Value(Value)> walkNext;
  Value length; ///< N
  Value window; ///< min(window, N)
  Value count;  ///< n
  Value end;    ///< the node after the last
  SortedRow sorted;
  Value values;       ///< node -> score
  Value prevs, nexts; ///< node -> neighbours
  Value nodes;        ///< position -> node
};

} // namespace

/// end = N; tau = -inf and free = 0 before the first candidate.
void CausalRow::emitDefaults() {
  Value never = b.toInteger(length, 32);
  b.loop(zero, length,
         [&](Value key) { storeOutput(never, op.getEnd(), key); });
  b.loop(zero, window, [&](Value query) {
    storeOutput(b.f32(-kInfinity), op.getTau(), query);
    storeOutput(b.integer(32, 0), op.getFree(), query);
  });
}

/// The full list of the sorted scores.
void CausalRow::emitNodes() {
  Type i32 = b.getI32Type();
  int64_t dynamic = ShapedType::kDynamic;
  Value size = b.add(end, one);
  values = b.scratch(dynamic, b.getF32Type(), size);
  prevs = b.scratch(dynamic, i32, size);
  nexts = b.scratch(dynamic, i32, size);
  nodes = b.scratch(dynamic, i32, count);
  b.store(b.f32(kInfinity), values, end);
  b.storeIndex(one, nexts, zero);
  b.storeIndex(count, prevs, end);
  b.loop(zero, count, [&](Value rank) {
    Value node = b.add(rank, one);
    Value pair = b.load(sorted.pairs, rank);
    b.store(emitScoreOfPair(b, pair), values, node);
    b.storeIndex(node, nodes, emitPositionOfPair(b, pair));
    b.storeIndex(rank, prevs, node);
    b.storeIndex(b.add(node, one), nexts, node);
  });
}

/// Takes the nodes out, the last position first. A node keeps its neighbours.
void CausalRow::emitUnlink() {
  Value last = b.sub(count, one);
  b.loop(zero, count, [&](Value step) {
    Value node = b.loadIndex(nodes, b.sub(last, step));
    Value before = b.load(prevs, node);
    Value after = b.load(nexts, node);
    b.store(after, nexts, b.toIndex(before));
    b.store(before, prevs, b.toIndex(after));
  });
}

/// The newcomer or the worst selected score is evicted at `query` once topk
/// positions are present. Returns the worst selected node.
Value CausalRow::emitSelect(Value joins, Value query, Value node, Value worst) {
  Value isFilling = b.cmp(IntPredicate::slt, joins, b.index(op.getTopk()));
  Values result = b.branch(
      isFilling, [&]() -> Values { return {b.min(worst, node)}; },
      [&]() -> Values {
        Value loser = b.min(worst, node);
        Value pair = b.load(sorted.pairs, b.sub(loser, one));
        storeOutput(b.toInteger(query, 32), op.getEnd(),
                    emitPositionOfPair(b, pair));
        Value evicts = b.cmp(IntPredicate::sgt, node, worst);
        return {b.select(evicts, next(worst), worst)};
      });
  return result[0];
}

/// Counts a newcomer under the threshold as it is.
FreeCount CausalRow::emitCountNewcomer(FreeCount free, Value node, Value tau) {
  Value score = b.load(values, node);
  Value excess = b.sub(score, tau);
  Value isAbove = b.cmp(FloatPredicate::OGT, score, tau);
  Value isOne = b.cmp(FloatPredicate::OGE, excess, b.f32(1));
  Value more = b.add(free.count, b.integer(32, 1));
  Value counted = b.select(isAbove, more, free.count);
  return {b.select(isOne, free.count, counted),
          b.select(isAbove, b.min(free.firstAbove, node), free.firstAbove),
          b.select(isOne, b.min(free.firstOne, node), free.firstOne)};
}

/// Moves both ends up to where they belong under a new threshold.
FreeCount CausalRow::emitRecount(FreeCount free, Value tau) {
  auto moveWhile = [&](Value first, Value count, int64_t step,
                       function_ref<Value(Value)> condition) {
    return b.loopWhile(
        {first, count}, {},
        [&](ValueRange args) -> KernelBuilder::Test {
          return {condition(b.load(values, args[0])), {}};
        },
        [&](ValueRange args, ValueRange) -> Values {
          return {next(args[0]), b.add(args[1], b.integer(32, step))};
        });
  };
  Values one = moveWhile(free.firstOne, free.count, 1, [&](Value score) {
    return b.cmp(FloatPredicate::OLT, b.sub(score, tau), b.f32(1));
  });
  Values above = moveWhile(free.firstAbove, one[1], -1, [&](Value score) {
    return b.cmp(FloatPredicate::OLE, score, tau);
  });
  return {above[1], above[0], one[0]};
}

/// What a newcomer does to the threshold and to what depends on it.
/// carried: tau, free count, firstAbove, firstOne, then the walk's state.
Values CausalRow::emitJoin(Value node, ValueRange carried) {
  TauWalk walk(b, values, op.getTopk(), walkNext);
  auto state = TauWalk::State::fromValues(carried.drop_front(4));
  Value tau = carried[0];
  return b.branch(
      walk.emitCanMatter(state, node, tau),
      [&]() -> Values {
        auto moved = walk.emitAdvance(walk.emitJoin(state, node));
        FreeCount free = {carried[1], carried[2], carried[3]};
        free = emitCountNewcomer(free, node, tau);
        Value newTau = walk.emitThreshold(moved);
        free = emitRecount(free, newTau);
        Values results = {newTau, free.count, free.firstAbove, free.firstOne};
        results.append(moved.toValues());
        return results;
      },
      [&]() -> Values { return Values(carried); });
}

/// for j: query i = j + window sees position j for the first time.
void CausalRow::emitQueries() {
  TauWalk walk(b, values, op.getTopk(), walkNext);
  TauWalk::State start = walk.emitStart(sorted.missing, end, b.integer(64, 0));
  Values inits = {end, b.f32(-kInfinity), b.integer(32, 0), end, end};
  inits.append(start.toValues());
  b.loop(zero, count, inits, [&](Value joins, ValueRange args) -> Values {
    Value query = b.add(joins, window);
    Value node = b.loadIndex(nodes, joins);
    b.storeIndex(node, nexts, b.loadIndex(prevs, node));
    Values results = {emitSelect(joins, query, node, args[0])};
    results.append(emitJoin(node, args.drop_front()));
    storeOutput(results[1], op.getTau(), query);
    storeOutput(results[2], op.getFree(), query);
    return results;
  });
}

void CausalRow::emit() {
  length = b.dim(op.getScores(), 2);
  window = b.min(length, b.index(op.getWindow()));
  count = b.sub(length, window);
  end = b.add(count, one);
  sorted = emitRadixSort(b, count, [&](Value position) {
    return b.load(op.getScores(), {row[0], row[1], position});
  });
  // After the last load of the scores: a destination may be the same memory.
  emitDefaults();
  emitNodes();
  emitUnlink();
  emitQueries();
  b.freeScratch();
}

LogicalResult
LowerCausalTopkMask::matchAndRewrite(CausalTopkMaskOp op,
                                     PatternRewriter &rewriter) const {
  if (!op.hasPureBufferSemantics())
    return rewriter.notifyMatchFailure(op, "not on memrefs: bufferize first");
  KernelBuilder b(op.getLoc(), rewriter);
  emitParallelRows(b, op.getScores(), /*rank=*/2,
                   [&](ValueRange row) { CausalRow(b, op, row).emit(); });
  rewriter.eraseOp(op);
  return success();
}
