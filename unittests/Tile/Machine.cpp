//===- Machine.cpp - Runs distributed kernels in the tests ----------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Machine.h"

#include "sparsek/Dialect/Tile/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

#include "gtest/gtest.h"

using namespace mlir;
using namespace mlir::sparsek::tile;

//===----------------------------------------------------------------------===//
// Values: an attribute per thread
//===----------------------------------------------------------------------===//

/// The elements of a value, a scalar being one, as bits.
static SmallVector<APInt> getBits(Attribute value) {
  if (auto integer = dyn_cast<IntegerAttr>(value))
    return {integer.getValue()};
  if (auto real = dyn_cast<FloatAttr>(value))
    return {real.getValue().bitcastToAPInt()};
  SmallVector<APInt> bits;
  for (Attribute element :
       cast<DenseElementsAttr>(value).getValues<Attribute>())
    llvm::append_range(bits, getBits(element));
  return bits;
}

static Attribute makeScalar(Type type, const APInt &bits) {
  if (auto real = dyn_cast<FloatType>(type))
    return FloatAttr::get(type, APFloat(real.getFloatSemantics(), bits));
  return IntegerAttr::get(type, bits);
}

/// See getBits.
static Attribute makeValue(Type type, ArrayRef<APInt> bits) {
  auto vector = dyn_cast<VectorType>(type);
  if (!vector)
    return makeScalar(type, bits.front());
  SmallVector<Attribute> elements;
  for (const APInt &element : bits)
    elements.push_back(makeScalar(vector.getElementType(), element));
  return DenseElementsAttr::get(vector, elements);
}

static Attribute makeInt(Type type, int64_t value) {
  return IntegerAttr::get(type, value);
}

Attribute Machine::get(Value value, size_t thread) {
  ArrayRef<Attribute> known = values[value];
  if (known.empty() || !known[thread]) {
    ADD_FAILURE() << "thread " << thread << " reads a value that it did not "
                  << "compute: " << llvm::formatv("{0}", value).str();
    set(value, thread,
        Builder(value.getContext()).getZeroAttr(value.getType()));
  }
  return values[value][thread];
}

int64_t Machine::getInt(Value value, size_t thread) {
  return getBits(get(value, thread)).front().getZExtValue();
}

