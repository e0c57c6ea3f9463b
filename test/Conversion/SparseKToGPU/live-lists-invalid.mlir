// RUN: sparsek-opt %s --convert-sparsek-live-lists-to-gpu --verify-diagnostics

func.func @on_tensors(%end: tensor<1x2x9xi32>, %nq: index,
                      %s: tensor<1x2x3xi32>, %l: tensor<1x2x3x8xi32>) {
  // expected-error @below {{'sparsek.live_lists' op has operands of type 'tensor<1x2x9xi32>', expected memrefs: bufferize first}}
  %0:3 = sparsek.live_lists tile(4) ins(%end : tensor<1x2x9xi32>) queries(%nq)
      outs(%s, %s, %l
           : tensor<1x2x3xi32>, tensor<1x2x3xi32>, tensor<1x2x3x8xi32>)
      -> tensor<1x2x3xi32>, tensor<1x2x3xi32>, tensor<1x2x3x8xi32>
  return
}
