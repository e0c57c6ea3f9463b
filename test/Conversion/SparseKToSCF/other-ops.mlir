// RUN: sparsek-opt %s --convert-sparsek-to-scf | FileCheck %s

// Ops that are not selections stay, on tensors and on memrefs.

// CHECK-LABEL: func.func @attention
// CHECK:       sparsek.sparse_attention
func.func @attention(%q: tensor<1x2x?x8xf32>, %k: tensor<1x2x?x8xf32>,
                     %end: tensor<1x2x?xi32>, %o: tensor<1x2x?x8xf32>,
                     %lse: tensor<1x2x?xf32>) -> tensor<1x2x?x8xf32> {
  %r:2 = sparsek.sparse_attention
      ins(%q, %k, %k, %end : tensor<1x2x?x8xf32>, tensor<1x2x?x8xf32>,
          tensor<1x2x?x8xf32>, tensor<1x2x?xi32>)
      outs(%o, %lse : tensor<1x2x?x8xf32>, tensor<1x2x?xf32>)
      -> tensor<1x2x?x8xf32>, tensor<1x2x?xf32>
  return %r#0 : tensor<1x2x?x8xf32>
}

// CHECK-LABEL: func.func @score
// CHECK:       sparsek.score
func.func @score(%x: memref<1x?x8xf32>, %w: memref<2x8xf32>, %b: memref<2xf32>,
                 %s: memref<2xf32>, %u: memref<1x2x?xf32>) {
  sparsek.score
      ins(%x, %w, %b, %s : memref<1x?x8xf32>, memref<2x8xf32>, memref<2xf32>,
          memref<2xf32>)
      outs(%u : memref<1x2x?xf32>)
  return
}
