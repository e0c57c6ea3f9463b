// RUN: sparsek-opt %s --split-input-file --verify-diagnostics

// Every case breaks the constraint of its op that the comment names.

// C1
func.func @topk_mask_grad_rank_0(
    %z: tensor<f32>, %t: tensor<2xf32>, %g: tensor<2x9xf32>,
    %gt: tensor<2xf32>, %o: tensor<2x9xf32>) {
  // expected-error @+1 {{'sparsek.topk_mask_grad' op operand 'scores' has type 'tensor<f32>', expected rank at least 1 (C1)}}
  %0 = sparsek.topk_mask_grad
      ins(%z, %t, %g : tensor<f32>, tensor<2xf32>, tensor<2x9xf32>)
      grad_tau(%gt : tensor<2xf32>)
      outs(%o : tensor<2x9xf32>)
      -> tensor<2x9xf32>
  return
}

// -----

// C1
func.func @topk_mask_grad_unranked(
    %z: tensor<*xf32>, %t: tensor<2xf32>, %g: tensor<2x9xf32>,
    %gt: tensor<2xf32>, %o: tensor<2x9xf32>) {
  // expected-error @+1 {{'sparsek.topk_mask_grad' op operand 'scores' has type 'tensor<*xf32>', expected rank at least 1 (C1)}}
  %0 = sparsek.topk_mask_grad
      ins(%z, %t, %g : tensor<*xf32>, tensor<2xf32>, tensor<2x9xf32>)
      grad_tau(%gt : tensor<2xf32>)
      outs(%o : tensor<2x9xf32>)
      -> tensor<2x9xf32>
  return
}

// -----

// C2
func.func @topk_mask_grad_mask_rank(
    %z: tensor<2x9xf32>, %t: tensor<2xf32>, %g: tensor<9xf32>,
    %gt: tensor<2xf32>, %o: tensor<2x9xf32>) {
  // expected-error @+1 {{'sparsek.topk_mask_grad' op operand 'grad_mask' has type 'tensor<9xf32>', expected rank 2 (C2)}}
  %0 = sparsek.topk_mask_grad
      ins(%z, %t, %g : tensor<2x9xf32>, tensor<2xf32>, tensor<9xf32>)
      grad_tau(%gt : tensor<2xf32>)
      outs(%o : tensor<2x9xf32>)
      -> tensor<2x9xf32>
  return
}

// -----

// C2
func.func @topk_mask_grad_mask_element(
    %z: tensor<2x9xf32>, %t: tensor<2xf32>, %g: tensor<2x9xf16>,
    %gt: tensor<2xf32>, %o: tensor<2x9xf32>) {
  // expected-error @+1 {{'sparsek.topk_mask_grad' op operand 'grad_mask' has element type 'f16', expected 'f32' as operand 'scores' (C2)}}
  %0 = sparsek.topk_mask_grad
      ins(%z, %t, %g : tensor<2x9xf32>, tensor<2xf32>, tensor<2x9xf16>)
      grad_tau(%gt : tensor<2xf32>)
      outs(%o : tensor<2x9xf32>)
      -> tensor<2x9xf32>
  return
}

// -----

// C2
func.func @topk_mask_grad_scores_shape(
    %z: tensor<2x9xf32>, %t: tensor<2xf32>, %g: tensor<2x9xf32>,
    %gt: tensor<2xf32>, %o: tensor<2x8xf32>) {
  // expected-error @+1 {{'sparsek.topk_mask_grad' op operand 'grad_scores' has size 8 in dimension 1, expected 9 as dimension 1 of operand 'scores' (C2)}}
  %0 = sparsek.topk_mask_grad
      ins(%z, %t, %g : tensor<2x9xf32>, tensor<2xf32>, tensor<2x9xf32>)
      grad_tau(%gt : tensor<2xf32>)
      outs(%o : tensor<2x8xf32>)
      -> tensor<2x8xf32>
  return
}

// -----

// C2
func.func @topk_mask_grad_scores_element(
    %z: tensor<2x9xf32>, %t: tensor<2xf32>, %g: tensor<2x9xf32>,
    %gt: tensor<2xf32>, %o: tensor<2x9xbf16>) {
  // expected-error @+1 {{'sparsek.topk_mask_grad' op operand 'grad_scores' has element type 'bf16', expected 'f32' as operand 'scores' (C2)}}
  %0 = sparsek.topk_mask_grad
      ins(%z, %t, %g : tensor<2x9xf32>, tensor<2xf32>, tensor<2x9xf32>)
      grad_tau(%gt : tensor<2xf32>)
      outs(%o : tensor<2x9xbf16>)
      -> tensor<2x9xbf16>
  return
}

// -----

// C3
func.func @topk_mask_grad_tau_rank(
    %z: tensor<2x9xf32>, %t: tensor<2x9xf32>, %g: tensor<2x9xf32>,
    %gt: tensor<2xf32>, %o: tensor<2x9xf32>) {
  // expected-error @+1 {{'sparsek.topk_mask_grad' op operand 'tau' has type 'tensor<2x9xf32>', expected rank 1 (C3)}}
  %0 = sparsek.topk_mask_grad
      ins(%z, %t, %g : tensor<2x9xf32>, tensor<2x9xf32>, tensor<2x9xf32>)
      grad_tau(%gt : tensor<2xf32>)
      outs(%o : tensor<2x9xf32>)
      -> tensor<2x9xf32>
  return
}

// -----

// C3
func.func @topk_mask_grad_tau_shape(
    %z: tensor<2x9xf32>, %t: tensor<3xf32>, %g: tensor<2x9xf32>,
    %gt: tensor<2xf32>, %o: tensor<2x9xf32>) {
  // expected-error @+1 {{'sparsek.topk_mask_grad' op operand 'tau' has size 3 in dimension 0, expected 2 as dimension 0 of operand 'scores' (C3)}}
  %0 = sparsek.topk_mask_grad
      ins(%z, %t, %g : tensor<2x9xf32>, tensor<3xf32>, tensor<2x9xf32>)
      grad_tau(%gt : tensor<2xf32>)
      outs(%o : tensor<2x9xf32>)
      -> tensor<2x9xf32>
  return
}

// -----

// C3
func.func @topk_mask_grad_grad_tau_shape(
    %z: tensor<2x9xf32>, %t: tensor<2xf32>, %g: tensor<2x9xf32>,
    %gt: tensor<3xf32>, %o: tensor<2x9xf32>) {
  // expected-error @+1 {{'sparsek.topk_mask_grad' op operand 'grad_tau' has size 3 in dimension 0, expected 2 as dimension 0 of operand 'scores' (C3)}}
  %0 = sparsek.topk_mask_grad
      ins(%z, %t, %g : tensor<2x9xf32>, tensor<2xf32>, tensor<2x9xf32>)
      grad_tau(%gt : tensor<3xf32>)
      outs(%o : tensor<2x9xf32>)
      -> tensor<2x9xf32>
  return
}

// -----

// C4
func.func @topk_mask_grad_mixed(
    %z: tensor<2x9xf32>, %t: tensor<2xf32>, %g: tensor<2x9xf32>,
    %gt: memref<2xf32>, %o: tensor<2x9xf32>) {
  // expected-error @+1 {{'sparsek.topk_mask_grad' op expected all operands to be tensors or all to be memrefs (C4)}}
  %0 = sparsek.topk_mask_grad
      ins(%z, %t, %g : tensor<2x9xf32>, tensor<2xf32>, tensor<2x9xf32>)
      grad_tau(%gt : memref<2xf32>)
      outs(%o : tensor<2x9xf32>)
      -> tensor<2x9xf32>
  return
}

// -----

// C4
func.func @topk_mask_grad_no_results(
    %z: tensor<2x9xf32>, %t: tensor<2xf32>, %g: tensor<2x9xf32>,
    %gt: tensor<2xf32>, %o: tensor<2x9xf32>) {
  // expected-error @+1 {{'sparsek.topk_mask_grad' op has 0 results, expected 1 (C4)}}
  sparsek.topk_mask_grad
      ins(%z, %t, %g : tensor<2x9xf32>, tensor<2xf32>, tensor<2x9xf32>)
      grad_tau(%gt : tensor<2xf32>)
      outs(%o : tensor<2x9xf32>)
  return
}

