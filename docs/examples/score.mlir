func.func @score(%x: tensor<1x?x64xf32>, %w: tensor<2x64xf32>, %b: tensor<2xf32>, %s: tensor<2xf32>,
                 %init: tensor<1x2x?xf32>) -> tensor<1x2x?xf32> {
  %u = sparsek.score ins(%x, %w, %b, %s : tensor<1x?x64xf32>, tensor<2x64xf32>, tensor<2xf32>, tensor<2xf32>)
      outs(%init : tensor<1x2x?xf32>) -> tensor<1x2x?xf32>
  return %u : tensor<1x2x?xf32>
}
