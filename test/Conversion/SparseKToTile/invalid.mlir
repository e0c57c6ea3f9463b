// RUN: sparsek-opt %s -split-input-file -convert-sparsek-attention-to-tile=chip=sm_80 -verify-diagnostics

func.func @tensors(%q: tensor<1x4x9x64xbf16>, %k: tensor<1x2x9x64xbf16>, %e: tensor<1x2x9xi32>, %l: tensor<1x4x9xf32>)
    -> (tensor<1x4x9x64xbf16>, tensor<1x4x9xf32>) {
  // expected-error @below {{'sparsek.sparse_attention' op on tensors: bufferize first}}
  %0:2 = sparsek.sparse_attention ins(%q, %k, %k, %e : tensor<1x4x9x64xbf16>, tensor<1x2x9x64xbf16>, tensor<1x2x9x64xbf16>, tensor<1x2x9xi32>)
      outs(%q, %l : tensor<1x4x9x64xbf16>, tensor<1x4x9xf32>) -> tensor<1x4x9x64xbf16>, tensor<1x4x9xf32>
  return %0#0, %0#1 : tensor<1x4x9x64xbf16>, tensor<1x4x9xf32>
}

// -----

func.func @large(%q: memref<1x4x9x2048xf32>, %k: memref<1x2x9x2048xf32>, %v: memref<1x2x9x64xf32>, %e: memref<1x2x9xi32>,
                 %o: memref<1x4x9x64xf32>, %l: memref<1x4x9xf32>) {
  // expected-error @below {{'sparsek.sparse_attention' op has no tile that fits sm_80: query and key have 2048 elements, value 64}}
  sparsek.sparse_attention ins(%q, %k, %v, %e : memref<1x4x9x2048xf32>, memref<1x2x9x2048xf32>, memref<1x2x9x64xf32>, memref<1x2x9xi32>)
      outs(%o, %l : memref<1x4x9x64xf32>, memref<1x4x9xf32>)
  return
}
