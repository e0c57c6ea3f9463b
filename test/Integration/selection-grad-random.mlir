// The selection and its gradients, random inputs of every length class: loops
// against the reference.

// RUN: sparsek-run %s --entry causal --check --dims 1
// RUN: sparsek-run %s --entry causal --check --dims 129
// RUN: sparsek-run %s --entry causal --check --dims 515 --seed 1
// RUN: sparsek-run %s --entry rows --check --dims 1
// RUN: sparsek-run %s --entry rows --check --dims 129
// RUN: sparsek-run %s --entry half --check --dims 65

func.func @causal(%u: tensor<2x3x?xf32>, %dtau: tensor<2x3x?xf32>)
    -> tensor<2x3x?xf32> {
  %c2 = arith.constant 2 : index
  %n = tensor.dim %u, %c2 : tensor<2x3x?xf32>
  %i = tensor.empty(%n) : tensor<2x3x?xi32>
  %x = tensor.empty(%n) : tensor<2x3x?xf32>
  %r:3 = sparsek.causal_topk_mask topk(9) window(5)
      ins(%u : tensor<2x3x?xf32>)
      outs(%i, %x, %i : tensor<2x3x?xi32>, tensor<2x3x?xf32>, tensor<2x3x?xi32>)
      -> tensor<2x3x?xi32>, tensor<2x3x?xf32>, tensor<2x3x?xi32>
  %du = sparsek.causal_topk_mask_grad window(5)
      ins(%u, %r#1, %r#2, %dtau : tensor<2x3x?xf32>, tensor<2x3x?xf32>,
          tensor<2x3x?xi32>, tensor<2x3x?xf32>)
      outs(%x : tensor<2x3x?xf32>) -> tensor<2x3x?xf32>
  return %du : tensor<2x3x?xf32>
}

func.func @rows(%z: tensor<3x?xf32>, %dp: tensor<3x?xf32>, %dt: tensor<3xf32>)
    -> tensor<3x?xf32> {
  %c1 = arith.constant 1 : index
  %n = tensor.dim %z, %c1 : tensor<3x?xf32>
  %x = tensor.empty(%n) : tensor<3x?xf32>
  %t = tensor.empty() : tensor<3xf32>
  %r:2 = sparsek.topk_mask topk(4) ins(%z : tensor<3x?xf32>)
      outs(%x, %t : tensor<3x?xf32>, tensor<3xf32>)
      -> tensor<3x?xf32>, tensor<3xf32>
  %dz = sparsek.topk_mask_grad
      ins(%z, %r#1, %dp : tensor<3x?xf32>, tensor<3xf32>, tensor<3x?xf32>)
      grad_tau(%dt : tensor<3xf32>)
      outs(%x : tensor<3x?xf32>) -> tensor<3x?xf32>
  return %dz : tensor<3x?xf32>
}

func.func @half(%z: tensor<2x2x?xbf16>, %dp: tensor<2x2x?xbf16>)
    -> tensor<2x2x?xbf16> {
  %c2 = arith.constant 2 : index
  %n = tensor.dim %z, %c2 : tensor<2x2x?xbf16>
  %x = tensor.empty(%n) : tensor<2x2x?xbf16>
  %t = tensor.empty() : tensor<2x2xf32>
  %r:2 = sparsek.topk_mask topk(4) ins(%z : tensor<2x2x?xbf16>)
      outs(%x, %t : tensor<2x2x?xbf16>, tensor<2x2xf32>)
      -> tensor<2x2x?xbf16>, tensor<2x2xf32>
  %dz = sparsek.topk_mask_grad
      ins(%z, %r#1, %dp : tensor<2x2x?xbf16>, tensor<2x2xf32>,
          tensor<2x2x?xbf16>)
      outs(%x : tensor<2x2x?xbf16>) -> tensor<2x2x?xbf16>
  return %dz : tensor<2x2x?xbf16>
}
