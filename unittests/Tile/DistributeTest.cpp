//===- DistributeTest.cpp - Runs distributed kernels ----------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Machine.h"

#include "llvm/ADT/STLExtras.h"

#include "gtest/gtest.h"

#include <string>

using namespace mlir;
using namespace mlir::sparsek::tile;

namespace {

/// `text` with each `{key}` replaced.
std::string
format(std::string text,
       std::initializer_list<std::pair<StringRef, std::string>> values) {
  for (const auto &[key, value] : values) {
    std::string pattern = "{" + key.str() + "}";
    for (size_t at; (at = text.find(pattern)) != std::string::npos;)
      text.replace(at, pattern.size(), value);
  }
  return text;
}

std::string format(int64_t value) { return std::to_string(value); }

/// Where `!tile.shared<rows x ..., swizzled>` documents chunk `chunk` of a row.
uint64_t getSwizzled(int64_t rows, int64_t row, int64_t chunk) {
  return chunk / 8 * 128 * rows + row * 128 + (chunk % 8 ^ row % 8) * 16;
}

/// The same for a byte of a row.
uint64_t getSwizzledByte(int64_t rows, int64_t row, int64_t byte) {
  return getSwizzled(rows, row, byte / 16) + byte % 16;
}

uint16_t toBF16(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  return bits >> 16;
}

//===----------------------------------------------------------------------===//
// Gathers
//===----------------------------------------------------------------------===//

struct Gather {
  StringRef type;
  int64_t elementBytes, columns, rowsPerThread, warps;
  bool dynamic;
};

/// Rows named by a list land in the documented bytes of a slot, and no other
/// byte is written.
void testGather(const Gather &test) {
  int64_t rowBytes = test.columns * test.elementBytes;
  int64_t lanes = rowBytes <= 128 ? 8 : rowBytes <= 256 ? 16 : 32;
  int64_t rows = test.rowsPerThread * test.warps * 32 / lanes;
  // Swizzled tiles consist of 8 rows at a time.
  if (rows % 8)
    return;
  int64_t panels = (rowBytes + 127) / 128;
  SCOPED_TRACE(testing::Message()
               << rows << " rows of " << rowBytes << " bytes, "
               << test.rowsPerThread << " per thread, " << test.warps
               << " warps" << (test.dynamic ? ", dynamic strides" : ""));
  std::string kernel = format(
      R"mlir(
gpu.module @m {
  gpu.func @f(%source: memref<?x2x{C}x{T}{strides}>, %list: memref<?xi32>) kernel {
    %c0 = arith.constant 0 : index
    %before = tile.alloc : !tile.shared<8xi32>
    %slot = tile.alloc : !tile.shared<{R}x{C}x{T}, swizzled>
    tile.roles {
      tile.role "producer" warps({W}) groups_of({W}) {
        %rows = vector.load %list[%c0] {alignment = 16} : memref<?xi32>, vector<{R}xi32>
        %ones = arith.constant dense<1> : vector<{R}xi32>
        tile.gather %source[%rows, %ones] to %slot : memref<?x2x{C}x{T}{strides}>, !tile.shared<{R}x{C}x{T}, swizzled>, vector<{R}xi32>, vector<{R}xi32>
      }
    }
    gpu.return
  }
}
)mlir",
      {{"C", format(test.columns)},
       {"T", test.type.str()},
       {"R", format(rows)},
       {"W", format(test.warps)},
       {"strides", test.dynamic ? ", strided<[?, ?, 1], offset: ?>" : ""}});

  // A list, then rows at twice the strides where those are dynamic.
  int64_t sourceRows = 2 * rows + 1;
  int64_t rowStride = (test.dynamic ? 2 : 1) * test.columns;
  Buffer list{0, 0, {1}};
  Buffer source{uint64_t(4 * rows + 15) / 16 * 16,
                test.dynamic ? 3 * test.columns : 0,
                {2 * rowStride, rowStride, 1}};
  size_t sourceBytes =
      (source.offset + sourceRows * source.strides[0]) * test.elementBytes;
  Machine machine(source.place + sourceBytes, 1024 + panels * 128 * rows);
  for (size_t word = 0; word < sourceBytes / 4; ++word)
    machine.global.write<uint32_t>(source.place + 4 * word, word);
  auto getIndex = [&](int64_t row) { return row * 29 % sourceRows; };
  for (int64_t row = 0; row < rows; ++row)
    machine.global.write<int32_t>(4 * row, getIndex(row));
  machine.run(kernel, {source, list});

