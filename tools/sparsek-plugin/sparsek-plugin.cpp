//===- sparsek-plugin.cpp - The dialect and its passes for mlir-opt -------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// mlir-opt --load-dialect-plugin=SparseKPlugin.so
//          --load-pass-plugin=SparseKPlugin.so
//          --pass-pipeline="builtin.module(sparsek-lower-score)"
//
// The plugin uses the MLIR of the program that loads it, which has to be the
// shared library of the same release.
//
//===----------------------------------------------------------------------===//

#include "sparsek/Dialect/SparseK/Transforms/Passes.h"
#include "sparsek/Pipelines/Pipelines.h"

#include "mlir/IR/DialectRegistry.h"
#include "mlir/Tools/Plugins/DialectPlugin.h"
#include "mlir/Tools/Plugins/PassPlugin.h"
#include "llvm/Support/Compiler.h"

using namespace mlir;

extern "C" LLVM_ATTRIBUTE_WEAK DialectPluginLibraryInfo
mlirGetDialectPluginInfo() {
  return {MLIR_PLUGIN_API_VERSION, "SparseK", SPARSEK_VERSION,
          [](DialectRegistry *registry) {
            sparsek::registerAllDialects(*registry);
          }};
}

extern "C" LLVM_ATTRIBUTE_WEAK PassPluginLibraryInfo mlirGetPassPluginInfo() {
  return {MLIR_PLUGIN_API_VERSION, "SparseK", SPARSEK_VERSION, [] {
            sparsek::registerSparseKPasses();
            sparsek::registerPipelines();
          }};
}
