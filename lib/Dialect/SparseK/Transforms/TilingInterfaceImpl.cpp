//===- TilingInterfaceImpl.cpp - Tiling of sparsek ops --------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sparsek/Dialect/SparseK/Transforms/TilingInterfaceImpl.h"

#include "sparsek/Dialect/SparseK/IR/SparseK.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Dialect/Utils/StructuredOpsUtils.h"
#include "mlir/Interfaces/TilingInterface.h"
#include "mlir/Interfaces/ValueBoundsOpInterface.h"

using namespace mlir;
using namespace mlir::sparsek;

namespace {

/// A box of a tensor, a memref or an iteration domain.
struct Box {
  SmallVector<OpFoldResult> offsets;
  SmallVector<OpFoldResult> sizes;

  void add(OpFoldResult offset, OpFoldResult size) {
    offsets.push_back(offset);
    sizes.push_back(size);
  }
};

} // namespace

static OpFoldResult getSize(OpBuilder &builder, Location loc, Value value,
                            int64_t dim) {
  if (isa<MemRefType>(value.getType()))
    return memref::getMixedSize(builder, loc, value, dim);
  return tensor::getMixedSize(builder, loc, value, dim);
}

static OpFoldResult apply(OpBuilder &builder, Location loc, AffineExpr expr,
                          ArrayRef<OpFoldResult> operands) {
  return affine::makeComposedFoldedAffineApply(builder, loc, expr, operands);
}

/// The whole of the dimensions of `value` from `box.sizes.size()` on.
static void addRemainingDims(OpBuilder &builder, Location loc, Value value,
                             Box &box) {
  int64_t rank = cast<ShapedType>(value.getType()).getRank();
  for (int64_t dim = box.sizes.size(); dim < rank; ++dim)
    box.add(builder.getIndexAttr(0), getSize(builder, loc, value, dim));
}

/// The part of a tensor or memref that is in `box`.
static Operation *slice(OpBuilder &builder, Location loc, Value value,
                        const Box &box) {
  SmallVector<OpFoldResult> strides(box.sizes.size(), builder.getIndexAttr(1));
  if (isa<MemRefType>(value.getType()))
    return memref::SubViewOp::create(builder, loc, value, box.offsets,
                                     box.sizes, strides);
  return tensor::ExtractSliceOp::create(builder, loc, value, box.offsets,
                                        box.sizes, strides);
}

/// Clones `op` with the slice of every operand that `boxes` holds.
static TilingResult createTile(OpBuilder &builder,
                               DestinationStyleOpInterface op,
                               ArrayRef<Box> boxes) {
  Location loc = op->getLoc();
  TilingResult result;
  SmallVector<Value> operands;
  for (auto [operand, box] : llvm::zip_equal(op->getOperands(), boxes)) {
    Operation *sliceOp = slice(builder, loc, operand, box);
    result.generatedSlices.push_back(sliceOp);
    operands.push_back(sliceOp->getResult(0));
  }
  SmallVector<Type> types;
  if (op.hasPureTensorSemantics())
    for (Value init : ArrayRef(operands).slice(
             op.getDpsInits().getBeginOperandIndex(), op.getNumDpsInits()))
      types.push_back(init.getType());
  Operation *tile = clone(builder, op, types, operands);
  result.tiledOps.push_back(tile);
  llvm::append_range(result.tiledValues, tile->getResults());
  return result;
}

/// [0, size) of the first `numLoops` dimensions of `value`.
static SmallVector<Range> getLeadingDomain(OpBuilder &builder, Location loc,
                                           Value value, int64_t numLoops) {
  SmallVector<Range> domain;
  for (int64_t dim = 0; dim < numLoops; ++dim)
    domain.push_back({builder.getIndexAttr(0),
                      getSize(builder, loc, value, dim),
                      builder.getIndexAttr(1)});
  return domain;
}

