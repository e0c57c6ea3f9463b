// RUN: sparsek-opt %s --split-input-file --verify-diagnostics

// Every case breaks the constraint of its op that the comment names.

// C1
func.func @topk_mask_topk_0(%z: tensor<2x9xf32>, %p: tensor<2x9xf32>, %t: tensor<2xf32>) {
  // expected-error @+1 {{'sparsek.topk_mask' op attribute 'topk' is 0, expected at least 1 (C1)}}
  %0:2 = sparsek.topk_mask topk(0) ins(%z : tensor<2x9xf32>)
      outs(%p, %t : tensor<2x9xf32>, tensor<2xf32>)
      -> tensor<2x9xf32>, tensor<2xf32>
  return
}

// -----

// C1
func.func @topk_mask_topk_negative(%z: tensor<2x9xf32>, %p: tensor<2x9xf32>, %t: tensor<2xf32>) {
  // expected-error @+1 {{'sparsek.topk_mask' op attribute 'topk' is -3, expected at least 1 (C1)}}
  %0:2 = sparsek.topk_mask topk(-3) ins(%z : tensor<2x9xf32>)
      outs(%p, %t : tensor<2x9xf32>, tensor<2xf32>)
      -> tensor<2x9xf32>, tensor<2xf32>
  return
}

// -----

// C2
func.func @topk_mask_rank_0(%z: tensor<f32>, %p: tensor<f32>, %t: tensor<f32>) {
  // expected-error @+1 {{'sparsek.topk_mask' op operand 'scores' has type 'tensor<f32>', expected rank at least 1 (C2)}}
  %0:2 = sparsek.topk_mask topk(4) ins(%z : tensor<f32>)
      outs(%p, %t : tensor<f32>, tensor<f32>)
      -> tensor<f32>, tensor<f32>
  return
}

// -----

// C2
func.func @topk_mask_unranked(%z: tensor<*xf32>, %p: tensor<2x9xf32>, %t: tensor<2xf32>) {
  // expected-error @+1 {{'sparsek.topk_mask' op operand 'scores' has type 'tensor<*xf32>', expected rank at least 1 (C2)}}
  %0:2 = sparsek.topk_mask topk(4) ins(%z : tensor<*xf32>)
      outs(%p, %t : tensor<2x9xf32>, tensor<2xf32>)
      -> tensor<2x9xf32>, tensor<2xf32>
  return
}

// -----

// C3
func.func @topk_mask_mask_rank(%z: tensor<2x9xf32>, %p: tensor<9xf32>, %t: tensor<2xf32>) {
  // expected-error @+1 {{'sparsek.topk_mask' op operand 'mask' has type 'tensor<9xf32>', expected rank 2 (C3)}}
  %0:2 = sparsek.topk_mask topk(4) ins(%z : tensor<2x9xf32>)
      outs(%p, %t : tensor<9xf32>, tensor<2xf32>)
      -> tensor<9xf32>, tensor<2xf32>
  return
}

// -----

// C3
func.func @topk_mask_mask_shape(%z: tensor<2x9xf32>, %p: tensor<2x8xf32>, %t: tensor<2xf32>) {
  // expected-error @+1 {{'sparsek.topk_mask' op operand 'mask' has size 8 in dimension 1, expected 9 as dimension 1 of operand 'scores' (C3)}}
  %0:2 = sparsek.topk_mask topk(4) ins(%z : tensor<2x9xf32>)
      outs(%p, %t : tensor<2x8xf32>, tensor<2xf32>)
      -> tensor<2x8xf32>, tensor<2xf32>
  return
}

// -----

// C3
func.func @topk_mask_mask_element(%z: tensor<2x9xf32>, %p: tensor<2x9xf16>, %t: tensor<2xf32>) {
  // expected-error @+1 {{'sparsek.topk_mask' op operand 'mask' has element type 'f16', expected 'f32' as operand 'scores' (C3)}}
  %0:2 = sparsek.topk_mask topk(4) ins(%z : tensor<2x9xf32>)
      outs(%p, %t : tensor<2x9xf16>, tensor<2xf32>)
      -> tensor<2x9xf16>, tensor<2xf32>
  return
}

// -----

// C4
func.func @topk_mask_tau_rank(%z: tensor<2x9xf32>, %p: tensor<2x9xf32>, %t: tensor<2x9xf32>) {
  // expected-error @+1 {{'sparsek.topk_mask' op operand 'tau' has type 'tensor<2x9xf32>', expected rank 1 (C4)}}
  %0:2 = sparsek.topk_mask topk(4) ins(%z : tensor<2x9xf32>)
      outs(%p, %t : tensor<2x9xf32>, tensor<2x9xf32>)
      -> tensor<2x9xf32>, tensor<2x9xf32>
  return
}

// -----

// C4
func.func @topk_mask_tau_shape(%z: tensor<2x9xf32>, %p: tensor<2x9xf32>, %t: tensor<3xf32>) {
  // expected-error @+1 {{'sparsek.topk_mask' op operand 'tau' has size 3 in dimension 0, expected 2 as dimension 0 of operand 'scores' (C4)}}
  %0:2 = sparsek.topk_mask topk(4) ins(%z : tensor<2x9xf32>)
      outs(%p, %t : tensor<2x9xf32>, tensor<3xf32>)
      -> tensor<2x9xf32>, tensor<3xf32>
  return
}

// -----

// C5
func.func @topk_mask_mixed(%z: tensor<2x9xf32>, %p: tensor<2x9xf32>, %t: memref<2xf32>) {
  // expected-error @+1 {{'sparsek.topk_mask' op expected all operands to be tensors or all to be memrefs (C5)}}
  %0 = sparsek.topk_mask topk(4) ins(%z : tensor<2x9xf32>)
      outs(%p, %t : tensor<2x9xf32>, memref<2xf32>)
      -> tensor<2x9xf32>
  return
}

// -----

// C5
func.func @topk_mask_no_results(%z: tensor<2x9xf32>, %p: tensor<2x9xf32>, %t: tensor<2xf32>) {
  // expected-error @+1 {{'sparsek.topk_mask' op has 0 results, expected 2 (C5)}}
  sparsek.topk_mask topk(4) ins(%z : tensor<2x9xf32>)
      outs(%p, %t : tensor<2x9xf32>, tensor<2xf32>)
  return
}

// -----

