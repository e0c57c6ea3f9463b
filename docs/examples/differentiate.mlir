func.func @select_and_attend(%q: tensor<1x2x?x16xf32>, %k: tensor<1x1x?x16xf32>, %v: tensor<1x1x?x16xf32>,
                             %u: tensor<1x1x?xf32>, %o: tensor<1x2x?x16xf32>) -> tensor<1x2x?x16xf32> {
  %c2 = arith.constant 2 : index
  %n = tensor.dim %u, %c2 : tensor<1x1x?xf32>
  %i = tensor.empty(%n) : tensor<1x1x?xi32>
  %f = tensor.empty(%n) : tensor<1x1x?xf32>
  %l = tensor.empty(%n) : tensor<1x2x?xf32>
  %s:3 = sparsek.causal_topk_mask topk(512) window(512) ins(%u : tensor<1x1x?xf32>)
      outs(%i, %f, %i : tensor<1x1x?xi32>, tensor<1x1x?xf32>, tensor<1x1x?xi32>)
      -> tensor<1x1x?xi32>, tensor<1x1x?xf32>, tensor<1x1x?xi32>
  %a:2 = sparsek.sparse_attention gate(value) window(512)
      ins(%q, %k, %v, %s#0 : tensor<1x2x?x16xf32>, tensor<1x1x?x16xf32>, tensor<1x1x?x16xf32>, tensor<1x1x?xi32>)
      gating(%u, %s#1 : tensor<1x1x?xf32>, tensor<1x1x?xf32>)
      outs(%o, %l : tensor<1x2x?x16xf32>, tensor<1x2x?xf32>) -> tensor<1x2x?x16xf32>, tensor<1x2x?xf32>
  return %a#0 : tensor<1x2x?x16xf32>
}
