//===- AttentionToTile.cpp - sparse_attention to a launch -----------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sparsek/Conversion/SparseKToTile/Passes.h"

#include "AttentionKernel.h"
#include "AttentionReach.h"
#include "AttentionSchedule.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/SymbolTable.h"

#include <limits>

namespace mlir::sparsek {
#define GEN_PASS_DEF_CONVERTSPARSEKATTENTIONTOTILE
#include "sparsek/Conversion/SparseKToTile/Passes.h.inc"
} // namespace mlir::sparsek

using namespace mlir;
using namespace mlir::sparsek;

/// The function of the runtime that counts the current device's
/// multiprocessors.
static constexpr StringLiteral kNumMultiprocessors =
    "sparsek_gpu_num_multiprocessors";

namespace {

/// What a tile looks at: sparsek.live_lists' results.
struct ListBuffers {
  Value start, count, list;
};

struct AttentionToTilePass
    : sparsek::impl::ConvertSparseKAttentionToTileBase<AttentionToTilePass> {
  using Base::Base;

  void runOnOperation() override;

private:
  LogicalResult lower(SparseAttentionOp op, SymbolTable &symbols);
  FailureOr<AttentionSchedule> getSchedule(SparseAttentionOp op,
                                           const AttentionShape &shape);
  ListBuffers makeLists(ImplicitLocOpBuilder &b, SparseAttentionOp op,
                        int64_t queries);
  func::FuncOp getMultiprocessorFunction(SymbolTable &symbols);
};

} // namespace

void AttentionToTilePass::runOnOperation() {
  SymbolTable symbols(getOperation());
  SmallVector<SparseAttentionOp> ops;
  getOperation().walk([&](SparseAttentionOp op) { ops.push_back(op); });
  for (SparseAttentionOp op : ops)
    if (failed(lower(op, symbols)))
      return signalPassFailure();
}

/// The products' tiles: depths of whole instructions, accumulators of at most
/// 256 columns.
static LogicalResult checkHeadDims(SparseAttentionOp op,
                                   const AttentionShape &shape) {
  constexpr int64_t kMaxDim = 256;
  int64_t step = shape.getElementBytes() == 2 ? 16 : 8;
  for (int64_t dim : {shape.headDim, shape.valueDim})
    if (dim % step || dim > kMaxDim)
      return op.emitOpError("on the GPU expects head dimensions that are "
                            "multiples of ")
             << step << " up to " << kMaxDim << " in " << shape.elementType
             << ", got " << dim;
  return success();
}

FailureOr<AttentionSchedule>
AttentionToTilePass::getSchedule(SparseAttentionOp op,
                                 const AttentionShape &shape) {
  FailureOr<AttentionSchedule> schedule = getDefaultSchedule(shape, chip);
  if (failed(schedule))
    return op.emitOpError("has no tile that fits ")
           << chip << ": query and key have " << shape.headDim
           << " elements, value " << shape.valueDim;
  if (rows)
    schedule->rows = rows;
  if (keys)
    schedule->keys = keys;
  if (stages)
    schedule->stages = stages;
  if (producerRegisters)
    schedule->producerRegisters = producerRegisters;
  if (consumerRegisters)
    schedule->consumerRegisters = consumerRegisters;
  if (schedule->rows % (16 * schedule->groupWarps) || schedule->rows > 128)
    return op.emitOpError("expected option rows to be a multiple of ")
           << 16 * schedule->groupWarps << " up to 128, got " << schedule->rows;
  if (schedule->keys % 16 || schedule->keys > 128)
    return op.emitOpError(
               "expected option keys to be a multiple of 16 up to 128, got ")
           << schedule->keys;
  // Threads that ask for more than there is wait forever.
  int64_t share = 65536 / schedule->getThreads() / 8 * 8;
  int64_t asked =
      32 * (schedule->producerWarps * schedule->producerRegisters +
            schedule->getConsumerWarps() * schedule->consumerRegisters);
  if (asked > share * schedule->getThreads())
    return op.emitOpError("expected options for at most ")
           << share * schedule->getThreads()
           << " registers of a thread block, got " << asked;
  return schedule;
}

func::FuncOp
AttentionToTilePass::getMultiprocessorFunction(SymbolTable &symbols) {
  if (auto function = symbols.lookup<func::FuncOp>(kNumMultiprocessors))
    return function;
  OpBuilder builder(&getContext());
  auto function = func::FuncOp::create(
      builder, getOperation().getLoc(), kNumMultiprocessors,
      builder.getFunctionType({}, builder.getI32Type()));
  function.setPrivate();
  symbols.insert(function);
  return function;
}

ListBuffers AttentionToTilePass::makeLists(ImplicitLocOpBuilder &b,
                                           SparseAttentionOp op,
                                           int64_t queries) {
  Value numQueries = memref::DimOp::create(b, op.getQuery(), 2);
  Value tileSize = arith::ConstantIndexOp::create(b, queries);
  Value numTiles = arith::CeilDivUIOp::create(b, numQueries, tileSize);
  SmallVector<Value> sizes = {memref::DimOp::create(b, op.getEnd(), 0),
                              memref::DimOp::create(b, op.getEnd(), 1),
                              numTiles};
  int64_t dynamic = ShapedType::kDynamic;
  auto perTile = MemRefType::get({dynamic, dynamic, dynamic}, b.getI32Type());
  auto perEntry = MemRefType::get({dynamic, dynamic, dynamic, listCapacity},
                                  b.getI32Type());
  ListBuffers lists = {memref::AllocOp::create(b, perTile, sizes),
                       memref::AllocOp::create(b, perTile, sizes),
                       memref::AllocOp::create(b, perEntry, sizes)};
  LiveListsOp::create(b, TypeRange(), op.getEnd(), numQueries, lists.start,
                      lists.count, lists.list, queries);
  return lists;
}

