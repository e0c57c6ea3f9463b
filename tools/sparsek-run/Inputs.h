//===- Inputs.h - Arguments of the function that runs --------- -*- C++ -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEK_TOOLS_SPARSEK_RUN_INPUTS_H
#define SPARSEK_TOOLS_SPARSEK_RUN_INPUTS_H

#include "HostTensor.h"

#include "sparsek/Runtime/Signature.h"

#include "llvm/ADT/SmallVector.h"

#include <vector>

namespace mlir::sparsek::run {

/// What the command line says about the arguments.
struct InputOptions {
  /// "0:1x8x1024x128".
  std::vector<std::string> shapes;
  /// "0:file.npy".
  std::vector<std::string> files;
  /// The size of every other dynamic dimension.
  int64_t dims = 1024;
  uint64_t seed = 0;
};

/// The arguments of a function: from files where given, else seeded random
/// numbers. Floats are standard normal. Integers are lifetimes: element j of
/// the n elements of the innermost dimension is uniform in [j, n], which is
/// what `end` of sparsek.sparse_attention means; i1 is 0 or 1; a scalar is
/// uniform in [0, dims].
llvm::Expected<std::vector<HostTensor>>
makeInputs(const runtime::FunctionSignature &signature,
           const InputOptions &options);

} // namespace mlir::sparsek::run

#endif // SPARSEK_TOOLS_SPARSEK_RUN_INPUTS_H
