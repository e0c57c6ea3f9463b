//===- Target.h - What compiled code runs on ------------------ -*- C++ -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEK_RUNTIME_TARGET_H
#define SPARSEK_RUNTIME_TARGET_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Target/TargetMachine.h"

#include <memory>
#include <string>

namespace mlir::sparsek::runtime {

/// A processor to compile for, and a GPU beside it.
struct Target {
  std::string triple;
  std::string cpu;
  /// "+a,-b,...", empty where the processor's name says it all.
  std::string features;
  /// The width of the vector registers: 512, 256 or 128.
  int64_t vectorBits = 128;
  /// Why this machine cannot run the code; empty if it can.
  std::string hostError;
  /// "sm_90a": tensors are in the GPU's memory, and the processor only tells
  /// the GPU what to do. Empty: no GPU.
  std::string chip;
};

/// "cpu" (or ""): this machine, or the lesser processor that the environment
/// variable SPARSEK_CPU names ("x86-64-v3"). "cuda": this machine's first GPU.
/// "sm_90a", ...: that GPU, whether or not it is here. Any other name: that
/// processor.
llvm::Expected<Target> resolveTarget(llvm::StringRef name);

/// The code generator for `target`, at the highest optimization level.
llvm::Expected<std::unique_ptr<llvm::TargetMachine>>
createTargetMachine(const Target &target);

} // namespace mlir::sparsek::runtime

#endif // SPARSEK_RUNTIME_TARGET_H