// -----

// C4
func.func @topk_mask_grad_result_type(
    %z: tensor<2x9xf32>, %t: tensor<2xf32>, %g: tensor<2x9xf32>,
    %gt: tensor<2xf32>, %o: tensor<2x9xf32>) {
  // expected-error @+1 {{'sparsek.topk_mask_grad' op result 0 has type 'tensor<?x9xf32>', expected the type of its destination 'tensor<2x9xf32>' (C4)}}
  %0 = sparsek.topk_mask_grad
      ins(%z, %t, %g : tensor<2x9xf32>, tensor<2xf32>, tensor<2x9xf32>)
      grad_tau(%gt : tensor<2xf32>)
      outs(%o : tensor<2x9xf32>)
      -> tensor<?x9xf32>
  return
}

// -----

// C1
func.func @causal_topk_mask_grad_window(
    %u: tensor<1x2x9xf32>, %t: tensor<1x2x9xf32>, %f: tensor<1x2x9xi32>,
    %g: tensor<1x2x9xf32>, %o: tensor<1x2x9xf32>) {
  // expected-error @+1 {{'sparsek.causal_topk_mask_grad' op attribute 'window' is -1, expected at least 0 (C1)}}
  %0 = sparsek.causal_topk_mask_grad window(-1)
      ins(%u, %t, %f, %g : tensor<1x2x9xf32>, tensor<1x2x9xf32>,
          tensor<1x2x9xi32>, tensor<1x2x9xf32>)
      outs(%o : tensor<1x2x9xf32>) -> tensor<1x2x9xf32>
  return
}

// -----

// C2
func.func @causal_topk_mask_grad_rank(
    %u: tensor<2x9xf32>, %t: tensor<1x2x9xf32>, %f: tensor<1x2x9xi32>,
    %g: tensor<1x2x9xf32>, %o: tensor<1x2x9xf32>) {
  // expected-error @+1 {{'sparsek.causal_topk_mask_grad' op operand 'scores' has type 'tensor<2x9xf32>', expected rank 3 (C2)}}
  %0 = sparsek.causal_topk_mask_grad window(1)
      ins(%u, %t, %f, %g : tensor<2x9xf32>, tensor<1x2x9xf32>,
          tensor<1x2x9xi32>, tensor<1x2x9xf32>)
      outs(%o : tensor<1x2x9xf32>) -> tensor<1x2x9xf32>
  return
}

// -----

// C3
func.func @causal_topk_mask_grad_tau_rank(
    %u: tensor<1x2x9xf32>, %t: tensor<9xf32>, %f: tensor<1x2x9xi32>,
    %g: tensor<1x2x9xf32>, %o: tensor<1x2x9xf32>) {
  // expected-error @+1 {{'sparsek.causal_topk_mask_grad' op operand 'tau' has type 'tensor<9xf32>', expected rank 3 (C3)}}
  %0 = sparsek.causal_topk_mask_grad window(1)
      ins(%u, %t, %f, %g : tensor<1x2x9xf32>, tensor<9xf32>,
          tensor<1x2x9xi32>, tensor<1x2x9xf32>)
      outs(%o : tensor<1x2x9xf32>) -> tensor<1x2x9xf32>
  return
}

// -----

// C3
func.func @causal_topk_mask_grad_free_shape(
    %u: tensor<1x2x9xf32>, %t: tensor<1x2x9xf32>, %f: tensor<1x2x8xi32>,
    %g: tensor<1x2x9xf32>, %o: tensor<1x2x9xf32>) {
  // expected-error @+1 {{'sparsek.causal_topk_mask_grad' op operand 'free' has size 8 in dimension 2, expected 9 as dimension 2 of operand 'scores' (C3)}}
  %0 = sparsek.causal_topk_mask_grad window(1)
      ins(%u, %t, %f, %g : tensor<1x2x9xf32>, tensor<1x2x9xf32>,
          tensor<1x2x8xi32>, tensor<1x2x9xf32>)
      outs(%o : tensor<1x2x9xf32>) -> tensor<1x2x9xf32>
  return
}

// -----

// C3
func.func @causal_topk_mask_grad_grad_tau_shape(
    %u: tensor<1x2x9xf32>, %t: tensor<1x2x9xf32>, %f: tensor<1x2x9xi32>,
    %g: tensor<1x3x9xf32>, %o: tensor<1x2x9xf32>) {
  // expected-error @+1 {{'sparsek.causal_topk_mask_grad' op operand 'grad_tau' has size 3 in dimension 1, expected 2 as dimension 1 of operand 'scores' (C3)}}
  %0 = sparsek.causal_topk_mask_grad window(1)
      ins(%u, %t, %f, %g : tensor<1x2x9xf32>, tensor<1x2x9xf32>,
          tensor<1x2x9xi32>, tensor<1x3x9xf32>)
      outs(%o : tensor<1x2x9xf32>) -> tensor<1x2x9xf32>
  return
}

// -----

// C3
func.func @causal_topk_mask_grad_grad_scores_shape(
    %u: tensor<1x2x9xf32>, %t: tensor<1x2x9xf32>, %f: tensor<1x2x9xi32>,
    %g: tensor<1x2x9xf32>, %o: tensor<4x2x9xf32>) {
  // expected-error @+1 {{'sparsek.causal_topk_mask_grad' op operand 'grad_scores' has size 4 in dimension 0, expected 1 as dimension 0 of operand 'scores' (C3)}}
  %0 = sparsek.causal_topk_mask_grad window(1)
      ins(%u, %t, %f, %g : tensor<1x2x9xf32>, tensor<1x2x9xf32>,
          tensor<1x2x9xi32>, tensor<1x2x9xf32>)
      outs(%o : tensor<4x2x9xf32>) -> tensor<4x2x9xf32>
  return
}

// -----

// C4
func.func @causal_topk_mask_grad_mixed(
    %u: tensor<1x2x9xf32>, %t: tensor<1x2x9xf32>, %f: memref<1x2x9xi32>,
    %g: tensor<1x2x9xf32>, %o: tensor<1x2x9xf32>) {
  // expected-error @+1 {{'sparsek.causal_topk_mask_grad' op expected all operands to be tensors or all to be memrefs (C4)}}
  %0 = sparsek.causal_topk_mask_grad window(1)
      ins(%u, %t, %f, %g : tensor<1x2x9xf32>, tensor<1x2x9xf32>,
          memref<1x2x9xi32>, tensor<1x2x9xf32>)
      outs(%o : tensor<1x2x9xf32>) -> tensor<1x2x9xf32>
  return
}

// -----

// C4
func.func @causal_topk_mask_grad_results_in_memory(
    %u: memref<1x2x9xf32>, %t: memref<1x2x9xf32>, %f: memref<1x2x9xi32>,
    %g: memref<1x2x9xf32>, %o: memref<1x2x9xf32>) {
  // expected-error @+1 {{'sparsek.causal_topk_mask_grad' op has 1 results, expected 0 (C4)}}
  %0 = sparsek.causal_topk_mask_grad window(1)
      ins(%u, %t, %f, %g : memref<1x2x9xf32>, memref<1x2x9xf32>,
          memref<1x2x9xi32>, memref<1x2x9xf32>)
      outs(%o : memref<1x2x9xf32>) -> tensor<1x2x9xf32>
  return
}

// -----

