//===- Measure.h - Time and useful work of a function --------- -*- C++ -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEK_TOOLS_SPARSEK_RUN_MEASURE_H
#define SPARSEK_TOOLS_SPARSEK_RUN_MEASURE_H

#include "Call.h"

#include <optional>

namespace mlir::sparsek::run {

/// The median time of a call in seconds: of at least 5 calls and half a second.
/// On a GPU, of what the call enqueues there, between two events.
llvm::Expected<double> measure(const runtime::Function &function,
                               llvm::ArrayRef<HostTensor> inputs, Place place);

/// The useful floating-point operations of the attentions of a function with
/// these inputs, 2 * (d + dv) per visible pair of a query head's query and a
/// key: compiles and calls a copy of the function, on the CPU, that returns the
/// lifetimes that its attentions see. Nothing where the body has no attention
/// at its top level.
llvm::Expected<std::optional<double>>
countUsefulFlops(llvm::StringRef source, llvm::StringRef entry,
                 runtime::CompileOptions options,
                 llvm::ArrayRef<HostTensor> inputs);

} // namespace mlir::sparsek::run

#endif // SPARSEK_TOOLS_SPARSEK_RUN_MEASURE_H
