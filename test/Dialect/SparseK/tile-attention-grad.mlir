// RUN: sparsek-opt %s --sparsek-tile-attention --split-input-file | FileCheck %s

// One pass over the tiles of a head, five products per block of keys.

// CHECK-LABEL: func @gated
// CHECK:         scf.forall (%{{.+}}, %{{.+}}) in (%{{.+}}, %{{.+}}) shared_outs
// Sums of the keys' gradients start at zero, in place.
// CHECK-COUNT-4:   linalg.fill
// CHECK:           scf.for {{.*}} -> (tensor<?xi32>, index, index, tensor<2x?x64xf32>, tensor<?x64xf32>, tensor<?x32xf32>, tensor<?xf32>, tensor<?xf32>)
// Blocks of keys; per head S, dP and dQ.
// CHECK:             scf.for {{.*}} -> (tensor<128x64xf32>, tensor<?x64xf32>, tensor<?x32xf32>, tensor<?xf32>, tensor<64xf32>)
// CHECK:               linalg.matmul ins(%{{.+}}, %{{.+}} : tensor<96x64xf32>, tensor<64x64xf32>)
// CHECK:               linalg.matmul ins(%{{.+}}, %{{.+}} : tensor<96x32xf32>, tensor<32x64xf32>)
// CHECK:               math.exp2
// CHECK:               linalg.contract {{.*}} ins(%{{.+}}, %{{.+}} : tensor<96x64xf32>, tensor<96x64xf32>) outs(%{{.+}} : tensor<64x64xf32>)
// Over the heads of the group dV and dK.
// CHECK:               linalg.matmul ins(%{{.+}}, %{{.+}} : tensor<96x128xf32>, tensor<128x32xf32>) outs(%{{.+}} : tensor<96x32xf32>)
// CHECK:               linalg.matmul ins(%{{.+}}, %{{.+}} : tensor<96x128xf32>, tensor<128x64xf32>) outs(%{{.+}} : tensor<96x64xf32>)
// CHECK:           scf.forall.in_parallel
// CHECK-COUNT-5:     tensor.parallel_insert_slice
// CHECK-NOT:     sparsek.
func.func @gated(%q: tensor<1x4x?x64xf32>, %k: tensor<1x2x?x64xf32>, %v: tensor<1x2x?x32xf32>, %end: tensor<1x2x?xi32>, %o: tensor<1x4x?x32xf32>, %l: tensor<1x4x?xf32>, %do: tensor<1x4x?x32xf32>, %u: tensor<1x2x?xf32>, %tau: tensor<1x2x?xf32>) -> (tensor<1x4x?x64xf32>, tensor<1x2x?x64xf32>, tensor<1x2x?x32xf32>, tensor<1x2x?xf32>, tensor<1x2x?xf32>) {
  %r:5 = sparsek.sparse_attention_grad gate(key_value) window(8)
      ins(%q, %k, %v, %end, %o, %l, %do : tensor<1x4x?x64xf32>, tensor<1x2x?x64xf32>, tensor<1x2x?x32xf32>, tensor<1x2x?xi32>, tensor<1x4x?x32xf32>, tensor<1x4x?xf32>, tensor<1x4x?x32xf32>)
      gating(%u, %tau : tensor<1x2x?xf32>, tensor<1x2x?xf32>)
      outs(%q, %k, %v : tensor<1x4x?x64xf32>, tensor<1x2x?x64xf32>, tensor<1x2x?x32xf32>)
      gating_outs(%u, %tau : tensor<1x2x?xf32>, tensor<1x2x?xf32>)
      -> tensor<1x4x?x64xf32>, tensor<1x2x?x64xf32>, tensor<1x2x?x32xf32>, tensor<1x2x?xf32>, tensor<1x2x?xf32>
  return %r#0, %r#1, %r#2, %r#3, %r#4 : tensor<1x4x?x64xf32>, tensor<1x2x?x64xf32>, tensor<1x2x?x32xf32>, tensor<1x2x?xf32>, tensor<1x2x?xf32>
}

// -----

// In 16 bits the keys' gradients are summed in f32 beside the result.

// CHECK-LABEL: func @plain_f16
// CHECK:         scf.forall
// CHECK-COUNT-2:   linalg.fill {{.*}} outs(%{{.+}} : tensor<?x16xf32>)
// CHECK:           scf.for {{.*}} -> (tensor<?xi32>, index, index, tensor<1x?x16xf16>, tensor<?x16xf32>, tensor<?x16xf32>)
// CHECK:           arith.truncf %{{.+}} : f32 to f16
func.func @plain_f16(%q: tensor<1x1x?x16xf16>, %end: tensor<1x1x?xi32>, %l: tensor<1x1x?xf32>) -> (tensor<1x1x?x16xf16>, tensor<1x1x?x16xf16>, tensor<1x1x?x16xf16>) {
  %r:3 = sparsek.sparse_attention_grad
      ins(%q, %q, %q, %end, %q, %l, %q : tensor<1x1x?x16xf16>, tensor<1x1x?x16xf16>, tensor<1x1x?x16xf16>, tensor<1x1x?xi32>, tensor<1x1x?x16xf16>, tensor<1x1x?xf32>, tensor<1x1x?x16xf16>)
      outs(%q, %q, %q : tensor<1x1x?x16xf16>, tensor<1x1x?x16xf16>, tensor<1x1x?x16xf16>)
      -> tensor<1x1x?x16xf16>, tensor<1x1x?x16xf16>, tensor<1x1x?x16xf16>
  return %r#0, %r#1, %r#2 : tensor<1x1x?x16xf16>, tensor<1x1x?x16xf16>, tensor<1x1x?x16xf16>
}
