//===- AttentionSchedule.cpp - Tiles, rings and roles of a kernel ---------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "AttentionSchedule.h"

#include "sparsek/Dialect/Tile/IR/Tile.h"

using namespace mlir;
using namespace mlir::sparsek;

/// Query heads that share a tile at most.
static constexpr int64_t kMaxHeads = 16;

AttentionShape mlir::sparsek::getAttentionShape(SparseAttentionOp op) {
  AttentionShape shape;
  shape.elementType =
      cast<ShapedType>(op.getQuery().getType()).getElementType();
  shape.headDim = op.getHeadDim();
  shape.valueDim = op.getValueDim();
  shape.group = op.getGroupSize();
  // Chunks of one size, as far as they can be.
  int64_t chunks = llvm::divideCeil(shape.group, kMaxHeads);
  shape.heads = llvm::divideCeil(shape.group, chunks);
  shape.gate = op.getGate();
  shape.window = op.getWindow();
  shape.scale = op.getScaleValue();
  return shape;
}

/// Shared memory that a thread block can have, in bytes. Of a chip not listed,
/// what every chip from sm_80 on has.
static int64_t getSharedBytes(StringRef chip) {
  return llvm::StringSwitch<int64_t>(chip)
      .Cases({"sm_90", "sm_90a", "sm_100", "sm_100a", "sm_103", "sm_103a"},
             int64_t(227) * 1024)
      .Cases({"sm_80", "sm_87"}, int64_t(163) * 1024)
      .Default(int64_t(99) * 1024);
}

/// Bytes of a row in swizzled shared memory.
static int64_t getRowBytes(int64_t size, int64_t elementBytes) {
  return llvm::alignTo(size * elementBytes, tile::kPanelBytes);
}

/// The most stages that fit, 0 where not even the query tile does.
static int64_t getStages(const AttentionShape &shape,
                         const AttentionSchedule &schedule, int64_t bytes) {
  int64_t element = shape.getElementBytes();
  int64_t queryBytes = schedule.rows * getRowBytes(shape.headDim, element);
  // A slot of a key, of its value, what else is known of it (a word, or up to 3
  // bytes and a score), flags, barriers.
  int64_t perKey = getRowBytes(shape.headDim, element) +
                   getRowBytes(shape.valueDim, element) +
                   (schedule.hasWords(shape) ? 4 : 2) +
                   (shape.isGated() ? 5 : 0);
  int64_t perStage = schedule.keys * perKey + 8 + 32;
  // Buffers begin at multiples of 16 bytes.
  constexpr int64_t kSlack = 8 * 16 + 16;
  return std::max<int64_t>(0, (bytes - queryBytes - kSlack) / perStage);
}

/// Registers that a consumer thread needs for the products' operands: output,
/// products, probabilities and queries.
static int64_t getFragmentRegisters(const AttentionShape &shape,
                                    const AttentionSchedule &schedule) {
  bool is16Bit = shape.getElementBytes() == 2;
  int64_t query = !schedule.queryInRegisters ? 0
                  : is16Bit                  ? shape.headDim / 4
                                             : shape.headDim / 2;
  int64_t probabilities = is16Bit ? schedule.keys / 4 : 0;
  return shape.valueDim / 2 + schedule.keys / 2 + probabilities + query;
}

/// The first schedule of a list that leaves enough registers, with two stages
/// or more; else the last one with two stages, whose kernel spills.
static FailureOr<AttentionSchedule>
choose(const AttentionShape &shape, ArrayRef<AttentionSchedule> candidates,
       int64_t bytes, int64_t maxStages,
       function_ref<int64_t(const AttentionSchedule &)> getMaxRegisters) {
  FailureOr<AttentionSchedule> result = failure();
  for (AttentionSchedule schedule : candidates) {
    schedule.stages = std::min(maxStages, getStages(shape, schedule, bytes));
    if (schedule.stages < 2)
      continue;
    result = schedule;
    if (getFragmentRegisters(shape, schedule) <= getMaxRegisters(schedule))
      break;
  }
  return result;
}

static AttentionSchedule makeSchedule(int64_t rows, int64_t keys,
                                      int64_t groupWarps,
                                      bool queryInRegisters) {
  AttentionSchedule schedule;
  schedule.rows = rows;
  schedule.keys = keys;
  schedule.groupWarps = groupWarps;
  schedule.queryInRegisters = queryInRegisters;
  return schedule;
}

/// Two consumer warpgroups. 168 fragment registers leave 40 for the rest.
static FailureOr<AttentionSchedule>
getWarpgroupSchedule(const AttentionShape &shape, int64_t bytes) {
  SmallVector<AttentionSchedule> candidates;
  for (bool inRegisters : {true, false})
    for (int64_t keys : {96, 64, 48, 32})
      candidates.push_back(makeSchedule(128, keys, 4, inRegisters));
  // The gates of a block need registers of their own.
  int64_t maxFragments = shape.isGated() ? 144 : 168;
  FailureOr<AttentionSchedule> schedule =
      choose(shape, candidates, bytes, /*maxStages=*/6,
             [=](const AttentionSchedule &) { return maxFragments; });
  if (failed(schedule))
    return failure();
  // 504 = 3 * 168 registers for three warpgroups of 128 threads. A producer
  // with few reuses addresses, so that its copies wait for each other, and
  // spills what it knows of a tile below 104. Full consumers need theirs more:
  // on an H100, 208 and 88 are 2 % faster at d = 128 than 200 and 104.
  int64_t registers = shape.isGated() ? 192 : 200;
  if (getFragmentRegisters(shape, *schedule) > 144)
    registers = 208;
  schedule->bulk = true;
  schedule->consumerRegisters = registers;
  schedule->producerRegisters = 504 - 2 * registers;
  return schedule;
}

/// Consumer warps by themselves.
static FailureOr<AttentionSchedule> getWarpSchedule(const AttentionShape &shape,
                                                    int64_t bytes) {
  SmallVector<AttentionSchedule> candidates;
  bool is16Bit = shape.getElementBytes() == 2;
  for (int64_t rows : {128, 64, 32})
    for (bool inRegisters : {true, false})
      for (int64_t keys : {64, 32, 16})
        if (is16Bit || (rows < 128 && !inRegisters))
          candidates.push_back(makeSchedule(rows, keys, 1, inRegisters));
  // All threads have the same share. Beside the fragments a thread needs
  // operands on their way, f32 ones split in two.
  int64_t others = is16Bit ? 50 : 160;
  return choose(shape, candidates, bytes, /*maxStages=*/4,
                [&](const AttentionSchedule &schedule) {
                  int64_t share = 65536 / schedule.getThreads();
                  return std::min<int64_t>(share, 255) - others;
                });
}

/// Rows of less than 64 bytes do not give every thread of the producer as much
/// to copy.
static bool hasWarpgroupProducts(const AttentionShape &shape, StringRef chip) {
  return chip == "sm_90a" && shape.getElementBytes() == 2 &&
         std::min(shape.headDim, shape.valueDim) >= 32;
}

FailureOr<AttentionSchedule>
mlir::sparsek::getDefaultSchedule(const AttentionShape &shape, StringRef chip) {
  int64_t bytes = getSharedBytes(chip);
  if (hasWarpgroupProducts(shape, chip))
    return getWarpgroupSchedule(shape, bytes);
  return getWarpSchedule(shape, bytes);
}
