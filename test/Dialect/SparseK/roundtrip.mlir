// RUN: sparsek-opt %s | sparsek-opt | FileCheck %s
// RUN: sparsek-opt %s --mlir-print-op-generic | sparsek-opt | FileCheck %s
// RUN: sparsek-opt %s --emit-bytecode | sparsek-opt | FileCheck %s

// CHECK-LABEL: func @topk_mask
func.func @topk_mask(%z: tensor<4x?xbf16>, %p: tensor<4x?xbf16>,
                     %t: tensor<4xf32>) -> (tensor<4x?xbf16>, tensor<4xf32>) {
  // CHECK: %{{.*}}:2 = sparsek.topk_mask topk(8)
  // CHECK-SAME: ins(%{{.*}} : tensor<4x?xbf16>)
  // CHECK-SAME: outs(%{{.*}}, %{{.*}} : tensor<4x?xbf16>, tensor<4xf32>)
  // CHECK-SAME: -> tensor<4x?xbf16>, tensor<4xf32>
  %0, %1 = sparsek.topk_mask topk(8) ins(%z : tensor<4x?xbf16>)
      outs(%p, %t : tensor<4x?xbf16>, tensor<4xf32>)
      -> tensor<4x?xbf16>, tensor<4xf32>
  return %0, %1 : tensor<4x?xbf16>, tensor<4xf32>
}

// CHECK-LABEL: func @topk_mask_of_one_row_in_memory
func.func @topk_mask_of_one_row_in_memory(%z: memref<5xf16>, %p: memref<5xf16>,
                                          %t: memref<f32>) {
  // CHECK: sparsek.topk_mask topk(1) ins(%{{.*}} : memref<5xf16>)
  // CHECK-SAME: outs(%{{.*}}, %{{.*}} : memref<5xf16>, memref<f32>){{$}}
  sparsek.topk_mask topk(1) ins(%z : memref<5xf16>)
      outs(%p, %t : memref<5xf16>, memref<f32>)
  return
}

// CHECK-LABEL: func @causal_topk_mask
func.func @causal_topk_mask(%u: tensor<1x2x?xf32>, %e: tensor<1x2x?xi32>)
    -> (tensor<1x2x?xi32>, tensor<1x2x?xf32>, tensor<1x2x?xi32>) {
  // CHECK: %{{.*}}:3 = sparsek.causal_topk_mask topk(512) window(0)
  // CHECK-SAME: ins(%{{.*}} : tensor<1x2x?xf32>)
  // CHECK-SAME: outs(%{{.*}}, %{{.*}}, %{{.*}} : tensor<1x2x?xi32>, tensor<1x2x?xf32>, tensor<1x2x?xi32>)
  // CHECK-SAME: -> tensor<1x2x?xi32>, tensor<1x2x?xf32>, tensor<1x2x?xi32>
  %0:3 = sparsek.causal_topk_mask topk(512) window(0)
      ins(%u : tensor<1x2x?xf32>)
      outs(%e, %u, %e
           : tensor<1x2x?xi32>, tensor<1x2x?xf32>, tensor<1x2x?xi32>)
      -> tensor<1x2x?xi32>, tensor<1x2x?xf32>, tensor<1x2x?xi32>
  return %0#0, %0#1, %0#2
      : tensor<1x2x?xi32>, tensor<1x2x?xf32>, tensor<1x2x?xi32>
}

// CHECK-LABEL: func @causal_topk_mask_in_memory
func.func @causal_topk_mask_in_memory(
    %u: memref<1x2x7xf32, strided<[?, ?, 1], offset: ?>>,
    %e: memref<1x2x7xi32>, %t: memref<1x2x7xf32>, %f: memref<1x2x7xi32>) {
  // CHECK: sparsek.causal_topk_mask topk(9223372036854775807) window(9223372036854775807)
  // CHECK-SAME: ins(%{{.*}} : memref<1x2x7xf32, strided<[?, ?, 1], offset: ?>>)
  // CHECK-SAME: outs(%{{.*}}, %{{.*}}, %{{.*}} : memref<1x2x7xi32>, memref<1x2x7xf32>, memref<1x2x7xi32>){{$}}
  sparsek.causal_topk_mask topk(9223372036854775807)
      window(9223372036854775807)
      ins(%u : memref<1x2x7xf32, strided<[?, ?, 1], offset: ?>>)
      outs(%e, %t, %f : memref<1x2x7xi32>, memref<1x2x7xf32>, memref<1x2x7xi32>)
  return
}