// C1
func.func @sparse_attention_grad_window(
    %q: tensor<1x4x3x8xf32>, %k: tensor<1x2x9x8xf32>, %v: tensor<1x2x9x5xf32>,
    %e: tensor<1x2x9xi32>, %o: tensor<1x4x3x5xf32>, %l: tensor<1x4x3xf32>,
    %do: tensor<1x4x3x5xf32>, %dl: tensor<1x4x3xf32>, %u: tensor<1x2x9xf32>,
    %t: tensor<1x2x9xf32>, %dq: tensor<1x4x3x8xf32>, %dk: tensor<1x2x9x8xf32>,
    %dv: tensor<1x2x9x5xf32>, %du: tensor<1x2x9xf32>, %dt: tensor<1x2x9xf32>) {
  // expected-error @+1 {{'sparsek.sparse_attention_grad' op attribute 'window' is -1, expected at least 0 (C1)}}
  %0:5 = sparsek.sparse_attention_grad gate(value) window(-1)
      ins(%q, %k, %v, %e, %o, %l, %do : tensor<1x4x3x8xf32>,
          tensor<1x2x9x8xf32>, tensor<1x2x9x5xf32>, tensor<1x2x9xi32>,
          tensor<1x4x3x5xf32>, tensor<1x4x3xf32>, tensor<1x4x3x5xf32>)
      grad_lse(%dl : tensor<1x4x3xf32>)
      gating(%u, %t : tensor<1x2x9xf32>, tensor<1x2x9xf32>)
      outs(%dq, %dk, %dv : tensor<1x4x3x8xf32>, tensor<1x2x9x8xf32>,
           tensor<1x2x9x5xf32>)
      gating_outs(%du, %dt : tensor<1x2x9xf32>, tensor<1x2x9xf32>)
      -> tensor<1x4x3x8xf32>, tensor<1x2x9x8xf32>, tensor<1x2x9x5xf32>,
         tensor<1x2x9xf32>, tensor<1x2x9xf32>
  return
}

// -----

// C2
func.func @sparse_attention_grad_output_rank(
    %q: tensor<1x4x3x8xf32>, %k: tensor<1x2x9x8xf32>, %v: tensor<1x2x9x5xf32>,
    %e: tensor<1x2x9xi32>, %o: tensor<4x3x5xf32>, %l: tensor<1x4x3xf32>,
    %do: tensor<1x4x3x5xf32>, %dl: tensor<1x4x3xf32>, %u: tensor<1x2x9xf32>,
    %t: tensor<1x2x9xf32>, %dq: tensor<1x4x3x8xf32>, %dk: tensor<1x2x9x8xf32>,
    %dv: tensor<1x2x9x5xf32>, %du: tensor<1x2x9xf32>, %dt: tensor<1x2x9xf32>) {
  // expected-error @+1 {{'sparsek.sparse_attention_grad' op operand 'output' has type 'tensor<4x3x5xf32>', expected rank 4 (C2)}}
  %0:5 = sparsek.sparse_attention_grad gate(value)
      ins(%q, %k, %v, %e, %o, %l, %do : tensor<1x4x3x8xf32>,
          tensor<1x2x9x8xf32>, tensor<1x2x9x5xf32>, tensor<1x2x9xi32>,
          tensor<4x3x5xf32>, tensor<1x4x3xf32>, tensor<1x4x3x5xf32>)
      grad_lse(%dl : tensor<1x4x3xf32>)
      gating(%u, %t : tensor<1x2x9xf32>, tensor<1x2x9xf32>)
      outs(%dq, %dk, %dv : tensor<1x4x3x8xf32>, tensor<1x2x9x8xf32>,
           tensor<1x2x9x5xf32>)
      gating_outs(%du, %dt : tensor<1x2x9xf32>, tensor<1x2x9xf32>)
      -> tensor<1x4x3x8xf32>, tensor<1x2x9x8xf32>, tensor<1x2x9x5xf32>,
         tensor<1x2x9xf32>, tensor<1x2x9xf32>
  return
}

// -----

// C2
func.func @sparse_attention_grad_lse_rank(
    %q: tensor<1x4x3x8xf32>, %k: tensor<1x2x9x8xf32>, %v: tensor<1x2x9x5xf32>,
    %e: tensor<1x2x9xi32>, %o: tensor<1x4x3x5xf32>, %l: tensor<1x4x3x1xf32>,
    %do: tensor<1x4x3x5xf32>, %dl: tensor<1x4x3xf32>, %u: tensor<1x2x9xf32>,
    %t: tensor<1x2x9xf32>, %dq: tensor<1x4x3x8xf32>, %dk: tensor<1x2x9x8xf32>,
    %dv: tensor<1x2x9x5xf32>, %du: tensor<1x2x9xf32>, %dt: tensor<1x2x9xf32>) {
  // expected-error @+1 {{'sparsek.sparse_attention_grad' op operand 'lse' has type 'tensor<1x4x3x1xf32>', expected rank 3 (C2)}}
  %0:5 = sparsek.sparse_attention_grad gate(value)
      ins(%q, %k, %v, %e, %o, %l, %do : tensor<1x4x3x8xf32>,
          tensor<1x2x9x8xf32>, tensor<1x2x9x5xf32>, tensor<1x2x9xi32>,
          tensor<1x4x3x5xf32>, tensor<1x4x3x1xf32>, tensor<1x4x3x5xf32>)
      grad_lse(%dl : tensor<1x4x3xf32>)
      gating(%u, %t : tensor<1x2x9xf32>, tensor<1x2x9xf32>)
      outs(%dq, %dk, %dv : tensor<1x4x3x8xf32>, tensor<1x2x9x8xf32>,
           tensor<1x2x9x5xf32>)
      gating_outs(%du, %dt : tensor<1x2x9xf32>, tensor<1x2x9xf32>)
      -> tensor<1x4x3x8xf32>, tensor<1x2x9x8xf32>, tensor<1x2x9x5xf32>,
         tensor<1x2x9xf32>, tensor<1x2x9xf32>
  return
}

// -----

// C2
func.func @sparse_attention_grad_tau_rank(
    %q: tensor<1x4x3x8xf32>, %k: tensor<1x2x9x8xf32>, %v: tensor<1x2x9x5xf32>,
    %e: tensor<1x2x9xi32>, %o: tensor<1x4x3x5xf32>, %l: tensor<1x4x3xf32>,
    %do: tensor<1x4x3x5xf32>, %dl: tensor<1x4x3xf32>, %u: tensor<1x2x9xf32>,
    %t: tensor<9xf32>, %dq: tensor<1x4x3x8xf32>, %dk: tensor<1x2x9x8xf32>,
    %dv: tensor<1x2x9x5xf32>, %du: tensor<1x2x9xf32>, %dt: tensor<1x2x9xf32>) {
  // expected-error @+1 {{'sparsek.sparse_attention_grad' op operand 'tau' has type 'tensor<9xf32>', expected rank 3 (C2)}}
  %0:5 = sparsek.sparse_attention_grad gate(value)
      ins(%q, %k, %v, %e, %o, %l, %do : tensor<1x4x3x8xf32>,
          tensor<1x2x9x8xf32>, tensor<1x2x9x5xf32>, tensor<1x2x9xi32>,
          tensor<1x4x3x5xf32>, tensor<1x4x3xf32>, tensor<1x4x3x5xf32>)
      grad_lse(%dl : tensor<1x4x3xf32>)
      gating(%u, %t : tensor<1x2x9xf32>, tensor<9xf32>)
      outs(%dq, %dk, %dv : tensor<1x4x3x8xf32>, tensor<1x2x9x8xf32>,
           tensor<1x2x9x5xf32>)
      gating_outs(%du, %dt : tensor<1x2x9xf32>, tensor<1x2x9xf32>)
      -> tensor<1x4x3x8xf32>, tensor<1x2x9x8xf32>, tensor<1x2x9x5xf32>,
         tensor<1x2x9xf32>, tensor<1x2x9xf32>
  return
}

// -----

// C3
func.func @sparse_attention_grad_element_type(
    %q: tensor<1x4x3x8xf32>, %k: tensor<1x2x9x8xf32>, %v: tensor<1x2x9x5xf32>,
    %e: tensor<1x2x9xi32>, %o: tensor<1x4x3x5xbf16>, %l: tensor<1x4x3xf32>,
    %do: tensor<1x4x3x5xf32>, %dl: tensor<1x4x3xf32>, %u: tensor<1x2x9xf32>,
    %t: tensor<1x2x9xf32>, %dq: tensor<1x4x3x8xf32>, %dk: tensor<1x2x9x8xf32>,
    %dv: tensor<1x2x9x5xf32>, %du: tensor<1x2x9xf32>, %dt: tensor<1x2x9xf32>) {
  // expected-error @+1 {{'sparsek.sparse_attention_grad' op operand 'output' has element type 'bf16', expected 'f32' as operand 'query' (C3)}}
  %0:5 = sparsek.sparse_attention_grad gate(value)
      ins(%q, %k, %v, %e, %o, %l, %do : tensor<1x4x3x8xf32>,
          tensor<1x2x9x8xf32>, tensor<1x2x9x5xf32>, tensor<1x2x9xi32>,
          tensor<1x4x3x5xbf16>, tensor<1x4x3xf32>, tensor<1x4x3x5xf32>)
      grad_lse(%dl : tensor<1x4x3xf32>)
      gating(%u, %t : tensor<1x2x9xf32>, tensor<1x2x9xf32>)
      outs(%dq, %dk, %dv : tensor<1x4x3x8xf32>, tensor<1x2x9x8xf32>,
           tensor<1x2x9x5xf32>)
      gating_outs(%du, %dt : tensor<1x2x9xf32>, tensor<1x2x9xf32>)
      -> tensor<1x4x3x8xf32>, tensor<1x2x9x8xf32>, tensor<1x2x9x5xf32>,
         tensor<1x2x9xf32>, tensor<1x2x9xf32>
  return
}

