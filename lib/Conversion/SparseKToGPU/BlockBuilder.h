//===- BlockBuilder.h - Emission of GPU code, warp by warp ------*- C++ -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LIB_CONVERSION_SPARSEKTOGPU_BLOCKBUILDER_H
#define LIB_CONVERSION_SPARSEKTOGPU_BLOCKBUILDER_H

#include "../SparseKToSCF/KernelBuilder.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"

namespace mlir::sparsek {

/// The lanes of a warp, which are the bits of a ballot.
inline constexpr int64_t kWarpSize = 32;

/// A kernel without a body at the end of `module`, for blocks of `numWarps`
/// warps, with the shared buffers `workgroup`. Its registers are few enough for
/// `numBlocks` blocks on a multiprocessor at a time.
gpu::GPUFuncOp createKernel(gpu::GPUModuleOp module, Location loc,
                            StringRef name, TypeRange arguments,
                            TypeRange workgroup, int64_t numWarps,
                            int64_t numBlocks);

/// A buffer in shared memory.
MemRefType getWorkgroupType(MLIRContext *context, ArrayRef<int64_t> shape,
                            Type elementType);

/// Emits the code of a thread of a kernel. Integers are i32 and not negative
/// where they index memory. What "each warp" or "the block" does must be
/// emitted where all threads of the warp or of the block arrive.
class BlockBuilder : public KernelBuilder {
public:
  /// Starts the body of `kernel`, which createKernel made.
  BlockBuilder(gpu::GPUFuncOp kernel, int64_t numWarps);
  /// Ends the body.
  void finish();

  int64_t getNumWarps() const { return numWarps; }
  Value i32(int64_t value) { return integer(32, value); }
  /// The block's position in the grid, an index.
  Value blockIndex(gpu::Dimension dimension);
  /// The thread in the block, its warp in the block, its lane in the warp.
  Value getThread() const { return thread; }
  Value getWarp() const { return warp; }
  Value getLane() const { return lane; }

  /// What is left of a memref at the given indices of its first dimensions:
  /// the address of its first element is computed here, once.
  Value slice(Value memref, ValueRange indices);
  /// Loads and stores at indices of type index or i32.
  Value loadAt(Value memref, ValueRange indices);
  void storeAt(Value value, Value memref, ValueRange indices);

  Value bothOf(Value a, Value b) { return bitAnd(a, b); }
  Value less(Value a, Value b) { return cmp(IntPredicate::slt, a, b); }
  Value ceilDiv(Value value, int64_t divisorLog2);

  //===--------------------------------------------------------------------===//
  // Each warp
  //===--------------------------------------------------------------------===//

  /// The lanes whose i1 is true, as bits.
  Value ballot(Value condition);
  Value countBits(Value mask);
  /// The lowest bit of a mask; 32 if there is none.
  Value lowestBit(Value mask);
  /// The highest bit of a mask that has one.
  Value highestBit(Value mask);
  /// How many lanes before this one are in the mask.
  Value rankIn(Value mask);
  Value warpMax(Value value);
  Value warpMin(Value value);

  /// A ballot and this lane's vote.
  struct Vote {
    Value mask;
    Value mine;
  };
  Vote vote(Value condition) { return {ballot(condition), condition}; }

  //===--------------------------------------------------------------------===//
  // The block
  //===--------------------------------------------------------------------===//

  void barrier();

  /// Over the warps' counts: the sum before this warp's and that of all.
  struct Scan {
    Value before;
    Value total;
  };
  /// Holds one barrier; `scratch`, a shared buffer of one i32 for each warp,
  /// is free again after the next one.
  Scan scanWarps(Value count, Value scratch);

  /// Compaction: `sink(item, rank)` runs for each item that has this lane's
  /// vote, ranks counting those of the block in order of warp, item and lane.
  /// Returns their number. Holds two barriers, the last one at the end.
  Value compact(ArrayRef<Vote> votes, Value scratch,
                function_ref<void(size_t, Value)> sink);

  //===--------------------------------------------------------------------===//
  // Loops
  //===--------------------------------------------------------------------===//

  /// for i = lower to upper step `step`
  void forEach(Value lower, Value upper, int64_t step,
               function_ref<void(Value)> body);
  /// While `index` < `upper` and `state` <= `limit`: `state` becomes
  /// `body(index, state)` and `index` grows by `step`. Returns the last state.
  Value loopUpTo(Value lower, Value upper, Value step, Value state, Value limit,
                 function_ref<Value(Value, Value)> body);
  /// The same over the bits of a mask, from the lowest, `items` at a time. The
  /// last time, some bits of the body may not exist: they are 32.
  Value loopBits(Value mask, int64_t items, Value state, Value limit,
                 function_ref<Value(ValueRange, Value)> body);

private:
  SmallVector<Value> toIndices(ValueRange values);

  int64_t numWarps;
  Value thread, warp, lane, lanesBelow;
};

} // namespace mlir::sparsek

#endif // LIB_CONVERSION_SPARSEKTOGPU_BLOCKBUILDER_H
