// The dialect, its passes and its pipelines in a program that knows nothing of
// them.

// RUN: %mlir_opt %s --load-dialect-plugin=%plugin | FileCheck %s --check-prefix=PARSE
// RUN: %mlir_opt %s --load-dialect-plugin=%plugin --load-pass-plugin=%plugin \
// RUN:   --pass-pipeline="builtin.module(sparsek-lower-score)" \
// RUN:   | FileCheck %s --check-prefix=PASS
// RUN: %mlir_opt %s --load-dialect-plugin=%plugin --load-pass-plugin=%plugin \
// RUN:   --pass-pipeline="builtin.module(sparsek-cpu-pipeline{threads=false})" \
// RUN:   | FileCheck %s --check-prefix=PIPELINE
// RUN: not %mlir_opt %s 2>&1 | FileCheck %s --check-prefix=WITHOUT

// PARSE:         func.func @score
// PARSE:           sparsek.score ins(
// PASS:          func.func @score
// PASS-NOT:        sparsek.
// PASS:            scf.forall
// PASS:            linalg.generic
// PIPELINE:      llvm.func @score
// PIPELINE-NOT:  func.func
// WITHOUT:       Dialect `sparsek' not found
func.func @score(%x: tensor<1x?x64xf32>, %w: tensor<2x64xf32>, %b: tensor<2xf32>,
                 %s: tensor<2xf32>, %init: tensor<1x2x?xf32>) -> tensor<1x2x?xf32> {
  %u = sparsek.score
      ins(%x, %w, %b, %s : tensor<1x?x64xf32>, tensor<2x64xf32>, tensor<2xf32>, tensor<2xf32>)
      outs(%init : tensor<1x2x?xf32>) -> tensor<1x2x?xf32>
  return %u : tensor<1x2x?xf32>
}
