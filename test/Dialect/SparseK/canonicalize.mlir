// RUN: sparsek-opt %s --canonicalize --split-input-file | FileCheck %s

// A row with at most topk entries keeps all of them.
// CHECK-LABEL: func @short_row
// CHECK-SAME: (%{{.*}}, %[[P:.*]]: tensor<4x5xbf16>, %[[T:.*]]: tensor<4xf32>)
// CHECK-DAG: %[[ONE:.*]] = arith.constant 1.000000e+00 : bf16
// CHECK-DAG: %[[INF:.*]] = arith.constant 0xFF800000 : f32
// CHECK: %[[MASK:.*]] = linalg.fill ins(%[[ONE]] : bf16) outs(%[[P]]
// CHECK: %[[TAU:.*]] = linalg.fill ins(%[[INF]] : f32) outs(%[[T]]
// CHECK: return %[[MASK]], %[[TAU]]
func.func @short_row(%z: tensor<4x5xbf16>, %p: tensor<4x5xbf16>,
                     %t: tensor<4xf32>) -> (tensor<4x5xbf16>, tensor<4xf32>) {
  %0:2 = sparsek.topk_mask topk(5) ins(%z : tensor<4x5xbf16>)
      outs(%p, %t : tensor<4x5xbf16>, tensor<4xf32>)
      -> tensor<4x5xbf16>, tensor<4xf32>
  return %0#0, %0#1 : tensor<4x5xbf16>, tensor<4xf32>
}

// -----

// CHECK-LABEL: func @short_row_in_memory
// CHECK-SAME: (%{{.*}}, %[[P:.*]]: memref<5xf32>, %[[T:.*]]: memref<f32>)
// CHECK: linalg.fill {{.*}} outs(%[[P]]
// CHECK: linalg.fill {{.*}} outs(%[[T]]
// CHECK-NOT: sparsek
func.func @short_row_in_memory(%z: memref<5xf32>, %p: memref<5xf32>,
                               %t: memref<f32>) {
  sparsek.topk_mask topk(9) ins(%z : memref<5xf32>)
      outs(%p, %t : memref<5xf32>, memref<f32>)
  return
}

// -----

// CHECK-LABEL: func @empty_row
// CHECK-NOT: sparsek
func.func @empty_row(%z: tensor<0xf32>, %t: tensor<f32>)
    -> (tensor<0xf32>, tensor<f32>) {
  %0:2 = sparsek.topk_mask topk(1) ins(%z : tensor<0xf32>)
      outs(%z, %t : tensor<0xf32>, tensor<f32>) -> tensor<0xf32>, tensor<f32>
  return %0#0, %0#1 : tensor<0xf32>, tensor<f32>
}

// -----

// CHECK-LABEL: func @long_row
// CHECK: sparsek.topk_mask topk(4)
func.func @long_row(%z: tensor<5xf32>, %t: tensor<f32>) -> tensor<5xf32> {
  %0:2 = sparsek.topk_mask topk(4) ins(%z : tensor<5xf32>)
      outs(%z, %t : tensor<5xf32>, tensor<f32>) -> tensor<5xf32>, tensor<f32>
  return %0#0 : tensor<5xf32>
}

// -----

// CHECK-LABEL: func @row_of_unknown_length
// CHECK: sparsek.topk_mask topk(4)
func.func @row_of_unknown_length(%z: tensor<?xf32>, %t: tensor<f32>)
    -> tensor<?xf32> {
  %0:2 = sparsek.topk_mask topk(4) ins(%z : tensor<?xf32>)
      outs(%z, %t : tensor<?xf32>, tensor<f32>) -> tensor<?xf32>, tensor<f32>
  return %0#0 : tensor<?xf32>
}

// -----

