//===- TilingInterfaceImpl.h - Tiling of sparsek ops ------------*- C++ -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEK_DIALECT_SPARSEK_TRANSFORMS_TILINGINTERFACEIMPL_H
#define SPARSEK_DIALECT_SPARSEK_TRANSFORMS_TILINGINTERFACEIMPL_H

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace mlir::sparsek {

void registerTilingInterfaceExternalModels(DialectRegistry &registry);

} // namespace mlir::sparsek

#endif // SPARSEK_DIALECT_SPARSEK_TRANSFORMS_TILINGINTERFACEIMPL_H