// C5
func.func @topk_mask_results_in_memory(%z: memref<2x9xf32>, %p: memref<2x9xf32>, %t: memref<2xf32>) {
  // expected-error @+1 {{'sparsek.topk_mask' op has 1 results, expected 0 (C5)}}
  %0 = sparsek.topk_mask topk(4) ins(%z : memref<2x9xf32>)
      outs(%p, %t : memref<2x9xf32>, memref<2xf32>)
      -> tensor<2x9xf32>
  return
}

// -----

// C5
func.func @topk_mask_result_type(%z: tensor<2x9xf32>, %p: tensor<2x9xf32>, %t: tensor<2xf32>) {
  // expected-error @+1 {{'sparsek.topk_mask' op result 1 has type 'tensor<?xf32>', expected the type of its destination 'tensor<2xf32>' (C5)}}
  %0:2 = sparsek.topk_mask topk(4) ins(%z : tensor<2x9xf32>)
      outs(%p, %t : tensor<2x9xf32>, tensor<2xf32>)
      -> tensor<2x9xf32>, tensor<?xf32>
  return
}

// -----

// Element types
func.func @topk_mask_f64(%z: tensor<2x9xf64>, %p: tensor<2x9xf64>, %t: tensor<2xf32>) {
  // expected-error @+1 {{'sparsek.topk_mask' op operand #0 must be tensor or memref of f32, f16 or bf16, but got 'tensor<2x9xf64>'}}
  %0:2 = sparsek.topk_mask topk(4) ins(%z : tensor<2x9xf64>)
      outs(%p, %t : tensor<2x9xf64>, tensor<2xf32>)
      -> tensor<2x9xf64>, tensor<2xf32>
  return
}

// -----

// C1
func.func @causal_topk_mask_topk(%u: tensor<1x2x9xf32>, %e: tensor<1x2x9xi32>,
                    %t: tensor<1x2x9xf32>, %f: tensor<1x2x9xi32>) {
  // expected-error @+1 {{'sparsek.causal_topk_mask' op attribute 'topk' is 0, expected at least 1 (C1)}}
  %0:3 = sparsek.causal_topk_mask topk(0) window(2) ins(%u : tensor<1x2x9xf32>)
      outs(%e, %t, %f : tensor<1x2x9xi32>, tensor<1x2x9xf32>, tensor<1x2x9xi32>)
      -> tensor<1x2x9xi32>, tensor<1x2x9xf32>, tensor<1x2x9xi32>
  return
}

// -----

// C2
func.func @causal_topk_mask_window(%u: tensor<1x2x9xf32>, %e: tensor<1x2x9xi32>,
                    %t: tensor<1x2x9xf32>, %f: tensor<1x2x9xi32>) {
  // expected-error @+1 {{'sparsek.causal_topk_mask' op attribute 'window' is -1, expected at least 0 (C2)}}
  %0:3 = sparsek.causal_topk_mask topk(4) window(-1) ins(%u : tensor<1x2x9xf32>)
      outs(%e, %t, %f : tensor<1x2x9xi32>, tensor<1x2x9xf32>, tensor<1x2x9xi32>)
      -> tensor<1x2x9xi32>, tensor<1x2x9xf32>, tensor<1x2x9xi32>
  return
}

// -----

// C3
func.func @causal_topk_mask_rank(%u: tensor<2x9xf32>, %e: tensor<1x2x9xi32>,
                    %t: tensor<1x2x9xf32>, %f: tensor<1x2x9xi32>) {
  // expected-error @+1 {{'sparsek.causal_topk_mask' op operand 'scores' has type 'tensor<2x9xf32>', expected rank 3 (C3)}}
  %0:3 = sparsek.causal_topk_mask topk(4) window(2) ins(%u : tensor<2x9xf32>)
      outs(%e, %t, %f : tensor<1x2x9xi32>, tensor<1x2x9xf32>, tensor<1x2x9xi32>)
      -> tensor<1x2x9xi32>, tensor<1x2x9xf32>, tensor<1x2x9xi32>
  return
}

// -----

// C3
func.func @causal_topk_mask_unranked(%u: tensor<*xf32>, %e: tensor<1x2x9xi32>,
                    %t: tensor<1x2x9xf32>, %f: tensor<1x2x9xi32>) {
  // expected-error @+1 {{'sparsek.causal_topk_mask' op operand 'scores' has type 'tensor<*xf32>', expected rank 3 (C3)}}
  %0:3 = sparsek.causal_topk_mask topk(4) window(2) ins(%u : tensor<*xf32>)
      outs(%e, %t, %f : tensor<1x2x9xi32>, tensor<1x2x9xf32>, tensor<1x2x9xi32>)
      -> tensor<1x2x9xi32>, tensor<1x2x9xf32>, tensor<1x2x9xi32>
  return
}

// -----

// C3
func.func @causal_topk_mask_length(%u: tensor<1x2x2147483648xf32>, %e: tensor<1x2x?xi32>,
                    %t: tensor<1x2x?xf32>, %f: tensor<1x2x?xi32>) {
  // expected-error @+1 {{'sparsek.causal_topk_mask' op operand 'scores' has 2147483648 keys, expected a number that fits i32 (C3)}}
  %0:3 = sparsek.causal_topk_mask topk(4) window(2) ins(%u : tensor<1x2x2147483648xf32>)
      outs(%e, %t, %f : tensor<1x2x?xi32>, tensor<1x2x?xf32>, tensor<1x2x?xi32>)
      -> tensor<1x2x?xi32>, tensor<1x2x?xf32>, tensor<1x2x?xi32>
  return
}

// -----

// C4
func.func @causal_topk_mask_end_shape(%u: tensor<1x2x9xf32>, %e: tensor<1x2x8xi32>,
                    %t: tensor<1x2x9xf32>, %f: tensor<1x2x9xi32>) {
  // expected-error @+1 {{'sparsek.causal_topk_mask' op operand 'end' has size 8 in dimension 2, expected 9 as dimension 2 of operand 'scores' (C4)}}
  %0:3 = sparsek.causal_topk_mask topk(4) window(2) ins(%u : tensor<1x2x9xf32>)
      outs(%e, %t, %f : tensor<1x2x8xi32>, tensor<1x2x9xf32>, tensor<1x2x9xi32>)
      -> tensor<1x2x8xi32>, tensor<1x2x9xf32>, tensor<1x2x9xi32>
  return
}

// -----