  std::vector<uint8_t> expected(1024 + panels * 128 * rows,
                                Machine::kUntouched);
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t byte = 0; byte < rowBytes; ++byte) {
      int64_t element =
          source.offset + getIndex(row) * source.strides[0] + source.strides[1];
      expected[1024 + getSwizzledByte(rows, row, byte)] =
          machine.global
              .bytes[source.place + element * test.elementBytes + byte];
    }
  EXPECT_TRUE(machine.shared.bytes == expected);
}

TEST(DistributeTest, Gather) {
  struct {
    StringRef type;
    int64_t bytes, columns;
  } formats[] = {{"bf16", 2, 64},  {"bf16", 2, 96},  {"f16", 2, 128},
                 {"bf16", 2, 256}, {"f32", 4, 96},   {"f32", 4, 256},
                 {"f32", 4, 16},   {"bf16", 2, 320}, {"f32", 4, 48}};
  for (auto [type, bytes, columns] : formats)
    for (int64_t rowsPerThread : {1, 2, 3, 4, 6, 8, 12, 16})
      for (bool dynamic : {false, true}) {
        testGather({type, bytes, columns, rowsPerThread, 4, dynamic});
        if (rowsPerThread % 8 == 0)
          testGather({type, bytes, columns, rowsPerThread, 1, dynamic});
      }
}

//===----------------------------------------------------------------------===//
// Fragments
//===----------------------------------------------------------------------===//

struct Fragment {
  StringRef type, storedType;
  int64_t columns, warps;
};

/// A fragment, loaded from a swizzled tile from row 16 * warps on and scattered
/// to rows in reverse order, but for those from `kept` on.
void testFragment(const Fragment &test) {
  SCOPED_TRACE(testing::Message()
               << test.type.str() << " stored as " << test.storedType.str()
               << ", " << test.columns << " columns, " << test.warps
               << " warps");
  int64_t bytes = test.type == "f32" ? 4 : 2;
  int64_t storedBytes = test.storedType == "f32" ? 4 : 2;
  int64_t rows = 16 * test.warps;
  int64_t tileRows = 2 * rows;
  int64_t kept = rows - 5;
  bool convert = test.type != test.storedType;
  std::string kernel = format(
      R"mlir(
gpu.module @m {
  gpu.func @f(%out: memref<?x{N}x{S}, strided<[?, 1], offset: ?>>) kernel {
    %first = arith.constant {M} : i32
    %slot = tile.alloc : !tile.shared<{L}x{N}x{T}, swizzled>
    tile.roles {
      tile.role "consumer" warps({W}) groups_of({W}) {
        %x = tile.load %slot rows(%first) : !tile.shared<{L}x{N}x{T}, swizzled>, vector<{M}x{N}x{T}>
        {convert}
        %i = tile.iota : vector<{M}xi32>
        %last = arith.constant dense<{last}> : vector<{M}xi32>
        %row = arith.subi %last, %i : vector<{M}xi32>
        %kept = arith.constant dense<{kept}> : vector<{M}xi32>
        %ok = arith.cmpi slt, %i, %kept : vector<{M}xi32>
        tile.scatter {value} to %out[%row] mask %ok : vector<{M}x{N}x{S}>, memref<?x{N}x{S}, strided<[?, 1], offset: ?>>, vector<{M}xi1>, vector<{M}xi32>
      }
    }
    gpu.return
  }
}
)mlir",
      {{"convert", convert ? "%y = arith.truncf %x : vector<{M}x{N}x{T}> to "
                             "vector<{M}x{N}x{S}>"
                           : ""},
       {"value", convert ? "%y" : "%x"},
       {"N", format(test.columns)},
       {"S", test.storedType.str()},
       {"T", test.type.str()},
       {"M", format(rows)},
       {"L", format(tileRows)},
       {"W", format(test.warps)},
       {"last", format(rows - 1)},
       {"kept", format(kept)}});

  // Rows of the output are 16 bytes apart, at a multiple of 16 bytes.
  int64_t stride = (test.columns * storedBytes + 31) / 16 * 16 / storedBytes;
  Buffer out{64, 8, {stride, 1}};
  int64_t panels = (test.columns * bytes + 127) / 128;
  Machine machine(64 + (8 + rows * stride) * storedBytes,
                  panels * 128 * tileRows);
  // Small numbers, which a bf16 holds, of both signs.
  auto getValue = [](int64_t row, int64_t column) -> float {
    return (row * 37 + column * 11) % 255 - 127;
  };
  for (int64_t row = 0; row < tileRows; ++row)
    for (int64_t column = 0; column < test.columns; ++column) {
      uint64_t place = getSwizzledByte(tileRows, row, column * bytes);
      if (bytes == 4)
        machine.shared.write<float>(place, getValue(row, column));
      else
        machine.shared.write<uint16_t>(place, toBF16(getValue(row, column)));
    }
  machine.run(kernel, {out});

  std::vector<uint8_t> actual = machine.global.bytes;
  llvm::fill(machine.global.bytes, 0);
  for (int64_t row = 0; row < kept; ++row)
    for (int64_t column = 0; column < test.columns; ++column) {
      int64_t element = 8 + (rows - 1 - row) * stride + column;
      float value = getValue(rows + row, column);
      if (storedBytes == 4)
        machine.global.write<float>(64 + element * 4, value);
      else
        machine.global.write<uint16_t>(64 + element * 2, toBF16(value));
    }
  EXPECT_TRUE(actual == machine.global.bytes);
}

