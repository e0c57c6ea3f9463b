//===- AttentionConsumer.cpp - The warps that attend ----------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "AttentionConsumer.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

#include <cmath>
#include <limits>
#include <numbers>

using namespace mlir;
using namespace mlir::sparsek;

static constexpr double kInfinity = std::numeric_limits<double>::infinity();
/// Eight columns' exponentials of a row sum up to less than this while they
/// refer to an older maximum.
static constexpr double kMaxSum = 4096;

AttentionConsumer::AttentionConsumer(AttentionKernel &kernel)
    : k(kernel), b(kernel.b), shape(kernel.shape), schedule(kernel.schedule),
      groupRows(16 * schedule.groupWarps),
      scale(shape.scale == 0
                ? 1
                : std::abs(shape.scale) * std::numbers::log2e_v<double>) {}

//===----------------------------------------------------------------------===//
// Small vectors
//===----------------------------------------------------------------------===//

Term AttentionConsumer::f32(double value) {
  return {b, arith::ConstantOp::create(
                 b, b.getF32FloatAttr(static_cast<float>(value)))};
}

Term AttentionConsumer::zeros(int64_t columns) {
  return f32(0).splat({groupRows, columns});
}

Term AttentionConsumer::spread(Term rowValues, int64_t columns) {
  Type element = rowValues.getVectorType().getElementType();
  Value column = vector::ShapeCastOp::create(
      b, VectorType::get({groupRows, 1}, element), rowValues);
  return {b, vector::BroadcastOp::create(
                 b, VectorType::get({groupRows, columns}, element), column)};
}

Term AttentionConsumer::spreadColumns(Term columnValues) {
  VectorType type = columnValues.getVectorType();
  return {b, vector::BroadcastOp::create(
                 b,
                 VectorType::get({groupRows, type.getDimSize(0)},
                                 type.getElementType()),
                 columnValues)};
}

Term AttentionConsumer::reduce(vector::CombiningKind kind, Term values,
                               double init) {
  Term inits = f32(init).splat({groupRows});
  return {b, vector::MultiDimReductionOp::create(b, values.get(), inits.get(),
                                                 ArrayRef<bool>{false, true},
                                                 kind)};
}

Term AttentionConsumer::loadColumn(Value buffer, Term stage) {
  Value slot = k.slot(buffer, stage);
  auto type = cast<tile::SharedType>(slot.getType());
  Value column = tile::LoadOp::create(
      b, VectorType::get(type.getShape(), type.getElementType()), slot,
      Value());
  if (type.getElementType().isInteger(8))
    column = arith::ExtUIOp::create(
        b, VectorType::get(type.getShape(), b.getI32Type()), column);
  return {b, column};
}

/// The sums of columns c, c + 8, c + 16, ...: additions within each thread.
Term AttentionConsumer::sumColumns(Term values) {
  Term sum;
  for (int64_t column = 0; column < schedule.keys; column += 8) {
    Term part(b, vector::ExtractStridedSliceOp::create(
                     b, values, ArrayRef<int64_t>{0, column},
                     ArrayRef<int64_t>{groupRows, 8}, ArrayRef<int64_t>{1, 1}));
    sum = column == 0 ? part : sum + part;
  }
  return sum;
}

//===----------------------------------------------------------------------===//
// Rings and products
//===----------------------------------------------------------------------===//

Term AttentionConsumer::pin(Term values) {
  return {b, tile::PinOp::create(b, ValueRange{values.get()}).getResult(0)};
}

AttentionConsumer::Place AttentionConsumer::advance(Place place) {
  auto op = tile::AdvanceOp::create(b, k.keyRing, place.stage, place.phase);
  return {Term(b, op.getNextStage()), Term(b, op.getNextPhase())};
}

void AttentionConsumer::release(Value ring, Term stage) {
  tile::ReleaseOp::create(b, ring, stage);
}

void AttentionConsumer::waitFull(Value ring, Place place) {
  tile::WaitOp::create(b, ring, place.stage, place.phase);
}