// C4
func.func @causal_topk_mask_tau_shape(%u: tensor<1x2x9xf32>, %e: tensor<1x2x9xi32>,
                    %t: tensor<1x3x9xf32>, %f: tensor<1x2x9xi32>) {
  // expected-error @+1 {{'sparsek.causal_topk_mask' op operand 'tau' has size 3 in dimension 1, expected 2 as dimension 1 of operand 'scores' (C4)}}
  %0:3 = sparsek.causal_topk_mask topk(4) window(2) ins(%u : tensor<1x2x9xf32>)
      outs(%e, %t, %f : tensor<1x2x9xi32>, tensor<1x3x9xf32>, tensor<1x2x9xi32>)
      -> tensor<1x2x9xi32>, tensor<1x3x9xf32>, tensor<1x2x9xi32>
  return
}

// -----

// C4
func.func @causal_topk_mask_free_rank(%u: tensor<1x2x9xf32>, %e: tensor<1x2x9xi32>,
                    %t: tensor<1x2x9xf32>, %f: tensor<9xi32>) {
  // expected-error @+1 {{'sparsek.causal_topk_mask' op operand 'free' has type 'tensor<9xi32>', expected rank 3 (C4)}}
  %0:3 = sparsek.causal_topk_mask topk(4) window(2) ins(%u : tensor<1x2x9xf32>)
      outs(%e, %t, %f : tensor<1x2x9xi32>, tensor<1x2x9xf32>, tensor<9xi32>)
      -> tensor<1x2x9xi32>, tensor<1x2x9xf32>, tensor<9xi32>
  return
}

// -----

// C5
func.func @causal_topk_mask_mixed(%u: memref<1x2x9xf32>, %e: tensor<1x2x9xi32>,
                    %t: tensor<1x2x9xf32>, %f: tensor<1x2x9xi32>) {
  // expected-error @+1 {{'sparsek.causal_topk_mask' op expected all operands to be tensors or all to be memrefs (C5)}}
  %0:3 = sparsek.causal_topk_mask topk(4) window(2) ins(%u : memref<1x2x9xf32>)
      outs(%e, %t, %f : tensor<1x2x9xi32>, tensor<1x2x9xf32>, tensor<1x2x9xi32>)
      -> tensor<1x2x9xi32>, tensor<1x2x9xf32>, tensor<1x2x9xi32>
  return
}

// -----

// C5
func.func @causal_topk_mask_no_results(%u: tensor<1x2x9xf32>, %e: tensor<1x2x9xi32>,
                    %t: tensor<1x2x9xf32>, %f: tensor<1x2x9xi32>) {
  // expected-error @+1 {{'sparsek.causal_topk_mask' op has 0 results, expected 3 (C5)}}
  sparsek.causal_topk_mask topk(4) window(2) ins(%u : tensor<1x2x9xf32>)
      outs(%e, %t, %f : tensor<1x2x9xi32>, tensor<1x2x9xf32>, tensor<1x2x9xi32>)
  return
}

// -----

// C1
func.func @sparse_attention_window(
    %q: tensor<1x4x3x8xf32>, %k: tensor<1x2x9x8xf32>, %v: tensor<1x2x9x8xf32>,
    %e: tensor<1x2x9xi32>, %o: tensor<1x4x3x8xf32>, %l: tensor<1x4x3xf32>) {
  // expected-error @+1 {{'sparsek.sparse_attention' op attribute 'window' is -1, expected at least 0 (C1)}}
  %0:2 = sparsek.sparse_attention window(-1)
      ins(%q, %k, %v, %e : tensor<1x4x3x8xf32>, tensor<1x2x9x8xf32>,
          tensor<1x2x9x8xf32>, tensor<1x2x9xi32>)
      outs(%o, %l : tensor<1x4x3x8xf32>, tensor<1x4x3xf32>)
      -> tensor<1x4x3x8xf32>, tensor<1x4x3xf32>
  return
}

// -----

// C2
func.func @sparse_attention_query_rank(
    %q: tensor<4x3x8xf32>, %k: tensor<1x2x9x8xf32>, %v: tensor<1x2x9x8xf32>,
    %e: tensor<1x2x9xi32>, %o: tensor<1x4x3x8xf32>, %l: tensor<1x4x3xf32>) {
  // expected-error @+1 {{'sparsek.sparse_attention' op operand 'query' has type 'tensor<4x3x8xf32>', expected rank 4 (C2)}}
  %0:2 = sparsek.sparse_attention
      ins(%q, %k, %v, %e : tensor<4x3x8xf32>, tensor<1x2x9x8xf32>,
          tensor<1x2x9x8xf32>, tensor<1x2x9xi32>)
      outs(%o, %l : tensor<1x4x3x8xf32>, tensor<1x4x3xf32>)
      -> tensor<1x4x3x8xf32>, tensor<1x4x3xf32>
  return
}

// -----

// C2
func.func @sparse_attention_unranked_key(
    %q: tensor<1x4x3x8xf32>, %k: tensor<*xf32>, %v: tensor<1x2x9x8xf32>,
    %e: tensor<1x2x9xi32>, %o: tensor<1x4x3x8xf32>, %l: tensor<1x4x3xf32>) {
  // expected-error @+1 {{'sparsek.sparse_attention' op operand 'key' has type 'tensor<*xf32>', expected rank 4 (C2)}}
  %0:2 = sparsek.sparse_attention
      ins(%q, %k, %v, %e : tensor<1x4x3x8xf32>, tensor<*xf32>,
          tensor<1x2x9x8xf32>, tensor<1x2x9xi32>)
      outs(%o, %l : tensor<1x4x3x8xf32>, tensor<1x4x3xf32>)
      -> tensor<1x4x3x8xf32>, tensor<1x4x3xf32>
  return
}

// -----

// C2
func.func @sparse_attention_end_rank(
    %q: tensor<1x4x3x8xf32>, %k: tensor<1x2x9x8xf32>, %v: tensor<1x2x9x8xf32>,
    %e: tensor<9xi32>, %o: tensor<1x4x3x8xf32>, %l: tensor<1x4x3xf32>) {
  // expected-error @+1 {{'sparsek.sparse_attention' op operand 'end' has type 'tensor<9xi32>', expected rank 3 (C2)}}
  %0:2 = sparsek.sparse_attention
      ins(%q, %k, %v, %e : tensor<1x4x3x8xf32>, tensor<1x2x9x8xf32>,
          tensor<1x2x9x8xf32>, tensor<9xi32>)
      outs(%o, %l : tensor<1x4x3x8xf32>, tensor<1x4x3xf32>)
      -> tensor<1x4x3x8xf32>, tensor<1x4x3xf32>
  return
}

// -----