// With topk >= N - window no key is ever evicted.
// CHECK-LABEL: func @no_eviction
// CHECK-SAME: (%{{.*}}, %[[E:.*]]: tensor<1x2x9xi32>, %[[T:.*]]: tensor<1x2x9xf32>, %[[F:.*]]: tensor<1x2x9xi32>)
// CHECK-DAG: %[[N:.*]] = arith.constant 9 : i32
// CHECK-DAG: %[[INF:.*]] = arith.constant 0xFF800000 : f32
// CHECK-DAG: %[[ZERO:.*]] = arith.constant 0 : i32
// CHECK: %[[END:.*]] = linalg.fill ins(%[[N]] : i32) outs(%[[E]]
// CHECK: %[[TAU:.*]] = linalg.fill ins(%[[INF]] : f32) outs(%[[T]]
// CHECK: %[[FREE:.*]] = linalg.fill ins(%[[ZERO]] : i32) outs(%[[F]]
// CHECK: return %[[END]], %[[TAU]], %[[FREE]]
func.func @no_eviction(%u: tensor<1x2x9xf32>, %e: tensor<1x2x9xi32>,
                       %t: tensor<1x2x9xf32>, %f: tensor<1x2x9xi32>)
    -> (tensor<1x2x9xi32>, tensor<1x2x9xf32>, tensor<1x2x9xi32>) {
  %0:3 = sparsek.causal_topk_mask topk(7) window(2) ins(%u : tensor<1x2x9xf32>)
      outs(%e, %t, %f : tensor<1x2x9xi32>, tensor<1x2x9xf32>, tensor<1x2x9xi32>)
      -> tensor<1x2x9xi32>, tensor<1x2x9xf32>, tensor<1x2x9xi32>
  return %0#0, %0#1, %0#2
      : tensor<1x2x9xi32>, tensor<1x2x9xf32>, tensor<1x2x9xi32>
}

// -----

// CHECK-LABEL: func @no_eviction_from_a_huge_window
// CHECK-NOT: sparsek
func.func @no_eviction_from_a_huge_window(%u: tensor<1x2x9xf32>,
                                          %e: tensor<1x2x9xi32>)
    -> tensor<1x2x9xi32> {
  %0:3 = sparsek.causal_topk_mask topk(9223372036854775807)
      window(9223372036854775807) ins(%u : tensor<1x2x9xf32>)
      outs(%e, %u, %e : tensor<1x2x9xi32>, tensor<1x2x9xf32>, tensor<1x2x9xi32>)
      -> tensor<1x2x9xi32>, tensor<1x2x9xf32>, tensor<1x2x9xi32>
  return %0#0 : tensor<1x2x9xi32>
}

// -----

// CHECK-LABEL: func @eviction_of_one_key
// CHECK: sparsek.causal_topk_mask topk(6) window(2)
func.func @eviction_of_one_key(%u: tensor<1x2x9xf32>, %e: tensor<1x2x9xi32>)
    -> tensor<1x2x9xi32> {
  %0:3 = sparsek.causal_topk_mask topk(6) window(2) ins(%u : tensor<1x2x9xf32>)
      outs(%e, %u, %e : tensor<1x2x9xi32>, tensor<1x2x9xf32>, tensor<1x2x9xi32>)
      -> tensor<1x2x9xi32>, tensor<1x2x9xf32>, tensor<1x2x9xi32>
  return %0#0 : tensor<1x2x9xi32>
}

// -----

// CHECK-LABEL: func @eviction_from_unknown_length
// CHECK: sparsek.causal_topk_mask topk(600) window(200)
func.func @eviction_from_unknown_length(%u: tensor<1x2x?xf32>,
                                        %e: tensor<1x2x?xi32>)
    -> tensor<1x2x?xi32> {
  %0:3 = sparsek.causal_topk_mask topk(600) window(200)
      ins(%u : tensor<1x2x?xf32>)
      outs(%e, %u, %e : tensor<1x2x?xi32>, tensor<1x2x?xf32>, tensor<1x2x?xi32>)
      -> tensor<1x2x?xi32>, tensor<1x2x?xf32>, tensor<1x2x?xi32>
  return %0#0 : tensor<1x2x?xi32>
}

// -----

