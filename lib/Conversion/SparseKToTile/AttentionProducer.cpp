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

SmallVector<Term *> AttentionProducer::getFields(State &state) const {
  SmallVector<Term *> fields = {
      &state.place.stage,   &state.place.phase,     &state.gathered,
      &state.rows,          &state.keys.index,      &state.keys.isKey,
      &state.lifetimes.end, &state.keysAfter.index, &state.keysAfter.isKey};
  if (shape.headDim != shape.valueDim)
    fields.push_back(&state.valueRows);
  if (schedule.bulk)
    fields.append({&state.bulk, &state.bulkLifetimes.end});
  if (shape.isGated())
    fields.push_back(&state.lifetimes.score);
  if (shape.isGated() && schedule.bulk)
    fields.push_back(&state.bulkLifetimes.score);
  return fields;
}

Terms AttentionProducer::pack(State state) const {
  return llvm::map_to_vector(getFields(state),
                             [](Term *term) { return *term; });
}

AttentionProducer::State AttentionProducer::unpack(ArrayRef<Term> terms) const {
  State state;
  for (auto [field, term] : llvm::zip_equal(getFields(state), terms))
    *field = term;
  if (shape.headDim == shape.valueDim)
    state.valueRows = state.rows;
  return state;
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
  bulkBlocks = schedule.bulk ? tile.band.divide(schedule.keys) : zero;

  gatherQueries(tile, queryPhase);
  queryPhase = queryPhase ^ one;
  State state = start(tile, place);
  Terms last = loop(zero, tile.blocks, one, pack(state),
                    [&](Term, ArrayRef<Term> terms) -> Terms {
                      return pack(emitBlock(tile, unpack(terms)));
                    });
  place = unpack(last).place;
}

/// What the first blocks need.
AttentionProducer::State AttentionProducer::start(const Tile &tile,
                                                  Place place) {
  State state;
  state.place = place;
  state.gathered = bulkBlocks;
  state.keys = getKeys(tile, bulkBlocks);
  state.keysAfter = getKeys(tile, bulkBlocks + 1);
  setRows(tile, bulkBlocks, state);
  state.lifetimes = getLifetimes(state.keys);
  if (schedule.bulk) {
    state.bulk = k.i32(0);
    state.bulkLifetimes = getLifetimes(getBulkKeys(tile, state.bulk));
  }
  return state;
}

void AttentionProducer::setRows(const Tile &tile, Term block, State &state) {
  state.rows = getRows(tile, block);
  state.valueRows =
      shape.headDim == shape.valueDim ? state.rows : getRows(tile, block);
}

AttentionProducer::State AttentionProducer::emitBlock(const Tile &tile,
                                                      const State &state) {
  State next;
  if (!schedule.bulk) {
    next = emitGathered(tile, state);
  } else {
    // As many bulk blocks as gathered ones so far, or nothing left to gather.
    Term isBulk = state.bulk.lt(bulkBlocks) &
                  (state.bulk.le(state.gathered - bulkBlocks) |
                   state.gathered.ge(tile.blocks));
    next = unpack(branch(
        isBulk, [&] { return pack(emitBulk(tile, state)); },
        [&] { return pack(emitGathered(tile, state)); }));
  }
  auto advance = tile::AdvanceOp::create(b, k.keyRing, state.place.stage,
                                         state.place.phase);
  next.place = {Term(b, advance.getNextStage()),
                Term(b, advance.getNextPhase())};
  return next;
}

AttentionProducer::State AttentionProducer::emitGathered(const Tile &tile,
                                                         const State &state) {
  State next = state;
  next.gathered = state.gathered + 1;
  next.keys = state.keysAfter;
  next.lifetimes = getLifetimes(next.keys);
  next.keysAfter = getKeys(tile, state.gathered + 2);
  setRows(tile, next.gathered, next);

  gather(keyRows, k.keyTiles, state.rows, k.keyRing, state.place);
  storeKeys(tile, state.place.stage, state.keys, state.lifetimes);
  tile::CommitOp::create(b, k.keyRing, state.place.stage, /*async=*/true);
  gather(valueRows, k.valueTiles, state.valueRows, k.valueRing, state.place);
  tile::CommitOp::create(b, k.valueRing, state.place.stage, /*async=*/true);
  return next;
}

AttentionProducer::State AttentionProducer::emitBulk(const Tile &tile,
                                                     const State &state) {
  State next = state;
  next.bulk = state.bulk + 1;
  next.bulkLifetimes = getLifetimes(getBulkKeys(tile, next.bulk));

  Term firstKey = tile.last - next.bulk * schedule.keys + 1;
  copy(tile, k.keyMap, firstKey, k.keyTiles, k.keyRing, state.place);
  storeKeys(tile, state.place.stage, getBulkKeys(tile, state.bulk),
            state.bulkLifetimes);
  tile::CommitOp::create(b, k.keyRing, state.place.stage, /*async=*/false);
  copy(tile, k.valueMap, firstKey, k.valueTiles, k.valueRing, state.place);
  tile::CommitOp::create(b, k.valueRing, state.place.stage, /*async=*/false);
  return next;
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

/// Rows firstKey, firstKey + 1, ...: the order of a block's keys is free.
void AttentionProducer::copy(const Tile &tile, Value map, Term firstKey,
                             Value tiles, Value ring, Place place) {
  tile::AcquireOp::create(b, ring, place.stage, place.phase);
  SmallVector<Value> coordinates = {k.i32(0), firstKey, tile.kvHead,
                                    tile.batch};
  tile::BulkCopyOp::create(b, map, coordinates, k.slot(tiles, place.stage),
                           ring, place.stage);
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

/// Beyond the last bulk block nothing is a key.
AttentionProducer::Keys AttentionProducer::getBulkKeys(const Tile &tile,
                                                       Term block) {
  Term firstKey = tile.last - (block + 1) * schedule.keys + 1;
  Term isKey = block.lt(bulkBlocks).splat({schedule.keys});
  return {k.iota(schedule.keys) + firstKey, isKey};
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
  // A NaN counts as -inf, and -inf as the least number: the difference to any
  // tau is then no NaN, and of the same sign.
  Term score = lifetimes.score.max(std::numeric_limits<float>::lowest());
  store(windowEnd, k.windowEnds, stage);
  tile::StoreOp::create(b, score, k.slot(k.keyScores, stage));
  Term gated = windowEnd.lt(k.queries) & keys.isKey;
  tile::SetFlagOp::create(b, gated, k.slot(k.gateFlags, stage));
}
