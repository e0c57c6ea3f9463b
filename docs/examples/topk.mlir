func.func @mask(%z: tensor<4x?xf32>, %p: tensor<4x?xf32>, %tau: tensor<4xf32>)
    -> (tensor<4x?xf32>, tensor<4xf32>) {
  %0:2 = sparsek.topk_mask topk(8) ins(%z : tensor<4x?xf32>)
      outs(%p, %tau : tensor<4x?xf32>, tensor<4xf32>) -> tensor<4x?xf32>, tensor<4xf32>
  return %0#0, %0#1 : tensor<4x?xf32>, tensor<4xf32>
}
