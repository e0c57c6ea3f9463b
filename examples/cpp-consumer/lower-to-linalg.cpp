//===- lower-to-linalg.cpp - Lower a sparsek op from C++ ------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Parses a function that holds one sparsek op, lowers it to linalg with a pass
// of the installed package and prints the result. Fails where a sparsek op is
// left.
//
//===----------------------------------------------------------------------===//

#include "sparsek/Dialect/SparseK/IR/SparseK.h"
#include "sparsek/Dialect/SparseK/Transforms/Passes.h"
#include "sparsek/Pipelines/Pipelines.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/raw_ostream.h"

static constexpr char source[] = R"mlir(
  func.func @score(%x: tensor<1x?x64xf32>, %w: tensor<2x64xf32>,
                   %b: tensor<2xf32>, %s: tensor<2xf32>,
                   %init: tensor<1x2x?xf32>) -> tensor<1x2x?xf32> {
    %u = sparsek.score
        ins(%x, %w, %b, %s : tensor<1x?x64xf32>, tensor<2x64xf32>,
            tensor<2xf32>, tensor<2xf32>)
        outs(%init : tensor<1x2x?xf32>) -> tensor<1x2x?xf32>
    return %u : tensor<1x2x?xf32>
  }
)mlir";

int main() {
  mlir::DialectRegistry registry;
  mlir::sparsek::registerAllDialects(registry);
  mlir::MLIRContext context(registry);
  mlir::OwningOpRef<mlir::ModuleOp> module =
      mlir::parseSourceString<mlir::ModuleOp>(source, &context);
  if (!module)
    return 1;

  mlir::PassManager pm(&context);
  pm.addPass(mlir::sparsek::createSparseKLowerScore());
  if (mlir::failed(pm.run(*module)))
    return 1;
  module->print(llvm::outs());

  mlir::WalkResult left = module->walk(
      [](mlir::sparsek::ScoreOp) { return mlir::WalkResult::interrupt(); });
  return left.wasInterrupted() ? 1 : 0;
}
