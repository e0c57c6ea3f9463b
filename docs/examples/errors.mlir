// One mistake per function; docs/errors.md shows what the verifier says.

func.func @heads(%q: tensor<1x6x8x64xf32>, %kv: tensor<1x4x8x64xf32>, %end: tensor<1x4x8xi32>,
                 %o: tensor<1x6x8x64xf32>, %lse: tensor<1x6x8xf32>) -> tensor<1x6x8x64xf32> {
  %0:2 = sparsek.sparse_attention
      ins(%q, %kv, %kv, %end : tensor<1x6x8x64xf32>, tensor<1x4x8x64xf32>, tensor<1x4x8x64xf32>, tensor<1x4x8xi32>)
      outs(%o, %lse : tensor<1x6x8x64xf32>, tensor<1x6x8xf32>) -> tensor<1x6x8x64xf32>, tensor<1x6x8xf32>
  return %0#0 : tensor<1x6x8x64xf32>
}

// -----

func.func @gate(%q: tensor<1x4x8x64xf32>, %kv: tensor<1x4x8x64xf32>, %end: tensor<1x4x8xi32>,
                %o: tensor<1x4x8x64xf32>, %lse: tensor<1x4x8xf32>) -> tensor<1x4x8x64xf32> {
  %0:2 = sparsek.sparse_attention gate(value)
      ins(%q, %kv, %kv, %end : tensor<1x4x8x64xf32>, tensor<1x4x8x64xf32>, tensor<1x4x8x64xf32>, tensor<1x4x8xi32>)
      outs(%o, %lse : tensor<1x4x8x64xf32>, tensor<1x4x8xf32>) -> tensor<1x4x8x64xf32>, tensor<1x4x8xf32>
  return %0#0 : tensor<1x4x8x64xf32>
}

// -----

func.func @topk(%u: tensor<1x2x?xf32>, %end: tensor<1x2x?xi32>, %tau: tensor<1x2x?xf32>,
                %free: tensor<1x2x?xi32>) -> tensor<1x2x?xi32> {
  %0:3 = sparsek.causal_topk_mask topk(0) window(4) ins(%u : tensor<1x2x?xf32>)
      outs(%end, %tau, %free : tensor<1x2x?xi32>, tensor<1x2x?xf32>, tensor<1x2x?xi32>)
      -> tensor<1x2x?xi32>, tensor<1x2x?xf32>, tensor<1x2x?xi32>
  return %0#0 : tensor<1x2x?xi32>
}