Terms AttentionConsumer::waitProducts(int64_t pending, ArrayRef<Term> values) {
  SmallVector<Value> operands =
      llvm::map_to_vector(values, [](Term value) { return value.get(); });
  auto op = tile::MmaWaitOp::create(b, pending, operands);
  return llvm::map_to_vector(op.getResults(),
                             [&](Value value) { return Term(b, value); });
}

Term AttentionConsumer::loadQueries(Term phase, Term wanted) {
  Term zero = k.i32(0);
  when(wanted, [&] { waitFull(k.queryRing, {zero, phase}); });
  if (!schedule.queryInRegisters)
    return {};
  auto type = VectorType::get({groupRows, shape.headDim}, shape.elementType);
  Term queries(b, tile::LoadOp::create(b, type, k.queryTile, firstRow));
  when(wanted, [&] { release(k.queryRing, zero); });
  return queries;
}

Term AttentionConsumer::multiplyKeys(Term queries, Term accumulator, Term stage,
                                     bool sync) {
  if (!sync)
    tile::FenceOp::create(b);
  bool inRegisters = schedule.queryInRegisters;
  return {b, tile::MmaOp::create(
                 b, accumulator.getType(),
                 inRegisters ? queries.get() : k.queryTile,
                 k.slot(k.keyTiles, stage), accumulator,
                 /*accumulate=*/Value(), inRegisters ? Value() : firstRow.get(),
                 /*transpose_b=*/true, /*overwrite=*/true, sync)};
}

Term AttentionConsumer::multiplyValues(Term probabilities, Term accumulator,
                                       Term stage, Term accumulate) {
  tile::FenceOp::create(b);
  return {b, tile::MmaOp::create(b, accumulator.getType(), probabilities,
                                 k.slot(k.valueTiles, stage), accumulator,
                                 accumulate, /*a_row=*/Value(),
                                 /*transpose_b=*/false, /*overwrite=*/false,
                                 /*sync=*/false)};
}

//===----------------------------------------------------------------------===//
// Softmax
//===----------------------------------------------------------------------===//

AttentionConsumer::Rows AttentionConsumer::loadRows(const Tile &tile) {
  if (!shape.isGated())
    return {};
  Value source = k.slice(k.tau, {tile.batch, tile.kvHead});
  Term position = (query + tile.first).max(0).min((k.numKeys - 1).max(0));
  Value zero = arith::ConstantIndexOp::create(b, 0);
  // Without keys there is no threshold to read.
  Term some = k.numKeys.gt(0).splat({groupRows});
  return {Term(b, vector::GatherOp::create(
                      b, VectorType::get({groupRows}, b.getF32Type()), source,
                      ValueRange{zero}, position, some,
                      f32(0).splat({groupRows})))};
}

AttentionConsumer::Flags AttentionConsumer::loadFlags(Term stage) {
  auto load = [&](Value flags) {
    return Term(b, tile::TestFlagOp::create(b, k.slot(flags, stage)));
  };
  return {load(k.maskFlags), shape.isGated() ? load(k.gateFlags) : Term()};
}

/// A query sees a key if the key's word has its bit, or if
/// lower <= query < lower + length.
Term AttentionConsumer::mask(Term products, Term stage) {
  if (k.visibles) {
    Term word = spreadColumns(loadColumn(k.visibles, stage));
    Term bit(b, arith::ShLIOp::create(b, query.constant(1).get(), query.get()));
    Term hidden = (word & spread(bit, schedule.keys)).eq(0);
    return hidden.select(products.constant(-kInfinity), products);
  }
  Term lower = spreadColumns(loadColumn(k.lowers, stage));
  Term length = spreadColumns(loadColumn(k.lengths, stage));
  Term visible = (spread(query, schedule.keys) - lower).ult(length);
  return visible.select(products, products.constant(-kInfinity));
}

