// RUN: sparsek-opt %s --convert-sparsek-to-scf --split-input-file --verify-diagnostics

func.func @topk_on_tensors(%z: tensor<4x?xf32>, %t: tensor<4xf32>) {
  // expected-error @below {{'sparsek.topk_mask_grad' op has operands of type 'tensor<4x?xf32>', expected memrefs: bufferize first}}
  %r = sparsek.topk_mask_grad
      ins(%z, %t, %z : tensor<4x?xf32>, tensor<4xf32>, tensor<4x?xf32>)
      outs(%z : tensor<4x?xf32>) -> tensor<4x?xf32>
  return
}

// -----

func.func @causal_on_tensors(%u: tensor<1x1x?xf32>, %f: tensor<1x1x?xi32>) {
  // expected-error @below {{'sparsek.causal_topk_mask_grad' op has operands of type 'tensor<1x1x?xf32>', expected memrefs: bufferize first}}
  %r = sparsek.causal_topk_mask_grad window(1)
      ins(%u, %u, %f, %u : tensor<1x1x?xf32>, tensor<1x1x?xf32>,
          tensor<1x1x?xi32>, tensor<1x1x?xf32>)
      outs(%u : tensor<1x1x?xf32>) -> tensor<1x1x?xf32>
  return
}
