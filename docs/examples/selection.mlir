// Lifetimes, thresholds and gate counts of one layer's scores.

func.func @select(%u: memref<1x2x?xf32>, %end: memref<1x2x?xi32>,
                  %tau: memref<1x2x?xf32>, %free: memref<1x2x?xi32>) {
  sparsek.causal_topk_mask topk(8) window(4) ins(%u : memref<1x2x?xf32>)
      outs(%end, %tau, %free : memref<1x2x?xi32>, memref<1x2x?xf32>, memref<1x2x?xi32>)
  return
}
