// RUN: sparsek-opt %s -convert-sparsek-attention-to-tile="chip=sm_90a rows=128 keys=96 stages=4" -canonicalize -cse | FileCheck %s

// bf16, four query heads over a kv head, d 128, on Hopper: 128 rows are 32
// queries of 4 heads. One warpgroup fetches, two multiply.

!q = memref<?x32x?x128xbf16>
!kv = memref<?x8x?x128xbf16>
!end = memref<?x8x?xi32>
!lse = memref<?x32x?xf32>

// CHECK-LABEL: gpu.func @sparse_attention(
// CHECK-SAME:    %[[KEY_MAP:[a-z0-9]+]]: !tile.tensor_map, %[[VALUE_MAP:[a-z0-9]+]]: !tile.tensor_map) kernel
// CHECK-DAG:     %[[ZERO:.*]] = arith.constant 0 : i32
// CHECK-DAG:     %[[ONE:.*]] = arith.constant 1 : i32
// CHECK-DAG:     %[[MAX_SUM:.*]] = arith.constant dense<4.096000e+03> : vector<64x8xf32>

// Shared memory: the queries; four slots of keys, of values, of a word per key,
// of a flag per producer warp; a ring for each of queries, keys and values.
// CHECK:         %[[QUERIES:.*]] = tile.alloc : !tile.shared<128x128xbf16, swizzled>
// CHECK-NEXT:    %[[KEYS:.*]] = tile.alloc : !tile.shared<4x96x128xbf16, swizzled>
// CHECK-NEXT:    %[[VALUES:.*]] = tile.alloc : !tile.shared<4x96x128xbf16, swizzled>
// CHECK-NEXT:    %[[WORDS:.*]] = tile.alloc : !tile.shared<4x96xi32>
// CHECK-NEXT:    %[[MASKED:.*]] = tile.alloc : !tile.shared<4x4xi8>
// CHECK-NEXT:    %[[QUERY_RING:.*]] = tile.ring producers(4) consumers(8) : !tile.ring<1>
// CHECK-NEXT:    %[[KEY_RING:.*]] = tile.ring producers(4) consumers(8) : !tile.ring<4>
// CHECK-NEXT:    %[[VALUE_RING:.*]] = tile.ring producers(4) consumers(8) : !tile.ring<4>

// CHECK:         tile.roles {
// CHECK:           tile.role "producer" warps(4) groups_of(4)

// A tile: its queries first.
// CHECK:             scf.for {{.*}} iter_args(%{{.*}} = %[[ZERO]], %{{.*}} = %[[ONE]], %[[QUERY_PHASE:.*]] = %[[ONE]],
// CHECK:               tile.acquire %[[QUERY_RING]][%[[ZERO]], %[[QUERY_PHASE]]]
// CHECK-NEXT:          tile.gather %{{.*}}[%{{.*}}, %{{.*}}] to %[[QUERIES]] : memref<?x?x128xbf16, {{.*}}>, !tile.shared<128x128xbf16, swizzled>, vector<128xi32>, vector<128xi32>
// CHECK-NEXT:          tile.commit async %[[QUERY_RING]][%[[ZERO]]]