/// Whether the box is known to hold the whole of the dimensions of `value` from
/// `dim` on.
static bool isWholeFrom(Value value, int64_t dim,
                        ArrayRef<OpFoldResult> offsets,
                        ArrayRef<OpFoldResult> sizes) {
  int64_t rank = cast<ShapedType>(value.getType()).getRank();
  for (; dim < rank; ++dim) {
    FailureOr<bool> isWhole =
        ValueBoundsConstraintSet::areEqual(sizes[dim], {value, dim});
    if (!isZeroInteger(offsets[dim]) || failed(isWhole) || !*isWhole)
      return false;
  }
  return true;
}

//===----------------------------------------------------------------------===//
// Ops whose loops are the leading dimensions of their results
//===----------------------------------------------------------------------===//

namespace {

/// `Derived` gives the number of loops and the box of each operand.
template <typename Derived, typename OpTy>
class LeadingDimsTiling : public TilingInterface::ExternalModel<Derived, OpTy> {
  friend Derived;
  LeadingDimsTiling() = default;

public:
  SmallVector<utils::IteratorType> getLoopIteratorTypes(Operation *op) const {
    return SmallVector<utils::IteratorType>(
        Derived::getNumLoops(cast<OpTy>(op)), utils::IteratorType::parallel);
  }

  SmallVector<Range> getIterationDomain(Operation *op,
                                        OpBuilder &builder) const {
    auto dpsOp = cast<DestinationStyleOpInterface>(op);
    return getLeadingDomain(builder, op->getLoc(), dpsOp.getDpsInits().front(),
                            Derived::getNumLoops(cast<OpTy>(op)));
  }

  FailureOr<TilingResult>
  getTiledImplementation(Operation *op, OpBuilder &builder,
                         ArrayRef<OpFoldResult> offsets,
                         ArrayRef<OpFoldResult> sizes) const {
    SmallVector<Box> boxes;
    for (OpOperand &operand : op->getOpOperands())
      boxes.push_back(Derived::getOperandBox(builder, cast<OpTy>(op), operand,
                                             offsets, sizes));
    return createTile(builder, cast<DestinationStyleOpInterface>(op), boxes);
  }

  LogicalResult
  getResultTilePosition(Operation *op, OpBuilder &builder, unsigned number,
                        ArrayRef<OpFoldResult> offsets,
                        ArrayRef<OpFoldResult> sizes,
                        SmallVector<OpFoldResult> &resultOffsets,
                        SmallVector<OpFoldResult> &resultSizes) const {
    Value init = cast<DestinationStyleOpInterface>(op).getDpsInits()[number];
    Box box{llvm::to_vector(offsets), llvm::to_vector(sizes)};
    addRemainingDims(builder, op->getLoc(), init, box);
    resultOffsets = box.offsets;
    resultSizes = box.sizes;
    return success();
  }

  bool isOpFusableWithConsumerSlice(Operation *op, unsigned number,
                                    ArrayRef<OpFoldResult> offsets,
                                    ArrayRef<OpFoldResult> sizes) const {
    Value result = op->getResult(number);
    return isWholeFrom(result, Derived::getNumLoops(cast<OpTy>(op)), offsets,
                       sizes);
  }

  LogicalResult getIterationDomainTileFromResultTile(
      Operation *op, OpBuilder &, unsigned number,
      ArrayRef<OpFoldResult> offsets, ArrayRef<OpFoldResult> sizes,
      SmallVectorImpl<OpFoldResult> &domainOffsets,
      SmallVectorImpl<OpFoldResult> &domainSizes) const {
    // A part of a row would be computed with the whole row.
    if (!isOpFusableWithConsumerSlice(op, number, offsets, sizes))
      return failure();
    int64_t numLoops = Derived::getNumLoops(cast<OpTy>(op));
    domainOffsets.assign(offsets.begin(), offsets.begin() + numLoops);
    domainSizes.assign(sizes.begin(), sizes.begin() + numLoops);
    return success();
  }