/// 1 inside of the window, else clamp(score - tau, 0, 1). Scores are finite, so
/// that a tau of -inf gives 1. (No NaN may arise: ptxas makes one saturating
/// subtraction of the whole, which has 0 for it.)
Term AttentionConsumer::gate(Term values, Term stage, const Rows &rows) {
  Term windowEnd = spreadColumns(loadColumn(k.windowEnds, stage));
  Term score = spreadColumns(loadColumn(k.keyScores, stage));
  Term gates = (score - spread(rows.tau, schedule.keys)).min(1).max(0);
  Term inWindow = spread(query, schedule.keys).lt(windowEnd);
  return values * inWindow.select(gates.constant(1), gates);
}

/// What exponents are relative to: the maximum, scaled, or 0 where nothing is
/// visible so far.
Term AttentionConsumer::getReference(Term maximum) {
  return maximum.eq(-kInfinity)
      .select(maximum.constant(0), maximum * maximum.constant(scale));
}

Term AttentionConsumer::exponentials(Term products, Term maximum) {
  return products
      .fma(products.constant(scale),
           spread(-getReference(maximum), schedule.keys))
      .exp2();
}

Term AttentionConsumer::applyGates(Term values, Term stage, const Flags &flags,
                                   const Rows &rows) {
  return branch(
      flags.gated, [&]() -> Terms { return {gate(values, stage, rows)}; },
      [&]() -> Terms { return {values}; })[0];
}

Term AttentionConsumer::prepare(Term products, Term stage, const Flags &flags,
                                const Rows &rows) {
  if (shape.scale <= 0)
    products = shape.scale < 0 ? -products : products.constant(0);
  if (shape.gate == Gate::key_value)
    products = applyGates(products, stage, flags, rows);
  return branch(
      flags.masked, [&]() -> Terms { return {mask(products, stage)}; },
      [&]() -> Terms { return {products}; })[0];
}

AttentionConsumer::Probabilities
AttentionConsumer::raise(Term products, const Softmax &before, Softmax &after) {
  Term maximum = reduce(vector::CombiningKind::MAXNUMF, products, -kInfinity)
                     .max(before.maximum);
  Term factor = ((before.maximum - maximum) * maximum.constant(scale)).exp2();
  factor = maximum.eq(-kInfinity).select(factor.constant(1), factor);
  Term values = exponentials(products, maximum);
  after = {maximum, before.sums * spread(factor, 8) + sumColumns(values)};
  return {values, Term(), factor};
}

void AttentionConsumer::finish(Probabilities &probabilities, Term stage,
                               const Flags &flags, const Rows &rows) {
  if (shape.isGated())
    probabilities.values = applyGates(probabilities.values, stage, flags, rows);
  release(k.keyRing, stage);
}

AttentionConsumer::Probabilities
AttentionConsumer::exponentiateFirst(Term products, Term stage,
                                     const Flags &flags, const Rows &rows,
                                     Softmax &softmax) {
  Softmax before = softmax;
  Probabilities result =
      raise(prepare(products, stage, flags, rows), before, softmax);
  finish(result, stage, flags, rows);
  return result;
}

/// Exponentials refer to the maximum of an earlier block, which saves this
/// block's maximum. Where that may not do, as a row's exponentials grow too
/// large or its maximum is still to be found, the warp makes the products
/// again, with `mma.sync`, which a branch may hold, and starts from their
/// maximum: this happens in few blocks and is right for any scores.
AttentionConsumer::Probabilities
AttentionConsumer::exponentiate(Term queries, Term products, Term stage,
                                const Flags &flags, const Rows &rows,
                                Softmax &softmax) {
  Softmax before = softmax;
  Term values =
      exponentials(prepare(products, stage, flags, rows), before.maximum);
  Term sums = sumColumns(values);
  Term unsafe = sums.gt(kMaxSum) | spread(before.maximum.eq(-kInfinity), 8);
  Term again(b, tile::AnyOp::create(b, unsafe));
  Terms result = branch(
      again,
      [&]() -> Terms {
        Term products =
            multiplyKeys(queries, zeros(schedule.keys), stage, /*sync=*/true);
        Softmax after;
        Probabilities raised =
            raise(prepare(products, stage, flags, rows), before, after);
        return {raised.values, raised.factor, after.maximum, after.sums};
      },
      [&]() -> Terms {
        return {values, before.maximum.constant(1), before.maximum,
                before.sums + sums};
      });
  softmax = {result[2], result[3]};
  Probabilities probabilities = {result[0], again, result[1]};
  finish(probabilities, stage, flags, rows);
  return probabilities;
}

