//===- BuildId.h - Which build of the compiler this is -------- -*- C++ -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEK_LIB_RUNTIME_BUILDID_H
#define SPARSEK_LIB_RUNTIME_BUILDID_H

#include "llvm/ADT/StringRef.h"

namespace mlir::sparsek::runtime {

/// The versions of the project and of LLVM, and the linker's build id of the
/// library or program that this code is in: two builds of one version compile
/// differently.
llvm::StringRef getBuildId();

} // namespace mlir::sparsek::runtime

#endif // SPARSEK_LIB_RUNTIME_BUILDID_H