// -----

// C4
func.func @sparse_attention_grad_dynamic_head(
    %q: tensor<1x4x3x8xf32>, %k: tensor<1x2x9x8xf32>, %v: tensor<1x2x9x5xf32>,
    %e: tensor<1x2x9xi32>, %o: tensor<1x4x3x?xf32>, %l: tensor<1x4x3xf32>,
    %do: tensor<1x4x3x5xf32>, %dl: tensor<1x4x3xf32>, %u: tensor<1x2x9xf32>,
    %t: tensor<1x2x9xf32>, %dq: tensor<1x4x3x8xf32>, %dk: tensor<1x2x9x8xf32>,
    %dv: tensor<1x2x9x5xf32>, %du: tensor<1x2x9xf32>, %dt: tensor<1x2x9xf32>) {
  // expected-error @+1 {{'sparsek.sparse_attention_grad' op operand 'output' has type 'tensor<1x4x3x?xf32>', expected a static positive head dimension (C4)}}
  %0:5 = sparsek.sparse_attention_grad gate(value)
      ins(%q, %k, %v, %e, %o, %l, %do : tensor<1x4x3x8xf32>,
          tensor<1x2x9x8xf32>, tensor<1x2x9x5xf32>, tensor<1x2x9xi32>,
          tensor<1x4x3x?xf32>, tensor<1x4x3xf32>, tensor<1x4x3x5xf32>)
      grad_lse(%dl : tensor<1x4x3xf32>)
      gating(%u, %t : tensor<1x2x9xf32>, tensor<1x2x9xf32>)
      outs(%dq, %dk, %dv : tensor<1x4x3x8xf32>, tensor<1x2x9x8xf32>,
           tensor<1x2x9x5xf32>)
      gating_outs(%du, %dt : tensor<1x2x9xf32>, tensor<1x2x9xf32>)
      -> tensor<1x4x3x8xf32>, tensor<1x2x9x8xf32>, tensor<1x2x9x5xf32>,
         tensor<1x2x9xf32>, tensor<1x2x9xf32>
  return
}

// -----

// C4
func.func @sparse_attention_grad_key_head(
    %q: tensor<1x4x3x8xf32>, %k: tensor<1x2x9x7xf32>, %v: tensor<1x2x9x5xf32>,
    %e: tensor<1x2x9xi32>, %o: tensor<1x4x3x5xf32>, %l: tensor<1x4x3xf32>,
    %do: tensor<1x4x3x5xf32>, %dl: tensor<1x4x3xf32>, %u: tensor<1x2x9xf32>,
    %t: tensor<1x2x9xf32>, %dq: tensor<1x4x3x8xf32>, %dk: tensor<1x2x9x8xf32>,
    %dv: tensor<1x2x9x5xf32>, %du: tensor<1x2x9xf32>, %dt: tensor<1x2x9xf32>) {
  // expected-error @+1 {{'sparsek.sparse_attention_grad' op operand 'key' has size 7 in dimension 3, expected 8 as dimension 3 of operand 'query' (C4)}}
  %0:5 = sparsek.sparse_attention_grad gate(value)
      ins(%q, %k, %v, %e, %o, %l, %do : tensor<1x4x3x8xf32>,
          tensor<1x2x9x7xf32>, tensor<1x2x9x5xf32>, tensor<1x2x9xi32>,
          tensor<1x4x3x5xf32>, tensor<1x4x3xf32>, tensor<1x4x3x5xf32>)
      grad_lse(%dl : tensor<1x4x3xf32>)
      gating(%u, %t : tensor<1x2x9xf32>, tensor<1x2x9xf32>)
      outs(%dq, %dk, %dv : tensor<1x4x3x8xf32>, tensor<1x2x9x8xf32>,
           tensor<1x2x9x5xf32>)
      gating_outs(%du, %dt : tensor<1x2x9xf32>, tensor<1x2x9xf32>)
      -> tensor<1x4x3x8xf32>, tensor<1x2x9x8xf32>, tensor<1x2x9x5xf32>,
         tensor<1x2x9xf32>, tensor<1x2x9xf32>
  return
}

// -----

// C5
func.func @sparse_attention_grad_batch(
    %q: tensor<1x4x3x8xf32>, %k: tensor<2x2x9x8xf32>, %v: tensor<1x2x9x5xf32>,
    %e: tensor<1x2x9xi32>, %o: tensor<1x4x3x5xf32>, %l: tensor<1x4x3xf32>,
    %do: tensor<1x4x3x5xf32>, %dl: tensor<1x4x3xf32>, %u: tensor<1x2x9xf32>,
    %t: tensor<1x2x9xf32>, %dq: tensor<1x4x3x8xf32>, %dk: tensor<1x2x9x8xf32>,
    %dv: tensor<1x2x9x5xf32>, %du: tensor<1x2x9xf32>, %dt: tensor<1x2x9xf32>) {
  // expected-error @+1 {{'sparsek.sparse_attention_grad' op operand 'key' has size 2 in dimension 0, expected 1 as dimension 0 of operand 'query' (C5)}}
  %0:5 = sparsek.sparse_attention_grad gate(value)
      ins(%q, %k, %v, %e, %o, %l, %do : tensor<1x4x3x8xf32>,
          tensor<2x2x9x8xf32>, tensor<1x2x9x5xf32>, tensor<1x2x9xi32>,
          tensor<1x4x3x5xf32>, tensor<1x4x3xf32>, tensor<1x4x3x5xf32>)
      grad_lse(%dl : tensor<1x4x3xf32>)
      gating(%u, %t : tensor<1x2x9xf32>, tensor<1x2x9xf32>)
      outs(%dq, %dk, %dv : tensor<1x4x3x8xf32>, tensor<1x2x9x8xf32>,
           tensor<1x2x9x5xf32>)
      gating_outs(%du, %dt : tensor<1x2x9xf32>, tensor<1x2x9xf32>)
      -> tensor<1x4x3x8xf32>, tensor<1x2x9x8xf32>, tensor<1x2x9x5xf32>,
         tensor<1x2x9xf32>, tensor<1x2x9xf32>
  return
}

// -----

// C5
func.func @sparse_attention_grad_scores_keys(
    %q: tensor<1x4x3x8xf32>, %k: tensor<1x2x9x8xf32>, %v: tensor<1x2x9x5xf32>,
    %e: tensor<1x2x9xi32>, %o: tensor<1x4x3x5xf32>, %l: tensor<1x4x3xf32>,
    %do: tensor<1x4x3x5xf32>, %dl: tensor<1x4x3xf32>, %u: tensor<1x2x3xf32>,
    %t: tensor<1x2x9xf32>, %dq: tensor<1x4x3x8xf32>, %dk: tensor<1x2x9x8xf32>,
    %dv: tensor<1x2x9x5xf32>, %du: tensor<1x2x9xf32>, %dt: tensor<1x2x9xf32>) {
  // expected-error @+1 {{'sparsek.sparse_attention_grad' op operand 'scores' has size 3 in dimension 2, expected 9 as dimension 2 of operand 'key' (C5)}}
  %0:5 = sparsek.sparse_attention_grad gate(value)
      ins(%q, %k, %v, %e, %o, %l, %do : tensor<1x4x3x8xf32>,
          tensor<1x2x9x8xf32>, tensor<1x2x9x5xf32>, tensor<1x2x9xi32>,
          tensor<1x4x3x5xf32>, tensor<1x4x3xf32>, tensor<1x4x3x5xf32>)
      grad_lse(%dl : tensor<1x4x3xf32>)
      gating(%u, %t : tensor<1x2x3xf32>, tensor<1x2x9xf32>)
      outs(%dq, %dk, %dv : tensor<1x4x3x8xf32>, tensor<1x2x9x8xf32>,
           tensor<1x2x9x5xf32>)
      gating_outs(%du, %dt : tensor<1x2x9xf32>, tensor<1x2x9xf32>)
      -> tensor<1x4x3x8xf32>, tensor<1x2x9x8xf32>, tensor<1x2x9x5xf32>,
         tensor<1x2x9xf32>, tensor<1x2x9xf32>
  return
}