Term AttentionConsumer::shrink(Term values,
                               const Probabilities &probabilities) {
  return branch(
      probabilities.shrunk,
      [&]() -> Terms {
        return {values * spread(probabilities.factor, shape.valueDim)};
      },
      [&]() -> Terms { return {values}; })[0];
}

Term AttentionConsumer::toOperand(Term values) {
  if (shape.elementType.isF32())
    return values;
  auto type =
      VectorType::get(values.getVectorType().getShape(), shape.elementType);
  return {b, arith::TruncFOp::create(b, type, values)};
}

void AttentionConsumer::writeRows(const Tile &tile, Term result,
                                  const Softmax &softmax) {
  Term sum = reduce(vector::CombiningKind::ADD, softmax.sums, 0);
  Term empty = sum.eq(0);
  Term inverse(b, arith::DivFOp::create(b, sum.constant(1), sum,
                                        arith::FastMathFlags::afn));
  result =
      spread(empty, shape.valueDim)
          .select(result.constant(0), result * spread(inverse, shape.valueDim));
  Term logSum =
      (softmax.maximum * softmax.maximum.constant(scale) + sum.log2()) *
      std::numbers::ln2_v<double>;
  logSum = empty.select(sum.constant(-kInfinity), logSum);

  // Made anew for each tile, not kept in registers all the time.
  Term row = pin(k.iota(groupRows) + firstRow);
  Term head = row.divide(k.queries), query = row.modulo(k.queries);
  Term chunkHead = tile.chunk * shape.heads;
  Term firstQuery = tile.tile * k.queries;
  Term isThere = row.lt(shape.heads * k.queries) &
                 head.lt(k.i32(shape.group) - chunkHead) &
                 query.lt(k.numQueries - firstQuery);
  Term heads = head + (tile.kvHead * shape.group + chunkHead);
  Term queries = query + firstQuery;
  SmallVector<Value> indices = {heads, queries};
  tile::ScatterOp::create(b, toOperand(result), k.slice(k.output, {tile.batch}),
                          indices, isThere);
  tile::ScatterOp::create(b, logSum, k.slice(k.lse, {tile.batch}), indices,
                          isThere);
}

//===----------------------------------------------------------------------===//
// Tiles
//===----------------------------------------------------------------------===//

void AttentionConsumer::emit() {
  Term group(b, tile::GroupIdOp::create(b));
  firstRow = group * static_cast<double>(groupRows);
  query = (k.iota(groupRows) + firstRow).modulo(k.queries);
  when(k.blockId.lt(k.numTiles), [&] { emitTiles(); });
}

/// Index, stage and phase, phase of the queries, lists; products of queries and
/// first keys under way, queries.
void AttentionConsumer::emitTiles() {
  Term zero = k.i32(0);
  Term always(b, arith::ConstantOp::create(b, b.getBoolAttr(true)));
  AttentionKernel::Lists lists = k.loadLists(k.blockId);
  Term queries = loadQueries(zero, always);
  waitFull(k.keyRing, {zero, zero});
  Term products = multiplyKeys(queries, zeros(schedule.keys), zero);
  SmallVector<Value> inits = {k.blockId,   zero,        zero,    k.i32(1),
                              lists.start, lists.count, products};
  if (schedule.queryInRegisters)
    inits.push_back(queries);

  TypeRange types = ValueRange(inits).getTypes();
  SmallVector<Type> ownedTypes(types);
  auto whileOp = scf::WhileOp::create(b, ownedTypes, inits);
  SmallVector<Location> locations(inits.size(), b.getLoc());
  OpBuilder::InsertionGuard guard(b);
  Block *before =
      b.createBlock(&whileOp.getBefore(), {}, ownedTypes, locations);
  Terms state =
      llvm::map_to_vector(before->getArguments(), [&](BlockArgument argument) {
        return Term(b, argument);
      });
  Term more;
  Terms next = emitTile(state, more);
  SmallVector<Value> nextValues =
      llvm::map_to_vector(next, [](Term term) { return term.get(); });
  scf::ConditionOp::create(b, more, nextValues);
  Block *after = b.createBlock(&whileOp.getAfter(), {}, ownedTypes, locations);
  scf::YieldOp::create(b, after->getArguments());
  b.setInsertionPointAfter(whileOp);
  waitProducts(0, {Term(b, whileOp.getResult(6))});
}