// Its blocks. Neighbouring keys by one bulk copy.
// CHECK:               scf.for {{.*}} iter_args(%[[STAGE:[a-z0-9]+]] = %{{[a-z0-9]+}}, %[[PHASE:[a-z0-9]+]] =
// CHECK:                 scf.if
// CHECK:                   tile.acquire %[[KEY_RING]][%[[STAGE]], %[[PHASE]]]
// CHECK-NEXT:              %[[SLOT:.*]] = tile.slot %[[KEYS]][%[[STAGE]]]
// CHECK-NEXT:              tile.bulk_copy %[[KEY_MAP]][%[[ZERO]], %[[FIRST:.*]], %[[HEAD:.*]], %[[BATCH:.*]]] to %[[SLOT]] signal %[[KEY_RING]][%[[STAGE]]]
// CHECK:                   %[[WORD_SLOT:.*]] = tile.slot %[[WORDS]][%[[STAGE]]]
// CHECK-NEXT:              tile.store %{{.*}} to %[[WORD_SLOT]] : vector<96xi32>
// CHECK:                   %[[FLAG_SLOT:.*]] = tile.slot %[[MASKED]][%[[STAGE]]]
// CHECK-NEXT:              tile.set_flag %{{.*}} to %[[FLAG_SLOT]] : vector<96xi1>
// CHECK-NEXT:              tile.commit %[[KEY_RING]][%[[STAGE]]]
// CHECK-NEXT:              tile.acquire %[[VALUE_RING]][%[[STAGE]], %[[PHASE]]]
// CHECK-NEXT:              %[[SLOT:.*]] = tile.slot %[[VALUES]][%[[STAGE]]]
// CHECK-NEXT:              tile.bulk_copy %[[VALUE_MAP]][%[[ZERO]], %[[FIRST]], %[[HEAD]], %[[BATCH]]] to %[[SLOT]] signal %[[VALUE_RING]][%[[STAGE]]]
// CHECK-NEXT:              tile.commit %[[VALUE_RING]][%[[STAGE]]]

// The others row by row; what the block after the next needs is loaded first.
// CHECK:                 } else {
// CHECK:                   vector.gather
// CHECK:                   vector.maskedload
// CHECK:                   tile.acquire %[[KEY_RING]][%[[STAGE]], %[[PHASE]]]
// CHECK-NEXT:              tile.gather %{{.*}}[%[[ROWS:.*]]] to %{{.*}} : memref<?x128xbf16, {{.*}}>, !tile.shared<96x128xbf16, swizzled>, vector<96xi32>
// CHECK:                   tile.store
// CHECK:                   tile.set_flag
// CHECK-NEXT:              tile.commit async %[[KEY_RING]][%[[STAGE]]]
// CHECK:                   tile.acquire %[[VALUE_RING]][%[[STAGE]], %[[PHASE]]]
// CHECK-NEXT:              tile.gather %{{.*}}[%[[ROWS]]]
// CHECK-NEXT:              tile.commit async %[[VALUE_RING]][%[[STAGE]]]
// CHECK:                 tile.advance %[[KEY_RING]][%[[STAGE]], %[[PHASE]]]

// CHECK:           tile.role "consumer" warps(8) groups_of(4)

// The queries become registers, and their slot is free again.
// CHECK:             tile.wait %[[QUERY_RING]][%[[ZERO]], %[[ZERO]]]
// CHECK-NEXT:        %[[Q:.*]] = tile.load %[[QUERIES]] rows(%{{.*}}) : !tile.shared<128x128xbf16, swizzled>, vector<64x128xbf16>
// CHECK-NEXT:        tile.release %[[QUERY_RING]][%[[ZERO]]]
// CHECK-NEXT:        tile.wait %[[KEY_RING]][%[[ZERO]], %[[ZERO]]]
// CHECK-NEXT:        tile.fence
// CHECK-NEXT:        %[[SLOT:.*]] = tile.slot %[[KEYS]][%[[ZERO]]]
// CHECK-NEXT:        tile.mma %[[Q]], %[[SLOT]], %{{.*}} transpose_b overwrite : vector<64x128xbf16>, !tile.shared<96x128xbf16, swizzled>, vector<64x96xf32>

// A tile's first block: its product is under way.
// CHECK:             scf.while
// CHECK:               tile.mma_wait 0, %{{.*}} : vector<64x96xf32>
// CHECK:               math.exp2 %{{.*}} : vector<64x96xf32>