  FailureOr<TilingResult>
  generateResultTileValue(Operation *op, OpBuilder &builder, unsigned number,
                          ArrayRef<OpFoldResult> offsets,
                          ArrayRef<OpFoldResult> sizes) const {
    SmallVector<OpFoldResult> domainOffsets, domainSizes;
    if (failed(getIterationDomainTileFromResultTile(
            op, builder, number, offsets, sizes, domainOffsets, domainSizes)))
      return failure();
    FailureOr<TilingResult> tile =
        getTiledImplementation(op, builder, domainOffsets, domainSizes);
    if (succeeded(tile))
      tile->tiledValues = {tile->tiledValues[number]};
    return tile;
  }
};

/// A row of scores per point: every operand is tiled in its leading dimensions.
template <typename OpTy>
struct RowTiling : LeadingDimsTiling<RowTiling<OpTy>, OpTy> {
  static int64_t getNumLoops(OpTy op) {
    return cast<ShapedType>(op.getScores().getType()).getRank() - 1;
  }
  static Box getOperandBox(OpBuilder &builder, OpTy op, OpOperand &operand,
                           ArrayRef<OpFoldResult> offsets,
                           ArrayRef<OpFoldResult> sizes) {
    Box box{llvm::to_vector(offsets), llvm::to_vector(sizes)};
    addRemainingDims(builder, op.getLoc(), operand.get(), box);
    return box;
  }
};

/// (b, h): a batch row of x, and a head of weight, bias and slope.
struct ScoreTiling : LeadingDimsTiling<ScoreTiling, ScoreOp> {
  static int64_t getNumLoops(ScoreOp) { return 2; }
  static Box getOperandBox(OpBuilder &builder, ScoreOp op, OpOperand &operand,
                           ArrayRef<OpFoldResult> offsets,
                           ArrayRef<OpFoldResult> sizes) {
    bool isX = &operand == &op.getXMutable();
    bool isScores = &operand == &op.getScoresMutable();
    Box box;
    if (isX || isScores)
      box.add(offsets[0], sizes[0]);
    if (!isX)
      box.add(offsets[1], sizes[1]);
    addRemainingDims(builder, op.getLoc(), operand.get(), box);
    return box;
  }
};

} // namespace

//===----------------------------------------------------------------------===//
// Query heads and kv heads
//===----------------------------------------------------------------------===//

/// Adds the query heads of the kv heads [offset, offset + size).
static void addQueryHeads(OpBuilder &builder, Location loc, int64_t group,
                          OpFoldResult offset, OpFoldResult size, Box &box) {
  AffineExpr heads = builder.getAffineDimExpr(0) * group;
  box.add(apply(builder, loc, heads, {offset}),
          apply(builder, loc, heads, {size}));
}

/// Adds the kv heads [h / G, ceil((h + s) / G)), which cover the query heads
/// [h, h + s).
static void addKvHeads(OpBuilder &builder, Location loc, int64_t group,
                       OpFoldResult offset, OpFoldResult size, Box &box) {
  AffineExpr h, s;
  bindDims(builder.getContext(), h, s);
  AffineExpr first = h.floorDiv(group);
  AffineExpr count = (h + s).ceilDiv(group) - first;
  box.add(apply(builder, loc, first, {offset, size}),
          apply(builder, loc, count, {offset, size}));
}

/// What was asked for of a result that was computed for whole groups of query
/// heads.
static Value cutGroups(OpBuilder &builder, Location loc, int64_t group,
                       Value value, ArrayRef<OpFoldResult> offsets,
                       ArrayRef<OpFoldResult> sizes) {
  if (group == 1)
    return value;
  AffineExpr skipped = builder.getAffineDimExpr(0) % group;
  Box wanted{SmallVector<OpFoldResult>(sizes.size(), builder.getIndexAttr(0)),
             llvm::to_vector(sizes)};
  wanted.offsets[1] = apply(builder, loc, skipped, {offsets[1]});
  return slice(builder, loc, value, wanted)->getResult(0);
}