// The window covers every key: all gates are 1, and then nothing gates.
// CHECK-LABEL: func @gate_inside_window
// CHECK: sparsek.sparse_attention ins(
// CHECK-NOT: gating
func.func @gate_inside_window(%q: tensor<1x2x3x4xf32>, %k: tensor<1x1x9x4xf32>,
    %e: tensor<1x1x9xi32>, %u: tensor<1x1x9xf32>, %l: tensor<1x2x3xf32>)
    -> tensor<1x2x3x4xf32> {
  %0:2 = sparsek.sparse_attention gate(value) window(9)
      ins(%q, %k, %k, %e : tensor<1x2x3x4xf32>, tensor<1x1x9x4xf32>,
          tensor<1x1x9x4xf32>, tensor<1x1x9xi32>)
      gating(%u, %u : tensor<1x1x9xf32>, tensor<1x1x9xf32>)
      outs(%q, %l : tensor<1x2x3x4xf32>, tensor<1x2x3xf32>)
      -> tensor<1x2x3x4xf32>, tensor<1x2x3xf32>
  return %0#0 : tensor<1x2x3x4xf32>
}

// -----

// CHECK-LABEL: func @gate_beyond_window
// CHECK: sparsek.sparse_attention gate(value) window(8) ins(
// CHECK-SAME: gating
func.func @gate_beyond_window(%q: tensor<1x2x3x4xf32>, %k: tensor<1x1x9x4xf32>,
    %e: tensor<1x1x9xi32>, %u: tensor<1x1x9xf32>, %l: tensor<1x2x3xf32>)
    -> tensor<1x2x3x4xf32> {
  %0:2 = sparsek.sparse_attention gate(value) window(8)
      ins(%q, %k, %k, %e : tensor<1x2x3x4xf32>, tensor<1x1x9x4xf32>,
          tensor<1x1x9x4xf32>, tensor<1x1x9xi32>)
      gating(%u, %u : tensor<1x1x9xf32>, tensor<1x1x9xf32>)
      outs(%q, %l : tensor<1x2x3x4xf32>, tensor<1x2x3xf32>)
      -> tensor<1x2x3x4xf32>, tensor<1x2x3xf32>
  return %0#0 : tensor<1x2x3x4xf32>
}

// -----

// Without a gate, scores, tau and the window mean nothing.
// CHECK-LABEL: func @no_gate
// CHECK: sparsek.sparse_attention scale(2.000000e+00) ins(
// CHECK-NOT: gating
func.func @no_gate(%q: memref<1x2x3x4xf32>, %k: memref<1x1x?x4xf32>,
    %e: memref<1x1x?xi32>, %u: memref<1x1x?xf32>, %o: memref<1x2x3x4xf32>,
    %l: memref<1x2x3xf32>) {
  sparsek.sparse_attention gate(none) window(8) scale(2.0)
      ins(%q, %k, %k, %e : memref<1x2x3x4xf32>, memref<1x1x?x4xf32>,
          memref<1x1x?x4xf32>, memref<1x1x?xi32>)
      gating(%u, %u : memref<1x1x?xf32>, memref<1x1x?xf32>)
      outs(%o, %l : memref<1x2x3x4xf32>, memref<1x2x3xf32>)
  return
}

// -----