// C2
func.func @sparse_attention_scores_rank(
    %q: tensor<1x4x3x8xf32>, %k: tensor<1x2x9x8xf32>, %v: tensor<1x2x9x8xf32>,
    %e: tensor<1x2x9xi32>, %o: tensor<1x4x3x8xf32>, %l: tensor<1x4x3xf32>,
    %u: tensor<9xf32>, %t: tensor<1x2x9xf32>) {
  // expected-error @+1 {{'sparsek.sparse_attention' op operand 'scores' has type 'tensor<9xf32>', expected rank 3 (C2)}}
  %0:2 = sparsek.sparse_attention gate(value)
      ins(%q, %k, %v, %e : tensor<1x4x3x8xf32>, tensor<1x2x9x8xf32>,
          tensor<1x2x9x8xf32>, tensor<1x2x9xi32>)
      gating(%u, %t : tensor<9xf32>, tensor<1x2x9xf32>)
      outs(%o, %l : tensor<1x4x3x8xf32>, tensor<1x4x3xf32>)
      -> tensor<1x4x3x8xf32>, tensor<1x4x3xf32>
  return
}

// -----

// C2
func.func @sparse_attention_lse_rank(
    %q: tensor<1x4x3x8xf32>, %k: tensor<1x2x9x8xf32>, %v: tensor<1x2x9x8xf32>,
    %e: tensor<1x2x9xi32>, %o: tensor<1x4x3x8xf32>, %l: tensor<1x4x3x1xf32>) {
  // expected-error @+1 {{'sparsek.sparse_attention' op operand 'lse' has type 'tensor<1x4x3x1xf32>', expected rank 3 (C2)}}
  %0:2 = sparsek.sparse_attention
      ins(%q, %k, %v, %e : tensor<1x4x3x8xf32>, tensor<1x2x9x8xf32>,
          tensor<1x2x9x8xf32>, tensor<1x2x9xi32>)
      outs(%o, %l : tensor<1x4x3x8xf32>, tensor<1x4x3x1xf32>)
      -> tensor<1x4x3x8xf32>, tensor<1x4x3x1xf32>
  return
}

// -----

// C3
func.func @sparse_attention_element_type(
    %q: tensor<1x4x3x8xf32>, %k: tensor<1x2x9x8xf32>, %v: tensor<1x2x9x8xbf16>,
    %e: tensor<1x2x9xi32>, %o: tensor<1x4x3x8xf32>, %l: tensor<1x4x3xf32>) {
  // expected-error @+1 {{'sparsek.sparse_attention' op operand 'value' has element type 'bf16', expected 'f32' as operand 'query' (C3)}}
  %0:2 = sparsek.sparse_attention
      ins(%q, %k, %v, %e : tensor<1x4x3x8xf32>, tensor<1x2x9x8xf32>,
          tensor<1x2x9x8xbf16>, tensor<1x2x9xi32>)
      outs(%o, %l : tensor<1x4x3x8xf32>, tensor<1x4x3xf32>)
      -> tensor<1x4x3x8xf32>, tensor<1x4x3xf32>
  return
}

// -----

// C4
func.func @sparse_attention_dynamic_head(
    %q: tensor<1x4x3x8xf32>, %k: tensor<1x2x9x?xf32>, %v: tensor<1x2x9x8xf32>,
    %e: tensor<1x2x9xi32>, %o: tensor<1x4x3x8xf32>, %l: tensor<1x4x3xf32>) {
  // expected-error @+1 {{'sparsek.sparse_attention' op operand 'key' has type 'tensor<1x2x9x?xf32>', expected a static positive head dimension (C4)}}
  %0:2 = sparsek.sparse_attention
      ins(%q, %k, %v, %e : tensor<1x4x3x8xf32>, tensor<1x2x9x?xf32>,
          tensor<1x2x9x8xf32>, tensor<1x2x9xi32>)
      outs(%o, %l : tensor<1x4x3x8xf32>, tensor<1x4x3xf32>)
      -> tensor<1x4x3x8xf32>, tensor<1x4x3xf32>
  return
}

// -----

// C4
func.func @sparse_attention_empty_head(
    %q: tensor<1x4x3x8xf32>, %k: tensor<1x2x9x8xf32>, %v: tensor<1x2x9x0xf32>,
    %e: tensor<1x2x9xi32>, %o: tensor<1x4x3x0xf32>, %l: tensor<1x4x3xf32>) {
  // expected-error @+1 {{'sparsek.sparse_attention' op operand 'value' has type 'tensor<1x2x9x0xf32>', expected a static positive head dimension (C4)}}
  %0:2 = sparsek.sparse_attention
      ins(%q, %k, %v, %e : tensor<1x4x3x8xf32>, tensor<1x2x9x8xf32>,
          tensor<1x2x9x0xf32>, tensor<1x2x9xi32>)
      outs(%o, %l : tensor<1x4x3x0xf32>, tensor<1x4x3xf32>)
      -> tensor<1x4x3x0xf32>, tensor<1x4x3xf32>
  return
}

// -----

// C4
func.func @sparse_attention_key_head(
    %q: tensor<1x4x3x8xf32>, %k: tensor<1x2x9x7xf32>, %v: tensor<1x2x9x8xf32>,
    %e: tensor<1x2x9xi32>, %o: tensor<1x4x3x8xf32>, %l: tensor<1x4x3xf32>) {
  // expected-error @+1 {{'sparsek.sparse_attention' op operand 'key' has size 7 in dimension 3, expected 8 as dimension 3 of operand 'query' (C4)}}
  %0:2 = sparsek.sparse_attention
      ins(%q, %k, %v, %e : tensor<1x4x3x8xf32>, tensor<1x2x9x7xf32>,
          tensor<1x2x9x8xf32>, tensor<1x2x9xi32>)
      outs(%o, %l : tensor<1x4x3x8xf32>, tensor<1x4x3xf32>)
      -> tensor<1x4x3x8xf32>, tensor<1x4x3xf32>
  return
}

// -----

// C4
func.func @sparse_attention_output_head(
    %q: tensor<1x4x3x8xf32>, %k: tensor<1x2x9x8xf32>, %v: tensor<1x2x9x5xf32>,
    %e: tensor<1x2x9xi32>, %o: tensor<1x4x3x8xf32>, %l: tensor<1x4x3xf32>) {
  // expected-error @+1 {{'sparsek.sparse_attention' op operand 'output' has size 8 in dimension 3, expected 5 as dimension 3 of operand 'value' (C4)}}
  %0:2 = sparsek.sparse_attention
      ins(%q, %k, %v, %e : tensor<1x4x3x8xf32>, tensor<1x2x9x8xf32>,
          tensor<1x2x9x5xf32>, tensor<1x2x9xi32>)
      outs(%o, %l : tensor<1x4x3x8xf32>, tensor<1x4x3xf32>)
      -> tensor<1x4x3x8xf32>, tensor<1x4x3xf32>
  return
}

