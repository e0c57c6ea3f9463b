// RUN: sparsek-opt %s -convert-sparsek-attention-to-tile=chip=sm_90a -split-input-file -verify-diagnostics

!q = memref<1x8x?x72xbf16>
!kv = memref<1x2x?x72xbf16>
func.func @depth(%q: !q, %k: !kv, %v: !kv, %e: memref<1x2x?xi32>, %o: !q, %l: memref<1x8x?xf32>) {
  // expected-error @below {{'sparsek.sparse_attention' op on the GPU expects head dimensions that are multiples of 16 up to 256 in 'bf16', got 72}}
  sparsek.sparse_attention ins(%q, %k, %v, %e : !q, !kv, !kv, memref<1x2x?xi32>) outs(%o, %l : !q, memref<1x8x?xf32>)
  return
}

// -----

!q = memref<1x8x?x264xf16>
!k = memref<1x2x?x264xf16>
!v = memref<1x2x?x64xf16>
!o = memref<1x8x?x64xf16>
func.func @too_large(%q: !q, %k: !k, %v: !v, %e: memref<1x2x?xi32>, %o: !o, %l: memref<1x8x?xf32>) {
  // expected-error @below {{expects head dimensions that are multiples of 16 up to 256 in 'f16', got 264}}
  sparsek.sparse_attention ins(%q, %k, %v, %e : !q, !k, !v, memref<1x2x?xi32>) outs(%o, %l : !o, memref<1x8x?xf32>)
  return
}

// -----

!q = memref<1x8x?x64xf32>
!k = memref<1x2x?x64xf32>
!v = memref<1x2x?x12xf32>
!o = memref<1x8x?x12xf32>
func.func @value(%q: !q, %k: !k, %v: !v, %e: memref<1x2x?xi32>, %o: !o, %l: memref<1x8x?xf32>) {
  // expected-error @below {{expects head dimensions that are multiples of 8 up to 256 in 'f32', got 12}}
  sparsek.sparse_attention ins(%q, %k, %v, %e : !q, !k, !v, memref<1x2x?xi32>) outs(%o, %l : !o, memref<1x8x?xf32>)
  return
}

// -----

func.func @tensors(%q: tensor<1x4x9x64xbf16>, %k: tensor<1x2x9x64xbf16>, %e: tensor<1x2x9xi32>, %l: tensor<1x4x9xf32>)
    -> (tensor<1x4x9x64xbf16>, tensor<1x4x9xf32>) {
  // expected-error @below {{'sparsek.sparse_attention' op on tensors: bufferize first}}
  %0:2 = sparsek.sparse_attention ins(%q, %k, %k, %e : tensor<1x4x9x64xbf16>, tensor<1x2x9x64xbf16>, tensor<1x2x9x64xbf16>, tensor<1x2x9xi32>)
      outs(%q, %l : tensor<1x4x9x64xbf16>, tensor<1x4x9xf32>) -> tensor<1x4x9x64xbf16>, tensor<1x4x9xf32>
  return %0#0, %0#1 : tensor<1x4x9x64xbf16>, tensor<1x4x9xf32>
}