Terms AttentionConsumer::emitTile(ArrayRef<Term> state, Term &more) {
  Term one = k.i32(1), index = state[0];
  Place place = {state[1], state[2]};
  Term queryPhase = state[3];
  Term queries = schedule.queryInRegisters ? state[7] : Term();
  Tile tile = k.getTile(index, {state[4], state[5]});
  Rows rows = loadRows(tile);

  // The first block.
  Flags firstFlags = loadFlags(place.stage);
  Term products = waitProducts(0, {state[6]})[0];
  Term none = f32(-kInfinity).splat({groupRows});
  Softmax softmax = {none, zeros(8)};
  Probabilities first =
      exponentiateFirst(products, place.stage, firstFlags, rows, softmax);
  Place next = advance(place);

  // Each further one: its first product, the last block's second product, its
  // softmax under that. The output starts from registers of its own: handed
  // over from the tile before, they would be live beside what it writes.
  Terms inits = {next.stage,
                 next.phase,
                 place.stage,
                 place.phase,
                 softmax.maximum,
                 softmax.sums,
                 toOperand(first.values),
                 zeros(shape.valueDim),
                 first.values};
  Terms last = loop(
      one, tile.blocks, one, inits, [&](Term block, ArrayRef<Term> s) -> Terms {
        Place at = {s[0], s[1]}, previous = {s[2], s[3]};
        Softmax running = {s[4], s[5]};
        waitFull(k.keyRing, at);
        Term products = multiplyKeys(queries, s[8], at.stage);
        waitFull(k.valueRing, previous);
        Term sum = multiplyValues(s[6], s[7], previous.stage, block.gt(1));
        Flags flags = loadFlags(at.stage);
        products = waitProducts(1, {products})[0];
        Probabilities probabilities =
            exponentiate(queries, products, at.stage, flags, rows, running);
        probabilities.values = pin(probabilities.values);
        Place following = advance(at);
        Terms done = waitProducts(0, {sum, probabilities.values});
        release(k.valueRing, previous.stage);
        return {following.stage,
                following.phase,
                at.stage,
                at.phase,
                running.maximum,
                running.sums,
                toOperand(done[1]),
                shrink(done[0], probabilities),
                done[1]};
      });

  // The last block's second product, and the next tile's first before this
  // tile's output. Without a next tile, a product of stale tiles: a conditional
  // one would cost all their overlap.
  place = {last[0], last[1]};
  Place previous = {last[2], last[3]};
  if (!schedule.queryInRegisters)
    release(k.queryRing, k.i32(0));
  waitFull(k.valueRing, previous);
  Term output =
      multiplyValues(last[6], last[7], previous.stage, tile.blocks.gt(1));
  Term nextIndex = index + k.gridSize;
  AttentionKernel::Lists nextLists = k.loadLists(nextIndex);
  more = nextIndex.lt(k.numTiles);
  queries = loadQueries(queryPhase, more);
  when(more, [&] { waitFull(k.keyRing, place); });
  products = multiplyKeys(queries, last[8], place.stage);
  output = waitProducts(1, {output})[0];
  release(k.valueRing, previous.stage);
  writeRows(tile, output, {last[4], last[5]});

  Terms result = {nextIndex,        place.stage,     place.phase,
                  queryPhase ^ one, nextLists.start, nextLists.count,
                  products};
  if (schedule.queryInRegisters)
    result.push_back(queries);
  return result;
}