// Each further one: two products are issued, and the softmax of the first runs
// under the second.
// CHECK:               scf.for
// CHECK-NEXT:            tile.wait %[[KEY_RING]][%[[STAGE:.*]], %{{.*}}]
// CHECK-NEXT:            tile.fence
// CHECK-NEXT:            %[[SLOT:.*]] = tile.slot %[[KEYS]][%[[STAGE]]]
// CHECK-NEXT:            %[[S:.*]] = tile.mma %{{.*}}, %[[SLOT]], %{{.*}} transpose_b overwrite
// CHECK-NEXT:            tile.wait %[[VALUE_RING]][%[[PREVIOUS:.*]], %{{.*}}]
// CHECK:                 tile.fence
// CHECK-NEXT:            %[[SLOT:.*]] = tile.slot %[[VALUES]][%[[PREVIOUS]]]
// CHECK-NEXT:            %[[O:.*]] = tile.mma %{{.*}}, %[[SLOT]], %{{.*}} accumulate(%{{.*}}) : vector<64x96xbf16>, !tile.shared<96x128xbf16, swizzled>, vector<64x128xf32>
// CHECK-NEXT:            %[[SLOT:.*]] = tile.slot %[[MASKED]][%[[STAGE]]]
// CHECK-NEXT:            %[[IS_MASKED:.*]] = tile.test_flag %[[SLOT]]
// CHECK-NEXT:            %[[LOGITS:.*]] = tile.mma_wait 1, %[[S]]
// CHECK-NEXT:            scf.if %[[IS_MASKED]]
// CHECK:                   arith.select %{{.*}}, %{{.*}}, %[[LOGITS]]
// CHECK:                 } else {
// CHECK-NEXT:              scf.yield %[[LOGITS]]

// The exponentials refer to the maximum of an earlier block. Only where a row's
// grow too large the warp makes the product again, by itself.
// CHECK:                 %[[P:.*]] = math.exp2 %{{.*}} : vector<64x96xf32>
// CHECK:                 %[[LARGE:.*]] = arith.cmpf ogt, %{{.*}}, %[[MAX_SUM]] : vector<64x8xf32>
// CHECK:                 %[[AGAIN:.*]] = tile.any
// CHECK-NEXT:            %[[KEPT:.*]]:4 = scf.if %[[AGAIN]]
// CHECK:                   tile.mma {{.*}} transpose_b overwrite sync : vector<64x128xbf16>, !tile.shared<96x128xbf16, swizzled>, vector<64x96xf32>
// CHECK:                   vector.multi_reduction <maxnumf>
// CHECK:                 } else {
// CHECK:                   scf.yield %[[P]]
// CHECK:                 tile.release %[[KEY_RING]][%[[STAGE]]]

// The wait for the second product comes after the exponentials.
// CHECK:                 %[[PINNED:.*]] = tile.pin %[[KEPT]]#0
// CHECK:                 %[[DONE:.*]]:2 = tile.mma_wait 0, %[[O]], %[[PINNED]]
// CHECK-NEXT:            tile.release %[[VALUE_RING]][%[[PREVIOUS]]]
// CHECK-NEXT:            arith.truncf %[[DONE]]#1 : vector<64x96xf32> to vector<64x96xbf16>
// CHECK-NEXT:            scf.if %[[AGAIN]]
// CHECK:                   arith.mulf %[[DONE]]#0

// The last block, then the next tile's first product before this tile's output.
// CHECK:               %[[O:.*]] = tile.mma {{.*}} accumulate(%{{.*}})
// CHECK:               %[[Q:.*]] = tile.load %[[QUERIES]]
// CHECK:               tile.mma %[[Q]], {{.*}} transpose_b overwrite
// CHECK-NEXT:          tile.mma_wait 1, %[[O]]
// CHECK-NEXT:          tile.release %[[VALUE_RING]]
// CHECK:               arith.truncf {{.*}} : vector<64x128xf32> to vector<64x128xbf16>
// CHECK:               tile.scatter %{{.*}} to %{{.*}} : vector<64x128xbf16>, memref<32x?x128xbf16, {{.*}}>, vector<64xi1>, vector<64xi32>, vector<64xi32>
// CHECK:               tile.scatter %{{.*}} to %{{.*}} : vector<64xf32>, memref<32x?xf32, {{.*}}>
func.func @attention(%q: !q, %k: !kv, %v: !kv, %e: !end, %o: !q, %l: !lse) {
  sparsek.sparse_attention window(512) ins(%q, %k, %v, %e : !q, !kv, !kv, !end) outs(%o, %l : !q, !lse)
  return
}
