//===- BlockBuilder.cpp - Emission of GPU code, warp by warp --------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "BlockBuilder.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace mlir::sparsek;

gpu::GPUFuncOp sparsek::createKernel(gpu::GPUModuleOp module, Location loc,
                                     StringRef name, TypeRange arguments,
                                     TypeRange workgroup, int64_t numWarps,
                                     int64_t numBlocks) {
  auto builder = OpBuilder::atBlockEnd(module.getBody());
  auto type = builder.getFunctionType(arguments, {});
  auto kernel = gpu::GPUFuncOp::create(builder, loc, name, type, workgroup);
  kernel->setAttr(gpu::GPUDialect::getKernelFuncAttrName(),
                  builder.getUnitAttr());
  kernel.setKnownBlockSizeAttr(builder.getDenseI32ArrayAttr(
      {static_cast<int32_t>(numWarps * kWarpSize), 1, 1}));
  kernel->setAttr(NVVM::NVVMDialect::getMinctasmAttrName(),
                  builder.getI32IntegerAttr(numBlocks));
  return kernel;
}

MemRefType sparsek::getWorkgroupType(MLIRContext *context,
                                     ArrayRef<int64_t> shape,
                                     Type elementType) {
  auto space =
      gpu::AddressSpaceAttr::get(context, gpu::AddressSpace::Workgroup);
  return MemRefType::get(shape, elementType, MemRefLayoutAttrInterface(),
                         space);
}

BlockBuilder::BlockBuilder(gpu::GPUFuncOp kernel, int64_t numWarps)
    : KernelBuilder(kernel.getLoc(),
                    OpBuilder::atBlockEnd(&kernel.getBody().front())),
      numWarps(numWarps) {
  Value id = gpu::ThreadIdOp::create(*this, gpu::Dimension::x);
  thread = toInteger(id, 32);
  warp = shiftRight(thread, 5);
  lane = bitAnd(thread, i32(kWarpSize - 1));
  Value bit = arith::ShLIOp::create(*this, i32(1), lane);
  lanesBelow = sub(bit, i32(1));
}

void BlockBuilder::finish() { gpu::ReturnOp::create(*this); }

Value BlockBuilder::blockIndex(gpu::Dimension dimension) {
  return gpu::BlockIdOp::create(*this, dimension);
}

SmallVector<Value> BlockBuilder::toIndices(ValueRange values) {
  // Zero extension: the hardware has it for free in an address.
  return llvm::map_to_vector(values, [&](Value value) -> Value {
    if (value.getType().isIndex())
      return value;
    return arith::IndexCastUIOp::create(*this, getIndexType(), value);
  });
}

Value BlockBuilder::slice(Value memref, ValueRange indices) {
  auto type = cast<MemRefType>(memref.getType());
  SmallVector<OpFoldResult> offsets = getAsOpFoldResult(toIndices(indices));
  SmallVector<OpFoldResult> sizes =
      memref::getMixedSizes(*this, getLoc(), memref);
  SmallVector<OpFoldResult> strides(type.getRank(), getIndexAttr(1));
  offsets.resize(type.getRank(), getIndexAttr(0));
  std::fill_n(sizes.begin(), indices.size(), getIndexAttr(1));
  auto resultType = memref::SubViewOp::inferRankReducedResultType(
      type.getShape().drop_front(indices.size()), type, offsets, sizes,
      strides);
  return memref::SubViewOp::create(*this, resultType, memref, offsets, sizes,
                                   strides);
}

Value BlockBuilder::loadAt(Value memref, ValueRange indices) {
  return load(memref, toIndices(indices));
}

void BlockBuilder::storeAt(Value value, Value memref, ValueRange indices) {
  store(value, memref, toIndices(indices));
}

Value BlockBuilder::ceilDiv(Value value, int64_t divisorLog2) {
  Value rounded = add(value, i32((int64_t(1) << divisorLog2) - 1));
  return shiftRight(rounded, divisorLog2);
}

//===----------------------------------------------------------------------===//
// Each warp
//===----------------------------------------------------------------------===//

Value BlockBuilder::ballot(Value condition) {
  return NVVM::VoteSyncOp::create(*this, getI32Type(), i32(-1), condition,
                                  NVVM::VoteSyncKind::ballot);
}