/// One thread block for each tile, or as many as there are multiprocessors,
/// which go on from tile to tile. None where there are no tiles: nothing is
/// launched then.
static Value getGridSize(ImplicitLocOpBuilder &b, const ListBuffers &lists,
                         const AttentionShape &shape, func::FuncOp count) {
  Value tiles = arith::ConstantIndexOp::create(b, shape.getNumChunks());
  for (int64_t i = 0; i < 3; ++i)
    tiles = arith::MulIOp::create(b, tiles,
                                  memref::DimOp::create(b, lists.start, i));
  Value multiprocessors = arith::IndexCastOp::create(
      b, b.getIndexType(),
      func::CallOp::create(b, count, ValueRange()).getResult(0));
  return arith::MinUIOp::create(b, tiles, multiprocessors);
}

/// Sets all elements to a value, by way of contiguous memory: gpu.memset takes
/// no other.
static void fill(ImplicitLocOpBuilder &b, Value memref, double value) {
  auto type = cast<MemRefType>(memref.getType());
  SmallVector<Value> sizes;
  for (int64_t i = 0; i < type.getRank(); ++i)
    if (type.isDynamicDim(i))
      sizes.push_back(memref::DimOp::create(b, memref, i));
  auto dense = MemRefType::get(type.getShape(), type.getElementType());
  Value buffer = memref::AllocOp::create(b, dense, sizes);
  Value constant = arith::ConstantOp::create(
      b, b.getFloatAttr(type.getElementType(), value));
  gpu::MemsetOp::create(b, /*asyncToken=*/Type(), ValueRange(), buffer,
                        constant);
  memref::CopyOp::create(b, buffer, memref);
  memref::DeallocOp::create(b, buffer);
}

/// Goes on where there is a tile and a key, and `ok` holds. Kernels may read
/// the row of a first key and the lists of a first tile.
///   %some = arith.cmpi ne, %batches * %heads * %queries * %keys, 0
///   %runs = arith.andi %some, %ok
///   scf.if %runs { <goes on here> } else { output = 0, lse = -inf }
static void guard(ImplicitLocOpBuilder &b, SparseAttentionOp op, Value ok) {
  Value product = memref::DimOp::create(b, op.getKey(), 2);
  for (int64_t i = 0; i < 3; ++i)
    product = arith::MulIOp::create(b, product,
                                    memref::DimOp::create(b, op.getQuery(), i));
  Value some = arith::CmpIOp::create(b, arith::CmpIPredicate::ne, product,
                                     arith::ConstantIndexOp::create(b, 0));
  Value runs = arith::AndIOp::create(b, some, ok);
  auto branch = scf::IfOp::create(b, runs, /*withElseRegion=*/true);
  b.setInsertionPointToStart(branch.elseBlock());
  fill(b, op.getOutput(), 0);
  fill(b, op.getLse(), -std::numeric_limits<double>::infinity());
  b.setInsertionPointToStart(branch.thenBlock());
}

/// sparsek.sparse_attention ins(%q, %k, %v, %end) outs(%o, %lse)
///   ->
/// sparsek.live_lists ins(%end) outs(%start, %count, %list)
/// gpu.launch_func @kernels::@sparse_attention
///     args(%q, %k, %v, %end, %o, %lse, %start, %count, %list)
LogicalResult AttentionToTilePass::lower(SparseAttentionOp op,
                                         SymbolTable &symbols) {
  if (!isa<MemRefType>(op.getQuery().getType()))
    return op.emitOpError("on tensors: bufferize first");
  AttentionShape shape = getAttentionShape(op);
  if (failed(checkHeadDims(op, shape)))
    return failure();
  FailureOr<AttentionSchedule> schedule = getSchedule(op, shape);
  if (failed(schedule))
    return failure();

  ImplicitLocOpBuilder b(op.getLoc(), op);
  int64_t queries = schedule->getQueries(shape);
  guard(b, op, buildReachCheck(b, op, shape, queries, symbols));
  ListBuffers lists = makeLists(b, op, queries);
  SmallVector<Value> arguments = {op.getQuery(), op.getKey(), op.getValue(),
                                  op.getEnd()};
  if (op.isGated())
    llvm::append_values(arguments, op.getScores(), op.getTau());
  llvm::append_values(arguments, op.getOutput(), op.getLse(), lists.start,
                      lists.count, lists.list);
  if (schedule->bulk)
    for (Value tensor : {op.getKey(), op.getValue()})
      arguments.push_back(
          tile::EncodeTensorMapOp::create(b, tensor, schedule->keys));
  Value grid = getGridSize(b, lists, shape, getMultiprocessorFunction(symbols));

  getOperation()->setAttr(gpu::GPUDialect::getContainerModuleAttrName(),
                          b.getUnitAttr());
  gpu::GPUFuncOp kernel;
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToEnd(getOperation().getBody());
    auto kernels = gpu::GPUModuleOp::create(b, "sparse_attention_kernels");
    symbols.insert(kernels);
    b.setInsertionPointToStart(kernels.getBody());
    kernel = AttentionKernel(b, shape, *schedule)
                 .build("sparse_attention", ValueRange(arguments).getTypes());
  }
  Value one = arith::ConstantIndexOp::create(b, 1);
  Value threads = arith::ConstantIndexOp::create(b, schedule->getThreads());
  gpu::LaunchFuncOp::create(b, kernel, gpu::KernelDim3{grid, one, one},
                            gpu::KernelDim3{threads, one, one},
                            /*dynamicSharedMemorySize=*/Value(), arguments);
  for (Value buffer : {lists.start, lists.count, lists.list})
    memref::DeallocOp::create(b, buffer);
  op.erase();
  return success();
}
