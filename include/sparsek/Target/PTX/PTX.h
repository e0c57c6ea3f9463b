//===- PTX.h - GPU modules to PTX ----------------------------- -*- C++ -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEK_TARGET_PTX_PTX_H
#define SPARSEK_TARGET_PTX_PTX_H

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Pass/Pass.h"

#include <string>

namespace mlir::sparsek {

#define GEN_PASS_DECL
#include "sparsek/Target/PTX/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "sparsek/Target/PTX/Passes.h.inc"

/// Registers the translations to LLVM IR that `serializeToPTX` relies on.
void registerPTXTranslations(DialectRegistry &registry);

/// Why PTX cannot be made for a chip ("sm_90a"); empty if it can.
std::string checkChip(StringRef chip);

/// Translates a module in the LLVM and NVVM dialects. `features` names a PTX
/// version ("+ptx87"); empty means the least that the chip needs (7.1 for
/// sm_80), which the most drivers accept. Emits an error on failure.
FailureOr<std::string> serializeToPTX(gpu::GPUModuleOp module, StringRef chip,
                                      StringRef features = "");

} // namespace mlir::sparsek

#endif // SPARSEK_TARGET_PTX_PTX_H
