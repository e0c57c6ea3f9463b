// RUN: sparsek-opt %s --convert-sparsek-to-scf --split-input-file --verify-diagnostics

func.func @topk_on_tensors(%z: tensor<4x?xf32>, %p: tensor<4x?xf32>,
                           %tau: tensor<4xf32>) {
  // expected-error @below {{'sparsek.topk_mask' op has operands of type 'tensor<4x?xf32>', expected memrefs: bufferize first}}
  %r:2 = sparsek.topk_mask topk(2) ins(%z : tensor<4x?xf32>)
      outs(%p, %tau : tensor<4x?xf32>, tensor<4xf32>)
      -> tensor<4x?xf32>, tensor<4xf32>
  return
}

// -----

func.func @causal_on_tensors(%u: tensor<1x1x?xf32>, %end: tensor<1x1x?xi32>,
                             %tau: tensor<1x1x?xf32>,
                             %free: tensor<1x1x?xi32>) {
  // expected-error @below {{'sparsek.causal_topk_mask' op has operands of type 'tensor<1x1x?xf32>', expected memrefs: bufferize first}}
  %r:3 = sparsek.causal_topk_mask topk(2) window(1)
      ins(%u : tensor<1x1x?xf32>)
      outs(%end, %tau, %free
           : tensor<1x1x?xi32>, tensor<1x1x?xf32>, tensor<1x1x?xi32>)
      -> tensor<1x1x?xi32>, tensor<1x1x?xf32>, tensor<1x1x?xi32>
  return
}
