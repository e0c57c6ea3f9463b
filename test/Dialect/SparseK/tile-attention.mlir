// RUN: sparsek-opt %s --sparsek-tile-attention --split-input-file | FileCheck %s
// RUN: sparsek-opt %s --sparsek-tile-attention="vector-bits=256" --split-input-file | FileCheck %s --check-prefix=NARROW

// The loops over (batch, kv head, chunk), tiles of the chunk, the list of live
// keys and its blocks; the products of the body.

// CHECK-LABEL: func @gated
// CHECK-SAME:    %[[Q:[a-z0-9]+]]: tensor<?x?x?x64xf32>, %[[K:[a-z0-9]+]]: tensor<?x?x?x64xf32>, %[[V:[a-z0-9]+]]: tensor<?x?x?x32xf32>, %[[END:[a-z0-9]+]]: tensor<?x?x?xi32>
// CHECK:         scf.forall (%[[B:.+]], %[[H:.+]], %{{.+}}) in (%{{.+}}, %{{.+}}, %{{.+}}) shared_outs
// Tiles of 32 queries carry the output, lse, the list, its length and the next key.
// CHECK:           scf.for {{.*}} iter_args({{.*}}) -> (tensor<4x?x32xf32>, tensor<4x?xf32>, tensor<?xi32>, index, index)
// The dead leave the list: j stays where end[j] is after the first query.
// CHECK:             scf.for {{.*}} -> (tensor<?xi32>, index)
// CHECK:               %[[J:.+]] = arith.index_cast
// CHECK:               %[[E:.+]] = tensor.extract %[[END]][%[[B]], %[[H]], %[[J]]]
// CHECK:               %[[KEEP:.+]] = arith.cmpi slt, %{{.+}}, %[[E]]
// CHECK:               tensor.insert
// CHECK:               arith.index_castui %[[KEEP]] : i1 to index
// New keys join it.
// CHECK:             scf.for {{.*}} -> (tensor<?xi32>, index)
// Queries transposed head by head.
// CHECK:             linalg.transpose ins(%{{.+}} : tensor<32x64xf32>) outs(%{{.+}} : tensor<64x32xf32>) permutation = [1, 0]
// Blocks of 96 keys carry accumulator, maximum and sum.
// CHECK:             scf.for {{.*}} iter_args({{.*}}) -> (tensor<4x32x32xf32>, tensor<4x32xf32>, tensor<4x32xf32>)
// CHECK:               scf.for {{.*}} -> (tensor<96x64xf32>, tensor<96x32xf32>, tensor<96xi32>, tensor<96xi32>, tensor<96xf32>)
// CHECK:               linalg.matmul ins(%{{.+}}, %{{.+}} : tensor<96x64xf32>, tensor<64x32xf32>) outs(%{{.+}} : tensor<96x32xf32>)
// CHECK:               math.exp2
// CHECK:               linalg.contract {{.*}} ins(%{{.+}}, %{{.+}} : tensor<96x32xf32>, tensor<96x32xf32>) outs(%{{.+}} : tensor<32x32xf32>)
// What is left, in blocks of 16.
// CHECK:               linalg.matmul ins(%{{.+}}, %{{.+}} : tensor<16x64xf32>, tensor<64x32xf32>) outs(%{{.+}} : tensor<16x32xf32>)
// CHECK:             math.log2
// CHECK:           scf.forall.in_parallel
// CHECK:             tensor.parallel_insert_slice
// CHECK:             tensor.parallel_insert_slice
// CHECK-NOT:     sparsek.

// NARROW-LABEL: func @gated
// NARROW:         linalg.matmul ins(%{{.+}}, %{{.+}} : tensor<96x64xf32>, tensor<64x48xf32>)
func.func @gated(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x32xf32>, %end: tensor<?x?x?xi32>, %u: tensor<?x?x?xf32>, %tau: tensor<?x?x?xf32>, %o: tensor<?x?x?x32xf32>, %l: tensor<?x?x?xf32>) -> (tensor<?x?x?x32xf32>, tensor<?x?x?xf32>) {
  %r:2 = sparsek.sparse_attention gate(value) window(8) group(4)
      ins(%q, %k, %v, %end : tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x32xf32>, tensor<?x?x?xi32>)
      gating(%u, %tau : tensor<?x?x?xf32>, tensor<?x?x?xf32>)
      outs(%o, %l : tensor<?x?x?x32xf32>, tensor<?x?x?xf32>) -> tensor<?x?x?x32xf32>, tensor<?x?x?xf32>
  return %r#0, %r#1 : tensor<?x?x?x32xf32>, tensor<?x?x?xf32>
}

// -----

// Without a gate there are no scores to gather. With one head per group a tile
// has twice the queries. Values are padded to whole vectors; bf16 rows become f32
// where they are gathered, and the output bf16 at the end.

// CHECK-LABEL: func @plain_bf16
// CHECK:         linalg.fill {{.*}} outs(%{{.+}} : tensor<96x32xf32>)
// CHECK:         scf.for {{.*}} -> (tensor<96x64xf32>, tensor<96x32xf32>, tensor<96xi32>, tensor<96xi32>)
// CHECK:           arith.extf %{{.+}} : bf16 to f32
// CHECK:         linalg.matmul ins(%{{.+}}, %{{.+}} : tensor<96x64xf32>, tensor<64x64xf32>)
// CHECK:         arith.truncf %{{.+}} : f32 to bf16
func.func @plain_bf16(%q: tensor<1x2x?x64xbf16>, %k: tensor<1x2x?x64xbf16>, %v: tensor<1x2x?x20xbf16>, %end: tensor<1x2x?xi32>, %o: tensor<1x2x?x20xbf16>, %l: tensor<1x2x?xf32>) -> tensor<1x2x?x20xbf16> {
  %r:2 = sparsek.sparse_attention
      ins(%q, %k, %v, %end : tensor<1x2x?x64xbf16>, tensor<1x2x?x64xbf16>, tensor<1x2x?x20xbf16>, tensor<1x2x?xi32>)
      outs(%o, %l : tensor<1x2x?x20xbf16>, tensor<1x2x?xf32>) -> tensor<1x2x?x20xbf16>, tensor<1x2x?xf32>
  return %r#0 : tensor<1x2x?x20xbf16>
}

// -----

// An op on memrefs is left alone: --sparsek-memref-to-tensor comes first.

// CHECK-LABEL: func @memrefs
// CHECK:         sparsek.sparse_attention
func.func @memrefs(%q: memref<1x1x4x8xf32>, %end: memref<1x1x4xi32>, %o: memref<1x1x4x8xf32>, %l: memref<1x1x4xf32>) {
  sparsek.sparse_attention ins(%q, %q, %q, %end : memref<1x1x4x8xf32>, memref<1x1x4x8xf32>, memref<1x1x4x8xf32>, memref<1x1x4xi32>)
      outs(%o, %l : memref<1x1x4x8xf32>, memref<1x1x4xf32>)
  return
}
