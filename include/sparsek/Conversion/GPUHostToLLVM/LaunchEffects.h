//===- LaunchEffects.h - Effects of launches ------------------ -*- C++ -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEK_CONVERSION_GPUHOSTTOLLVM_LAUNCHEFFECTS_H
#define SPARSEK_CONVERSION_GPUHOSTTOLLVM_LAUNCHEFFECTS_H

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace mlir::sparsek {

/// Says of `gpu.launch_func` that it reads and writes memory and neither
/// allocates nor frees any, without which the deallocation of buffers refuses
/// the functions around it.
void registerLaunchEffects(DialectRegistry &registry);

} // namespace mlir::sparsek

#endif // SPARSEK_CONVERSION_GPUHOSTTOLLVM_LAUNCHEFFECTS_H
