func.func @attention(%q: tensor<1x2x?x16xf32>, %k: tensor<1x1x?x16xf32>, %v: tensor<1x1x?x16xf32>,
                     %end: tensor<1x1x?xi32>, %o: tensor<1x2x?x16xf32>, %lse: tensor<1x2x?xf32>)
    -> (tensor<1x2x?x16xf32>, tensor<1x2x?xf32>) {
  %0:2 = sparsek.sparse_attention
      ins(%q, %k, %v, %end : tensor<1x2x?x16xf32>, tensor<1x1x?x16xf32>, tensor<1x1x?x16xf32>, tensor<1x1x?xi32>)
      outs(%o, %lse : tensor<1x2x?x16xf32>, tensor<1x2x?xf32>) -> tensor<1x2x?x16xf32>, tensor<1x2x?xf32>
  return %0#0, %0#1 : tensor<1x2x?x16xf32>, tensor<1x2x?xf32>
}