// -----

// C5
func.func @sparse_attention_grad_queries(
    %q: tensor<1x4x3x8xf32>, %k: tensor<1x2x9x8xf32>, %v: tensor<1x2x9x5xf32>,
    %e: tensor<1x2x9xi32>, %o: tensor<1x4x3x5xf32>, %l: tensor<1x4x9xf32>,
    %do: tensor<1x4x3x5xf32>, %dl: tensor<1x4x3xf32>, %u: tensor<1x2x9xf32>,
    %t: tensor<1x2x9xf32>, %dq: tensor<1x4x3x8xf32>, %dk: tensor<1x2x9x8xf32>,
    %dv: tensor<1x2x9x5xf32>, %du: tensor<1x2x9xf32>, %dt: tensor<1x2x9xf32>) {
  // expected-error @+1 {{'sparsek.sparse_attention_grad' op operand 'lse' has size 9 in dimension 2, expected 3 as dimension 2 of operand 'query' (C5)}}
  %0:5 = sparsek.sparse_attention_grad gate(value)
      ins(%q, %k, %v, %e, %o, %l, %do : tensor<1x4x3x8xf32>,
          tensor<1x2x9x8xf32>, tensor<1x2x9x5xf32>, tensor<1x2x9xi32>,
          tensor<1x4x3x5xf32>, tensor<1x4x9xf32>, tensor<1x4x3x5xf32>)
      grad_lse(%dl : tensor<1x4x3xf32>)
      gating(%u, %t : tensor<1x2x9xf32>, tensor<1x2x9xf32>)
      outs(%dq, %dk, %dv : tensor<1x4x3x8xf32>, tensor<1x2x9x8xf32>,
           tensor<1x2x9x5xf32>)
      gating_outs(%du, %dt : tensor<1x2x9xf32>, tensor<1x2x9xf32>)
      -> tensor<1x4x3x8xf32>, tensor<1x2x9x8xf32>, tensor<1x2x9x5xf32>,
         tensor<1x2x9xf32>, tensor<1x2x9xf32>
  return
}

// -----

// C6
func.func @sparse_attention_grad_heads(
    %q: tensor<1x3x3x8xf32>, %k: tensor<1x2x9x8xf32>, %v: tensor<1x2x9x5xf32>,
    %e: tensor<1x2x9xi32>, %o: tensor<1x3x3x5xf32>, %l: tensor<1x3x3xf32>,
    %do: tensor<1x3x3x5xf32>, %dl: tensor<1x3x3xf32>, %u: tensor<1x2x9xf32>,
    %t: tensor<1x2x9xf32>, %dq: tensor<1x3x3x8xf32>, %dk: tensor<1x2x9x8xf32>,
    %dv: tensor<1x2x9x5xf32>, %du: tensor<1x2x9xf32>, %dt: tensor<1x2x9xf32>) {
  // expected-error @+1 {{'sparsek.sparse_attention_grad' op operand 'query' has 3 heads, expected a positive multiple of the 2 heads of operand 'key' (C6)}}
  %0:5 = sparsek.sparse_attention_grad gate(value)
      ins(%q, %k, %v, %e, %o, %l, %do : tensor<1x3x3x8xf32>,
          tensor<1x2x9x8xf32>, tensor<1x2x9x5xf32>, tensor<1x2x9xi32>,
          tensor<1x3x3x5xf32>, tensor<1x3x3xf32>, tensor<1x3x3x5xf32>)
      grad_lse(%dl : tensor<1x3x3xf32>)
      gating(%u, %t : tensor<1x2x9xf32>, tensor<1x2x9xf32>)
      outs(%dq, %dk, %dv : tensor<1x3x3x8xf32>, tensor<1x2x9x8xf32>,
           tensor<1x2x9x5xf32>)
      gating_outs(%du, %dt : tensor<1x2x9xf32>, tensor<1x2x9xf32>)
      -> tensor<1x3x3x8xf32>, tensor<1x2x9x8xf32>, tensor<1x2x9x5xf32>,
         tensor<1x2x9xf32>, tensor<1x2x9xf32>
  return
}

// -----

// C6
func.func @sparse_attention_grad_group_differs(
    %q: tensor<1x4x3x8xf32>, %k: tensor<1x2x9x8xf32>, %v: tensor<1x2x9x5xf32>,
    %e: tensor<1x2x9xi32>, %o: tensor<1x4x3x5xf32>, %l: tensor<1x4x3xf32>,
    %do: tensor<1x4x3x5xf32>, %dl: tensor<1x4x3xf32>, %u: tensor<1x2x9xf32>,
    %t: tensor<1x2x9xf32>, %dq: tensor<1x4x3x8xf32>, %dk: tensor<1x2x9x8xf32>,
    %dv: tensor<1x2x9x5xf32>, %du: tensor<1x2x9xf32>, %dt: tensor<1x2x9xf32>) {
  // expected-error @+1 {{'sparsek.sparse_attention_grad' op attribute 'group' is 4, expected Hq / Hkv = 2 (C6)}}
  %0:5 = sparsek.sparse_attention_grad gate(value) group(4)
      ins(%q, %k, %v, %e, %o, %l, %do : tensor<1x4x3x8xf32>,
          tensor<1x2x9x8xf32>, tensor<1x2x9x5xf32>, tensor<1x2x9xi32>,
          tensor<1x4x3x5xf32>, tensor<1x4x3xf32>, tensor<1x4x3x5xf32>)
      grad_lse(%dl : tensor<1x4x3xf32>)
      gating(%u, %t : tensor<1x2x9xf32>, tensor<1x2x9xf32>)
      outs(%dq, %dk, %dv : tensor<1x4x3x8xf32>, tensor<1x2x9x8xf32>,
           tensor<1x2x9x5xf32>)
      gating_outs(%du, %dt : tensor<1x2x9xf32>, tensor<1x2x9xf32>)
      -> tensor<1x4x3x8xf32>, tensor<1x2x9x8xf32>, tensor<1x2x9x5xf32>,
         tensor<1x2x9xf32>, tensor<1x2x9xf32>
  return
}

// -----

// C7
func.func @sparse_attention_grad_no_scores(
    %q: tensor<1x4x3x8xf32>, %k: tensor<1x2x9x8xf32>, %v: tensor<1x2x9x5xf32>,
    %e: tensor<1x2x9xi32>, %o: tensor<1x4x3x5xf32>, %l: tensor<1x4x3xf32>,
    %do: tensor<1x4x3x5xf32>, %dl: tensor<1x4x3xf32>, %u: tensor<1x2x9xf32>,
    %t: tensor<1x2x9xf32>, %dq: tensor<1x4x3x8xf32>, %dk: tensor<1x2x9x8xf32>,
    %dv: tensor<1x2x9x5xf32>, %du: tensor<1x2x9xf32>, %dt: tensor<1x2x9xf32>) {
  // expected-error @+1 {{'sparsek.sparse_attention_grad' op operand 'scores' is missing, expected with gate 'key_value' (C7)}}
  %0:5 = sparsek.sparse_attention_grad gate(key_value)
      ins(%q, %k, %v, %e, %o, %l, %do : tensor<1x4x3x8xf32>,
          tensor<1x2x9x8xf32>, tensor<1x2x9x5xf32>, tensor<1x2x9xi32>,
          tensor<1x4x3x5xf32>, tensor<1x4x3xf32>, tensor<1x4x3x5xf32>)
      grad_lse(%dl : tensor<1x4x3xf32>)
      outs(%dq, %dk, %dv : tensor<1x4x3x8xf32>, tensor<1x2x9x8xf32>,
           tensor<1x2x9x5xf32>)
      gating_outs(%du, %dt : tensor<1x2x9xf32>, tensor<1x2x9xf32>)
      -> tensor<1x4x3x8xf32>, tensor<1x2x9x8xf32>, tensor<1x2x9x5xf32>,
         tensor<1x2x9xf32>, tensor<1x2x9xf32>
  return
}