// Lifetimes that are over before the first query leave nothing visible.
// CHECK-LABEL: func @nothing_visible
// CHECK-SAME: (%{{.*}}, %{{.*}}, %[[O:.*]]: tensor<1x2x3x4xf16>, %[[L:.*]]: tensor<1x2x3xf32>)
// CHECK-DAG: %[[ZERO:.*]] = arith.constant 0.000000e+00 : f16
// CHECK-DAG: %[[INF:.*]] = arith.constant 0xFF800000 : f32
// CHECK: %[[OUT:.*]] = linalg.fill ins(%[[ZERO]] : f16) outs(%[[O]]
// CHECK: %[[LSE:.*]] = linalg.fill ins(%[[INF]] : f32) outs(%[[L]]
// CHECK: return %[[OUT]], %[[LSE]]
func.func @nothing_visible(%q: tensor<1x2x3x4xf16>, %k: tensor<1x1x9x4xf16>,
    %o: tensor<1x2x3x4xf16>, %l: tensor<1x2x3xf32>)
    -> (tensor<1x2x3x4xf16>, tensor<1x2x3xf32>) {
  %e = arith.constant dense<0> : tensor<1x1x9xi32>
  %0:2 = sparsek.sparse_attention
      ins(%q, %k, %k, %e : tensor<1x2x3x4xf16>, tensor<1x1x9x4xf16>,
          tensor<1x1x9x4xf16>, tensor<1x1x9xi32>)
      outs(%o, %l : tensor<1x2x3x4xf16>, tensor<1x2x3xf32>)
      -> tensor<1x2x3x4xf16>, tensor<1x2x3xf32>
  return %0#0, %0#1 : tensor<1x2x3x4xf16>, tensor<1x2x3xf32>
}

// -----

// CHECK-LABEL: func @nothing_visible_by_fill
// CHECK-NOT: sparsek
func.func @nothing_visible_by_fill(%q: tensor<1x2x3x4xf16>,
    %k: tensor<1x1x?x4xf16>, %n: index, %l: tensor<1x2x3xf32>)
    -> (tensor<1x2x3x4xf16>, tensor<1x2x3xf32>) {
  %never = arith.constant -1 : i32
  %empty = tensor.empty(%n) : tensor<1x1x?xi32>
  %e = linalg.fill ins(%never : i32) outs(%empty : tensor<1x1x?xi32>)
      -> tensor<1x1x?xi32>
  %0:2 = sparsek.sparse_attention
      ins(%q, %k, %k, %e : tensor<1x2x3x4xf16>, tensor<1x1x?x4xf16>,
          tensor<1x1x?x4xf16>, tensor<1x1x?xi32>)
      outs(%q, %l : tensor<1x2x3x4xf16>, tensor<1x2x3xf32>)
      -> tensor<1x2x3x4xf16>, tensor<1x2x3xf32>
  return %0#0, %0#1 : tensor<1x2x3x4xf16>, tensor<1x2x3xf32>
}

// -----

// CHECK-LABEL: func @first_query_sees_a_key
// CHECK: sparsek.sparse_attention
func.func @first_query_sees_a_key(%q: tensor<1x2x3x4xf16>,
    %k: tensor<1x1x9x4xf16>, %l: tensor<1x2x3xf32>) -> tensor<1x2x3x4xf16> {
  %e = arith.constant dense<1> : tensor<1x1x9xi32>
  %0:2 = sparsek.sparse_attention
      ins(%q, %k, %k, %e : tensor<1x2x3x4xf16>, tensor<1x1x9x4xf16>,
          tensor<1x1x9x4xf16>, tensor<1x1x9xi32>)
      outs(%q, %l : tensor<1x2x3x4xf16>, tensor<1x2x3xf32>)
      -> tensor<1x2x3x4xf16>, tensor<1x2x3xf32>
  return %0#0 : tensor<1x2x3x4xf16>
}

// -----

// CHECK-LABEL: func @one_key_lives
// CHECK: sparsek.sparse_attention
func.func @one_key_lives(%q: tensor<1x2x3x4xf16>, %k: tensor<1x1x2x4xf16>,
    %l: tensor<1x2x3xf32>) -> tensor<1x2x3x4xf16> {
  %e = arith.constant dense<[[[0, 2]]]> : tensor<1x1x2xi32>
  %0:2 = sparsek.sparse_attention
      ins(%q, %k, %k, %e : tensor<1x2x3x4xf16>, tensor<1x1x2x4xf16>,
          tensor<1x1x2x4xf16>, tensor<1x1x2xi32>)
      outs(%q, %l : tensor<1x2x3x4xf16>, tensor<1x2x3xf32>)
      -> tensor<1x2x3x4xf16>, tensor<1x2x3xf32>
  return %0#0 : tensor<1x2x3x4xf16>
}
