// RUN: sparsek-opt %s --canonicalize --split-input-file | FileCheck %s

// Where tau is -inf, no entry follows it.
// CHECK-LABEL: func @open_mask
// CHECK-SAME: (%{{.*}}, %{{.*}}, %[[O:.*]]: tensor<4x9xbf16>)
// CHECK: %[[ZERO:.*]] = arith.constant 0.000000e+00 : bf16
// CHECK: %[[FILL:.*]] = linalg.fill ins(%[[ZERO]] : bf16) outs(%[[O]]
// CHECK: return %[[FILL]]
func.func @open_mask(%z: tensor<4x9xbf16>, %t: tensor<4xf32>,
                     %o: tensor<4x9xbf16>) -> tensor<4x9xbf16> {
  %none = arith.constant 0xFF800000 : f32
  %tau = linalg.fill ins(%none : f32) outs(%t : tensor<4xf32>) -> tensor<4xf32>
  %0 = sparsek.topk_mask_grad
      ins(%z, %tau, %z : tensor<4x9xbf16>, tensor<4xf32>, tensor<4x9xbf16>)
      outs(%o : tensor<4x9xbf16>) -> tensor<4x9xbf16>
  return %0 : tensor<4x9xbf16>
}

// -----

// CHECK-LABEL: func @half_open_mask
// CHECK: sparsek.topk_mask_grad
func.func @half_open_mask(%z: tensor<2x9xf32>, %o: tensor<2x9xf32>)
    -> tensor<2x9xf32> {
  %tau = arith.constant dense<[0xFF800000, 1.0]> : tensor<2xf32>
  %0 = sparsek.topk_mask_grad
      ins(%z, %tau, %z : tensor<2x9xf32>, tensor<2xf32>, tensor<2x9xf32>)
      outs(%o : tensor<2x9xf32>) -> tensor<2x9xf32>
  return %0 : tensor<2x9xf32>
}

// -----

// CHECK-LABEL: func @closed_mask
// CHECK: sparsek.topk_mask_grad
func.func @closed_mask(%z: tensor<2x9xf32>, %o: tensor<2x9xf32>)
    -> tensor<2x9xf32> {
  %tau = arith.constant dense<0x7F800000> : tensor<2xf32>
  %0 = sparsek.topk_mask_grad
      ins(%z, %tau, %z : tensor<2x9xf32>, tensor<2xf32>, tensor<2x9xf32>)
      outs(%o : tensor<2x9xf32>) -> tensor<2x9xf32>
  return %0 : tensor<2x9xf32>
}

// -----

// A window of at least N keys leaves no candidate.
// CHECK-LABEL: func @no_candidates
// CHECK-SAME: (%{{.*}}, %{{.*}}, %[[O:.*]]: memref<1x2x9xf32>)
// CHECK-DAG: %[[ZERO:.*]] = arith.constant 0.000000e+00 : f32
// CHECK-NEXT: linalg.fill ins(%[[ZERO]] : f32) outs(%[[O]]
// CHECK-NEXT: return
func.func @no_candidates(%u: memref<1x2x9xf32>, %f: memref<1x2x9xi32>,
                         %o: memref<1x2x9xf32>) {
  sparsek.causal_topk_mask_grad window(9)
      ins(%u, %u, %f, %u : memref<1x2x9xf32>, memref<1x2x9xf32>,
          memref<1x2x9xi32>, memref<1x2x9xf32>)
      outs(%o : memref<1x2x9xf32>)
  return
}

// -----

// CHECK-LABEL: func @one_candidate
// CHECK: sparsek.causal_topk_mask_grad window(8)
func.func @one_candidate(%u: memref<1x2x9xf32>, %f: memref<1x2x9xi32>,
                         %o: memref<1x2x9xf32>) {
  sparsek.causal_topk_mask_grad window(8)
      ins(%u, %u, %f, %u : memref<1x2x9xf32>, memref<1x2x9xf32>,
          memref<1x2x9xi32>, memref<1x2x9xf32>)
      outs(%o : memref<1x2x9xf32>)
  return
}

// -----