// -----

// C8
func.func @sparse_attention_grad_scale(
    %q: tensor<1x4x3x8xf32>, %k: tensor<1x2x9x8xf32>, %v: tensor<1x2x9x5xf32>,
    %e: tensor<1x2x9xi32>, %o: tensor<1x4x3x5xf32>, %l: tensor<1x4x3xf32>,
    %do: tensor<1x4x3x5xf32>, %dl: tensor<1x4x3xf32>, %u: tensor<1x2x9xf32>,
    %t: tensor<1x2x9xf32>, %dq: tensor<1x4x3x8xf32>, %dk: tensor<1x2x9x8xf32>,
    %dv: tensor<1x2x9x5xf32>, %du: tensor<1x2x9xf32>, %dt: tensor<1x2x9xf32>) {
  // expected-error @+1 {{'sparsek.sparse_attention_grad' op attribute 'scale' is 0x7FF0000000000000 : f64, expected a finite number (C8)}}
  %0:5 = sparsek.sparse_attention_grad gate(value) scale(0x7FF0000000000000)
      ins(%q, %k, %v, %e, %o, %l, %do : tensor<1x4x3x8xf32>,
          tensor<1x2x9x8xf32>, tensor<1x2x9x5xf32>, tensor<1x2x9xi32>,
          tensor<1x4x3x5xf32>, tensor<1x4x3xf32>, tensor<1x4x3x5xf32>)
      grad_lse(%dl : tensor<1x4x3xf32>)
      gating(%u, %t : tensor<1x2x9xf32>, tensor<1x2x9xf32>)
      outs(%dq, %dk, %dv : tensor<1x4x3x8xf32>, tensor<1x2x9x8xf32>,
           tensor<1x2x9x5xf32>)
      gating_outs(%du, %dt : tensor<1x2x9xf32>, tensor<1x2x9xf32>)
      -> tensor<1x4x3x8xf32>, tensor<1x2x9x8xf32>, tensor<1x2x9x5xf32>,
         tensor<1x2x9xf32>, tensor<1x2x9xf32>
  return
}

// -----

// C9
func.func @sparse_attention_grad_grad_output_shape(
    %q: tensor<1x4x3x8xf32>, %k: tensor<1x2x9x8xf32>, %v: tensor<1x2x9x5xf32>,
    %e: tensor<1x2x9xi32>, %o: tensor<1x4x3x5xf32>, %l: tensor<1x4x3xf32>,
    %do: tensor<1x4x3x8xf32>, %dl: tensor<1x4x3xf32>, %u: tensor<1x2x9xf32>,
    %t: tensor<1x2x9xf32>, %dq: tensor<1x4x3x8xf32>, %dk: tensor<1x2x9x8xf32>,
    %dv: tensor<1x2x9x5xf32>, %du: tensor<1x2x9xf32>, %dt: tensor<1x2x9xf32>) {
  // expected-error @+1 {{'sparsek.sparse_attention_grad' op operand 'grad_output' has size 8 in dimension 3, expected 5 as dimension 3 of operand 'output' (C9)}}
  %0:5 = sparsek.sparse_attention_grad gate(value)
      ins(%q, %k, %v, %e, %o, %l, %do : tensor<1x4x3x8xf32>,
          tensor<1x2x9x8xf32>, tensor<1x2x9x5xf32>, tensor<1x2x9xi32>,
          tensor<1x4x3x5xf32>, tensor<1x4x3xf32>, tensor<1x4x3x8xf32>)
      grad_lse(%dl : tensor<1x4x3xf32>)
      gating(%u, %t : tensor<1x2x9xf32>, tensor<1x2x9xf32>)
      outs(%dq, %dk, %dv : tensor<1x4x3x8xf32>, tensor<1x2x9x8xf32>,
           tensor<1x2x9x5xf32>)
      gating_outs(%du, %dt : tensor<1x2x9xf32>, tensor<1x2x9xf32>)
      -> tensor<1x4x3x8xf32>, tensor<1x2x9x8xf32>, tensor<1x2x9x5xf32>,
         tensor<1x2x9xf32>, tensor<1x2x9xf32>
  return
}

// -----

// C9
func.func @sparse_attention_grad_grad_output_element(
    %q: tensor<1x4x3x8xf32>, %k: tensor<1x2x9x8xf32>, %v: tensor<1x2x9x5xf32>,
    %e: tensor<1x2x9xi32>, %o: tensor<1x4x3x5xf32>, %l: tensor<1x4x3xf32>,
    %do: tensor<1x4x3x5xf16>, %dl: tensor<1x4x3xf32>, %u: tensor<1x2x9xf32>,
    %t: tensor<1x2x9xf32>, %dq: tensor<1x4x3x8xf32>, %dk: tensor<1x2x9x8xf32>,
    %dv: tensor<1x2x9x5xf32>, %du: tensor<1x2x9xf32>, %dt: tensor<1x2x9xf32>) {
  // expected-error @+1 {{'sparsek.sparse_attention_grad' op operand 'grad_output' has element type 'f16', expected 'f32' as operand 'output' (C9)}}
  %0:5 = sparsek.sparse_attention_grad gate(value)
      ins(%q, %k, %v, %e, %o, %l, %do : tensor<1x4x3x8xf32>,
          tensor<1x2x9x8xf32>, tensor<1x2x9x5xf32>, tensor<1x2x9xi32>,
          tensor<1x4x3x5xf32>, tensor<1x4x3xf32>, tensor<1x4x3x5xf16>)
      grad_lse(%dl : tensor<1x4x3xf32>)
      gating(%u, %t : tensor<1x2x9xf32>, tensor<1x2x9xf32>)
      outs(%dq, %dk, %dv : tensor<1x4x3x8xf32>, tensor<1x2x9x8xf32>,
           tensor<1x2x9x5xf32>)
      gating_outs(%du, %dt : tensor<1x2x9xf32>, tensor<1x2x9xf32>)
      -> tensor<1x4x3x8xf32>, tensor<1x2x9x8xf32>, tensor<1x2x9x5xf32>,
         tensor<1x2x9xf32>, tensor<1x2x9xf32>
  return
}

// -----

// C9
func.func @sparse_attention_grad_grad_lse_shape(
    %q: tensor<1x4x3x8xf32>, %k: tensor<1x2x9x8xf32>, %v: tensor<1x2x9x5xf32>,
    %e: tensor<1x2x9xi32>, %o: tensor<1x4x3x5xf32>, %l: tensor<1x4x3xf32>,
    %do: tensor<1x4x3x5xf32>, %dl: tensor<1x4x9xf32>, %u: tensor<1x2x9xf32>,
    %t: tensor<1x2x9xf32>, %dq: tensor<1x4x3x8xf32>, %dk: tensor<1x2x9x8xf32>,
    %dv: tensor<1x2x9x5xf32>, %du: tensor<1x2x9xf32>, %dt: tensor<1x2x9xf32>) {
  // expected-error @+1 {{'sparsek.sparse_attention_grad' op operand 'grad_lse' has size 9 in dimension 2, expected 3 as dimension 2 of operand 'lse' (C9)}}
  %0:5 = sparsek.sparse_attention_grad gate(value)
      ins(%q, %k, %v, %e, %o, %l, %do : tensor<1x4x3x8xf32>,
          tensor<1x2x9x8xf32>, tensor<1x2x9x5xf32>, tensor<1x2x9xi32>,
          tensor<1x4x3x5xf32>, tensor<1x4x3xf32>, tensor<1x4x3x5xf32>)
      grad_lse(%dl : tensor<1x4x9xf32>)
      gating(%u, %t : tensor<1x2x9xf32>, tensor<1x2x9xf32>)
      outs(%dq, %dk, %dv : tensor<1x4x3x8xf32>, tensor<1x2x9x8xf32>,
           tensor<1x2x9x5xf32>)
      gating_outs(%du, %dt : tensor<1x2x9xf32>, tensor<1x2x9xf32>)
      -> tensor<1x4x3x8xf32>, tensor<1x2x9x8xf32>, tensor<1x2x9x5xf32>,
         tensor<1x2x9xf32>, tensor<1x2x9xf32>
  return
}

