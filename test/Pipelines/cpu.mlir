// The CPU pipeline at its named stages, by the passes that end them.

// RUN: sparsek-opt %s --sparsek-cpu-pipeline --mlir-disable-threading \
// RUN:     --mlir-print-ir-after=sparsek-tile-attention,sparsek-vectorize-tiles,sparsek-bufferize,convert-sparsek-to-scf,sparsek-lower-vectors \
// RUN:     -o %t.llvm.mlir 2>&1 | FileCheck %s
// RUN: FileCheck %s --check-prefix=LLVM < %t.llvm.mlir
// RUN: sparsek-opt %s --sparsek-cpu-pipeline="threads=false vector-bits=256" | FileCheck %s --check-prefix=SERIAL

// Attention is tiles, selection waits.
// CHECK-LABEL: IR Dump After {{.*}}(sparsek-tile-attention
// CHECK:       sparsek.causal_topk_mask
// CHECK:       scf.forall
// CHECK:       linalg.matmul

// Tiles are vectors.
// CHECK-LABEL: IR Dump After {{.*}}(sparsek-vectorize-tiles
// CHECK:       scf.forall
// CHECK-NOT:   linalg.matmul
// CHECK:       vector.contract {{.*}} into vector<8x32xf32>

// Tensors are memrefs.
// CHECK-LABEL: IR Dump After {{.*}}(sparsek-bufferize
// CHECK:       sparsek.causal_topk_mask {{.*}} ins(%{{.+}} : memref
// CHECK:       vector.transfer_read {{.*}} memref

// Selection is loops.
// CHECK-LABEL: IR Dump After {{.*}}(convert-sparsek-to-scf
// CHECK:       scf.parallel
// CHECK-NOT:   sparsek.causal_topk_mask

// Vectors are rows.
// CHECK-LABEL: IR Dump After {{.*}}(sparsek-lower-vectors
// CHECK:       vector.fma {{.*}} : vector<32xf32>
// CHECK-NOT:   vector.contract

// LLVM-LABEL:  llvm.func @attention
// LLVM:        omp.parallel
// LLVM:        llvm.intr.fmuladd
// LLVM:        llvm.func @_mlir_ciface_attention

// SERIAL-LABEL: llvm.func @attention
// SERIAL-NOT:   omp.
// SERIAL:       vector<16xf32>
func.func @attention(%q: tensor<1x8x?x128xf32>, %k: tensor<1x2x?x128xf32>, %v: tensor<1x2x?x128xf32>, %u: tensor<1x2x?xf32>, %e: tensor<1x2x?xi32>, %t: tensor<1x2x?xf32>, %f: tensor<1x2x?xi32>, %o: tensor<1x8x?x128xf32>, %l: tensor<1x8x?xf32>) -> tensor<1x8x?x128xf32> {
  %s:3 = sparsek.causal_topk_mask topk(512) window(512) ins(%u : tensor<1x2x?xf32>)
      outs(%e, %t, %f : tensor<1x2x?xi32>, tensor<1x2x?xf32>, tensor<1x2x?xi32>)
      -> tensor<1x2x?xi32>, tensor<1x2x?xf32>, tensor<1x2x?xi32>
  %r:2 = sparsek.sparse_attention gate(value) window(512)
      ins(%q, %k, %v, %s#0 : tensor<1x8x?x128xf32>, tensor<1x2x?x128xf32>, tensor<1x2x?x128xf32>, tensor<1x2x?xi32>)
      gating(%u, %s#1 : tensor<1x2x?xf32>, tensor<1x2x?xf32>)
      outs(%o, %l : tensor<1x8x?x128xf32>, tensor<1x8x?xf32>) -> tensor<1x8x?x128xf32>, tensor<1x8x?xf32>
  return %r#0 : tensor<1x8x?x128xf32>
}
