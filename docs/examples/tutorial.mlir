func.func @attention(%q: tensor<1x8x?x64xf32>, %k: tensor<1x2x?x64xf32>, %v: tensor<1x2x?x64xf32>,
                     %u: tensor<1x2x?xf32>) -> tensor<1x8x?x64xf32> {
  %c2 = arith.constant 2 : index
  %n = tensor.dim %u, %c2 : tensor<1x2x?xf32>
  %end0 = tensor.empty(%n) : tensor<1x2x?xi32>
  %tau0 = tensor.empty(%n) : tensor<1x2x?xf32>
  %free0 = tensor.empty(%n) : tensor<1x2x?xi32>
  %end, %tau, %free = sparsek.causal_topk_mask topk(256) window(256) ins(%u : tensor<1x2x?xf32>)
      outs(%end0, %tau0, %free0 : tensor<1x2x?xi32>, tensor<1x2x?xf32>, tensor<1x2x?xi32>)
      -> tensor<1x2x?xi32>, tensor<1x2x?xf32>, tensor<1x2x?xi32>
  %o0 = tensor.empty(%n) : tensor<1x8x?x64xf32>
  %lse0 = tensor.empty(%n) : tensor<1x8x?xf32>
  %o, %lse = sparsek.sparse_attention gate(value) window(256)
      ins(%q, %k, %v, %end : tensor<1x8x?x64xf32>, tensor<1x2x?x64xf32>, tensor<1x2x?x64xf32>, tensor<1x2x?xi32>)
      gating(%u, %tau : tensor<1x2x?xf32>, tensor<1x2x?xf32>)
      outs(%o0, %lse0 : tensor<1x8x?x64xf32>, tensor<1x8x?xf32>) -> tensor<1x8x?x64xf32>, tensor<1x8x?xf32>
  return %o : tensor<1x8x?x64xf32>
}
