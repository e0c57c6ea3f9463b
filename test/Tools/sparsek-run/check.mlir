// RUN: sparsek-run %s --entry=selection --arg-shape=0:1x2x65 --check | FileCheck %s --check-prefix=SELECTION
// RUN: sparsek-run %s --entry=memrefs --dims=33 --check --bench | FileCheck %s --check-prefix=MEMREFS
// RUN: sparsek-run %s --entry=empty --dims=0 | FileCheck %s --check-prefix=EMPTY
// RUN: sparsek-run %s --entry=memrefs --dims=33 --target=x86-64 --check | FileCheck %s --check-prefix=OLD

// Integers agree exactly.
// SELECTION:      result0: tensor<1x2x65xi32>, smallest
// SELECTION-NEXT: result1: tensor<1x2x65xf32>, smallest -inf, largest
// SELECTION-NEXT: check result0: largest error 0, bound 0, ok
// SELECTION-NEXT: check result1: largest error {{.*}}, ok
func.func @selection(%u: tensor<1x2x?xf32>) -> (tensor<1x2x?xi32>, tensor<1x2x?xf32>) {
  %c2 = arith.constant 2 : index
  %n = tensor.dim %u, %c2 : tensor<1x2x?xf32>
  %e0 = tensor.empty(%n) : tensor<1x2x?xi32>
  %t0 = tensor.empty(%n) : tensor<1x2x?xf32>
  %f0 = tensor.empty(%n) : tensor<1x2x?xi32>
  %end, %tau, %free = sparsek.causal_topk_mask topk(4) window(3)
      ins(%u : tensor<1x2x?xf32>)
      outs(%e0, %t0, %f0 : tensor<1x2x?xi32>, tensor<1x2x?xf32>, tensor<1x2x?xi32>)
      -> tensor<1x2x?xi32>, tensor<1x2x?xf32>, tensor<1x2x?xi32>
  return %end, %tau : tensor<1x2x?xi32>, tensor<1x2x?xf32>
}

// What a function writes to its memrefs counts as results.
// MEMREFS:      argument4: tensor<1x2x33x16xf32>, smallest
// MEMREFS-NEXT: argument5: tensor<1x2x33xf32>, smallest
// MEMREFS-NEXT: check argument4: largest error {{.*}}, ok
// MEMREFS-NEXT: check argument5: largest error {{.*}}, ok
// MEMREFS-NEXT: bench: median {{[0-9.]+}} ms, {{[0-9.]+}} useful GFLOP, {{[0-9.]+}} GFLOP/s
// OLD: check argument5: largest error {{.*}}, ok
func.func @memrefs(%q: memref<1x2x?x16xf32>, %k: memref<1x1x?x16xf32>, %v: memref<1x1x?x16xf32>,
                   %e: memref<1x1x?xi32>, %o: memref<1x2x?x16xf32>, %l: memref<1x2x?xf32>) {
  sparsek.sparse_attention
      ins(%q, %k, %v, %e : memref<1x2x?x16xf32>, memref<1x1x?x16xf32>, memref<1x1x?x16xf32>, memref<1x1x?xi32>)
      outs(%o, %l : memref<1x2x?x16xf32>, memref<1x2x?xf32>)
  return
}

// EMPTY: result0: tensor<0xf32>{{$}}
func.func @empty(%x: tensor<?xf32>) -> tensor<?xf32> {
  return %x : tensor<?xf32>
}
