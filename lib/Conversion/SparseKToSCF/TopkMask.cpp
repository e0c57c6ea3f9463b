//===- TopkMask.cpp - topk_mask as loops ----------------------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A row is sorted once, then the walk of TauWalk.cpp goes from a point at most
// 1 left of the threshold to it; the node after a node is the next rank. A last
// loop writes the mask.
//
//===----------------------------------------------------------------------===//

#include "Patterns.h"
#include "RadixSort.h"
#include "TauWalk.h"

#include <limits>

using namespace mlir;
using namespace mlir::sparsek;

using FloatPredicate = KernelBuilder::FloatPredicate;
using Values = KernelBuilder::Values;

static constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// The scores by node, from 1, with an infinity at either end.
static Value emitValues(KernelBuilder &b, Value count, Value pairs) {
  Value one = b.index(1);
  Value end = b.add(count, one);
  Value values =
      b.scratch(ShapedType::kDynamic, b.getF32Type(), b.add(end, one));
  b.store(b.f32(-kInfinity), values, b.index(0));
  b.store(b.f32(kInfinity), values, end);
  b.loop(b.index(0), count, [&](Value rank) {
    Value score = emitScoreOfPair(b, b.load(pairs, rank));
    b.store(score, values, b.add(rank, one));
  });
  return values;
}

static Value emitTau(KernelBuilder &b, TopkMaskOp op, Value count,
                     ValueRange row) {
  SortedRow sorted = emitRadixSort(b, count, [&](Value position) {
    return b.toF32(b.load(op.getScores(), b.appended(row, position)));
  });
  Value values = emitValues(b, count, sorted.pairs);
  auto next = [&](Value node) { return b.add(node, b.index(1)); };
  TauWalk walk(b, values, op.getTopk(), next);
  TauWalk::State start = walk.emitStartNear(sorted.missing, count);
  TauWalk::State state = walk.emitAdvance(start);
  return walk.emitThreshold(state);
}

/// mask = clamp(score - tau, 0, 1), and 1 for every entry where tau = -inf. The
/// comparisons are such that a NaN score gives what -inf gives.
static void emitMask(KernelBuilder &b, TopkMaskOp op, Value count,
                     ValueRange row, Value tau) {
  Type type = cast<MemRefType>(op.getMask().getType()).getElementType();
  Value isOpen = b.cmp(FloatPredicate::OEQ, tau, b.f32(-kInfinity));
  b.loop(b.index(0), count, [&](Value position) {
    Values indices = b.appended(row, position);
    Value score = b.toF32(b.load(op.getScores(), indices));
    Value excess = b.sub(score, tau);
    Value isPositive = b.cmp(FloatPredicate::OGT, excess, b.f32(0));
    Value gate = b.select(isPositive, excess, b.f32(0));
    Value isSaturated = b.cmp(FloatPredicate::OGT, gate, b.f32(1));
    gate = b.select(b.bitOr(isOpen, isSaturated), b.f32(1), gate);
    b.store(b.truncateFloat(gate, type), op.getMask(), indices);
  });
}

LogicalResult LowerTopkMask::matchAndRewrite(TopkMaskOp op,
                                             PatternRewriter &rewriter) const {
  if (!op.hasPureBufferSemantics())
    return rewriter.notifyMatchFailure(op, "not on memrefs: bufferize first");
  KernelBuilder b(op.getLoc(), rewriter);
  int64_t rank = cast<MemRefType>(op.getScores().getType()).getRank() - 1;
  emitParallelRows(b, op.getScores(), rank, [&](ValueRange row) {
    Value count = b.dim(op.getScores(), rank);
    Value tau = emitTau(b, op, count, row);
    b.store(tau, op.getTau(), row);
    emitMask(b, op, count, row, tau);
    b.freeScratch();
  });
  rewriter.eraseOp(op);
  return success();
}