// CHECK-LABEL: func @candidates_of_unknown_length
// CHECK: sparsek.causal_topk_mask_grad window(600)
func.func @candidates_of_unknown_length(
    %u: memref<1x2x?xf32>, %f: memref<1x2x?xi32>, %o: memref<1x2x?xf32>) {
  sparsek.causal_topk_mask_grad window(600)
      ins(%u, %u, %f, %u : memref<1x2x?xf32>, memref<1x2x?xf32>,
          memref<1x2x?xi32>, memref<1x2x?xf32>)
      outs(%o : memref<1x2x?xf32>)
  return
}

// -----

// A causal tau of -inf everywhere: nothing is evicted, nothing is free.
// CHECK-LABEL: func @no_threshold
// CHECK-NOT: sparsek
func.func @no_threshold(%u: tensor<1x2x4xf32>, %f: tensor<1x2x4xi32>)
    -> tensor<1x2x4xf32> {
  %tau = arith.constant dense<0xFF800000> : tensor<1x2x4xf32>
  %0 = sparsek.causal_topk_mask_grad window(0)
      ins(%u, %tau, %f, %u : tensor<1x2x4xf32>, tensor<1x2x4xf32>,
          tensor<1x2x4xi32>, tensor<1x2x4xf32>)
      outs(%u : tensor<1x2x4xf32>) -> tensor<1x2x4xf32>
  return %0 : tensor<1x2x4xf32>
}

// -----

// The window covers every key: all gates are 1, and nothing flows to them.
// CHECK-LABEL: func @gate_inside_window
// CHECK-SAME: (%[[Q:[^:]*]]: {{[^%]*}}%[[K:[^:]*]]: {{[^%]*}}%[[E:[^:]*]]: {{[^%]*}}%[[U:[^:]*]]: {{[^%]*}}%[[L:[^:]*]]: {{[^%]*}}%[[DU:[^:]*]]: {{[^%]*}}%[[DT:[^:]*]]:
// CHECK: %[[ZERO:.*]] = arith.constant 0.000000e+00 : f32
// CHECK: %[[R:.*]]:3 = sparsek.sparse_attention_grad scale(2.000000e+00) group(2) ins(%[[Q]], %[[K]], %[[K]], %[[E]], %[[Q]], %[[L]], %[[Q]] :
// CHECK-SAME: grad_lse(%[[L]] :
// CHECK-NOT: gating
// CHECK-SAME: {note = "kept"}
// CHECK: %[[FU:.*]] = linalg.fill ins(%[[ZERO]] : f32) outs(%[[DU]]
// CHECK: %[[FT:.*]] = linalg.fill ins(%[[ZERO]] : f32) outs(%[[DT]]
// CHECK: return %[[R]]#0, %[[R]]#2, %[[FU]], %[[FT]]
func.func @gate_inside_window(
    %q: tensor<1x2x3x4xf32>, %k: tensor<1x1x9x4xf32>, %e: tensor<1x1x9xi32>,
    %u: tensor<1x1x9xf32>, %l: tensor<1x2x3xf32>, %du: tensor<1x1x9xf32>,
    %dt: tensor<1x1x9xf32>)
    -> (tensor<1x2x3x4xf32>, tensor<1x1x9x4xf32>, tensor<1x1x9xf32>,
        tensor<1x1x9xf32>) {
  %0:5 = sparsek.sparse_attention_grad gate(value) window(9) scale(2.0) group(2)
      ins(%q, %k, %k, %e, %q, %l, %q : tensor<1x2x3x4xf32>,
          tensor<1x1x9x4xf32>, tensor<1x1x9x4xf32>, tensor<1x1x9xi32>,
          tensor<1x2x3x4xf32>, tensor<1x2x3xf32>, tensor<1x2x3x4xf32>)
      grad_lse(%l : tensor<1x2x3xf32>)
      gating(%u, %u : tensor<1x1x9xf32>, tensor<1x1x9xf32>)
      outs(%q, %k, %k : tensor<1x2x3x4xf32>, tensor<1x1x9x4xf32>,
           tensor<1x1x9x4xf32>)
      gating_outs(%du, %dt : tensor<1x1x9xf32>, tensor<1x1x9xf32>)
      {note = "kept"}
      -> tensor<1x2x3x4xf32>, tensor<1x1x9x4xf32>, tensor<1x1x9x4xf32>,
         tensor<1x1x9xf32>, tensor<1x1x9xf32>
  return %0#0, %0#2, %0#3, %0#4
      : tensor<1x2x3x4xf32>, tensor<1x1x9x4xf32>, tensor<1x1x9xf32>,
        tensor<1x1x9xf32>
}

