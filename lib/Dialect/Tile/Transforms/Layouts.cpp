//===- Layouts.cpp - Which thread holds which element ---------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sparsek/Dialect/Tile/Transforms/Layouts.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::sparsek::tile;

/// Rows of a fragment that one warp holds, and columns of one of its blocks.
static constexpr int64_t kWarpRows = 16;
static constexpr int64_t kBlockColumns = 8;

/// Whether `type` is one column, a vector of rank 1 written as M x 1.
static bool isColumnOfRows(VectorType type) {
  return type.getRank() == 2 && type.getShape()[1] == 1;
}

static LogicalResult
verifyRank(LayoutAttr layout, VectorType type,
           llvm::function_ref<InFlightDiagnostic()> emitError) {
  bool fragment = layout.getKind() == LayoutKind::fragment;
  bool row = layout.getKind() == LayoutKind::row;
  if (fragment ? type.getRank() == 2
               : type.getRank() == 1 || (row && isColumnOfRows(type)))
    return success();
  return emitError() << "expected a vector of rank " << (fragment ? 2 : 1)
                     << " in " << layout << ", got " << type;
}

LogicalResult mlir::sparsek::tile::verifyLayout(
    LayoutAttr layout, VectorType type, int64_t threads,
    llvm::function_ref<InFlightDiagnostic()> emitError) {
  if (failed(verifyRank(layout, type, emitError)))
    return failure();
  int64_t rows = threads / kWarpThreads * kWarpRows;
  int64_t size = type.getShape().front();
  LayoutKind kind = layout.getKind();
  bool usesRows = kind == LayoutKind::fragment || kind == LayoutKind::row;
  if (usesRows && size != rows)
    return emitError() << "expected " << rows << " rows for a group of "
                       << threads << " threads in " << layout << ", got "
                       << type;
  bool usesColumns = kind == LayoutKind::fragment || kind == LayoutKind::column;
  if (usesColumns && type.getShape().back() % kBlockColumns)
    return emitError() << "expected a multiple of 8 columns in " << layout
                       << ", got " << type;
  if (kind == LayoutKind::linear && size > threads)
    return emitError() << "expected at most " << threads << " elements in "
                       << layout << ", got " << type;
  if (kind != LayoutKind::copy)
    return success();
  if (layout.getLanes() <= 0 || threads % layout.getLanes())
    return emitError() << "expected lanes to divide the " << threads
                       << " threads of the group, got " << layout;
  int64_t parties = threads / layout.getLanes();
  if (size % parties)
    return emitError() << "expected a multiple of " << parties
                       << " elements in " << layout << ", got " << type;
  return success();
}

/// How many elements of `type` a thread holds.
static int64_t getNumThreadElements(LayoutAttr layout, VectorType type,
                                    int64_t threads) {
  int64_t size = type.getShape().back();
  switch (layout.getKind()) {
  case LayoutKind::fragment:
    return size / 2;
  case LayoutKind::row:
    return 2;
  case LayoutKind::column:
    return size / 4;
  case LayoutKind::linear:
    return 1;
  case LayoutKind::copy:
    return size * layout.getLanes() / threads;
  }
  llvm_unreachable("unknown layout");
}

VectorType mlir::sparsek::tile::getThreadType(LayoutAttr layout,
                                              VectorType type,
                                              int64_t threads) {
  return VectorType::get(getNumThreadElements(layout, type, threads),
                         type.getElementType());
}

SmallVector<int64_t> mlir::sparsek::tile::getElementOffsets(LayoutAttr layout,
                                                            VectorType type,
                                                            int64_t threads) {
  SmallVector<int64_t> offsets;
  int64_t size = getNumThreadElements(layout, type, threads);
  for (int64_t i = 0; i < size; ++i) {
    switch (layout.getKind()) {
    case LayoutKind::row:
      offsets.push_back(8 * i);
      break;
    case LayoutKind::column:
      offsets.push_back(kBlockColumns * (i / 2) + i % 2);
      break;
    case LayoutKind::linear:
    case LayoutKind::copy:
      offsets.push_back(i);
      break;
    case LayoutKind::fragment:
      llvm_unreachable("a fragment is of rank 2");
    }
  }
  return offsets;
}

int64_t mlir::sparsek::tile::getElementBase(LayoutAttr layout, VectorType type,
                                            int64_t threads, int64_t thread) {
  int64_t warp = thread / kWarpThreads;
  int64_t lane = thread % kWarpThreads;
  switch (layout.getKind()) {
  case LayoutKind::row:
    return kWarpRows * warp + lane / 4;
  case LayoutKind::column:
    return 2 * (lane % 4);
  case LayoutKind::linear:
    return thread;
  case LayoutKind::copy:
    return thread / layout.getLanes() *
           getNumThreadElements(layout, type, threads);
  case LayoutKind::fragment:
    break;
  }
  llvm_unreachable("a fragment is of rank 2");
}

std::pair<int64_t, int64_t>
mlir::sparsek::tile::getFragmentElement(int64_t thread, int64_t i) {
  int64_t warp = thread / kWarpThreads;
  int64_t lane = thread % kWarpThreads;
  int64_t row = kWarpRows * warp + lane / 4 + 8 * (i / 2 % 2);
  int64_t column = kBlockColumns * (i / 4) + 2 * (lane % 4) + i % 2;
  return {row, column};
}

bool mlir::sparsek::tile::isPartial(LayoutAttr layout, VectorType type,
                                    int64_t threads) {
  return layout.getKind() == LayoutKind::linear &&
         type.getNumElements() < threads;
}

LayoutAttr mlir::sparsek::tile::getGatherLayout(SharedType slot) {
  int64_t rowBytes = slot.getShape().back() * slot.getElementBytes();
  int64_t chunks = llvm::divideCeil(rowBytes, kChunkBytes);
  // Not fewer than 8, so that the parties of a warpgroup, at most 16, divide
  // the rows of a tile.
  int64_t lanes =
      std::clamp<int64_t>(llvm::PowerOf2Ceil(chunks), 8, kWarpThreads);
  return LayoutAttr::get(slot.getContext(), LayoutKind::copy, lanes);
}
