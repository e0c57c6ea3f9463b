// RUN: sparsek-opt %s | sparsek-opt | FileCheck %s
// RUN: sparsek-opt %s --mlir-print-op-generic | sparsek-opt | FileCheck %s
// RUN: sparsek-opt %s --emit-bytecode | sparsek-opt | FileCheck %s

// CHECK-LABEL: func @topk_mask_grad
func.func @topk_mask_grad(%z: tensor<4x?xbf16>, %t: tensor<4xf32>)
    -> tensor<4x?xbf16> {
  // CHECK: %{{.*}} = sparsek.topk_mask_grad
  // CHECK-SAME: ins(%{{.*}}, %{{.*}}, %{{.*}} : tensor<4x?xbf16>, tensor<4xf32>, tensor<4x?xbf16>)
  // CHECK-SAME: grad_tau(%{{.*}} : tensor<4xf32>)
  // CHECK-SAME: outs(%{{.*}} : tensor<4x?xbf16>) {note = "kept"} -> tensor<4x?xbf16>
  %0 = sparsek.topk_mask_grad
      ins(%z, %t, %z : tensor<4x?xbf16>, tensor<4xf32>, tensor<4x?xbf16>)
      grad_tau(%t : tensor<4xf32>)
      outs(%z : tensor<4x?xbf16>) {note = "kept"} -> tensor<4x?xbf16>
  return %0 : tensor<4x?xbf16>
}

// CHECK-LABEL: func @topk_mask_grad_of_one_row_in_memory
func.func @topk_mask_grad_of_one_row_in_memory(
    %z: memref<5xf16, strided<[?]>>, %t: memref<f32>, %g: memref<5xf16>) {
  // CHECK: sparsek.topk_mask_grad
  // CHECK-SAME: ins(%{{.*}}, %{{.*}}, %{{.*}} : memref<5xf16, strided<[?]>>, memref<f32>, memref<5xf16>)
  // CHECK-SAME: outs(%{{.*}} : memref<5xf16>){{$}}
  sparsek.topk_mask_grad
      ins(%z, %t, %g : memref<5xf16, strided<[?]>>, memref<f32>, memref<5xf16>)
      outs(%g : memref<5xf16>)
  return
}

// CHECK-LABEL: func @causal_topk_mask_grad
func.func @causal_topk_mask_grad(%u: tensor<1x2x?xf32>, %f: tensor<1x2x?xi32>)
    -> tensor<1x2x?xf32> {
  // CHECK: %{{.*}} = sparsek.causal_topk_mask_grad window(0)
  // CHECK-SAME: ins(%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} : tensor<1x2x?xf32>, tensor<1x2x?xf32>, tensor<1x2x?xi32>, tensor<1x2x?xf32>)
  // CHECK-SAME: outs(%{{.*}} : tensor<1x2x?xf32>) -> tensor<1x2x?xf32>
  %0 = sparsek.causal_topk_mask_grad window(0)
      ins(%u, %u, %f, %u : tensor<1x2x?xf32>, tensor<1x2x?xf32>,
          tensor<1x2x?xi32>, tensor<1x2x?xf32>)
      outs(%u : tensor<1x2x?xf32>) -> tensor<1x2x?xf32>
  return %0 : tensor<1x2x?xf32>
}

// CHECK-LABEL: func @causal_topk_mask_grad_in_memory
func.func @causal_topk_mask_grad_in_memory(
    %u: memref<1x2x7xf32, strided<[?, ?, 1], offset: ?>>,
    %t: memref<1x2x7xf32>, %f: memref<1x2x7xi32>) {
  // CHECK: sparsek.causal_topk_mask_grad window(9223372036854775807)
  // CHECK-SAME: ins(%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} : memref<1x2x7xf32, strided<[?, ?, 1], offset: ?>>, memref<1x2x7xf32>, memref<1x2x7xi32>, memref<1x2x7xf32>)
  // CHECK-SAME: outs(%{{.*}} : memref<1x2x7xf32>){{$}}
  sparsek.causal_topk_mask_grad window(9223372036854775807)
      ins(%u, %t, %f, %t : memref<1x2x7xf32, strided<[?, ?, 1], offset: ?>>,
          memref<1x2x7xf32>, memref<1x2x7xi32>, memref<1x2x7xf32>)
      outs(%t : memref<1x2x7xf32>)
  return
}