// -----

// C5
func.func @sparse_attention_batch(
    %q: tensor<1x4x3x8xf32>, %k: tensor<2x2x9x8xf32>, %v: tensor<1x2x9x8xf32>,
    %e: tensor<1x2x9xi32>, %o: tensor<1x4x3x8xf32>, %l: tensor<1x4x3xf32>) {
  // expected-error @+1 {{'sparsek.sparse_attention' op operand 'key' has size 2 in dimension 0, expected 1 as dimension 0 of operand 'query' (C5)}}
  %0:2 = sparsek.sparse_attention
      ins(%q, %k, %v, %e : tensor<1x4x3x8xf32>, tensor<2x2x9x8xf32>,
          tensor<1x2x9x8xf32>, tensor<1x2x9xi32>)
      outs(%o, %l : tensor<1x4x3x8xf32>, tensor<1x4x3xf32>)
      -> tensor<1x4x3x8xf32>, tensor<1x4x3xf32>
  return
}

// -----

// C5
func.func @sparse_attention_keys(
    %q: tensor<1x4x3x8xf32>, %k: tensor<1x2x9x8xf32>, %v: tensor<1x2x8x8xf32>,
    %e: tensor<1x2x9xi32>, %o: tensor<1x4x3x8xf32>, %l: tensor<1x4x3xf32>) {
  // expected-error @+1 {{'sparsek.sparse_attention' op operand 'value' has size 8 in dimension 2, expected 9 as dimension 2 of operand 'key' (C5)}}
  %0:2 = sparsek.sparse_attention
      ins(%q, %k, %v, %e : tensor<1x4x3x8xf32>, tensor<1x2x9x8xf32>,
          tensor<1x2x8x8xf32>, tensor<1x2x9xi32>)
      outs(%o, %l : tensor<1x4x3x8xf32>, tensor<1x4x3xf32>)
      -> tensor<1x4x3x8xf32>, tensor<1x4x3xf32>
  return
}

// -----

// C5
func.func @sparse_attention_end_heads(
    %q: tensor<1x4x3x8xf32>, %k: tensor<1x2x9x8xf32>, %v: tensor<1x2x9x8xf32>,
    %e: tensor<1x4x9xi32>, %o: tensor<1x4x3x8xf32>, %l: tensor<1x4x3xf32>) {
  // expected-error @+1 {{'sparsek.sparse_attention' op operand 'end' has size 4 in dimension 1, expected 2 as dimension 1 of operand 'key' (C5)}}
  %0:2 = sparsek.sparse_attention
      ins(%q, %k, %v, %e : tensor<1x4x3x8xf32>, tensor<1x2x9x8xf32>,
          tensor<1x2x9x8xf32>, tensor<1x4x9xi32>)
      outs(%o, %l : tensor<1x4x3x8xf32>, tensor<1x4x3xf32>)
      -> tensor<1x4x3x8xf32>, tensor<1x4x3xf32>
  return
}

// -----

// C5
func.func @sparse_attention_tau_keys(
    %q: tensor<1x4x3x8xf32>, %k: tensor<1x2x9x8xf32>, %v: tensor<1x2x9x8xf32>,
    %e: tensor<1x2x9xi32>, %o: tensor<1x4x3x8xf32>, %l: tensor<1x4x3xf32>,
    %u: tensor<1x2x9xf32>, %t: tensor<1x2x3xf32>) {
  // expected-error @+1 {{'sparsek.sparse_attention' op operand 'tau' has size 3 in dimension 2, expected 9 as dimension 2 of operand 'key' (C5)}}
  %0:2 = sparsek.sparse_attention gate(value)
      ins(%q, %k, %v, %e : tensor<1x4x3x8xf32>, tensor<1x2x9x8xf32>,
          tensor<1x2x9x8xf32>, tensor<1x2x9xi32>)
      gating(%u, %t : tensor<1x2x9xf32>, tensor<1x2x3xf32>)
      outs(%o, %l : tensor<1x4x3x8xf32>, tensor<1x4x3xf32>)
      -> tensor<1x4x3x8xf32>, tensor<1x4x3xf32>
  return
}

// -----

// C5
func.func @sparse_attention_queries(
    %q: tensor<1x4x3x8xf32>, %k: tensor<1x2x9x8xf32>, %v: tensor<1x2x9x8xf32>,
    %e: tensor<1x2x9xi32>, %o: tensor<1x4x3x8xf32>, %l: tensor<1x4x9xf32>) {
  // expected-error @+1 {{'sparsek.sparse_attention' op operand 'lse' has size 9 in dimension 2, expected 3 as dimension 2 of operand 'query' (C5)}}
  %0:2 = sparsek.sparse_attention
      ins(%q, %k, %v, %e : tensor<1x4x3x8xf32>, tensor<1x2x9x8xf32>,
          tensor<1x2x9x8xf32>, tensor<1x2x9xi32>)
      outs(%o, %l : tensor<1x4x3x8xf32>, tensor<1x4x9xf32>)
      -> tensor<1x4x3x8xf32>, tensor<1x4x9xf32>
  return
}

// -----

// C6
func.func @sparse_attention_heads(
    %q: tensor<1x3x3x8xf32>, %k: tensor<1x2x9x8xf32>, %v: tensor<1x2x9x8xf32>,
    %e: tensor<1x2x9xi32>, %o: tensor<1x3x3x8xf32>, %l: tensor<1x3x3xf32>) {
  // expected-error @+1 {{'sparsek.sparse_attention' op operand 'query' has 3 heads, expected a positive multiple of the 2 heads of operand 'key' (C6)}}
  %0:2 = sparsek.sparse_attention
      ins(%q, %k, %v, %e : tensor<1x3x3x8xf32>, tensor<1x2x9x8xf32>,
          tensor<1x2x9x8xf32>, tensor<1x2x9xi32>)
      outs(%o, %l : tensor<1x3x3x8xf32>, tensor<1x3x3xf32>)
      -> tensor<1x3x3x8xf32>, tensor<1x3x3xf32>
  return
}

// -----

