func.func @lifetimes(%u: tensor<1x2x?xf32>, %end: tensor<1x2x?xi32>, %tau: tensor<1x2x?xf32>,
                     %free: tensor<1x2x?xi32>) -> (tensor<1x2x?xi32>, tensor<1x2x?xf32>, tensor<1x2x?xi32>) {
  %0:3 = sparsek.causal_topk_mask topk(2) window(1) ins(%u : tensor<1x2x?xf32>)
      outs(%end, %tau, %free : tensor<1x2x?xi32>, tensor<1x2x?xf32>, tensor<1x2x?xi32>)
      -> tensor<1x2x?xi32>, tensor<1x2x?xf32>, tensor<1x2x?xi32>
  return %0#0, %0#1, %0#2 : tensor<1x2x?xi32>, tensor<1x2x?xf32>, tensor<1x2x?xi32>
}