// -----

// C9
func.func @sparse_attention_grad_grad_query_shape(
    %q: tensor<1x4x3x8xf32>, %k: tensor<1x2x9x8xf32>, %v: tensor<1x2x9x5xf32>,
    %e: tensor<1x2x9xi32>, %o: tensor<1x4x3x5xf32>, %l: tensor<1x4x3xf32>,
    %do: tensor<1x4x3x5xf32>, %dl: tensor<1x4x3xf32>, %u: tensor<1x2x9xf32>,
    %t: tensor<1x2x9xf32>, %dq: tensor<1x4x9x8xf32>, %dk: tensor<1x2x9x8xf32>,
    %dv: tensor<1x2x9x5xf32>, %du: tensor<1x2x9xf32>, %dt: tensor<1x2x9xf32>) {
  // expected-error @+1 {{'sparsek.sparse_attention_grad' op operand 'grad_query' has size 9 in dimension 2, expected 3 as dimension 2 of operand 'query' (C9)}}
  %0:5 = sparsek.sparse_attention_grad gate(value)
      ins(%q, %k, %v, %e, %o, %l, %do : tensor<1x4x3x8xf32>,
          tensor<1x2x9x8xf32>, tensor<1x2x9x5xf32>, tensor<1x2x9xi32>,
          tensor<1x4x3x5xf32>, tensor<1x4x3xf32>, tensor<1x4x3x5xf32>)
      grad_lse(%dl : tensor<1x4x3xf32>)
      gating(%u, %t : tensor<1x2x9xf32>, tensor<1x2x9xf32>)
      outs(%dq, %dk, %dv : tensor<1x4x9x8xf32>, tensor<1x2x9x8xf32>,
           tensor<1x2x9x5xf32>)
      gating_outs(%du, %dt : tensor<1x2x9xf32>, tensor<1x2x9xf32>)
      -> tensor<1x4x9x8xf32>, tensor<1x2x9x8xf32>, tensor<1x2x9x5xf32>,
         tensor<1x2x9xf32>, tensor<1x2x9xf32>
  return
}

// -----

// C9
func.func @sparse_attention_grad_grad_key_element(
    %q: tensor<1x4x3x8xf32>, %k: tensor<1x2x9x8xf32>, %v: tensor<1x2x9x5xf32>,
    %e: tensor<1x2x9xi32>, %o: tensor<1x4x3x5xf32>, %l: tensor<1x4x3xf32>,
    %do: tensor<1x4x3x5xf32>, %dl: tensor<1x4x3xf32>, %u: tensor<1x2x9xf32>,
    %t: tensor<1x2x9xf32>, %dq: tensor<1x4x3x8xf32>,
    %dk: tensor<1x2x9x8xbf16>, %dv: tensor<1x2x9x5xf32>,
    %du: tensor<1x2x9xf32>, %dt: tensor<1x2x9xf32>) {
  // expected-error @+1 {{'sparsek.sparse_attention_grad' op operand 'grad_key' has element type 'bf16', expected 'f32' as operand 'key' (C9)}}
  %0:5 = sparsek.sparse_attention_grad gate(value)
      ins(%q, %k, %v, %e, %o, %l, %do : tensor<1x4x3x8xf32>,
          tensor<1x2x9x8xf32>, tensor<1x2x9x5xf32>, tensor<1x2x9xi32>,
          tensor<1x4x3x5xf32>, tensor<1x4x3xf32>, tensor<1x4x3x5xf32>)
      grad_lse(%dl : tensor<1x4x3xf32>)
      gating(%u, %t : tensor<1x2x9xf32>, tensor<1x2x9xf32>)
      outs(%dq, %dk, %dv : tensor<1x4x3x8xf32>, tensor<1x2x9x8xbf16>,
           tensor<1x2x9x5xf32>)
      gating_outs(%du, %dt : tensor<1x2x9xf32>, tensor<1x2x9xf32>)
      -> tensor<1x4x3x8xf32>, tensor<1x2x9x8xbf16>, tensor<1x2x9x5xf32>,
         tensor<1x2x9xf32>, tensor<1x2x9xf32>
  return
}

// -----

// C9
func.func @sparse_attention_grad_grad_value_rank(
    %q: tensor<1x4x3x8xf32>, %k: tensor<1x2x9x8xf32>, %v: tensor<1x2x9x5xf32>,
    %e: tensor<1x2x9xi32>, %o: tensor<1x4x3x5xf32>, %l: tensor<1x4x3xf32>,
    %do: tensor<1x4x3x5xf32>, %dl: tensor<1x4x3xf32>, %u: tensor<1x2x9xf32>,
    %t: tensor<1x2x9xf32>, %dq: tensor<1x4x3x8xf32>, %dk: tensor<1x2x9x8xf32>,
    %dv: tensor<2x9x5xf32>, %du: tensor<1x2x9xf32>, %dt: tensor<1x2x9xf32>) {
  // expected-error @+1 {{'sparsek.sparse_attention_grad' op operand 'grad_value' has type 'tensor<2x9x5xf32>', expected rank 4 (C9)}}
  %0:5 = sparsek.sparse_attention_grad gate(value)
      ins(%q, %k, %v, %e, %o, %l, %do : tensor<1x4x3x8xf32>,
          tensor<1x2x9x8xf32>, tensor<1x2x9x5xf32>, tensor<1x2x9xi32>,
          tensor<1x4x3x5xf32>, tensor<1x4x3xf32>, tensor<1x4x3x5xf32>)
      grad_lse(%dl : tensor<1x4x3xf32>)
      gating(%u, %t : tensor<1x2x9xf32>, tensor<1x2x9xf32>)
      outs(%dq, %dk, %dv : tensor<1x4x3x8xf32>, tensor<1x2x9x8xf32>,
           tensor<2x9x5xf32>)
      gating_outs(%du, %dt : tensor<1x2x9xf32>, tensor<1x2x9xf32>)
      -> tensor<1x4x3x8xf32>, tensor<1x2x9x8xf32>, tensor<2x9x5xf32>,
         tensor<1x2x9xf32>, tensor<1x2x9xf32>
  return
}

// -----

// C10
func.func @sparse_attention_grad_no_grad_scores(
    %q: tensor<1x4x3x8xf32>, %k: tensor<1x2x9x8xf32>, %v: tensor<1x2x9x5xf32>,
    %e: tensor<1x2x9xi32>, %o: tensor<1x4x3x5xf32>, %l: tensor<1x4x3xf32>,
    %do: tensor<1x4x3x5xf32>, %dl: tensor<1x4x3xf32>, %u: tensor<1x2x9xf32>,
    %t: tensor<1x2x9xf32>, %dq: tensor<1x4x3x8xf32>, %dk: tensor<1x2x9x8xf32>,
    %dv: tensor<1x2x9x5xf32>, %du: tensor<1x2x9xf32>, %dt: tensor<1x2x9xf32>) {
  // expected-error @+1 {{'sparsek.sparse_attention_grad' op operand 'grad_scores' is missing, expected it exactly when gated, with gate 'value' (C10)}}
  %0:3 = sparsek.sparse_attention_grad gate(value)
      ins(%q, %k, %v, %e, %o, %l, %do : tensor<1x4x3x8xf32>,
          tensor<1x2x9x8xf32>, tensor<1x2x9x5xf32>, tensor<1x2x9xi32>,
          tensor<1x4x3x5xf32>, tensor<1x4x3xf32>, tensor<1x4x3x5xf32>)
      grad_lse(%dl : tensor<1x4x3xf32>)
      gating(%u, %t : tensor<1x2x9xf32>, tensor<1x2x9xf32>)
      outs(%dq, %dk, %dv : tensor<1x4x3x8xf32>, tensor<1x2x9x8xf32>,
           tensor<1x2x9x5xf32>)
      -> tensor<1x4x3x8xf32>, tensor<1x2x9x8xf32>, tensor<1x2x9x5xf32>
  return
}