// C6
func.func @sparse_attention_no_heads(
    %q: tensor<1x4x3x8xf32>, %k: tensor<1x0x9x8xf32>, %v: tensor<1x0x9x8xf32>,
    %e: tensor<1x0x9xi32>, %o: tensor<1x4x3x8xf32>, %l: tensor<1x4x3xf32>) {
  // expected-error @+1 {{'sparsek.sparse_attention' op operand 'query' has 4 heads, expected a positive multiple of the 0 heads of operand 'key' (C6)}}
  %0:2 = sparsek.sparse_attention
      ins(%q, %k, %v, %e : tensor<1x4x3x8xf32>, tensor<1x0x9x8xf32>,
          tensor<1x0x9x8xf32>, tensor<1x0x9xi32>)
      outs(%o, %l : tensor<1x4x3x8xf32>, tensor<1x4x3xf32>)
      -> tensor<1x4x3x8xf32>, tensor<1x4x3xf32>
  return
}

// -----

// C6
func.func @sparse_attention_no_group(
    %q: tensor<1x4x3x8xf32>, %k: tensor<1x?x9x8xf32>, %v: tensor<1x?x9x8xf32>,
    %e: tensor<1x?x9xi32>, %o: tensor<1x4x3x8xf32>, %l: tensor<1x4x3xf32>) {
  // expected-error @+1 {{'sparsek.sparse_attention' op attribute 'group' is missing, expected Hq / Hkv where a head count is dynamic (C6)}}
  %0:2 = sparsek.sparse_attention
      ins(%q, %k, %v, %e : tensor<1x4x3x8xf32>, tensor<1x?x9x8xf32>,
          tensor<1x?x9x8xf32>, tensor<1x?x9xi32>)
      outs(%o, %l : tensor<1x4x3x8xf32>, tensor<1x4x3xf32>)
      -> tensor<1x4x3x8xf32>, tensor<1x4x3xf32>
  return
}

// -----

// C6
func.func @sparse_attention_group_0(
    %q: tensor<1x4x3x8xf32>, %k: tensor<1x2x9x8xf32>, %v: tensor<1x2x9x8xf32>,
    %e: tensor<1x2x9xi32>, %o: tensor<1x4x3x8xf32>, %l: tensor<1x4x3xf32>) {
  // expected-error @+1 {{'sparsek.sparse_attention' op attribute 'group' is 0, expected at least 1 (C6)}}
  %0:2 = sparsek.sparse_attention group(0)
      ins(%q, %k, %v, %e : tensor<1x4x3x8xf32>, tensor<1x2x9x8xf32>,
          tensor<1x2x9x8xf32>, tensor<1x2x9xi32>)
      outs(%o, %l : tensor<1x4x3x8xf32>, tensor<1x4x3xf32>)
      -> tensor<1x4x3x8xf32>, tensor<1x4x3xf32>
  return
}

// -----

// C6
func.func @sparse_attention_group_differs(
    %q: tensor<1x4x3x8xf32>, %k: tensor<1x2x9x8xf32>, %v: tensor<1x2x9x8xf32>,
    %e: tensor<1x2x9xi32>, %o: tensor<1x4x3x8xf32>, %l: tensor<1x4x3xf32>) {
  // expected-error @+1 {{'sparsek.sparse_attention' op attribute 'group' is 4, expected Hq / Hkv = 2 (C6)}}
  %0:2 = sparsek.sparse_attention group(4)
      ins(%q, %k, %v, %e : tensor<1x4x3x8xf32>, tensor<1x2x9x8xf32>,
          tensor<1x2x9x8xf32>, tensor<1x2x9xi32>)
      outs(%o, %l : tensor<1x4x3x8xf32>, tensor<1x4x3xf32>)
      -> tensor<1x4x3x8xf32>, tensor<1x4x3xf32>
  return
}

// -----

// C6
func.func @sparse_attention_group_divides_not(
    %q: tensor<1x4x3x8xf32>, %k: tensor<1x?x9x8xf32>, %v: tensor<1x?x9x8xf32>,
    %e: tensor<1x?x9xi32>, %o: tensor<1x4x3x8xf32>, %l: tensor<1x4x3xf32>) {
  // expected-error @+1 {{'sparsek.sparse_attention' op attribute 'group' is 3, expected a divisor of the 4 heads of operand 'query' (C6)}}
  %0:2 = sparsek.sparse_attention group(3)
      ins(%q, %k, %v, %e : tensor<1x4x3x8xf32>, tensor<1x?x9x8xf32>,
          tensor<1x?x9x8xf32>, tensor<1x?x9xi32>)
      outs(%o, %l : tensor<1x4x3x8xf32>, tensor<1x4x3xf32>)
      -> tensor<1x4x3x8xf32>, tensor<1x4x3xf32>
  return
}

// -----

// C7
func.func @sparse_attention_no_scores(
    %q: tensor<1x4x3x8xf32>, %k: tensor<1x2x9x8xf32>, %v: tensor<1x2x9x8xf32>,
    %e: tensor<1x2x9xi32>, %o: tensor<1x4x3x8xf32>, %l: tensor<1x4x3xf32>) {
  // expected-error @+1 {{'sparsek.sparse_attention' op operand 'scores' is missing, expected with gate 'key_value' (C7)}}
  %0:2 = sparsek.sparse_attention gate(key_value)
      ins(%q, %k, %v, %e : tensor<1x4x3x8xf32>, tensor<1x2x9x8xf32>,
          tensor<1x2x9x8xf32>, tensor<1x2x9xi32>)
      outs(%o, %l : tensor<1x4x3x8xf32>, tensor<1x4x3xf32>)
      -> tensor<1x4x3x8xf32>, tensor<1x4x3xf32>
  return
}

// -----

