//===- Machine.h - Runs distributed kernels in the tests --------*- C++ -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEK_UNITTESTS_TILE_MACHINE_H
#define SPARSEK_UNITTESTS_TILE_MACHINE_H

#include "sparsek/Dialect/Tile/IR/Tile.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "llvm/ADT/BitVector.h"

#include <cstring>
#include <vector>

namespace mlir::sparsek::tile {

/// Bytes at addresses from `start` on.
struct Memory {
  uint64_t start;
  std::vector<uint8_t> bytes;

  template <typename T> T read(uint64_t offset) const {
    T value;
    std::memcpy(&value, bytes.data() + offset, sizeof(T));
    return value;
  }
  template <typename T> void write(uint64_t offset, T value) {
    std::memcpy(bytes.data() + offset, &value, sizeof(T));
  }
};

/// A memref argument of a kernel: an offset in bytes in device memory, the
/// offset and the strides of the memref in elements.
struct Buffer {
  uint64_t place;
  int64_t offset;
  SmallVector<int64_t> strides;
};

/// Runs what `-tile-distribute` makes: all threads of a group in step, one role
/// after the other. Arithmetic is that of the folders; what exchanges data
/// between threads or touches memory is done here. Accesses that are not
/// aligned or out of bounds, shuffles in divergent code and unknown ops fail
/// the running test.
class Machine {
public:
  /// Byte values of memory that nothing was written to.
  static constexpr uint8_t kUntouched = 0xAA;

  Machine(size_t globalBytes, size_t sharedBytes)
      : global{uint64_t(1) << 40, std::vector<uint8_t>(globalBytes)},
        shared{1024, std::vector<uint8_t>(sharedBytes, kUntouched)} {}

  /// Device memory, beyond 32 bits, and shared memory, in which the buffers of
  /// a kernel follow each other at multiples of 1024 bytes.
  Memory global, shared;

  /// Distributes and runs the kernel of a gpu.module in `source`.
  void run(StringRef source, ArrayRef<Buffer> arguments);

private:
  using Threads = llvm::BitVector;

  void bind(gpu::GPUFuncOp kernel, ArrayRef<Buffer> arguments);
  void runRole(RoleOp role, Block &kernel);
  void runBlock(Block &block, const Threads &active);
  void runOp(Operation *op, const Threads &active);
  void runIf(Operation *op, const Threads &active);
  void shuffle(Operation *op, const Threads &active);
  void vote(Operation *op, const Threads &active);
  void loadMatrices(Operation *op, const Threads &active);
  void runThread(Operation *op, size_t thread);
  SmallVector<Attribute> evaluate(Operation *op, size_t thread);
  SmallVector<Attribute> fold(Operation *op, size_t thread);
  SmallVector<Attribute> describe(Operation *op);

  Attribute get(Value value, size_t thread);
  int64_t getInt(Value value, size_t thread);
  void set(Value value, size_t thread, Attribute attribute);

  uint8_t *access(uint64_t address, uint64_t size);
  Attribute load(uint64_t address, Type type);
  void store(uint64_t address, Attribute value);
  uint64_t getAddress(Value memref, OperandRange indices, size_t thread);

  DenseMap<Value, Buffer> buffers;
  DenseMap<Value, uint64_t> sharedAddresses;
  DenseMap<Value, SmallVector<Attribute>> values;
  size_t numThreads = 0;
  /// Where accesses that failed go.
  std::vector<uint8_t> scratch;
};

} // namespace mlir::sparsek::tile

#endif // SPARSEK_UNITTESTS_TILE_MACHINE_H
