func.func @threshold_gradient(%u: memref<1x2x?xf32>, %tau: memref<1x2x?xf32>, %free: memref<1x2x?xi32>,
                              %dtau: memref<1x2x?xf32>, %du: memref<1x2x?xf32>) {
  sparsek.causal_topk_mask_grad window(2)
      ins(%u, %tau, %free, %dtau : memref<1x2x?xf32>, memref<1x2x?xf32>, memref<1x2x?xi32>, memref<1x2x?xf32>)
      outs(%du : memref<1x2x?xf32>)
  return
}