Value BlockBuilder::countBits(Value mask) {
  return math::CtPopOp::create(*this, mask);
}

Value BlockBuilder::lowestBit(Value mask) {
  return math::CountTrailingZerosOp::create(*this, mask);
}

Value BlockBuilder::highestBit(Value mask) {
  Value zeros = math::CountLeadingZerosOp::create(*this, mask);
  return sub(i32(kWarpSize - 1), zeros);
}

Value BlockBuilder::rankIn(Value mask) {
  return countBits(bitAnd(mask, lanesBelow));
}

Value BlockBuilder::warpMax(Value value) {
  return NVVM::ReduxOp::create(*this, value.getType(), value,
                               NVVM::ReduxKind::MAX, i32(-1));
}

Value BlockBuilder::warpMin(Value value) {
  return NVVM::ReduxOp::create(*this, value.getType(), value,
                               NVVM::ReduxKind::MIN, i32(-1));
}

//===----------------------------------------------------------------------===//
// The block
//===----------------------------------------------------------------------===//

void BlockBuilder::barrier() { gpu::BarrierOp::create(*this); }

BlockBuilder::Scan BlockBuilder::scanWarps(Value count, Value scratch) {
  when(cmp(IntPredicate::eq, lane, i32(0)),
       [&] { storeAt(count, scratch, warp); });
  barrier();
  Scan scan = {i32(0), i32(0)};
  for (int64_t i = 0; i < numWarps; ++i) {
    Value other = loadAt(scratch, i32(i));
    scan.before = add(scan.before, select(less(i32(i), warp), other, i32(0)));
    scan.total = add(scan.total, other);
  }
  return scan;
}

Value BlockBuilder::compact(ArrayRef<Vote> votes, Value scratch,
                            function_ref<void(size_t, Value)> sink) {
  Values counts;
  Value sum = i32(0);
  for (const Vote &vote : votes) {
    counts.push_back(countBits(vote.mask));
    sum = add(sum, counts.back());
  }
  Scan scan = scanWarps(sum, scratch);
  Value before = scan.before;
  for (auto [item, vote] : llvm::enumerate(votes)) {
    when(vote.mine, [&, item = item, mask = vote.mask] {
      sink(item, add(before, rankIn(mask)));
    });
    before = add(before, counts[item]);
  }
  barrier();
  return scan.total;
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

void BlockBuilder::forEach(Value lower, Value upper, int64_t step,
                           function_ref<void(Value)> body) {
  scf::ForOp::create(*this, lower, upper, i32(step), ValueRange(),
                     [&](OpBuilder &, Location, Value i, ValueRange) {
                       body(i);
                       scf::YieldOp::create(*this);
                     });
}

Value BlockBuilder::loopUpTo(Value lower, Value upper, Value step, Value state,
                             Value limit,
                             function_ref<Value(Value, Value)> body) {
  Values last = loopWhile(
      {lower, state}, /*extraTypes=*/{},
      [&](ValueRange values) -> Test {
        Value more = less(values[0], upper);
        Value goOn = cmp(IntPredicate::sle, values[1], limit);
        return {bothOf(more, goOn), {}};
      },
      [&](ValueRange values, ValueRange) -> Values {
        Value next = body(values[0], values[1]);
        return {add(values[0], step), next};
      });
  return last[1];
}

Value BlockBuilder::loopBits(Value mask, int64_t items, Value state,
                             Value limit,
                             function_ref<Value(ValueRange, Value)> body) {
  Values last = loopWhile(
      {mask, state}, /*extraTypes=*/{},
      [&](ValueRange values) -> Test {
        Value more = cmp(IntPredicate::ne, values[0], i32(0));
        Value goOn = cmp(IntPredicate::sle, values[1], limit);
        return {bothOf(more, goOn), {}};
      },
      [&](ValueRange values, ValueRange) -> Values {
        Value others = values[0];
        Values bits;
        for (int64_t item = 0; item < items; ++item) {
          bits.push_back(lowestBit(others));
          others = bitAnd(others, sub(others, i32(1)));
        }
        return {others, body(bits, values[1])};
      });
  return last[1];
}
