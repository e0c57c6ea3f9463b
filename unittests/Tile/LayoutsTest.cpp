//===- LayoutsTest.cpp - Tests of which thread holds which element --------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sparsek/Dialect/Tile/Transforms/Layouts.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/Diagnostics.h"

#include "gtest/gtest.h"

#include <map>
#include <set>

using namespace mlir;
using namespace mlir::sparsek::tile;

namespace {

class LayoutsTest : public testing::Test {
protected:
  LayoutsTest() : b(&context) { context.loadDialect<TileDialect>(); }

  VectorType makeType(ArrayRef<int64_t> shape) {
    return VectorType::get(shape, b.getI32Type());
  }

  LayoutAttr makeLayout(LayoutKind kind, int64_t lanes = 0) {
    return LayoutAttr::get(&context, kind, lanes);
  }

  /// The threads that hold each element of a vector of rank 1, each as often as
  /// it does.
  std::map<int64_t, std::multiset<int64_t>>
  getHolders(LayoutAttr layout, VectorType type, int64_t threads) {
    EXPECT_EQ(getError(layout, type, threads), "");
    auto offsets = getElementOffsets(layout, type, threads);
    EXPECT_EQ(getThreadType(layout, type, threads),
              VectorType::get(offsets.size(), type.getElementType()));
    std::map<int64_t, std::multiset<int64_t>> holders;
    for (int64_t thread = 0; thread < threads; ++thread)
      for (int64_t offset : offsets)
        holders[getElementBase(layout, type, threads, thread) + offset].insert(
            thread);
    return holders;
  }

  /// What verifyLayout says, "" if nothing.
  std::string getError(LayoutAttr layout, VectorType type, int64_t threads) {
    std::string message;
    ScopedDiagnosticHandler handler(
        &context, [&](Diagnostic &error) { message = error.str(); });
    (void)verifyLayout(layout, type, threads,
                       [&] { return emitError(UnknownLoc::get(&context)); });
    return message;
  }

