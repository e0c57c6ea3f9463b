//===- AttentionProducer.cpp - The warps that fetch keys ------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "AttentionProducer.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <limits>

using namespace mlir;
using namespace mlir::sparsek;

void AttentionProducer::emit() {
  Term zero = k.i32(0), one = k.i32(1);
  AttentionKernel::Lists first = k.loadLists(k.blockId);
  // Stage and phase of keys and values, phase of the queries, lists.
  Terms inits = {zero, one, one, first.start, first.count};
  loop(k.blockId, k.numTiles, k.gridSize, inits,
       [&](Term index, ArrayRef<Term> state) -> Terms {
         AttentionKernel::Lists next = k.loadLists(index + k.gridSize);
         Tile tile = k.getTile(index, {state[3], state[4]});
         Place place = {state[0], state[1]};
         Term queryPhase = state[2];
         emitTile(tile, place, queryPhase);
         return {place.stage, place.phase, queryPhase, next.start, next.count};
       });
}

void AttentionProducer::emitTile(const Tile &tile, Place &place,
                                 Term &queryPhase) {
  SmallVector<Term> head = {tile.batch, tile.kvHead};
  keyRows = k.slice(k.key, head);
  valueRows = k.slice(k.value, head);
  ends = k.slice(k.end, head);
  if (shape.isGated())
    keyScores = k.slice(k.scores, head);
  list = k.slice(k.list, {tile.batch, tile.kvHead, tile.tile});

  Term zero = k.i32(0), one = k.i32(1);
  Keys keys = getKeys(tile, zero), next = getKeys(tile, one);
  gatherQueries(tile, queryPhase);
  queryPhase = queryPhase ^ one;
  Lifetimes lifetimes = getLifetimes(keys);
  Terms inits = {place.stage,     place.phase, getRows(tile, zero),
                 keys.index,      keys.isKey,  lifetimes.end,
                 lifetimes.score, next.index,  next.isKey};
  Terms last = loop(
      zero, tile.blocks, one, inits,
      [&](Term block, ArrayRef<Term> state) -> Terms {
        Place at = {state[0], state[1]};
        Keys nextKeys = {state[7], state[8]};
        Lifetimes nextLifetimes = getLifetimes(nextKeys);
        Keys afterNext = getKeys(tile, block + 2);
        Term nextRows = getRows(tile, block + 1);

        gather(keyRows, k.keyTiles, state[2], k.keyRing, at);
        storeKeys(tile, at.stage, {state[3], state[4]}, {state[5], state[6]});
        tile::CommitOp::create(b, k.keyRing, at.stage, /*async=*/true);
        gather(valueRows, k.valueTiles, state[2], k.valueRing, at);
        tile::CommitOp::create(b, k.valueRing, at.stage, /*async=*/true);

        auto advance =
            tile::AdvanceOp::create(b, k.keyRing, at.stage, at.phase);
        return {Term(b, advance.getNextStage()),
                Term(b, advance.getNextPhase()),
                nextRows,
                nextKeys.index,
                nextKeys.isKey,
                nextLifetimes.end,
                nextLifetimes.score,
                afterNext.index,
                afterNext.isKey};
      });
  place = {last[0], last[1]};
}

/// Row r is head r / queries of the chunk, query r % queries of the tile; rows
/// that stand for nothing read a row that is there.
void AttentionProducer::gatherQueries(const Tile &tile, Term queryPhase) {
  Term zero = k.i32(0);
  Term firstHead = tile.kvHead * shape.group + tile.chunk * shape.heads;
  Term firstQuery = tile.tile * k.queries;
  Term rows = k.iota(schedule.rows);
  Term headsLeft = k.i32(shape.group) - tile.chunk * shape.heads;
  Term heads = rows.divide(k.queries).min(headsLeft - 1);
  Term queries = rows.modulo(k.queries).min(k.numQueries - 1 - firstQuery);
  // The tile's first query is the base: offsets from it are small.
  Value source = k.slice(k.query, {tile.batch}, {firstHead, firstQuery});
  tile::AcquireOp::create(b, k.queryRing, zero, queryPhase);
  tile::GatherOp::create(b, source, ValueRange{heads.get(), queries.get()},
                         k.queryTile);
  tile::CommitOp::create(b, k.queryRing, zero, /*async=*/true);
}

void AttentionProducer::gather(Value source, Value tiles, Term indices,
                               Value ring, Place place) {
  Value slot = k.slot(tiles, place.stage);
  // Right before the gather, whose addresses are then made ahead of it.
  tile::AcquireOp::create(b, ring, place.stage, place.phase);
  tile::GatherOp::create(b, source, ValueRange{indices.get()}, slot);
}

//===----------------------------------------------------------------------===//
// Which keys
//===----------------------------------------------------------------------===//

Term AttentionProducer::vectorLoad(Value memref, Term begin, Term mask,
                                   Term otherwise) {
  return {b, vector::MaskedLoadOp::create(b, otherwise.getVectorType(), memref,
                                          ValueRange{k.toIndex(begin)}, mask,
                                          otherwise)};
}