TEST(DistributeTest, FragmentsOf16Bits) {
  for (int64_t columns : {16, 32, 48, 64, 96, 128, 256})
    for (int64_t warps : {1, 4})
      testFragment({"bf16", "bf16", columns, warps});
}

TEST(DistributeTest, FragmentsOf32Bits) {
  for (int64_t columns : {8, 24, 32, 56, 64, 96, 256})
    for (int64_t warps : {1, 4}) {
      testFragment({"f32", "f32", columns, warps});
      testFragment({"f32", "bf16", columns, warps});
    }
}

//===----------------------------------------------------------------------===//
// Vectors of rank 1
//===----------------------------------------------------------------------===//

/// Loads in every layout, masks, flags: a producer writes list[list[i]] where
/// `i` is below a limit and `i` elsewhere, consumers compare it to columns and
/// rows of a tile.
constexpr StringLiteral kVectors = R"mlir(
gpu.module @m {
  gpu.func @f(%list: memref<?xi32>, %maxima: memref<?xf32>, %sums: memref<?xi32>, %any: memref<?xi32>, %scores: memref<?x96xf32>) kernel {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %words = tile.alloc : !tile.shared<96xi32>
    %flag = tile.alloc : !tile.shared<4xi8>
    %tile = tile.alloc : !tile.shared<64x96xf32, swizzled>
    %rows = tile.alloc : !tile.shared<64xf32>
    tile.roles {
      tile.role "producer" warps(4) groups_of(4) {
        %i = tile.iota : vector<96xi32>
        %limit = arith.constant dense<40> : vector<96xi32>
        %ok = arith.cmpi slt, %i, %limit : vector<96xi32>
        %j = vector.maskedload %list[%c0], %ok, %i : memref<?xi32>, vector<96xi1>, vector<96xi32> into vector<96xi32>
        %k = vector.gather %list[%c1] [%j], %ok, %i : memref<?xi32>, vector<96xi32>, vector<96xi1>, vector<96xi32> into vector<96xi32>
        tile.store %k to %words : vector<96xi32>, !tile.shared<96xi32>
        tile.set_flag %ok to %flag : vector<96xi1>, !tile.shared<4xi8>
      }
      tile.role "consumer" warps(4) groups_of(4) {
        %x = tile.load %tile : !tile.shared<64x96xf32, swizzled>, vector<64x96xf32>
        %init = tile.load %rows : !tile.shared<64xf32>, vector<64xf32>
        %w = tile.load %words : !tile.shared<96xi32>, vector<96xi32>
        %columns = vector.broadcast %w : vector<96xi32> to vector<64x96xi32>
        %i = tile.iota : vector<64xi32>
        %ic = vector.shape_cast %i : vector<64xi32> to vector<64x1xi32>
        %ib = vector.broadcast %ic : vector<64x1xi32> to vector<64x96xi32>
        %seen = arith.cmpi sle, %columns, %ib : vector<64x96xi32>
        %low = arith.constant dense<-1000.0> : vector<64x96xf32>
        %s = arith.select %seen, %x, %low : vector<64x96xi1>, vector<64x96xf32>
        %max = vector.multi_reduction <maxnumf>, %s, %init [1] : vector<64x96xf32> to vector<64xf32>
        %zeros = arith.constant dense<0> : vector<64x96xi32>
        %count = arith.select %seen, %columns, %zeros : vector<64x96xi1>, vector<64x96xi32>
        %sum = vector.multi_reduction <add>, %count, %i [1] : vector<64x96xi32> to vector<64xi32>
        %all = arith.constant dense<true> : vector<64xi1>
        tile.scatter %max to %maxima[%i] mask %all : vector<64xf32>, memref<?xf32>, vector<64xi1>, vector<64xi32>
        tile.scatter %sum to %sums[%i] mask %all : vector<64xi32>, memref<?xi32>, vector<64xi1>, vector<64xi32>
        %high = arith.constant dense<60> : vector<64xi32>
        %row = vector.shape_cast %ic : vector<64x1xi32> to vector<64xi32>
        %isHigh = arith.cmpi sge, %row, %high : vector<64xi32>
        %some = tile.any %isHigh : vector<64xi1>
        %t = tile.thread_id
        %ti = arith.index_cast %t : i32 to index
        %c7 = arith.constant 7 : i32
        scf.if %some {
          memref.store %c7, %any[%ti] : memref<?xi32>
        }
        %m1 = vector.shape_cast %max : vector<64xf32> to vector<64x1xf32>
        %m2 = vector.broadcast %m1 : vector<64x1xf32> to vector<64x96xf32>
        %d = arith.subf %s, %m2 : vector<64x96xf32>
        tile.scatter %d to %scores[%i] mask %all : vector<64x96xf32>, memref<?x96xf32>, vector<64xi1>, vector<64xi32>
      }
    }
    gpu.return
  }
}
)mlir";

