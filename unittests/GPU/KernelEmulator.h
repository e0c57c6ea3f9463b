//===- KernelEmulator.h - GPU kernels on the CPU --------------- -*- C++
//-*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Runs what the compiler makes of a kernel, without a GPU: its LLVM IR for
// NVPTX is compiled for this machine, with functions in place of intrinsics.
// Blocks run one after another. The threads of a block take turns, in random
// order, at barriers and where a warp exchanges values. So what a kernel
// computes is tested, and that its threads meet where they must; races are
// found only by chance.
//
// Emulated: thread and block numbers, bar.sync of the whole block, and of the
// whole warp vote.ballot and redux of i32.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEK_UNITTESTS_GPU_KERNELEMULATOR_H
#define SPARSEK_UNITTESTS_GPU_KERNELEMULATOR_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"

#include <array>
#include <memory>
#include <random>

namespace mlir::sparsek {

class KernelEmulator {
public:
  /// Takes MLIR text, lowers it with the textual pass pipeline and compiles the
  /// functions of its only gpu.module, which are in the LLVM dialect then.
  static llvm::Expected<KernelEmulator> create(llvm::StringRef source,
                                               llvm::StringRef pipeline);

  /// Runs a kernel with `numThreads` threads for each block of `grid`. An
  /// argument is an integer or a pointer; a memref is several.
  void launch(llvm::StringRef kernel, std::array<int, 3> grid, int numThreads,
              llvm::ArrayRef<int64_t> arguments);

private:
  explicit KernelEmulator(std::unique_ptr<llvm::orc::LLJIT> jit)
      : jit(std::move(jit)) {}

  std::unique_ptr<llvm::orc::LLJIT> jit;
  std::mt19937 random;
};

/// The arguments for a contiguous memref.
std::vector<int64_t> describe(const void *data, llvm::ArrayRef<int64_t> shape);

} // namespace mlir::sparsek

#endif // SPARSEK_UNITTESTS_GPU_KERNELEMULATOR_H