  MLIRContext context;
  Builder b;
};

TEST_F(LayoutsTest, FragmentHoldsEachElementOnce) {
  for (int64_t threads : {32, 128})
    for (int64_t columns : {8, 24, 96, 256}) {
      int64_t rows = threads / 2;
      auto type = makeType({rows, columns});
      auto layout = makeLayout(LayoutKind::fragment);
      EXPECT_EQ(getError(layout, type, threads), "");
      int64_t size = getThreadType(layout, type, threads).getNumElements();
      std::set<std::pair<int64_t, int64_t>> seen;
      for (int64_t thread = 0; thread < threads; ++thread)
        for (int64_t i = 0; i < size; ++i) {
          auto [row, column] = getFragmentElement(thread, i);
          EXPECT_TRUE(row >= 0 && row < rows && column >= 0 &&
                      column < columns);
          EXPECT_TRUE(seen.insert({row, column}).second);
        }
      EXPECT_EQ(static_cast<int64_t>(seen.size()), rows * columns);
    }
}

/// The picture of #tile.layout.
TEST_F(LayoutsTest, FragmentIsAsDrawn) {
  using Element = std::pair<int64_t, int64_t>;
  EXPECT_EQ(getFragmentElement(0, 0), Element(0, 0));
  EXPECT_EQ(getFragmentElement(0, 1), Element(0, 1));
  EXPECT_EQ(getFragmentElement(0, 2), Element(8, 0));
  EXPECT_EQ(getFragmentElement(0, 3), Element(8, 1));
  EXPECT_EQ(getFragmentElement(0, 4), Element(0, 8));
  EXPECT_EQ(getFragmentElement(3, 0), Element(0, 6));
  EXPECT_EQ(getFragmentElement(4, 0), Element(1, 0));
  EXPECT_EQ(getFragmentElement(31, 7), Element(15, 15));
  EXPECT_EQ(getFragmentElement(32, 0), Element(16, 0));
}

/// A row's value is with the quad that has its elements of a fragment.
TEST_F(LayoutsTest, RowsFollowFragments) {
  for (int64_t threads : {32, 128}) {
    int64_t rows = threads / 2;
    for (VectorType type : {makeType({rows}), makeType({rows, 1})}) {
      auto holders = getHolders(makeLayout(LayoutKind::row), type, threads);
      std::map<int64_t, std::multiset<int64_t>> expected;
      for (int64_t thread = 0; thread < threads; ++thread)
        for (int64_t i : {0, 2})
          expected[getFragmentElement(thread, i).first].insert(thread);
      EXPECT_EQ(static_cast<int64_t>(expected.size()), rows);
      EXPECT_EQ(holders, expected);
    }
  }
}

/// A column's value is with all threads that have elements of it.
TEST_F(LayoutsTest, ColumnsFollowFragments) {
  for (int64_t threads : {32, 128})
    for (int64_t columns : {8, 96}) {
      auto holders = getHolders(makeLayout(LayoutKind::column),
                                makeType({columns}), threads);
      std::map<int64_t, std::multiset<int64_t>> expected;
      for (int64_t thread = 0; thread < threads; ++thread)
        for (int64_t i = 0; i < columns / 2; ++i)
          if (i % 4 < 2)
            expected[getFragmentElement(thread, i).second].insert(thread);
      EXPECT_EQ(static_cast<int64_t>(expected.size()), columns);
      EXPECT_EQ(holders, expected);
    }
}

TEST_F(LayoutsTest, LinearHoldsEachElementOnce) {
  auto layout = makeLayout(LayoutKind::linear);
  for (int64_t size : {1, 96, 128}) {
    auto holders = getHolders(layout, makeType({size}), 128);
    for (int64_t i = 0; i < size; ++i)
      EXPECT_EQ(holders[i], std::multiset<int64_t>{i});
    EXPECT_EQ(isPartial(layout, makeType({size}), 128), size < 128);
  }
}

/// All lanes of a party hold its run of elements, no other thread does.
TEST_F(LayoutsTest, CopyIsTheSameInAParty) {
  for (int64_t threads : {32, 128})
    for (int64_t lanes : {1, 8, 16, 32})
      for (int64_t perParty : {1, 6, 12, 16}) {
        int64_t size = threads / lanes * perParty;
        auto holders = getHolders(makeLayout(LayoutKind::copy, lanes),
                                  makeType({size}), threads);
        EXPECT_EQ(static_cast<int64_t>(holders.size()), size);
        for (int64_t i = 0; i < size; ++i) {
          auto party =
              llvm::seq(i / perParty * lanes, (i / perParty + 1) * lanes);
          EXPECT_EQ(holders[i],
                    std::multiset<int64_t>(party.begin(), party.end()));
        }
      }
}

TEST_F(LayoutsTest, GatherLayout) {
  auto getLanes = [&](int64_t columns, Type type) {
    auto slot = SharedType::get(&context, {64, columns}, type, true);
    LayoutAttr layout = getGatherLayout(slot);
    EXPECT_EQ(layout.getKind(), LayoutKind::copy);
    return layout.getLanes();
  };
  EXPECT_EQ(getLanes(16, b.getBF16Type()), 8);
  EXPECT_EQ(getLanes(64, b.getBF16Type()), 8);
  EXPECT_EQ(getLanes(80, b.getBF16Type()), 16);
  EXPECT_EQ(getLanes(96, b.getBF16Type()), 16);
  EXPECT_EQ(getLanes(128, b.getF16Type()), 16);
  EXPECT_EQ(getLanes(128, b.getF32Type()), 32);
  EXPECT_EQ(getLanes(256, b.getF32Type()), 32);
}

TEST_F(LayoutsTest, Errors) {
  EXPECT_EQ(getError(makeLayout(LayoutKind::fragment), makeType({64}), 128),
            "expected a vector of rank 2 in #tile.layout<fragment>, got "
            "'vector<64xi32>'");
  EXPECT_EQ(getError(makeLayout(LayoutKind::column), makeType({64, 8}), 128),
            "expected a vector of rank 1 in #tile.layout<column>, got "
            "'vector<64x8xi32>'");
  EXPECT_EQ(getError(makeLayout(LayoutKind::fragment), makeType({64, 8}), 32),
            "expected 16 rows for a group of 32 threads in "
            "#tile.layout<fragment>, got 'vector<64x8xi32>'");
  EXPECT_EQ(getError(makeLayout(LayoutKind::column), makeType({12}), 128),
            "expected a multiple of 8 columns in #tile.layout<column>, got "
            "'vector<12xi32>'");
  EXPECT_EQ(getError(makeLayout(LayoutKind::linear), makeType({96}), 32),
            "expected at most 32 elements in #tile.layout<linear>, got "
            "'vector<96xi32>'");
  EXPECT_EQ(getError(makeLayout(LayoutKind::copy, 48), makeType({96}), 128),
            "expected lanes to divide the 128 threads of the group, got "
            "#tile.layout<copy, lanes = 48>");
  EXPECT_EQ(getError(makeLayout(LayoutKind::copy, 16), makeType({12}), 128),
            "expected a multiple of 8 elements in #tile.layout<copy, lanes = "
            "16>, got 'vector<12xi32>'");
}

} // namespace
