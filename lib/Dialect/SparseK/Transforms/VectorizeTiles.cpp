//===- VectorizeTiles.cpp - Register tiles and vectors ------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sparsek/Dialect/SparseK/Transforms/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SCF/Transforms/TileUsingInterface.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Dialect/Vector/Transforms/VectorRewritePatterns.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "mlir/Transforms/LoopInvariantCodeMotionUtils.h"

namespace mlir::sparsek {
#define GEN_PASS_DEF_SPARSEKVECTORIZETILES
#include "sparsek/Dialect/SparseK/Transforms/Passes.h.inc"
} // namespace mlir::sparsek

using namespace mlir;
using namespace mlir::sparsek;

namespace {

/// How one linalg op is tiled: a size per loop, and the order of the loops.
struct RegisterTile {
  SmallVector<int64_t> sizes;
  SmallVector<int64_t> interchange;
};

/// The largest of `candidates` (falling) that divides `size`, or 1.
int64_t largestDivisor(int64_t size, ArrayRef<int64_t> candidates) {
  for (int64_t candidate : candidates)
    if (candidate > 0 && size % candidate == 0)
      return candidate;
  return 1;
}

/// The loop that the innermost dimension of the first destination follows:
/// vectors run along it.
std::optional<unsigned> getVectorLoop(linalg::LinalgOp op) {
  AffineMap map = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  if (map.getNumResults() == 0)
    return std::nullopt;
  auto dim = dyn_cast<AffineDimExpr>(map.getResults().back());
  if (!dim)
    return std::nullopt;
  return dim.getPosition();
}

/// Register tile of a contraction C[m, n] += A[m, k] B[k, n]: as many rows as
/// leave room for B's vectors and one broadcast of A, two vectors wide, one k.
/// 32 registers of 512 bits hold 8 x 2 accumulators with room to spare, 16 of
/// 256 bits 6 x 2. n outermost keeps the panel of B in the L1 cache over all
/// rows.
RegisterTile tileContraction(ArrayRef<int64_t> loops,
                             const linalg::ContractionDimensions &dims,
                             int64_t lanes) {
  RegisterTile tile;
  tile.sizes.assign(loops.size(), 1);
  unsigned m = dims.m.back(), n = dims.n.back(), k = dims.k.back();
  tile.sizes[n] =
      largestDivisor(loops[n], {2 * lanes, lanes, lanes / 2, lanes / 4});
  tile.sizes[m] = largestDivisor(loops[m], {lanes >= 16 ? 8 : 6, 4, 2});
  for (unsigned loop = 0; loop < loops.size(); ++loop)
    if (loop != m && loop != n && loop != k)
      tile.interchange.push_back(loop);
  tile.interchange.append({n, m, k});
  return tile;
}

/// Tile of an elementwise op or a reduction over rows: two vectors wide, a few
/// rows high, the vector loop outermost so that running values stay in
/// registers over the rows.
RegisterTile tileRows(linalg::LinalgOp op, ArrayRef<int64_t> loops,
                      unsigned vectorLoop, int64_t lanes) {
  RegisterTile tile;
  tile.sizes.assign(loops.size(), 1);
  int64_t width = loops.size() == 1 ? 8 * lanes : 2 * lanes;
  tile.sizes[vectorLoop] = largestDivisor(
      loops[vectorLoop], {width, 4 * lanes, 2 * lanes, lanes, lanes / 2});
  if (tile.sizes[vectorLoop] > width)
    tile.sizes[vectorLoop] = 1;
  tile.interchange.push_back(vectorLoop);
  for (unsigned loop = 0; loop < loops.size(); ++loop)
    if (loop != vectorLoop)
      tile.interchange.push_back(loop);
  // The innermost other loop gets a few rows.
  if (loops.size() > 1) {
    unsigned rows = tile.interchange.back();
    tile.sizes[rows] = largestDivisor(loops[rows], {4, 2});
  }
  return tile;
}

/// A transpose works on square tiles, which lower to shuffles in registers.
std::optional<RegisterTile>
tileTranspose(linalg::LinalgOp op, ArrayRef<int64_t> loops, int64_t lanes) {
  if (loops.size() != 2 || op.getNumDpsInputs() != 1 ||
      op.getNumReductionLoops() != 0)
    return std::nullopt;
  AffineMap in = op.getMatchingIndexingMap(op.getDpsInputOperand(0));
  AffineMap out = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  if (!in.isPermutation() || !out.isPermutation() || in == out)
    return std::nullopt;
  int64_t size = std::min(largestDivisor(loops[0], {lanes, lanes / 2}),
                          largestDivisor(loops[1], {lanes, lanes / 2}));
  return RegisterTile{{size, size}, {0, 1}};
}

/// The dimensions of a contraction whose innermost output dimension is one of
/// B's: the others are no use of vectors.
std::optional<linalg::ContractionDimensions>
matchContraction(linalg::LinalgOp op) {
  FailureOr<linalg::ContractionDimensions> dims =
      linalg::inferContractionDims(op);
  if (failed(dims) || dims->m.empty() || dims->n.empty() || dims->k.empty() ||
      getVectorLoop(op) != dims->n.back())
    return std::nullopt;
  return *dims;
}

LogicalResult vectorizeOp(RewriterBase &rewriter, Operation *op) {
  rewriter.setInsertionPoint(op);
  FailureOr<linalg::VectorizationResult> vectorized = linalg::vectorize(
      rewriter, op, /*inputVectorSizes=*/{}, /*inputScalableVecDims=*/{},
      /*vectorizeNDExtract=*/false, /*flatten1DDepthwiseConv=*/false,
      /*assumeDynamicDimsMatchVecSizes=*/false,
      /*createNamedContraction=*/true);
  if (failed(vectorized))
    return failure();
  rewriter.replaceOp(op, vectorized->replacements);
  return success();
}

scf::SCFTilingOptions getTilingOptions(MLIRContext *context,
                                       ArrayRef<int64_t> sizes,
                                       ArrayRef<int64_t> interchange) {
  scf::SCFTilingOptions options;
  options.setTileSizes(getAsIndexOpFoldResult(context, sizes));
  options.setInterchange(interchange);
  return options;
}

/// Tiles `op` on tensors and vectorizes the tiles.
LogicalResult tileAndVectorize(RewriterBase &rewriter, linalg::LinalgOp op,
                               const RegisterTile &tile) {
  rewriter.setInsertionPoint(op);
  FailureOr<scf::SCFTilingResult> tiled = scf::tileUsingSCF(
      rewriter, cast<TilingInterface>(op.getOperation()),
      getTilingOptions(op.getContext(), tile.sizes, tile.interchange));
  if (failed(tiled))
    return failure();
  rewriter.replaceOp(op, tiled->replacements);
  for (Operation *inner : tiled->tiledOps)
    if (failed(vectorizeOp(rewriter, inner)))
      return failure();
  return success();
}

/// Tiles a contraction, computes what its destination starts from (a fill, a
/// scaled accumulator) in the registers of the tile, and vectorizes.
///
///   %c1 = linalg.fill ins(%zero) outs(%c)
///   %c2 = linalg.matmul ins(%a, %b : tensor<64x128xf32>, tensor<128x32xf32>)
///                       outs(%c1 : tensor<64x32xf32>)
/// becomes (512-bit vectors)
///   scf.for %m step 8 iter_args(%c0 = %c) {
///     %w = scf.for %k iter_args(%acc = dense<0.0> : vector<8x32xf32>) {
///       vector.contract (8x1) x (1x32) + %acc
///     }
///     vector.transfer_write %w, %c0
///   }
LogicalResult tileContractionAndVectorize(RewriterBase &rewriter,
                                          linalg::LinalgOp op,
                                          const RegisterTile &tile) {
  // Parallel loops first, so that the producers run once per tile.
  SmallVector<int64_t> parallel = tile.sizes, reduction = tile.sizes;
  for (auto [loop, type] : llvm::enumerate(op.getIteratorTypesArray()))
    (type == utils::IteratorType::reduction ? parallel : reduction)[loop] = 0;
  scf::SCFTileAndFuseOptions options;
  options.setTilingOptions(
      getTilingOptions(op.getContext(), parallel, tile.interchange));
  options.setFusionControlFn(
      [](tensor::ExtractSliceOp, OpResult, bool isDestination)
          -> std::optional<scf::SCFTileAndFuseOptions::ControlFnResult> {
        if (!isDestination)
          return std::nullopt;
        return scf::SCFTileAndFuseOptions::ControlFnResult{};
      });
  rewriter.setInsertionPoint(op);
  FailureOr<scf::SCFTileAndFuseResult> tiled =
      scf::tileConsumerAndFuseProducersUsingSCF(
          rewriter, cast<TilingInterface>(op.getOperation()), options);
  if (failed(tiled))
    return failure();
  for (OpResult result : op->getResults())
    rewriter.replaceAllUsesWith(result, tiled->replacements.lookup(result));
  rewriter.eraseOp(op);
  for (Operation *inner : tiled->tiledAndFusedOps) {
    auto linalgOp = dyn_cast<linalg::LinalgOp>(inner);
    if (!linalgOp)
      continue;
    LogicalResult done = linalgOp.getNumReductionLoops() == 0
                             ? vectorizeOp(rewriter, linalgOp)
                             : tileAndVectorize(rewriter, linalgOp,
                                                {reduction, tile.interchange});
    if (failed(done))
      return failure();
  }
  return success();
}

LogicalResult vectorizeTiles(RewriterBase &rewriter, linalg::LinalgOp op,
                             int64_t lanes) {
  SmallVector<int64_t> loops = op.getStaticLoopRanges();
  std::optional<unsigned> vectorLoop = getVectorLoop(op);
  if (loops.empty() || !vectorLoop)
    return failure();
  if (std::optional<linalg::ContractionDimensions> dims = matchContraction(op))
    return tileContractionAndVectorize(rewriter, op,
                                       tileContraction(loops, *dims, lanes));
  if (std::optional<RegisterTile> tile = tileTranspose(op, loops, lanes))
    return tileAndVectorize(rewriter, op, *tile);
  return tileAndVectorize(rewriter, op,
                          tileRows(op, loops, *vectorLoop, lanes));
}

bool isStaticTensorOp(linalg::LinalgOp op) {
  return op.hasPureTensorSemantics() && !op.hasDynamicShape() &&
         llvm::none_of(op->getOperandTypes(), [](Type type) {
           auto shaped = dyn_cast<ShapedType>(type);
           return shaped && shaped.getNumElements() == 0;
         });
}

struct VectorizeTilesPass
    : sparsek::impl::SparseKVectorizeTilesBase<VectorizeTilesPass> {
  using Base::Base;

  void runOnOperation() override {
    // Contractions first: they take in the producers of their destinations.
    SmallVector<linalg::LinalgOp> contractions, others;
    getOperation()->walk([&](linalg::LinalgOp op) {
      if (isStaticTensorOp(op))
        (matchContraction(op) ? contractions : others).push_back(op);
    });
    IRRewriter rewriter(&getContext());
    for (linalg::LinalgOp op :
         llvm::concat<linalg::LinalgOp>(contractions, others)) {
      if (isOpTriviallyDead(op)) {
        rewriter.eraseOp(op);
        continue;
      }
      // What has no vector form stays a linalg op, and becomes loops later.
      (void)vectorizeTiles(rewriter, op, vectorBits / 32);
    }
    if (failed(fold()))
      return signalPassFailure();
    hoist(rewriter);
    if (failed(fold()))
      return signalPassFailure();
  }

  /// Folds slices into transfers, so that hoisting sees one subset per value.
  LogicalResult fold() {
    RewritePatternSet patterns(&getContext());
    vector::TransferReadOp::getCanonicalizationPatterns(patterns,
                                                        &getContext());
    vector::TransferWriteOp::getCanonicalizationPatterns(patterns,
                                                         &getContext());
    scf::ForOp::getCanonicalizationPatterns(patterns, &getContext());
    tensor::ExtractSliceOp::getCanonicalizationPatterns(patterns,
                                                        &getContext());
    tensor::populateFoldTensorSubsetIntoVectorTransferPatterns(patterns);
    return applyPatternsGreedily(getOperation(), std::move(patterns));
  }

  /// Carries what a loop reads and writes at one place through iter_args.
  void hoist(RewriterBase &rewriter) {
    getOperation()->walk(
        [&](LoopLikeOpInterface loop) { moveLoopInvariantCode(loop); });
    getOperation()->walk([&](LoopLikeOpInterface loop) {
      (void)hoistLoopInvariantSubsets(rewriter, loop);
    });
  }
};

} // namespace