Term AttentionProducer::vectorGather(Value memref, Term indices, Term mask,
                                     Term otherwise) {
  Value zero = arith::ConstantIndexOp::create(b, 0);
  return {b,
          vector::GatherOp::create(b, otherwise.getVectorType(), memref,
                                   ValueRange{zero}, indices, mask, otherwise)};
}

Term AttentionProducer::getRows(const Tile &tile, Term block) {
  Term begin = block * schedule.keys;
  Term inList = begin - tile.listBegin;
  auto band = [&] {
    return (tile.last - (k.iota(schedule.keys) + begin)).max(0);
  };
  auto fromList = [&]() -> Terms {
    auto type = VectorType::get({schedule.keys}, b.getI32Type());
    auto load =
        vector::LoadOp::create(b, type, list, ValueRange{k.toIndex(inList)});
    load->setAttr("alignment", b.getI64IntegerAttr(16));
    return {Term(b, load)};
  };
  auto mixed = [&]() -> Terms {
    Term entry = k.iota(schedule.keys) + inList;
    return {vectorLoad(list, inList, entry.ge(0), band())};
  };
  Term exists = block.lt(tile.blocks);
  Term allList = inList.ge(0) & exists;
  Term someList = (inList + schedule.keys).gt(0) & exists;
  return branch(allList, fromList, [&]() -> Terms {
    return branch(someList, mixed, [&]() -> Terms { return {band()}; });
  })[0];
}

AttentionProducer::Keys AttentionProducer::getKeys(const Tile &tile,
                                                   Term block) {
  Term begin = block * schedule.keys;
  Term inList = begin - tile.listBegin;
  Term position = k.iota(schedule.keys) + begin;
  Term entry = k.iota(schedule.keys) + inList;
  Term listed = entry.ge(0) & entry.lt(tile.count);
  Term index = vectorLoad(list, inList, listed, (tile.last - position).max(0));
  return {index, listed | position.lt(tile.band)};
}

AttentionProducer::Lifetimes AttentionProducer::getLifetimes(const Keys &keys) {
  Term none = k.i32(0).splat({schedule.keys});
  Term score = none;
  if (shape.isGated()) {
    Term zero(b, arith::ConstantOp::create(b, b.getF32FloatAttr(0)));
    score = vectorGather(keyScores, keys.index, keys.isKey,
                         zero.splat({schedule.keys}));
  }
  return {vectorGather(ends, keys.index, keys.isKey, none), score};
}

//===----------------------------------------------------------------------===//
// What the consumers must know
//===----------------------------------------------------------------------===//

void AttentionProducer::store(Term number, Value buffer, Term stage) {
  auto type = VectorType::get({schedule.keys}, b.getI8Type());
  Value bytes = arith::TruncIOp::create(b, type, number);
  tile::StoreOp::create(b, bytes, k.slot(buffer, stage));
}

/// `length` bits from bit `lower` on.
Term AttentionProducer::getWord(Term lower, Term length) {
  Term ones = lower.constant(-1);
  Term shift = lower.constant(32) - length;
  Term low(b, arith::ShRUIOp::create(b, ones.get(), shift.get()));
  Term word(b, arith::ShLIOp::create(b, low.get(), lower.get()));
  return length.gt(0).select(word, lower.constant(0));
}

void AttentionProducer::storeKeys(const Tile &tile, Term stage,
                                  const Keys &keys,
                                  const Lifetimes &lifetimes) {
  Term lower =
      keys.isKey.select((keys.index - tile.first).max(0), k.i32(k.queries));
  // Clamped first, so that the difference does not overflow.
  Term end = lifetimes.end.max(0).min(k.numKeys);
  Term upper = (end - tile.first).max(0).min(k.queries);
  Term length = (upper - lower).max(0);
  if (k.visibles) {
    tile::StoreOp::create(b, getWord(lower, length), k.slot(k.visibles, stage));
  } else {
    store(lower, k.lowers, stage);
    store(length, k.lengths, stage);
  }
  Term partial = length.lt(k.queries);
  tile::SetFlagOp::create(b, partial, k.slot(k.maskFlags, stage));
  if (shape.isGated())
    storeGates(tile, stage, keys, lifetimes);
}

/// A query at index q of the tile has the key in its window if
/// position - key < window, that is q < key + window - first.
void AttentionProducer::storeGates(const Tile &tile, Term stage,
                                   const Keys &keys,
                                   const Lifetimes &lifetimes) {
  int64_t window =
      std::min<int64_t>(shape.window, std::numeric_limits<int32_t>::max() / 4);
  Term windowEnd = (keys.index - tile.first + window).max(0).min(k.queries);
  // A NaN counts as -inf.
  Term score = lifetimes.score;
  score = score.eq(score).select(
      score, score.constant(-std::numeric_limits<double>::infinity()));
  store(windowEnd, k.windowEnds, stage);
  tile::StoreOp::create(b, score, k.slot(k.keyScores, stage));
  Term gated = windowEnd.lt(k.queries) & keys.isKey;
  tile::SetFlagOp::create(b, gated, k.slot(k.gateFlags, stage));
}