// -----

// C10
func.func @sparse_attention_grad_grad_scores_without_gate(
    %q: tensor<1x4x3x8xf32>, %k: tensor<1x2x9x8xf32>, %v: tensor<1x2x9x5xf32>,
    %e: tensor<1x2x9xi32>, %o: tensor<1x4x3x5xf32>, %l: tensor<1x4x3xf32>,
    %do: tensor<1x4x3x5xf32>, %dl: tensor<1x4x3xf32>, %u: tensor<1x2x9xf32>,
    %t: tensor<1x2x9xf32>, %dq: tensor<1x4x3x8xf32>, %dk: tensor<1x2x9x8xf32>,
    %dv: tensor<1x2x9x5xf32>, %du: tensor<1x2x9xf32>, %dt: tensor<1x2x9xf32>) {
  // expected-error @+1 {{'sparsek.sparse_attention_grad' op operand 'grad_scores' is there, expected it exactly when gated, with gate 'none' (C10)}}
  %0:5 = sparsek.sparse_attention_grad
      ins(%q, %k, %v, %e, %o, %l, %do : tensor<1x4x3x8xf32>,
          tensor<1x2x9x8xf32>, tensor<1x2x9x5xf32>, tensor<1x2x9xi32>,
          tensor<1x4x3x5xf32>, tensor<1x4x3xf32>, tensor<1x4x3x5xf32>)
      grad_lse(%dl : tensor<1x4x3xf32>)
      gating(%u, %t : tensor<1x2x9xf32>, tensor<1x2x9xf32>)
      outs(%dq, %dk, %dv : tensor<1x4x3x8xf32>, tensor<1x2x9x8xf32>,
           tensor<1x2x9x5xf32>)
      gating_outs(%du, %dt : tensor<1x2x9xf32>, tensor<1x2x9xf32>)
      -> tensor<1x4x3x8xf32>, tensor<1x2x9x8xf32>, tensor<1x2x9x5xf32>,
         tensor<1x2x9xf32>, tensor<1x2x9xf32>
  return
}

// -----

// C10
func.func @sparse_attention_grad_grad_tau_shape(
    %q: tensor<1x4x3x8xf32>, %k: tensor<1x2x9x8xf32>, %v: tensor<1x2x9x5xf32>,
    %e: tensor<1x2x9xi32>, %o: tensor<1x4x3x5xf32>, %l: tensor<1x4x3xf32>,
    %do: tensor<1x4x3x5xf32>, %dl: tensor<1x4x3xf32>, %u: tensor<1x2x9xf32>,
    %t: tensor<1x2x9xf32>, %dq: tensor<1x4x3x8xf32>, %dk: tensor<1x2x9x8xf32>,
    %dv: tensor<1x2x9x5xf32>, %du: tensor<1x2x9xf32>, %dt: tensor<1x2x3xf32>) {
  // expected-error @+1 {{'sparsek.sparse_attention_grad' op operand 'grad_tau' has size 3 in dimension 2, expected 9 as dimension 2 of operand 'end' (C10)}}
  %0:5 = sparsek.sparse_attention_grad gate(value)
      ins(%q, %k, %v, %e, %o, %l, %do : tensor<1x4x3x8xf32>,
          tensor<1x2x9x8xf32>, tensor<1x2x9x5xf32>, tensor<1x2x9xi32>,
          tensor<1x4x3x5xf32>, tensor<1x4x3xf32>, tensor<1x4x3x5xf32>)
      grad_lse(%dl : tensor<1x4x3xf32>)
      gating(%u, %t : tensor<1x2x9xf32>, tensor<1x2x9xf32>)
      outs(%dq, %dk, %dv : tensor<1x4x3x8xf32>, tensor<1x2x9x8xf32>,
           tensor<1x2x9x5xf32>)
      gating_outs(%du, %dt : tensor<1x2x9xf32>, tensor<1x2x3xf32>)
      -> tensor<1x4x3x8xf32>, tensor<1x2x9x8xf32>, tensor<1x2x9x5xf32>,
         tensor<1x2x9xf32>, tensor<1x2x3xf32>
  return
}

// -----

// C11
func.func @sparse_attention_grad_mixed(
    %q: tensor<1x4x3x8xf32>, %k: tensor<1x2x9x8xf32>, %v: tensor<1x2x9x5xf32>,
    %e: memref<1x2x9xi32>, %o: tensor<1x4x3x5xf32>, %l: tensor<1x4x3xf32>,
    %do: tensor<1x4x3x5xf32>, %dl: tensor<1x4x3xf32>, %u: tensor<1x2x9xf32>,
    %t: tensor<1x2x9xf32>, %dq: tensor<1x4x3x8xf32>, %dk: tensor<1x2x9x8xf32>,
    %dv: tensor<1x2x9x5xf32>, %du: tensor<1x2x9xf32>, %dt: tensor<1x2x9xf32>) {
  // expected-error @+1 {{'sparsek.sparse_attention_grad' op expected all operands to be tensors or all to be memrefs (C11)}}
  %0:5 = sparsek.sparse_attention_grad gate(value)
      ins(%q, %k, %v, %e, %o, %l, %do : tensor<1x4x3x8xf32>,
          tensor<1x2x9x8xf32>, tensor<1x2x9x5xf32>, memref<1x2x9xi32>,
          tensor<1x4x3x5xf32>, tensor<1x4x3xf32>, tensor<1x4x3x5xf32>)
      grad_lse(%dl : tensor<1x4x3xf32>)
      gating(%u, %t : tensor<1x2x9xf32>, tensor<1x2x9xf32>)
      outs(%dq, %dk, %dv : tensor<1x4x3x8xf32>, tensor<1x2x9x8xf32>,
           tensor<1x2x9x5xf32>)
      gating_outs(%du, %dt : tensor<1x2x9xf32>, tensor<1x2x9xf32>)
      -> tensor<1x4x3x8xf32>, tensor<1x2x9x8xf32>, tensor<1x2x9x5xf32>,
         tensor<1x2x9xf32>, tensor<1x2x9xf32>
  return
}

// -----

// C11
func.func @sparse_attention_grad_result_type(
    %q: tensor<1x4x3x8xf32>, %k: tensor<1x2x9x8xf32>, %v: tensor<1x2x9x5xf32>,
    %e: tensor<1x2x9xi32>, %o: tensor<1x4x3x5xf32>, %l: tensor<1x4x3xf32>,
    %do: tensor<1x4x3x5xf32>, %dl: tensor<1x4x3xf32>, %u: tensor<1x2x9xf32>,
    %t: tensor<1x2x9xf32>, %dq: tensor<1x4x3x8xf32>, %dk: tensor<1x2x9x8xf32>,
    %dv: tensor<1x2x9x5xf32>, %du: tensor<1x2x9xf32>, %dt: tensor<1x2x9xf32>) {
  // expected-error @+1 {{'sparsek.sparse_attention_grad' op result 4 has type 'tensor<1x2x?xf32>', expected the type of its destination 'tensor<1x2x9xf32>' (C11)}}
  %0:5 = sparsek.sparse_attention_grad gate(value)
      ins(%q, %k, %v, %e, %o, %l, %do : tensor<1x4x3x8xf32>,
          tensor<1x2x9x8xf32>, tensor<1x2x9x5xf32>, tensor<1x2x9xi32>,
          tensor<1x4x3x5xf32>, tensor<1x4x3xf32>, tensor<1x4x3x5xf32>)
      grad_lse(%dl : tensor<1x4x3xf32>)
      gating(%u, %t : tensor<1x2x9xf32>, tensor<1x2x9xf32>)
      outs(%dq, %dk, %dv : tensor<1x4x3x8xf32>, tensor<1x2x9x8xf32>,
           tensor<1x2x9x5xf32>)
      gating_outs(%du, %dt : tensor<1x2x9xf32>, tensor<1x2x9xf32>)
      -> tensor<1x4x3x8xf32>, tensor<1x2x9x8xf32>, tensor<1x2x9x5xf32>,
         tensor<1x2x9xf32>, tensor<1x2x?xf32>
  return
}
