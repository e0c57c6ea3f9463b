//===- SourceCheck.h - What is refused before parsing --------- -*- C++ -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEK_LIB_RUNTIME_SOURCECHECK_H
#define SPARSEK_LIB_RUNTIME_SOURCECHECK_H

#include "llvm/ADT/StringRef.h"

#include <string>

namespace mlir::sparsek::runtime {

/// The parser and the passes recurse, so that a source nested without bound
/// would end the process. Returns an error for one that is too large or too
/// deeply nested, empty for any other.
std::string checkSource(llvm::StringRef source, llvm::StringRef sourceName);

} // namespace mlir::sparsek::runtime

#endif // SPARSEK_LIB_RUNTIME_SOURCECHECK_H