// -----

// CHECK-LABEL: func @gate_inside_window_in_memory
// CHECK: sparsek.sparse_attention_grad ins(
// CHECK-NOT: gating
// CHECK: linalg.fill {{.*}} outs(%arg5 : memref<1x1x9xf32>)
// CHECK: linalg.fill {{.*}} outs(%arg6 : memref<1x1x9xf32>)
func.func @gate_inside_window_in_memory(
    %q: memref<1x2x3x4xf32>, %k: memref<1x1x9x4xf32>, %e: memref<1x1x9xi32>,
    %u: memref<1x1x9xf32>, %l: memref<1x2x3xf32>, %du: memref<1x1x9xf32>,
    %dt: memref<1x1x9xf32>, %dq: memref<1x2x3x4xf32>,
    %dk: memref<1x1x9x4xf32>, %dv: memref<1x1x9x4xf32>) {
  sparsek.sparse_attention_grad gate(key_value) window(10)
      ins(%q, %k, %k, %e, %q, %l, %q : memref<1x2x3x4xf32>,
          memref<1x1x9x4xf32>, memref<1x1x9x4xf32>, memref<1x1x9xi32>,
          memref<1x2x3x4xf32>, memref<1x2x3xf32>, memref<1x2x3x4xf32>)
      gating(%u, %u : memref<1x1x9xf32>, memref<1x1x9xf32>)
      outs(%dq, %dk, %dv : memref<1x2x3x4xf32>, memref<1x1x9x4xf32>,
           memref<1x1x9x4xf32>)
      gating_outs(%du, %dt : memref<1x1x9xf32>, memref<1x1x9xf32>)
  return
}

// -----

// CHECK-LABEL: func @gate_beyond_window
// CHECK: sparsek.sparse_attention_grad gate(value) window(8) ins(
// CHECK-SAME: gating(
// CHECK-SAME: gating_outs(
func.func @gate_beyond_window(
    %q: memref<1x2x3x4xf32>, %k: memref<1x1x9x4xf32>, %e: memref<1x1x9xi32>,
    %u: memref<1x1x9xf32>, %l: memref<1x2x3xf32>) {
  sparsek.sparse_attention_grad gate(value) window(8)
      ins(%q, %k, %k, %e, %q, %l, %q : memref<1x2x3x4xf32>,
          memref<1x1x9x4xf32>, memref<1x1x9x4xf32>, memref<1x1x9xi32>,
          memref<1x2x3x4xf32>, memref<1x2x3xf32>, memref<1x2x3x4xf32>)
      gating(%u, %u : memref<1x1x9xf32>, memref<1x1x9xf32>)
      outs(%q, %k, %k : memref<1x2x3x4xf32>, memref<1x1x9x4xf32>,
           memref<1x1x9x4xf32>)
      gating_outs(%u, %u : memref<1x1x9xf32>, memref<1x1x9xf32>)
  return
}

// -----

// Without a gate, scores, tau and the window mean nothing.
// CHECK-LABEL: func @no_gate
// CHECK: sparsek.sparse_attention_grad ins(
// CHECK-NOT: gating
func.func @no_gate(
    %q: memref<1x2x3x4xf32>, %k: memref<1x1x?x4xf32>, %e: memref<1x1x?xi32>,
    %u: memref<1x1x?xf32>, %l: memref<1x2x3xf32>) {
  sparsek.sparse_attention_grad gate(none) window(8)
      ins(%q, %k, %k, %e, %q, %l, %q : memref<1x2x3x4xf32>,
          memref<1x1x?x4xf32>, memref<1x1x?x4xf32>, memref<1x1x?xi32>,
          memref<1x2x3x4xf32>, memref<1x2x3xf32>, memref<1x2x3x4xf32>)
      gating(%u, %u : memref<1x1x?xf32>, memref<1x1x?xf32>)
      outs(%q, %k, %k : memref<1x2x3x4xf32>, memref<1x1x?x4xf32>,
           memref<1x1x?x4xf32>)
  return
}