namespace {

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

/// (b, h, r): batch, kv head, query row. A tile of kv heads takes the G times
/// larger slice of query heads. The queries [r, r + s) end at the position
/// r + s + (Nk - Nq), exclusive: cutting the keys there keeps the queries
/// aligned with the keys' end, and no query sees a key beyond.
struct AttentionTiling
    : TilingInterface::ExternalModel<AttentionTiling, SparseAttentionOp> {
  SmallVector<utils::IteratorType> getLoopIteratorTypes(Operation *) const {
    return SmallVector<utils::IteratorType>(3, utils::IteratorType::parallel);
  }

  SmallVector<Range> getIterationDomain(Operation *op,
                                        OpBuilder &builder) const {
    auto attention = cast<SparseAttentionOp>(op);
    SmallVector<Range> domain =
        getLeadingDomain(builder, op->getLoc(), attention.getKey(), 2);
    domain.push_back({builder.getIndexAttr(0),
                      getSize(builder, op->getLoc(), attention.getQuery(), 2),
                      builder.getIndexAttr(1)});
    return domain;
  }

  /// The slice of query, output or lse for a tile of the domain.
  static Box getQueryBox(OpBuilder &builder, SparseAttentionOp op, Value value,
                         ArrayRef<OpFoldResult> offsets,
                         ArrayRef<OpFoldResult> sizes) {
    Location loc = op.getLoc();
    Box box;
    box.add(offsets[0], sizes[0]);
    addQueryHeads(builder, loc, op.getGroupSize(), offsets[1], sizes[1], box);
    box.add(offsets[2], sizes[2]);
    addRemainingDims(builder, loc, value, box);
    return box;
  }

  /// max(0, r + s + (Nk - Nq)): the keys that the tile's last query may see.
  static OpFoldResult getNumKeys(OpBuilder &builder, SparseAttentionOp op,
                                 OpFoldResult offset, OpFoldResult size) {
    Location loc = op.getLoc();
    OpFoldResult queries = getSize(builder, loc, op.getQuery(), 2);
    OpFoldResult keys = getSize(builder, loc, op.getKey(), 2);
    AffineExpr r, s, nk, nq;
    bindDims(builder.getContext(), r, s, nk, nq);
    AffineMap map = AffineMap::get(
        4, 0, {r + s + nk - nq, builder.getAffineConstantExpr(0)},
        builder.getContext());
    return affine::makeComposedFoldedAffineMax(builder, loc, map,
                                               {offset, size, keys, queries});
  }

  /// The slice of an operand with one row per key.
  static Box getKeyBox(OpBuilder &builder, SparseAttentionOp op, Value value,
                       OpFoldResult numKeys, ArrayRef<OpFoldResult> offsets,
                       ArrayRef<OpFoldResult> sizes) {
    Box box;
    box.add(offsets[0], sizes[0]);
    box.add(offsets[1], sizes[1]);
    box.add(builder.getIndexAttr(0), numKeys);
    addRemainingDims(builder, op.getLoc(), value, box);
    return box;
  }

  FailureOr<TilingResult>
  getTiledImplementation(Operation *op, OpBuilder &builder,
                         ArrayRef<OpFoldResult> offsets,
                         ArrayRef<OpFoldResult> sizes) const {
    auto attention = cast<SparseAttentionOp>(op);
    OpFoldResult numKeys = getNumKeys(builder, attention, offsets[2], sizes[2]);
    SmallVector<Box> boxes;
    for (OpOperand &operand : op->getOpOperands()) {
      bool perQuery = &operand == &attention.getQueryMutable() ||
                      attention.isDpsInit(&operand);
      boxes.push_back(perQuery ? getQueryBox(builder, attention, operand.get(),
                                             offsets, sizes)
                               : getKeyBox(builder, attention, operand.get(),
                                           numKeys, offsets, sizes));
    }
    // The head counts of a tile may be dynamic, so it says its group size.
    int64_t group = attention.getGroupSize();
    TilingResult tile = createTile(builder, attention, boxes);
    cast<SparseAttentionOp>(tile.tiledOps.front()).setGroup(group);
    return tile;
  }

  LogicalResult
  getResultTilePosition(Operation *op, OpBuilder &builder, unsigned number,
                        ArrayRef<OpFoldResult> offsets,
                        ArrayRef<OpFoldResult> sizes,
                        SmallVector<OpFoldResult> &resultOffsets,
                        SmallVector<OpFoldResult> &resultSizes) const {
    auto attention = cast<SparseAttentionOp>(op);
    Box box = getQueryBox(builder, attention, attention.getDpsInits()[number],
                          offsets, sizes);
    resultOffsets = box.offsets;
    resultSizes = box.sizes;
    return success();
  }

  bool isOpFusableWithConsumerSlice(Operation *op, unsigned number,
                                    ArrayRef<OpFoldResult> offsets,
                                    ArrayRef<OpFoldResult> sizes) const {
    return isWholeFrom(op->getResult(number), /*dim=*/3, offsets, sizes);
  }

  LogicalResult getIterationDomainTileFromResultTile(
      Operation *op, OpBuilder &builder, unsigned number,
      ArrayRef<OpFoldResult> offsets, ArrayRef<OpFoldResult> sizes,
      SmallVectorImpl<OpFoldResult> &domainOffsets,
      SmallVectorImpl<OpFoldResult> &domainSizes) const {
    // A part of a head's output would be computed with the whole head.
    if (!isOpFusableWithConsumerSlice(op, number, offsets, sizes))
      return failure();
    Box domain;
    domain.add(offsets[0], sizes[0]);
    addKvHeads(builder, op->getLoc(),
               cast<SparseAttentionOp>(op).getGroupSize(), offsets[1], sizes[1],
               domain);
    domain.add(offsets[2], sizes[2]);
    domainOffsets = domain.offsets;
    domainSizes = domain.sizes;
    return success();
  }

  FailureOr<TilingResult>
  generateResultTileValue(Operation *op, OpBuilder &builder, unsigned number,
                          ArrayRef<OpFoldResult> offsets,
                          ArrayRef<OpFoldResult> sizes) const {
    SmallVector<OpFoldResult> domainOffsets, domainSizes;
    if (failed(getIterationDomainTileFromResultTile(
            op, builder, number, offsets, sizes, domainOffsets, domainSizes)))
      return failure();
    FailureOr<TilingResult> tile =
        getTiledImplementation(op, builder, domainOffsets, domainSizes);
    if (failed(tile))
      return failure();
    tile->tiledValues = {cutGroups(builder, op->getLoc(),
                                   cast<SparseAttentionOp>(op).getGroupSize(),
                                   tile->tiledValues[number], offsets, sizes)};
    return tile;
  }
};

//===----------------------------------------------------------------------===//
// The gradient of attention
//===----------------------------------------------------------------------===//

/// (b, h): batch, kv head. A tile of kv heads takes the G times larger slice of
/// query heads. Sequences stay whole: the gradients of the keys are sums over
/// the queries.
struct AttentionGradTiling
    : LeadingDimsTiling<AttentionGradTiling, SparseAttentionGradOp> {
  using Base = LeadingDimsTiling;

  static int64_t getNumLoops(SparseAttentionGradOp) { return 2; }

  SmallVector<Range> getIterationDomain(Operation *op,
                                        OpBuilder &builder) const {
    return getLeadingDomain(builder, op->getLoc(),
                            cast<SparseAttentionGradOp>(op).getKey(), 2);
  }

  static bool hasQueryHeads(SparseAttentionGradOp op, OpOperand &operand) {
    return llvm::is_contained({op.getQuery(), op.getOutput(), op.getLse(),
                               op.getGradOutput(), op.getGradLse(),
                               op.getGradQuery()},
                              operand.get());
  }

  static Box getOperandBox(OpBuilder &builder, SparseAttentionGradOp op,
                           OpOperand &operand, ArrayRef<OpFoldResult> offsets,
                           ArrayRef<OpFoldResult> sizes) {
    Box box;
    box.add(offsets[0], sizes[0]);
    if (hasQueryHeads(op, operand))
      addQueryHeads(builder, op.getLoc(), op.getGroupSize(), offsets[1],
                    sizes[1], box);
    else
      box.add(offsets[1], sizes[1]);
    addRemainingDims(builder, op.getLoc(), operand.get(), box);
    return box;
  }

  FailureOr<TilingResult>
  getTiledImplementation(Operation *op, OpBuilder &builder,
                         ArrayRef<OpFoldResult> offsets,
                         ArrayRef<OpFoldResult> sizes) const {
    // The head counts of a tile may be dynamic, so it says its group size.
    int64_t group = cast<SparseAttentionGradOp>(op).getGroupSize();
    FailureOr<TilingResult> tile =
        Base::getTiledImplementation(op, builder, offsets, sizes);
    if (succeeded(tile))
      cast<SparseAttentionGradOp>(tile->tiledOps.front()).setGroup(group);
    return tile;
  }

  LogicalResult
  getResultTilePosition(Operation *op, OpBuilder &builder, unsigned number,
                        ArrayRef<OpFoldResult> offsets,
                        ArrayRef<OpFoldResult> sizes,
                        SmallVector<OpFoldResult> &resultOffsets,
                        SmallVector<OpFoldResult> &resultSizes) const {
    auto gradient = cast<SparseAttentionGradOp>(op);
    OpOperand &init = *gradient.getDpsInitOperand(number);
    Box box = getOperandBox(builder, gradient, init, offsets, sizes);
    resultOffsets = box.offsets;
    resultSizes = box.sizes;
    return success();
  }

  LogicalResult getIterationDomainTileFromResultTile(
      Operation *op, OpBuilder &builder, unsigned number,
      ArrayRef<OpFoldResult> offsets, ArrayRef<OpFoldResult> sizes,
      SmallVectorImpl<OpFoldResult> &domainOffsets,
      SmallVectorImpl<OpFoldResult> &domainSizes) const {
    if (failed(Base::getIterationDomainTileFromResultTile(
            op, builder, number, offsets, sizes, domainOffsets, domainSizes)))
      return failure();
    if (number != 0)
      return success();
    Box domain;
    domain.add(offsets[0], sizes[0]);
    addKvHeads(builder, op->getLoc(),
               cast<SparseAttentionGradOp>(op).getGroupSize(), offsets[1],
               sizes[1], domain);
    domainOffsets = domain.offsets;
    domainSizes = domain.sizes;
    return success();
  }

  FailureOr<TilingResult>
  generateResultTileValue(Operation *op, OpBuilder &builder, unsigned number,
                          ArrayRef<OpFoldResult> offsets,
                          ArrayRef<OpFoldResult> sizes) const {
    SmallVector<OpFoldResult> domainOffsets, domainSizes;
    if (failed(getIterationDomainTileFromResultTile(
            op, builder, number, offsets, sizes, domainOffsets, domainSizes)))
      return failure();
    FailureOr<TilingResult> tile =
        getTiledImplementation(op, builder, domainOffsets, domainSizes);
    if (failed(tile))
      return failure();
    Value value = tile->tiledValues[number];
    if (number == 0)
      value = cutGroups(builder, op->getLoc(),
                        cast<SparseAttentionGradOp>(op).getGroupSize(), value,
                        offsets, sizes);
    tile->tiledValues = {value};
    return tile;
  }
};

} // namespace

void sparsek::registerTilingInterfaceExternalModels(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, SparseKDialect *) {
    context->getOrLoadDialect<affine::AffineDialect>();
    context->getOrLoadDialect<memref::MemRefDialect>();
    TopkMaskOp::attachInterface<RowTiling<TopkMaskOp>>(*context);
    CausalTopkMaskOp::attachInterface<RowTiling<CausalTopkMaskOp>>(*context);
    SparseAttentionOp::attachInterface<AttentionTiling>(*context);
    ScoreOp::attachInterface<ScoreTiling>(*context);
    TopkMaskGradOp::attachInterface<RowTiling<TopkMaskGradOp>>(*context);
    CausalTopkMaskGradOp::attachInterface<RowTiling<CausalTopkMaskGradOp>>(
        *context);
    SparseAttentionGradOp::attachInterface<AttentionGradTiling>(*context);
  });
}
