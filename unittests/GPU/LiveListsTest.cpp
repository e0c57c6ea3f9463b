//===- LiveListsTest.cpp - The kernels of sparsek.live_lists --------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelEmulator.h"

#include "llvm/Support/Error.h"
#include "gtest/gtest.h"

#include <functional>
#include <limits>

using namespace mlir::sparsek;

namespace {

constexpr int kTile = 25;
constexpr int kThreads = 256;
constexpr int kNodeKeys = 1024;

constexpr llvm::StringLiteral kSource = R"mlir(
func.func @live_lists(%end: memref<?x?x?xi32>, %nq: index,
                      %start: memref<?x?x?xi32>, %count: memref<?x?x?xi32>,
                      %list: memref<?x?x?x?xi32>) {
  sparsek.live_lists tile(25) ins(%end : memref<?x?x?xi32>) queries(%nq)
      outs(%start, %count, %list
           : memref<?x?x?xi32>, memref<?x?x?xi32>, memref<?x?x?x?xi32>)
  return
}
)mlir";

constexpr llvm::StringLiteral kPipeline =
    "convert-sparsek-live-lists-to-gpu,canonicalize,cse,"
    "gpu.module(expand-strided-metadata,lower-affine,convert-scf-to-cf,"
    "convert-math-to-llvm,convert-arith-to-llvm,convert-gpu-to-nvvm,"
    "reconcile-unrealized-casts)";

/// The ends of one kv head, and what the op makes of them.
struct Problem {
  std::vector<int> end;
  int queries, capacity;

  int keys() const { return end.size(); }
  int tiles() const { return (queries + kTile - 1) / kTile; }
};

struct Lists {
  std::vector<int> start, count, list;
};

/// By the definition in the op's description.
Lists getExpected(const Problem &problem) {
  Lists lists;
  for (int tile = 0; tile < problem.tiles(); ++tile) {
    int time = std::max(tile * kTile + problem.keys() - problem.queries, 0);
    int band = 0;
    for (int j = 0; j <= time && j < problem.keys(); ++j)
      if (problem.end[j] <= time)
        band = j + 1;
    std::vector<int> alive;
    for (int j = 0; j < band; ++j)
      if (problem.end[j] > time)
        alive.push_back(j);
    bool fits = static_cast<int>(alive.size()) <= problem.capacity;
    lists.start.push_back(fits ? band : alive[problem.capacity]);
    alive.resize(fits ? alive.size() : problem.capacity);
    lists.count.push_back(alive.size());
    while (alive.size() % 4 != 0)
      alive.push_back(0);
    // What the op leaves as it was.
    alive.resize(problem.capacity, -1);
    lists.list.insert(lists.list.end(), alive.begin(), alive.end());
  }
  return lists;
}

Lists getEmulated(KernelEmulator &emulator, const Problem &problem,
                  int tilesPerBlock) {
  int tiles = problem.tiles(), capacity = problem.capacity;
  int nodes = std::max((problem.keys() + kNodeKeys - 1) / kNodeKeys, 1);
  Lists lists = {std::vector<int>(tiles), std::vector<int>(tiles),
                 std::vector<int>(size_t(tiles) * capacity, -1)};
  std::vector<int> summary(size_t(66) * nodes);
  std::vector<int64_t> arguments =
      describe(problem.end.data(), {1, 1, problem.keys()});
  llvm::append_range(arguments,
                     describe(summary.data(), {1, 1, int64_t(33) * nodes, 2}));
  emulator.launch("summarize", {nodes, 1, 1}, kThreads, arguments);
  llvm::append_range(arguments,
                     std::vector<int64_t>{problem.queries, tilesPerBlock});
  llvm::append_range(arguments, describe(lists.start.data(), {1, 1, tiles}));
  llvm::append_range(arguments, describe(lists.count.data(), {1, 1, tiles}));
  llvm::append_range(arguments,
                     describe(lists.list.data(), {1, 1, tiles, capacity}));
  int blocks = (tiles + tilesPerBlock - 1) / tilesPerBlock;
  emulator.launch("list", {blocks, 1, 1}, kThreads, arguments);
  return lists;
}

