//===- CodeGen.h - LLVM IR to an object file in memory -------- -*- C++ -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEK_LIB_RUNTIME_CODEGEN_H
#define SPARSEK_LIB_RUNTIME_CODEGEN_H

#include "sparsek/Runtime/Compile.h"

#include "llvm/IR/Module.h"

namespace mlir::sparsek::runtime {

/// The symbol that a function of the source has while it is lowered.
std::string getHiddenName(llvm::StringRef function);

/// Adds the entries of the public functions and hides every other definition,
/// then optimizes and generates code.
llvm::Expected<std::string> generateCode(llvm::Module &module,
                                         const Signatures &signatures,
                                         const Target &target,
                                         CompileDumps dumps);

} // namespace mlir::sparsek::runtime

#endif // SPARSEK_LIB_RUNTIME_CODEGEN_H
