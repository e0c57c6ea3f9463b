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

/// A processor to compile for.
struct Target {
  std::string triple;
  std::string cpu;
  /// "+a,-b,...", empty where the processor's name says it all.
  std::string features;
  /// The width of the vector registers: 512, 256 or 128.
  int64_t vectorBits = 128;
  /// Why this machine cannot run the code; empty if it can.
  std::string hostError;
};

/// "cpu" (or ""): this machine, or the lesser processor that the environment
/// variable SPARSEK_CPU names ("x86-64-v3"). Any other name: that processor.
llvm::Expected<Target> resolveTarget(llvm::StringRef name);

/// The code generator for `target`, at the highest optimization level.
llvm::Expected<std::unique_ptr<llvm::TargetMachine>>
createTargetMachine(const Target &target);

} // namespace mlir::sparsek::runtime

#endif // SPARSEK_RUNTIME_TARGET_H