// -----

// Lifetimes that are over before the first query leave nothing visible.
// CHECK-LABEL: func @nothing_visible
// CHECK-SAME: (%[[Q:[^:]*]]: {{[^%]*}}%[[K:[^:]*]]: {{[^%]*}}%[[U:[^:]*]]: {{[^%]*}}%[[L:[^:]*]]:
// CHECK-DAG: %[[ZERO:.*]] = arith.constant 0.000000e+00 : f32
// CHECK-DAG: %[[HALF:.*]] = arith.constant 0.000000e+00 : f16
// CHECK-NOT: sparsek
// CHECK: %[[DQ:.*]] = linalg.fill ins(%[[HALF]] : f16) outs(%[[Q]]
// CHECK: %[[DU:.*]] = linalg.fill ins(%[[ZERO]] : f32) outs(%[[U]]
// CHECK: return %[[DQ]], %[[DU]]
func.func @nothing_visible(
    %q: tensor<1x2x3x4xf16>, %k: tensor<1x1x9x4xf16>, %u: tensor<1x1x9xf32>,
    %l: tensor<1x2x3xf32>) -> (tensor<1x2x3x4xf16>, tensor<1x1x9xf32>) {
  %e = arith.constant dense<0> : tensor<1x1x9xi32>
  %0:5 = sparsek.sparse_attention_grad gate(value)
      ins(%q, %k, %k, %e, %q, %l, %q : tensor<1x2x3x4xf16>,
          tensor<1x1x9x4xf16>, tensor<1x1x9x4xf16>, tensor<1x1x9xi32>,
          tensor<1x2x3x4xf16>, tensor<1x2x3xf32>, tensor<1x2x3x4xf16>)
      gating(%u, %u : tensor<1x1x9xf32>, tensor<1x1x9xf32>)
      outs(%q, %k, %k : tensor<1x2x3x4xf16>, tensor<1x1x9x4xf16>,
           tensor<1x1x9x4xf16>)
      gating_outs(%u, %u : tensor<1x1x9xf32>, tensor<1x1x9xf32>)
      -> tensor<1x2x3x4xf16>, tensor<1x1x9x4xf16>, tensor<1x1x9x4xf16>,
         tensor<1x1x9xf32>, tensor<1x1x9xf32>
  return %0#0, %0#3 : tensor<1x2x3x4xf16>, tensor<1x1x9xf32>
}

// -----

// CHECK-LABEL: func @first_query_sees_a_key
// CHECK: sparsek.sparse_attention_grad
func.func @first_query_sees_a_key(
    %q: tensor<1x2x3x4xf16>, %k: tensor<1x1x9x4xf16>, %l: tensor<1x2x3xf32>)
    -> tensor<1x2x3x4xf16> {
  %e = arith.constant dense<1> : tensor<1x1x9xi32>
  %0:3 = sparsek.sparse_attention_grad
      ins(%q, %k, %k, %e, %q, %l, %q : tensor<1x2x3x4xf16>,
          tensor<1x1x9x4xf16>, tensor<1x1x9x4xf16>, tensor<1x1x9xi32>,
          tensor<1x2x3x4xf16>, tensor<1x2x3xf32>, tensor<1x2x3x4xf16>)
      outs(%q, %k, %k : tensor<1x2x3x4xf16>, tensor<1x1x9x4xf16>,
           tensor<1x1x9x4xf16>)
      -> tensor<1x2x3x4xf16>, tensor<1x1x9x4xf16>, tensor<1x1x9x4xf16>
  return %0#0 : tensor<1x2x3x4xf16>
}