// C7
func.func @sparse_attention_gate_without_tau(
    %q: tensor<1x2x3x8xf32>, %e: tensor<1x2x3xi32>, %l: tensor<1x2x3xf32>) {
  // expected-error @+1 {{'sparsek.sparse_attention' op operand 'tau' is missing, expected with gate 'value' (C7)}}
  %0:2 = "sparsek.sparse_attention"(%q, %q, %q, %e, %l, %q, %l)
      {gate = #sparsek<gate value>, operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 0, 1, 1>}
      : (tensor<1x2x3x8xf32>, tensor<1x2x3x8xf32>, tensor<1x2x3x8xf32>,
         tensor<1x2x3xi32>, tensor<1x2x3xf32>, tensor<1x2x3x8xf32>,
         tensor<1x2x3xf32>) -> (tensor<1x2x3x8xf32>, tensor<1x2x3xf32>)
  return
}

// -----

// C7
func.func @sparse_attention_scores_alone(
    %q: tensor<1x2x3x8xf32>, %e: tensor<1x2x3xi32>, %l: tensor<1x2x3xf32>) {
  // expected-error @+1 {{'sparsek.sparse_attention' op operand 'tau' is missing, expected with operand 'scores' (C7)}}
  %0:2 = "sparsek.sparse_attention"(%q, %q, %q, %e, %l, %q, %l)
      {operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 0, 1, 1>}
      : (tensor<1x2x3x8xf32>, tensor<1x2x3x8xf32>, tensor<1x2x3x8xf32>,
         tensor<1x2x3xi32>, tensor<1x2x3xf32>, tensor<1x2x3x8xf32>,
         tensor<1x2x3xf32>) -> (tensor<1x2x3x8xf32>, tensor<1x2x3xf32>)
  return
}

// -----

// C7
func.func @sparse_attention_tau_alone(
    %q: tensor<1x2x3x8xf32>, %e: tensor<1x2x3xi32>, %l: tensor<1x2x3xf32>) {
  // expected-error @+1 {{'sparsek.sparse_attention' op operand 'scores' is missing, expected with operand 'tau' (C7)}}
  %0:2 = "sparsek.sparse_attention"(%q, %q, %q, %e, %l, %q, %l)
      {operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 1, 1, 1>}
      : (tensor<1x2x3x8xf32>, tensor<1x2x3x8xf32>, tensor<1x2x3x8xf32>,
         tensor<1x2x3xi32>, tensor<1x2x3xf32>, tensor<1x2x3x8xf32>,
         tensor<1x2x3xf32>) -> (tensor<1x2x3x8xf32>, tensor<1x2x3xf32>)
  return
}

// -----

// C8
func.func @sparse_attention_scale(
    %q: tensor<1x4x3x8xf32>, %k: tensor<1x2x9x8xf32>, %v: tensor<1x2x9x8xf32>,
    %e: tensor<1x2x9xi32>, %o: tensor<1x4x3x8xf32>, %l: tensor<1x4x3xf32>) {
  // expected-error @+1 {{'sparsek.sparse_attention' op attribute 'scale' is 0x7FF0000000000000 : f64, expected a finite number (C8)}}
  %0:2 = sparsek.sparse_attention scale(0x7FF0000000000000)
      ins(%q, %k, %v, %e : tensor<1x4x3x8xf32>, tensor<1x2x9x8xf32>,
          tensor<1x2x9x8xf32>, tensor<1x2x9xi32>)
      outs(%o, %l : tensor<1x4x3x8xf32>, tensor<1x4x3xf32>)
      -> tensor<1x4x3x8xf32>, tensor<1x4x3xf32>
  return
}

// -----

// C9
func.func @sparse_attention_mixed(
    %q: tensor<1x4x3x8xf32>, %k: tensor<1x2x9x8xf32>, %v: tensor<1x2x9x8xf32>,
    %e: memref<1x2x9xi32>, %o: tensor<1x4x3x8xf32>, %l: tensor<1x4x3xf32>) {
  // expected-error @+1 {{'sparsek.sparse_attention' op expected all operands to be tensors or all to be memrefs (C9)}}
  %0:2 = sparsek.sparse_attention
      ins(%q, %k, %v, %e : tensor<1x4x3x8xf32>, tensor<1x2x9x8xf32>,
          tensor<1x2x9x8xf32>, memref<1x2x9xi32>)
      outs(%o, %l : tensor<1x4x3x8xf32>, tensor<1x4x3xf32>)
      -> tensor<1x4x3x8xf32>, tensor<1x4x3xf32>
  return
}

// -----

// C9
func.func @sparse_attention_result_type(
    %q: tensor<1x4x3x8xf32>, %k: tensor<1x2x9x8xf32>, %v: tensor<1x2x9x8xf32>,
    %e: tensor<1x2x9xi32>, %o: tensor<1x4x3x8xf32>, %l: tensor<1x4x3xf32>) {
  // expected-error @+1 {{'sparsek.sparse_attention' op result 0 has type 'tensor<1x4x3x8xf16>', expected the type of its destination 'tensor<1x4x3x8xf32>' (C9)}}
  %0:2 = sparsek.sparse_attention
      ins(%q, %k, %v, %e : tensor<1x4x3x8xf32>, tensor<1x2x9x8xf32>,
          tensor<1x2x9x8xf32>, tensor<1x2x9xi32>)
      outs(%o, %l : tensor<1x4x3x8xf32>, tensor<1x4x3xf32>)
      -> tensor<1x4x3x8xf16>, tensor<1x4x3xf32>
  return
}

// -----

// The gate is a keyword
func.func @sparse_attention_unknown_gate(
    %q: tensor<1x4x3x8xf32>, %k: tensor<1x2x9x8xf32>, %v: tensor<1x2x9x8xf32>,
    %e: tensor<1x2x9xi32>, %o: tensor<1x4x3x8xf32>, %l: tensor<1x4x3xf32>) {
  // expected-error @+1 {{custom op 'sparsek.sparse_attention' expected gate 'none', 'value' or 'key_value', got 'query'}}
  %0:2 = sparsek.sparse_attention gate(query)
      ins(%q, %k, %v, %e : tensor<1x4x3x8xf32>, tensor<1x2x9x8xf32>,
          tensor<1x2x9x8xf32>, tensor<1x2x9xi32>)
      outs(%o, %l : tensor<1x4x3x8xf32>, tensor<1x4x3xf32>)
      -> tensor<1x4x3x8xf32>, tensor<1x4x3xf32>
  return
}

// -----

// C1
func.func @score_x_rank(%x: tensor<9x8xf32>, %w: tensor<2x8xf32>, %b: tensor<2xf32>,
                    %s: tensor<2xf32>, %u: tensor<1x2x9xf32>) {
  // expected-error @+1 {{'sparsek.score' op operand 'x' has type 'tensor<9x8xf32>', expected rank 3 (C1)}}
  %0 = sparsek.score
      ins(%x, %w, %b, %s : tensor<9x8xf32>, tensor<2x8xf32>, tensor<2xf32>, tensor<2xf32>)
      outs(%u : tensor<1x2x9xf32>) -> tensor<1x2x9xf32>
  return
}

// -----

// C1
func.func @score_weight_rank(%x: tensor<1x9x8xf32>, %w: tensor<8xf32>, %b: tensor<2xf32>,
                    %s: tensor<2xf32>, %u: tensor<1x2x9xf32>) {
  // expected-error @+1 {{'sparsek.score' op operand 'weight' has type 'tensor<8xf32>', expected rank 2 (C1)}}
  %0 = sparsek.score
      ins(%x, %w, %b, %s : tensor<1x9x8xf32>, tensor<8xf32>, tensor<2xf32>, tensor<2xf32>)
      outs(%u : tensor<1x2x9xf32>) -> tensor<1x2x9xf32>
  return
}

// -----

// C1
func.func @score_bias_rank(%x: tensor<1x9x8xf32>, %w: tensor<2x8xf32>, %b: tensor<f32>,
                    %s: tensor<2xf32>, %u: tensor<1x2x9xf32>) {
  // expected-error @+1 {{'sparsek.score' op operand 'bias' has type 'tensor<f32>', expected rank 1 (C1)}}
  %0 = sparsek.score
      ins(%x, %w, %b, %s : tensor<1x9x8xf32>, tensor<2x8xf32>, tensor<f32>, tensor<2xf32>)
      outs(%u : tensor<1x2x9xf32>) -> tensor<1x2x9xf32>
  return
}

// -----

// C1
func.func @score_slope_rank(%x: tensor<1x9x8xf32>, %w: tensor<2x8xf32>, %b: tensor<2xf32>,
                    %s: tensor<*xf32>, %u: tensor<1x2x9xf32>) {
  // expected-error @+1 {{'sparsek.score' op operand 'slope' has type 'tensor<*xf32>', expected rank 1 (C1)}}
  %0 = sparsek.score
      ins(%x, %w, %b, %s : tensor<1x9x8xf32>, tensor<2x8xf32>, tensor<2xf32>, tensor<*xf32>)
      outs(%u : tensor<1x2x9xf32>) -> tensor<1x2x9xf32>
  return
}

// -----

// C1
func.func @score_scores_rank(%x: tensor<1x9x8xf32>, %w: tensor<2x8xf32>, %b: tensor<2xf32>,
                    %s: tensor<2xf32>, %u: tensor<2x9xf32>) {
  // expected-error @+1 {{'sparsek.score' op operand 'scores' has type 'tensor<2x9xf32>', expected rank 3 (C1)}}
  %0 = sparsek.score
      ins(%x, %w, %b, %s : tensor<1x9x8xf32>, tensor<2x8xf32>, tensor<2xf32>, tensor<2xf32>)
      outs(%u : tensor<2x9xf32>) -> tensor<2x9xf32>
  return
}

// -----

// C2
func.func @score_element_type(%x: tensor<1x9x8xf32>, %w: tensor<2x8xbf16>, %b: tensor<2xf32>,
                    %s: tensor<2xf32>, %u: tensor<1x2x9xf32>) {
  // expected-error @+1 {{'sparsek.score' op operand 'weight' has element type 'bf16', expected 'f32' as operand 'x' (C2)}}
  %0 = sparsek.score
      ins(%x, %w, %b, %s : tensor<1x9x8xf32>, tensor<2x8xbf16>, tensor<2xf32>, tensor<2xf32>)
      outs(%u : tensor<1x2x9xf32>) -> tensor<1x2x9xf32>
  return
}

// -----

// C3
func.func @score_channels(%x: tensor<1x9x8xf32>, %w: tensor<2x7xf32>, %b: tensor<2xf32>,
                    %s: tensor<2xf32>, %u: tensor<1x2x9xf32>) {
  // expected-error @+1 {{'sparsek.score' op operand 'weight' has size 7 in dimension 1, expected 8 as dimension 2 of operand 'x' (C3)}}
  %0 = sparsek.score
      ins(%x, %w, %b, %s : tensor<1x9x8xf32>, tensor<2x7xf32>, tensor<2xf32>, tensor<2xf32>)
      outs(%u : tensor<1x2x9xf32>) -> tensor<1x2x9xf32>
  return
}

// -----

// C3
func.func @score_heads(%x: tensor<1x9x8xf32>, %w: tensor<2x8xf32>, %b: tensor<2xf32>,
                    %s: tensor<3xf32>, %u: tensor<1x2x9xf32>) {
  // expected-error @+1 {{'sparsek.score' op operand 'slope' has size 3 in dimension 0, expected 2 as dimension 0 of operand 'weight' (C3)}}
  %0 = sparsek.score
      ins(%x, %w, %b, %s : tensor<1x9x8xf32>, tensor<2x8xf32>, tensor<2xf32>, tensor<3xf32>)
      outs(%u : tensor<1x2x9xf32>) -> tensor<1x2x9xf32>
  return
}

// -----

// C3
func.func @score_length(%x: tensor<1x9x8xf32>, %w: tensor<2x8xf32>, %b: tensor<2xf32>,
                    %s: tensor<2xf32>, %u: tensor<1x2x8xf32>) {
  // expected-error @+1 {{'sparsek.score' op operand 'scores' has size 8 in dimension 2, expected 9 as dimension 1 of operand 'x' (C3)}}
  %0 = sparsek.score
      ins(%x, %w, %b, %s : tensor<1x9x8xf32>, tensor<2x8xf32>, tensor<2xf32>, tensor<2xf32>)
      outs(%u : tensor<1x2x8xf32>) -> tensor<1x2x8xf32>
  return
}

// -----

// C4
func.func @score_mixed(%x: tensor<1x9x8xf32>, %w: tensor<2x8xf32>, %b: memref<2xf32>,
                    %s: tensor<2xf32>, %u: tensor<1x2x9xf32>) {
  // expected-error @+1 {{'sparsek.score' op expected all operands to be tensors or all to be memrefs (C4)}}
  %0 = sparsek.score
      ins(%x, %w, %b, %s : tensor<1x9x8xf32>, tensor<2x8xf32>, memref<2xf32>, tensor<2xf32>)
      outs(%u : tensor<1x2x9xf32>) -> tensor<1x2x9xf32>
  return
}

// -----

// C4
func.func @score_no_result(%x: tensor<1x9x8xf32>, %w: tensor<2x8xf32>, %b: tensor<2xf32>,
                    %s: tensor<2xf32>, %u: tensor<1x2x9xf32>) {
  // expected-error @+1 {{'sparsek.score' op has 0 results, expected 1 (C4)}}
  sparsek.score
      ins(%x, %w, %b, %s : tensor<1x9x8xf32>, tensor<2x8xf32>, tensor<2xf32>, tensor<2xf32>)
      outs(%u : tensor<1x2x9xf32>)
  return
}
