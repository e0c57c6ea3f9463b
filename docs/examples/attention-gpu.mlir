func.func @attention(%q: tensor<1x4x?x128xbf16>, %k: tensor<1x1x?x128xbf16>, %v: tensor<1x1x?x128xbf16>,
                     %end: tensor<1x1x?xi32>, %o: tensor<1x4x?x128xbf16>, %lse: tensor<1x4x?xf32>)
    -> (tensor<1x4x?x128xbf16>, tensor<1x4x?xf32>) {
  %0:2 = sparsek.sparse_attention
      ins(%q, %k, %v, %end : tensor<1x4x?x128xbf16>, tensor<1x1x?x128xbf16>, tensor<1x1x?x128xbf16>, tensor<1x1x?xi32>)
      outs(%o, %lse : tensor<1x4x?x128xbf16>, tensor<1x4x?xf32>) -> tensor<1x4x?x128xbf16>, tensor<1x4x?xf32>
  return %0#0, %0#1 : tensor<1x4x?x128xbf16>, tensor<1x4x?xf32>
}
