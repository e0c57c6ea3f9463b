// RUN: sparsek-opt %s --sparsek-reference-pipeline | FileCheck %s
// RUN: sparsek-opt %s --sparsek-reference-pipeline --sparsek-host-pipeline \
// RUN:   | FileCheck %s --check-prefix=LLVM

// On memrefs too, upstream ops alone are left, and then LLVM alone.
// CHECK-LABEL: func @in_memory
// CHECK-NOT: sparsek.
// CHECK: bufferization.materialize_in_destination
// LLVM-LABEL: llvm.func @in_memory
// LLVM-NOT: unrealized_conversion_cast
func.func @in_memory(
    %x: memref<1x?x8xf16>, %w: memref<2x8xf16>, %b: memref<2xf32>,
    %u: memref<1x2x?xf32>, %e: memref<1x2x?xi32>, %t: memref<1x2x?xf32>,
    %f: memref<1x2x?xi32>, %q: memref<1x8x?x16xf16>, %k: memref<1x2x?x16xf16>,
    %o: memref<1x8x?x16xf16>, %l: memref<1x8x?xf32>) {
  sparsek.score
      ins(%x, %w, %b, %b : memref<1x?x8xf16>, memref<2x8xf16>, memref<2xf32>,
          memref<2xf32>)
      outs(%u : memref<1x2x?xf32>)
  sparsek.causal_topk_mask topk(3) window(1) ins(%u : memref<1x2x?xf32>)
      outs(%e, %t, %f : memref<1x2x?xi32>, memref<1x2x?xf32>, memref<1x2x?xi32>)
  sparsek.sparse_attention gate(value) window(1)
      ins(%q, %k, %k, %e : memref<1x8x?x16xf16>, memref<1x2x?x16xf16>,
          memref<1x2x?x16xf16>, memref<1x2x?xi32>)
      gating(%u, %t : memref<1x2x?xf32>, memref<1x2x?xf32>)
      outs(%o, %l : memref<1x8x?x16xf16>, memref<1x8x?xf32>)
  return
}

// CHECK-LABEL: func @gradients_in_memory
// CHECK-NOT: sparsek.
// CHECK-COUNT-6: bufferization.materialize_in_destination
// LLVM-LABEL: llvm.func @gradients_in_memory
// LLVM-NOT: unrealized_conversion_cast
func.func @gradients_in_memory(
    %u: memref<1x2x?xf32>, %e: memref<1x2x?xi32>, %t: memref<1x2x?xf32>,
    %f: memref<1x2x?xi32>, %q: memref<1x8x?x16xf16>, %k: memref<1x2x?x16xf16>,
    %l: memref<1x8x?xf32>, %dq: memref<1x8x?x16xf16>, %dk: memref<1x2x?x16xf16>,
    %dv: memref<1x2x?x16xf16>, %du: memref<1x2x?xf32>, %dt: memref<1x2x?xf32>,
    %dz: memref<1x2x?xf32>) {
  sparsek.sparse_attention_grad gate(value) window(1)
      ins(%q, %k, %k, %e, %q, %l, %q : memref<1x8x?x16xf16>,
          memref<1x2x?x16xf16>, memref<1x2x?x16xf16>, memref<1x2x?xi32>,
          memref<1x8x?x16xf16>, memref<1x8x?xf32>, memref<1x8x?x16xf16>)
      gating(%u, %t : memref<1x2x?xf32>, memref<1x2x?xf32>)
      outs(%dq, %dk, %dv : memref<1x8x?x16xf16>, memref<1x2x?x16xf16>,
           memref<1x2x?x16xf16>)
      gating_outs(%du, %dt : memref<1x2x?xf32>, memref<1x2x?xf32>)
  sparsek.causal_topk_mask_grad window(1)
      ins(%u, %t, %f, %dt : memref<1x2x?xf32>, memref<1x2x?xf32>,
          memref<1x2x?xi32>, memref<1x2x?xf32>)
      outs(%dz : memref<1x2x?xf32>)
  return
}
