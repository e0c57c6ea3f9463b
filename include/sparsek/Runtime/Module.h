//===- Module.h - Compiled modules in this process ------------ -*- C++ -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEK_RUNTIME_MODULE_H
#define SPARSEK_RUNTIME_MODULE_H

#include "sparsek/Runtime/Compile.h"
#include "sparsek/Runtime/Jit.h"

#include <memory>

namespace mlir::sparsek::runtime {

/// A public function of a module, ready to be called.
struct Function {
  FunctionSignature signature;
  LoadedObject::Entry entry;
  /// Why this machine cannot run it; empty if it can.
  std::string hostError;
  /// The GPU that it was compiled for; empty if none.
  std::string chip;
};

/// A compiled module, linked into this process. Immutable.
class Module {
public:
  static llvm::Expected<std::shared_ptr<const Module>>
  load(CompiledObject object, const Target &target);

  llvm::ArrayRef<Function> getFunctions() const { return functions; }
  /// The function of that name, null if there is none.
  const Function *lookup(llvm::StringRef name) const;

private:
  std::unique_ptr<LoadedObject> code;
  std::vector<Function> functions;
};

/// Compiles and loads a module. With `useCache`, takes it from memory (the most
/// recently used modules are kept) or from disk where it can; threads that ask
/// for one module at the same time compile it once. Null on failure, after
/// `handler` was called.
std::shared_ptr<const Module> getModule(llvm::StringRef source,
                                        llvm::StringRef sourceName,
                                        const CompileOptions &options,
                                        bool useCache,
                                        DiagnosticHandler handler);

} // namespace mlir::sparsek::runtime

#endif // SPARSEK_RUNTIME_MODULE_H
