//===- Compile.h - MLIR to an object file in memory ----------- -*- C++ -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEK_RUNTIME_COMPILE_H
#define SPARSEK_RUNTIME_COMPILE_H

#include "sparsek/Runtime/Signature.h"
#include "sparsek/Runtime/Target.h"

#include "llvm/ADT/STLFunctionalExtras.h"

namespace mlir::sparsek::runtime {

/// Receives one error message, with "file:line:column: " where known.
using DiagnosticHandler = llvm::function_ref<void(llvm::StringRef)>;

/// What the code depends on besides the source.
struct CompileOptions {
  Target target;
  /// Run parallel loops on OpenMP threads.
  bool threads = true;
  /// Lower through the dense reference pipeline.
  bool reference = false;
};

/// A compiled module: an object file with one entry per public function, named
/// `getEntryName(name)`, of type `void(void **)`.
struct CompiledObject {
  Signatures signatures;
  std::string object;
};

/// Where to put the module's later forms, for a look at them. Null: nowhere.
struct CompileDumps {
  std::string *llvmIR = nullptr;
  std::string *assembly = nullptr;
};

/// The symbol of the entry of a public function.
std::string getEntryName(llvm::StringRef function);

/// Compiles MLIR text or bytecode; `sourceName` stands for it in diagnostics.
/// The work is done on a thread of its own with a large stack; `handler` is
/// called on this one.
FailureOr<CompiledObject> compileSource(llvm::StringRef source,
                                        llvm::StringRef sourceName,
                                        const CompileOptions &options,
                                        DiagnosticHandler handler,
                                        CompileDumps dumps = {});

} // namespace mlir::sparsek::runtime

#endif // SPARSEK_RUNTIME_COMPILE_H