// Defaults are not printed.
// CHECK-LABEL: func @sparse_attention_grad
func.func @sparse_attention_grad(
    %q: tensor<1x8x?x128xf32>, %k: tensor<1x2x?x128xf32>,
    %e: tensor<1x2x?xi32>, %l: tensor<1x8x?xf32>)
    -> (tensor<1x8x?x128xf32>, tensor<1x2x?x128xf32>, tensor<1x2x?x128xf32>) {
  // CHECK: %{{.*}}:3 = sparsek.sparse_attention_grad ins(
  // CHECK-SAME: : tensor<1x8x?x128xf32>, tensor<1x2x?x128xf32>, tensor<1x2x?x128xf32>, tensor<1x2x?xi32>, tensor<1x8x?x128xf32>, tensor<1x8x?xf32>, tensor<1x8x?x128xf32>)
  // CHECK-SAME: outs(%{{.*}}, %{{.*}}, %{{.*}} : tensor<1x8x?x128xf32>, tensor<1x2x?x128xf32>, tensor<1x2x?x128xf32>)
  // CHECK-SAME: -> tensor<1x8x?x128xf32>, tensor<1x2x?x128xf32>, tensor<1x2x?x128xf32>
  %0:3 = sparsek.sparse_attention_grad gate(none) window(0)
      ins(%q, %k, %k, %e, %q, %l, %q : tensor<1x8x?x128xf32>,
          tensor<1x2x?x128xf32>, tensor<1x2x?x128xf32>, tensor<1x2x?xi32>,
          tensor<1x8x?x128xf32>, tensor<1x8x?xf32>, tensor<1x8x?x128xf32>)
      outs(%q, %k, %k : tensor<1x8x?x128xf32>, tensor<1x2x?x128xf32>,
           tensor<1x2x?x128xf32>)
      -> tensor<1x8x?x128xf32>, tensor<1x2x?x128xf32>, tensor<1x2x?x128xf32>
  return %0#0, %0#1, %0#2
      : tensor<1x8x?x128xf32>, tensor<1x2x?x128xf32>, tensor<1x2x?x128xf32>
}

// CHECK-LABEL: func @gated_sparse_attention_grad
func.func @gated_sparse_attention_grad(
    %q: tensor<?x?x?x64xbf16>, %v: tensor<?x?x?x80xbf16>, %e: tensor<?x?x?xi32>,
    %u: tensor<?x?x?xf32>) -> tensor<?x?x?xf32> {
  // CHECK: %{{.*}}:5 = sparsek.sparse_attention_grad gate(key_value) window(512) scale(1.250000e-01) group(4) ins(
  // CHECK-SAME: grad_lse(%{{.*}} : tensor<?x?x?xf32>)
  // CHECK-SAME: gating(%{{.*}}, %{{.*}} : tensor<?x?x?xf32>, tensor<?x?x?xf32>) outs(
  // CHECK-SAME: gating_outs(%{{.*}}, %{{.*}} : tensor<?x?x?xf32>, tensor<?x?x?xf32>) {note = "kept"} ->
  %0:5 = sparsek.sparse_attention_grad gate(key_value) window(512) scale(0.125)
      group(4)
      ins(%q, %q, %v, %e, %v, %u, %v : tensor<?x?x?x64xbf16>,
          tensor<?x?x?x64xbf16>, tensor<?x?x?x80xbf16>, tensor<?x?x?xi32>,
          tensor<?x?x?x80xbf16>, tensor<?x?x?xf32>, tensor<?x?x?x80xbf16>)
      grad_lse(%u : tensor<?x?x?xf32>)
      gating(%u, %u : tensor<?x?x?xf32>, tensor<?x?x?xf32>)
      outs(%q, %q, %v : tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>,
           tensor<?x?x?x80xbf16>)
      gating_outs(%u, %u : tensor<?x?x?xf32>, tensor<?x?x?xf32>)
      {note = "kept"}
      -> tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x80xbf16>,
         tensor<?x?x?xf32>, tensor<?x?x?xf32>
  return %0#4 : tensor<?x?x?xf32>
}

// CHECK-LABEL: func @sparse_attention_grad_in_memory
func.func @sparse_attention_grad_in_memory(
    %q: memref<1x2x3x4xf16>, %k: memref<1x1x9x4xf16>, %e: memref<1x1x9xi32>,
    %u: memref<1x1x9xf32>, %l: memref<1x2x3xf32>) {
  // CHECK: sparsek.sparse_attention_grad gate(value) ins(
  // CHECK-SAME: gating(%arg3, %arg3 : memref<1x1x9xf32>, memref<1x1x9xf32>)
  // CHECK-SAME: gating_outs(%arg3, %arg3 : memref<1x1x9xf32>, memref<1x1x9xf32>){{$}}
  sparsek.sparse_attention_grad gate(value)
      ins(%q, %k, %k, %e, %q, %l, %q : memref<1x2x3x4xf16>,
          memref<1x1x9x4xf16>, memref<1x1x9x4xf16>, memref<1x1x9xi32>,
          memref<1x2x3x4xf16>, memref<1x2x3xf32>, memref<1x2x3x4xf16>)
      gating(%u, %u : memref<1x1x9xf32>, memref<1x1x9xf32>)
      outs(%q, %k, %k : memref<1x2x3x4xf16>, memref<1x1x9x4xf16>,
           memref<1x1x9x4xf16>)
      gating_outs(%u, %u : memref<1x1x9xf32>, memref<1x1x9xf32>)
  return
}
