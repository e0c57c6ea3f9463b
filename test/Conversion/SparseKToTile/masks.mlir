// RUN: sparsek-opt %s -convert-sparsek-attention-to-tile=chip=sm_90a -canonicalize -cse | FileCheck %s

!q = memref<?x32x?x128xbf16>
!kv = memref<?x8x?x128xbf16>
!end = memref<?x8x?xi32>
!lse = memref<?x32x?xf32>

// Four heads share a tile of 128 rows: 32 queries, a bit each.
// CHECK-LABEL: gpu.module @sparse_attention_kernels {
// CHECK-NOT:     !tile.shared<4x96xi8>
// CHECK:         %[[WORDS:.*]] = tile.alloc : !tile.shared<4x96xi32>
// CHECK-NOT:     !tile.shared<4x96xi8>
// CHECK:         tile.role "producer"
// CHECK:           %[[ONES:.*]] = arith.shrui %{{.*}}, %{{.*}} : vector<96xi32>
// CHECK:           %[[BITS:.*]] = arith.shli %[[ONES]], %{{.*}} : vector<96xi32>
// CHECK:           %[[SOME:.*]] = arith.cmpi sgt, %{{.*}}, %{{.*}} : vector<96xi32>
// CHECK:           %[[WORD:.*]] = arith.select %[[SOME]], %[[BITS]], %{{.*}} : vector<96xi1>, vector<96xi32>
// CHECK:           tile.store %[[WORD]] to
// CHECK:         tile.role "consumer"
// CHECK:           tile.load %{{.*}} : !tile.shared<96xi32>, vector<96xi32>
// CHECK:           %[[HAS:.*]] = arith.andi %{{.*}}, %{{.*}} : vector<64x96xi32>
// CHECK:           %[[HIDDEN:.*]] = arith.cmpi eq, %[[HAS]], %{{.*}} : vector<64x96xi32>
// CHECK:           arith.select %[[HIDDEN]]
func.func @words(%q: !q, %k: !kv, %v: !kv, %e: !end, %o: !q, %l: !lse) {
  sparsek.sparse_attention window(512) ins(%q, %k, %v, %e : !q, !kv, !kv, !end) outs(%o, %l : !q, !lse)
  return
}

// One head: 128 queries, the first and their number in a byte each.
// CHECK-LABEL: gpu.module @sparse_attention_kernels_0 {
// CHECK-NOT:     !tile.shared<4x96xi32>
// CHECK:         tile.alloc : !tile.shared<4x96xi8>
// CHECK:         tile.alloc : !tile.shared<4x96xi8>
// CHECK:         arith.cmpi ult, %{{.*}}, %{{.*}} : vector<64x96xi32>
func.func @bytes(%q: !kv, %k: !kv, %v: !kv, %e: !end, %o: !kv, %l: memref<?x8x?xf32>) {
  sparsek.sparse_attention window(512) ins(%q, %k, %v, %e : !kv, !kv, !kv, !end) outs(%o, %l : !kv, memref<?x8x?xf32>)
  return
}