using Policy = std::function<int(int key, int keys, std::mt19937 &random)>;

class LiveLists
    : public testing::TestWithParam<std::pair<const char *, Policy>> {
protected:
  static KernelEmulator &getEmulator() {
    static KernelEmulator emulator =
        llvm::cantFail(KernelEmulator::create(kSource, kPipeline));
    return emulator;
  }

  static void check(const Problem &problem, int tilesPerBlock) {
    Lists got = getEmulated(getEmulator(), problem, tilesPerBlock);
    Lists expected = getExpected(problem);
    EXPECT_EQ(got.start, expected.start);
    EXPECT_EQ(got.count, expected.count);
    EXPECT_EQ(got.list, expected.list);
  }
};

TEST_P(LiveLists, EqualTheirDefinition) {
  // The same cases each time.
  std::mt19937 random; // NOLINT(bugprone-random-generator-seed)
  for (auto [keys, queries, capacity, tilesPerBlock] :
       {std::array{1, 1, 4, 8}, std::array{33, 40, 4, 8},
        std::array{100, 30, 0, 8}, std::array{1500, 1500, 512, 40},
        std::array{2500, 400, 64, 8}}) {
    SCOPED_TRACE(keys);
    Problem problem{{}, queries, capacity};
    for (int key = 0; key < keys; ++key)
      problem.end.push_back(GetParam().second(key, keys, random));
    check(problem, tilesPerBlock);
  }
}

/// More keys are alive than the kernel keeps in shared memory.
TEST_F(LiveLists, OfMoreKeysThanFitSharedMemory) {
  Problem problem{{}, /*queries=*/600, /*capacity=*/2600};
  for (int key = 0; key < 6000; ++key)
    problem.end.push_back(key % 2 ? 6000 : 5500 + key % 500);
  check(problem, /*tilesPerBlock=*/40);
}

TEST_F(LiveLists, OfNoKeys) {
  check({{}, /*queries=*/30, /*capacity=*/8}, /*tilesPerBlock=*/8);
}

constexpr int kNever = std::numeric_limits<int>::min();
constexpr int kAlways = std::numeric_limits<int>::max();

int below(int bound, std::mt19937 &random) { return random() % bound; }

INSTANTIATE_TEST_SUITE_P(
    Policies, LiveLists,
    testing::Values(
        std::pair("Window", [](int j, int, std::mt19937 &) { return j + 40; }),
        std::pair("ItselfAlone",
                  [](int j, int, std::mt19937 &) { return j + 1; }),
        std::pair("Sinks",
                  [](int j, int, std::mt19937 &) {
                    return j < 4 ? kAlways : j + 33;
                  }),
        std::pair("Documents",
                  [](int j, int, std::mt19937 &) { return (j / 70 + 1) * 70; }),
        std::pair("All", [](int, int, std::mt19937 &) { return kAlways; }),
        std::pair("None", [](int, int, std::mt19937 &) { return kNever; }),
        std::pair("EndAtBirth", [](int j, int, std::mt19937 &) { return j; }),
        std::pair("Random",
                  [](int, int n, std::mt19937 &random) {
                    return below(n + 14, random) - 5;
                  }),
        std::pair("LongTails",
                  [](int j, int, std::mt19937 &random) {
                    int root = below(60, random);
                    return j - 3 + root * root;
                  }),
        std::pair("EveryOther",
                  [](int j, int, std::mt19937 &) {
                    return j % 2 ? kAlways : j + 1;
                  }),
        std::pair("OneDeath",
                  [](int j, int n, std::mt19937 &) {
                    return j == n * 2 / 3 ? n * 3 / 4 : n;
                  }),
        std::pair("LastInFirstOut",
                  [](int j, int n, std::mt19937 &) { return n - j + n / 2; }),
        std::pair("Few",
                  [](int j, int n, std::mt19937 &random) {
                    return below(100, random) ? j : n;
                  })),
    [](const auto &info) { return std::string(info.param.first); });

} // namespace