void Machine::set(Value value, size_t thread, Attribute attribute) {
  values[value].resize(numThreads);
  values[value][thread] = attribute;
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

uint8_t *Machine::access(uint64_t address, uint64_t size) {
  EXPECT_EQ(address % size, 0u) << "not aligned";
  for (Memory *memory : {&global, &shared})
    if (address >= memory->start &&
        address + size <= memory->start + memory->bytes.size())
      return memory->bytes.data() + (address - memory->start);
  ADD_FAILURE() << size << " bytes out of bounds at " << address;
  scratch.resize(size);
  return scratch.data();
}

static unsigned getElementBits(Type type) {
  return getElementTypeOrSelf(type).getIntOrFloatBitWidth();
}

Attribute Machine::load(uint64_t address, Type type) {
  unsigned bits = getElementBits(type);
  auto vector = dyn_cast<VectorType>(type);
  int64_t size = vector ? vector.getNumElements() : 1;
  const uint8_t *bytes = access(address, size * bits / 8);
  SmallVector<APInt> elements;
  for (int64_t i = 0; i < size; ++i) {
    uint64_t word = 0;
    std::memcpy(&word, bytes + i * bits / 8, bits / 8);
    elements.push_back(APInt(bits, word));
  }
  return makeValue(type, elements);
}

void Machine::store(uint64_t address, Attribute value) {
  SmallVector<APInt> elements = getBits(value);
  size_t bytes = elements.front().getBitWidth() / 8;
  uint8_t *place = access(address, elements.size() * bytes);
  for (auto [i, element] : llvm::enumerate(elements)) {
    uint64_t word = element.getZExtValue();
    std::memcpy(place + i * bytes, &word, bytes);
  }
}

uint64_t Machine::getAddress(Value memref, OperandRange indices,
                             size_t thread) {
  const Buffer &buffer = buffers[memref];
  int64_t element = buffer.offset;
  for (auto [index, stride] : llvm::zip_equal(indices, buffer.strides))
    element += getInt(index, thread) * stride;
  return global.start + buffer.place +
         element * getElementBits(cast<MemRefType>(memref.getType())) / 8;
}

//===----------------------------------------------------------------------===//
// Ops of one thread
//===----------------------------------------------------------------------===//

/// Arithmetic.
SmallVector<Attribute> Machine::fold(Operation *op, size_t thread) {
  SmallVector<Attribute> operands;
  for (Value operand : op->getOperands())
    operands.push_back(get(operand, thread));
  SmallVector<OpFoldResult> folded;
  SmallVector<Attribute> results;
  if (succeeded(op->fold(operands, folded)))
    for (OpFoldResult result : folded)
      results.push_back(isa<Attribute>(result)
                            ? cast<Attribute>(result)
                            : get(cast<Value>(result), thread));
  return results;
}

/// memref.extract_strided_metadata: all results but the memref.
SmallVector<Attribute> Machine::describe(Operation *op) {
  auto metadata = cast<memref::ExtractStridedMetadataOp>(op);
  const Buffer buffer = buffers[metadata.getSource()];
  buffers[metadata.getBaseBuffer()] = {buffer.place, 0, {}};
  Type index = IndexType::get(op->getContext());
  SmallVector<Attribute> results{Attribute(), makeInt(index, buffer.offset)};
  // Nothing asks for sizes.
  results.append(buffer.strides.size(), Attribute());
  for (int64_t stride : buffer.strides)
    results.push_back(makeInt(index, stride));
  return results;
}

/// The results of `op`; none if it is unknown or only has effects.
SmallVector<Attribute> Machine::evaluate(Operation *op, size_t thread) {
  using Results = SmallVector<Attribute>;
  Type i32 = IntegerType::get(op->getContext(), 32);
  Type type = op->getNumResults() ? op->getResult(0).getType() : Type();
  auto bitsOf = [&](Value value) { return getBits(get(value, thread)); };
  return TypeSwitch<Operation *, Results>(op)
      .Case([&](ThreadIdOp) { return Results{makeInt(i32, thread)}; })
      .Case([&](AddressOp address) {
        return Results{makeInt(i32, sharedAddresses[address.getSource()])};
      })
      .Case([&](memref::ExtractStridedMetadataOp) { return describe(op); })
      .Case([&](memref::ExtractAlignedPointerAsIndexOp pointer) {
        uint64_t place = buffers[pointer.getSource()].place;
        return Results{makeInt(type, global.start + place)};
      })
      .Case<LLVM::InlineAsmOp, LLVM::IntToPtrOp>(
          [&](Operation *) { return Results{get(op->getOperand(0), thread)}; })
      .Case([&](LLVM::LoadOp read) {
        return Results{load(getInt(read.getAddr(), thread), type)};
      })
      .Case([&](memref::LoadOp read) {
        return Results{load(
            getAddress(read.getMemRef(), read.getIndices(), thread), type)};
      })
      .Case([&](vector::LoadOp read) {
        return Results{
            load(getAddress(read.getBase(), read.getIndices(), thread), type)};
      })
      .Case([&](LLVM::ExtractValueOp extract) {
        auto elements = cast<ArrayAttr>(get(extract.getContainer(), thread));
        return Results{elements[extract.getPosition().front()]};
      })
      .Case([&](vector::ToElementsOp elements) {
        Results results;
        for (const APInt &bits : bitsOf(elements.getSource()))
          results.push_back(makeScalar(getElementTypeOrSelf(type), bits));
        return results;
      })
      .Case([&](vector::FromElementsOp) {
        SmallVector<APInt> bits;
        for (Value element : op->getOperands())
          llvm::append_range(bits, bitsOf(element));
        return Results{makeValue(type, bits)};
      })
      .Case([&](vector::BroadcastOp broadcast) {
        SmallVector<APInt> bits(cast<VectorType>(type).getNumElements(),
                                bitsOf(broadcast.getSource()).front());
        return Results{makeValue(type, bits)};
      })
      .Case([&](vector::ShuffleOp shuffle) {
        SmallVector<APInt> source = bitsOf(shuffle.getV1());
        llvm::append_range(source, bitsOf(shuffle.getV2()));
        SmallVector<APInt> bits;
        for (int64_t position : shuffle.getMask())
          bits.push_back(source[position]);
        return Results{makeValue(type, bits)};
      })
      .Case([&](vector::BitCastOp cast) {
        // Little endian, to elements of twice or half the bits.
        unsigned to = getElementBits(type);
        SmallVector<APInt> bits;
        SmallVector<APInt> source = bitsOf(cast.getSource());
        unsigned from = source.front().getBitWidth();
        for (size_t i = 0; i < source.size(); i += std::max(1u, to / from)) {
          if (to > from)
            bits.push_back(source[i + 1].concat(source[i]));
          else
            for (unsigned bit = 0; bit < from; bit += to)
              bits.push_back(source[i].extractBits(to, bit));
        }
        return Results{makeValue(type, bits)};
      })
      .Default([&](Operation *) { return fold(op, thread); });
}

void Machine::runThread(Operation *op, size_t thread) {
  if (auto write = dyn_cast<LLVM::StoreOp>(op))
    return store(getInt(write.getAddr(), thread),
                 get(write.getValue(), thread));
  if (auto write = dyn_cast<memref::StoreOp>(op))
    return store(getAddress(write.getMemRef(), write.getIndices(), thread),
                 get(write.getValue(), thread));
  if (auto copy = dyn_cast<NVVM::CpAsyncOp>(op)) {
    size_t size = copy.getSize();
    uint8_t *dest = access(getInt(copy.getDst(), thread), size);
    std::memcpy(dest, access(getInt(copy.getSrc(), thread), size), size);
    return;
  }
  SmallVector<Attribute> results = evaluate(op, thread);
  if (results.size() != op->getNumResults()) {
    ADD_FAILURE() << "cannot run " << llvm::formatv("{0}", *op).str();
    return;
  }
  for (auto [result, value] : llvm::zip_equal(op->getResults(), results))
    set(result, thread, value);
}

//===----------------------------------------------------------------------===//
// Ops of several threads
//===----------------------------------------------------------------------===//

void Machine::runIf(Operation *op, const Threads &active) {
  auto branch = cast<scf::IfOp>(op);
  Threads then(numThreads), otherwise(numThreads);
  for (size_t thread : active.set_bits())
    (getInt(branch.getCondition(), thread) ? then : otherwise).set(thread);
  for (auto [region, threads] : {std::pair(&branch.getThenRegion(), then),
                                 std::pair(&branch.getElseRegion(), otherwise)})
    if (!region->empty() && threads.any()) {
      runBlock(region->front(), threads);
      Operation *yield = region->front().getTerminator();
      for (auto [result, value] :
           llvm::zip_equal(op->getResults(), yield->getOperands()))
        for (size_t thread : threads.set_bits())
          set(result, thread, get(value, thread));
    }
}

void Machine::shuffle(Operation *op, const Threads &active) {
  auto shuffle = cast<NVVM::ShflOp>(op);
  EXPECT_EQ(shuffle.getKind(), NVVM::ShflKind::bfly);
  EXPECT_TRUE(active.all()) << "a shuffle in divergent code";
  for (size_t thread : active.set_bits())
    set(shuffle.getRes(), thread,
        get(shuffle.getVal(), thread ^ getInt(shuffle.getOffset(), thread)));
}

void Machine::vote(Operation *op, const Threads &active) {
  auto vote = cast<NVVM::VoteSyncOp>(op);
  EXPECT_EQ(vote.getKind(), NVVM::VoteSyncKind::any);
  EXPECT_TRUE(active.all()) << "a vote in divergent code";
  for (size_t warp = 0; warp < numThreads; warp += kWarpThreads) {
    auto lanes = llvm::seq<size_t>(warp, warp + kWarpThreads);
    bool any = llvm::any_of(
        lanes, [&](size_t thread) { return getInt(vote.getPred(), thread); });
    for (size_t thread : lanes)
      set(vote.getRes(), thread, BoolAttr::get(op->getContext(), any));
  }
}

/// nvvm.ldmatrix, 4 matrices of 8 x 8 16-bit elements: lane `8 m + r` names row
/// `r` of matrix `m`, whose word `t` goes to lane `4 r + t`.
void Machine::loadMatrices(Operation *op, const Threads &active) {
  EXPECT_TRUE(active.all()) << "ldmatrix in divergent code";
  auto matrices = cast<NVVM::LdMatrixOp>(op);
  Builder b(op->getContext());
  for (size_t thread : active.set_bits()) {
    size_t warp = thread / kWarpThreads * kWarpThreads;
    size_t lane = thread % kWarpThreads;
    SmallVector<Attribute> words;
    for (size_t matrix = 0; matrix < 4; ++matrix) {
      size_t source = warp + 8 * matrix + lane / 4;
      const uint8_t *row = access(getInt(matrices.getPtr(), source), 16);
      uint32_t word;
      std::memcpy(&word, row + lane % 4 * 4, sizeof(word));
      words.push_back(b.getI32IntegerAttr(static_cast<int32_t>(word)));
    }
    set(matrices.getRes(), thread, b.getArrayAttr(words));
  }
}

void Machine::runOp(Operation *op, const Threads &active) {
  if (isa<scf::IfOp>(op))
    return runIf(op, active);
  if (isa<NVVM::ShflOp>(op))
    return shuffle(op, active);
  if (isa<NVVM::VoteSyncOp>(op))
    return vote(op, active);
  if (isa<NVVM::LdMatrixOp>(op))
    return loadMatrices(op, active);
  // Threads are in step, terminators are the business of their ops.
  if (isa<NVVM::SyncWarpOp, scf::YieldOp>(op))
    return;
  for (size_t thread : active.set_bits())
    runThread(op, thread);
}

void Machine::runBlock(Block &block, const Threads &active) {
  for (Operation &op : block)
    runOp(&op, active);
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

/// Gives the arguments and the buffers in shared memory their addresses.
void Machine::bind(gpu::GPUFuncOp kernel, ArrayRef<Buffer> arguments) {
  ASSERT_EQ(kernel.getNumArguments(), arguments.size());
  for (auto [argument, buffer] :
       llvm::zip_equal(kernel.getArguments(), arguments))
    buffers[argument] = buffer;
  uint64_t next = shared.start;
  kernel.walk([&](AllocOp alloc) {
    sharedAddresses[alloc.getResult()] = next;
    next += llvm::alignTo(alloc.getResult().getType().getBytes(), 1024);
  });
}

/// One group of the role.
void Machine::runRole(RoleOp role, Block &kernel) {
  numThreads = role.getGroupWarps() * kWarpThreads;
  Threads all(numThreads, true);
  values.clear();
  for (Operation &op : kernel)
    if (isa<arith::ConstantOp>(op))
      runOp(&op, all);
  runBlock(role.getBody().front(), all);
}

void Machine::run(StringRef source, ArrayRef<Buffer> arguments) {
  MLIRContext context(MLIRContext::Threading::DISABLED);
  context
      .loadDialect<TileDialect, arith::ArithDialect, gpu::GPUDialect,
                   LLVM::LLVMDialect, memref::MemRefDialect, NVVM::NVVMDialect,
                   scf::SCFDialect, vector::VectorDialect>();
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(source, &context);
  ASSERT_TRUE(module);
  PassManager pm(&context);
  pm.addPass(createTileInferLayouts());
  pm.addPass(createTileDistribute());
  ASSERT_TRUE(succeeded(pm.run(*module)));
  module->walk([&](gpu::GPUFuncOp kernel) {
    bind(kernel, arguments);
    kernel.walk([&](RoleOp role) { runRole(role, kernel.getBody().front()); });
  });
}