TEST(DistributeTest, Vectors) {
  Buffer list{0, 0, {1}}, maxima{512, 0, {1}}, sums{1024, 0, {1}},
      any{1536, 0, {1}}, scores{2048, 0, {96, 1}};
  Machine machine(2048 + 64 * 96 * 4, 2 * 1024 + 64 * 96 * 4 + 1024);
  Memory &global = machine.global, &shared = machine.shared;
  auto getEntry = [](int64_t i) { return i * 7 % 100; };
  auto getWord = [&](int64_t i) {
    return i < 40 ? getEntry(1 + getEntry(i)) : i;
  };
  auto getElement = [](int64_t row, int64_t column) -> float {
    return (row * 31 + column * 17) % 101 - 60;
  };
  for (int64_t i = 0; i < 128; ++i)
    global.write<int32_t>(4 * i, getEntry(i));
  uint64_t tile = 2048, rows = 2048 + 64 * 96 * 4;
  for (int64_t row = 0; row < 64; ++row) {
    shared.write<float>(rows + 4 * row, row - 20);
    for (int64_t column = 0; column < 96; ++column)
      shared.write<float>(tile + getSwizzledByte(64, row, 4 * column),
                          getElement(row, column));
  }
  machine.run(kVectors, {list, maxima, sums, any, scores});

  for (int64_t i = 0; i < 96; ++i)
    EXPECT_EQ(shared.read<int32_t>(4 * i), getWord(i)) << i;
  EXPECT_EQ(shared.read<uint8_t>(384), Machine::kUntouched);
  uint8_t flags[] = {1, 1, 0, 0, Machine::kUntouched};
  for (int64_t warp = 0; warp < 5; ++warp)
    EXPECT_EQ(shared.read<uint8_t>(1024 + warp), flags[warp]) << warp;
  for (int64_t row = 0; row < 64; ++row) {
    float max = row - 20;
    int64_t sum = row;
    std::vector<float> masked;
    for (int64_t column = 0; column < 96; ++column) {
      bool seen = getWord(column) <= row;
      masked.push_back(seen ? getElement(row, column) : -1000);
      max = std::max(max, masked.back());
      sum += seen ? getWord(column) : 0;
    }
    EXPECT_EQ(global.read<float>(512 + 4 * row), max) << row;
    EXPECT_EQ(global.read<int32_t>(1024 + 4 * row), sum) << row;
    for (int64_t column = 0; column < 96; ++column)
      EXPECT_EQ(global.read<float>(2048 + (row * 96 + column) * 4),
                masked[column] - max)
          << row << ", " << column;
  }
  // Rows 60 to 63 are those of the last warp.
  for (int64_t thread = 0; thread < 128; ++thread)
    EXPECT_EQ(global.read<int32_t>(1536 + 4 * thread), thread < 96 ? 0 : 7);
}

} // namespace