// Defaults are not printed.
// CHECK-LABEL: func @sparse_attention
func.func @sparse_attention(%q: tensor<1x8x?x128xf32>, %k: tensor<1x2x?x128xf32>,
                            %e: tensor<1x2x?xi32>, %l: tensor<1x8x?xf32>)
    -> (tensor<1x8x?x128xf32>, tensor<1x8x?xf32>) {
  // CHECK: %{{.*}}:2 = sparsek.sparse_attention ins(
  // CHECK-SAME: %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} : tensor<1x8x?x128xf32>, tensor<1x2x?x128xf32>, tensor<1x2x?x128xf32>, tensor<1x2x?xi32>)
  // CHECK-SAME: outs(%{{.*}}, %{{.*}} : tensor<1x8x?x128xf32>, tensor<1x8x?xf32>)
  // CHECK-SAME: -> tensor<1x8x?x128xf32>, tensor<1x8x?xf32>
  %0:2 = sparsek.sparse_attention gate(none) window(0)
      ins(%q, %k, %k, %e : tensor<1x8x?x128xf32>, tensor<1x2x?x128xf32>,
          tensor<1x2x?x128xf32>, tensor<1x2x?xi32>)
      outs(%q, %l : tensor<1x8x?x128xf32>, tensor<1x8x?xf32>)
      -> tensor<1x8x?x128xf32>, tensor<1x8x?xf32>
  return %0#0, %0#1 : tensor<1x8x?x128xf32>, tensor<1x8x?xf32>
}

// CHECK-LABEL: func @gated_sparse_attention
func.func @gated_sparse_attention(
    %q: tensor<?x?x?x64xbf16>, %k: tensor<?x?x?x64xbf16>,
    %v: tensor<?x?x?x80xbf16>, %e: tensor<?x?x?xi32>, %u: tensor<?x?x?xf32>,
    %o: tensor<?x?x?x80xbf16>) -> tensor<?x?x?x80xbf16> {
  // CHECK: sparsek.sparse_attention gate(key_value) window(512) scale(1.250000e-01) group(4) ins(
  // CHECK-SAME: gating(%{{.*}}, %{{.*}} : tensor<?x?x?xf32>, tensor<?x?x?xf32>) outs(
  %0:2 = sparsek.sparse_attention gate(key_value) window(512) scale(0.125)
      group(4)
      ins(%q, %k, %v, %e : tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>,
          tensor<?x?x?x80xbf16>, tensor<?x?x?xi32>)
      gating(%u, %u : tensor<?x?x?xf32>, tensor<?x?x?xf32>)
      outs(%o, %u : tensor<?x?x?x80xbf16>, tensor<?x?x?xf32>)
      {note = "kept"} -> tensor<?x?x?x80xbf16>, tensor<?x?x?xf32>
  // CHECK-SAME: {note = "kept"}
  return %0#0 : tensor<?x?x?x80xbf16>
}

// CHECK-LABEL: func @sparse_attention_in_memory
func.func @sparse_attention_in_memory(
    %q: memref<1x2x3x4xf16>, %k: memref<1x1x9x4xf16>, %e: memref<1x1x9xi32>,
    %u: memref<1x1x9xf32>, %l: memref<1x2x3xf32>) {
  // CHECK: sparsek.sparse_attention gate(value) ins(
  // CHECK-SAME: gating(%{{.*}}, %{{.*}} : memref<1x1x9xf32>, memref<1x1x9xf32>)
  // CHECK-SAME: outs(%{{.*}}, %{{.*}} : memref<1x2x3x4xf16>, memref<1x2x3xf32>){{$}}
  sparsek.sparse_attention gate(value)
      ins(%q, %k, %k, %e : memref<1x2x3x4xf16>, memref<1x1x9x4xf16>,
          memref<1x1x9x4xf16>, memref<1x1x9xi32>)
      gating(%u, %u : memref<1x1x9xf32>, memref<1x1x9xf32>)
      outs(%q, %l : memref<1x2x3x4xf16>, memref<1x2x3xf32>)
  return
}

// CHECK-LABEL: func @score
func.func @score(%x: tensor<1x?x32xbf16>, %w: tensor<2x32xbf16>,
                 %b: tensor<2xf32>, %u: tensor<1x2x?xf32>)
    -> tensor<1x2x?xf32> {
  // CHECK: %{{.*}} = sparsek.score
  // CHECK-SAME: ins(%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} : tensor<1x?x32xbf16>, tensor<2x32xbf16>, tensor<2xf32>, tensor<2xf32>)
  // CHECK-SAME: outs(%{{.*}} : tensor<1x2x?xf32>) -> tensor<1x2x?xf32>
  %0 = sparsek.score
      ins(%x, %w, %b, %b : tensor<1x?x32xbf16>, tensor<2x32xbf16>,
          tensor<2xf32>, tensor<2xf32>)
      outs(%u : tensor<1x2x?xf32>) -> tensor<1x2x?xf32>
  return %0 : tensor<1x2x?xf32>
}

// CHECK-LABEL: func @score_in_memory
func.func @score_in_memory(%x: memref<1x?x32xf32>, %w: memref<2x32xf32>,
                           %b: memref<2xf32>, %u: memref<1x2x?xf32>) {
  // CHECK: sparsek.score ins({{.*}}) outs(%{{.*}} : memref<1x2x?xf32>){{$}}
  sparsek.score ins(%x, %w, %b, %b : memref<1x?x32xf32>, memref<2x32xf32>,
                    memref<2xf32>, memref<2xf32>)
      outs(%u : memref<1x2x?xf32>)
  return
}
