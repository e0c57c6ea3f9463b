// RUN: sparsek-opt %s -convert-sparsek-attention-to-tile="chip=sm_90a rows=128 keys=96 stages=4" -canonicalize -cse | FileCheck %s

!q = memref<?x32x?x128xbf16>
!kv = memref<?x8x?x128xbf16>
!end = memref<?x8x?xi32>
!gates = memref<?x8x?xf32>
!lse = memref<?x32x?xf32>

// With gates the producer hands over, of each key, also the first query that has
// it outside of the window, and its score: a NaN or -inf as the least number. A
// flag says whether a block has a key with a gate at all.

// CHECK-LABEL: gpu.module @sparse_attention_kernels {
// CHECK:         gpu.func @sparse_attention(
// CHECK-DAG:       %[[LOWEST:.*]] = arith.constant dense<-3.40282347E+38> : vector<96xf32>
// CHECK-DAG:       %[[ONES:.*]] = arith.constant dense<1.000000e+00> : vector<64x96xf32>
// CHECK-DAG:       %[[ZEROS:.*]] = arith.constant dense<0.000000e+00> : vector<64x96xf32>
// CHECK:           tile.alloc : !tile.shared<4x96x128xbf16, swizzled>
// CHECK:           tile.alloc : !tile.shared<4x96x128xbf16, swizzled>
// CHECK-NEXT:      tile.alloc : !tile.shared<4x96xi8>
// CHECK-NEXT:      tile.alloc : !tile.shared<4x96xi8>
// CHECK-NEXT:      tile.alloc : !tile.shared<4x4xi8>
// CHECK-NEXT:      %[[WINDOWS:.*]] = tile.alloc : !tile.shared<4x96xi8>
// CHECK-NEXT:      %[[SCORES:.*]] = tile.alloc : !tile.shared<4x96xf32>
// CHECK-NEXT:      %[[GATED:.*]] = tile.alloc : !tile.shared<4x4xi8>

// CHECK:           tile.role "producer"
// CHECK:             %[[SCORE:.*]] = arith.maxnumf %{{.*}}, %[[LOWEST]] : vector<96xf32>
// CHECK:             %[[SLOT:.*]] = tile.slot %[[WINDOWS]]
// CHECK-NEXT:        tile.store %{{.*}} to %[[SLOT]] : vector<96xi8>
// CHECK-NEXT:        %[[SLOT:.*]] = tile.slot %[[SCORES]]
// CHECK-NEXT:        tile.store %[[SCORE]] to %[[SLOT]] : vector<96xf32>
// CHECK:             %[[SLOT:.*]] = tile.slot %[[GATED]]
// CHECK-NEXT:        tile.set_flag %{{.*}} to %[[SLOT]]

// gate(value): the exponentials are gated after they went into the sum, and the
// keys' slot is free after that.
// CHECK:           tile.role "consumer"
// CHECK:             %[[TAU:.*]] = vector.gather %{{.*}} : memref<?xf32, {{.*}}>, vector<64xi32>, vector<64xi1>, vector<64xf32> into vector<64xf32>
// CHECK:             %[[P:.*]] = math.exp2 %{{.*}} : vector<64x96xf32>
// CHECK:             %[[IS_GATED:.*]] = scf.if
// CHECK:               %[[END:.*]] = tile.load %{{.*}} : !tile.shared<96xi8>, vector<96xi8>
// CHECK:               %[[SCORE:.*]] = tile.load %{{.*}} : !tile.shared<96xf32>, vector<96xf32>
// CHECK:               %[[DIFFERENCE:.*]] = arith.subf
// CHECK:               %[[SMALL:.*]] = arith.minnumf %[[DIFFERENCE]], %[[ONES]]
// CHECK:               %[[GATE:.*]] = arith.maxnumf %[[SMALL]], %[[ZEROS]]
// CHECK:               %[[IN_WINDOW:.*]] = arith.cmpi slt, %{{.*}}, %{{.*}} : vector<64x96xi32>
// CHECK:               %[[FACTOR:.*]] = arith.select %[[IN_WINDOW]], %[[ONES]], %[[GATE]]
// CHECK:               arith.mulf %[[P]], %[[FACTOR]]
// CHECK:             } else {
// CHECK-NEXT:          scf.yield %[[P]]
// CHECK-NEXT:        }
// CHECK-NEXT:        tile.release
func.func @value(%q: !q, %k: !kv, %v: !kv, %e: !end, %s: !gates, %t: !gates, %o: !q, %l: !lse) {
  sparsek.sparse_attention gate(value) window(512) ins(%q, %k, %v, %e : !q, !kv, !kv, !end)
      gating(%s, %t : !gates, !gates) outs(%o, %l : !q, !lse)
  return
}

// gate(key_value): the products as well, before the mask.
// CHECK-LABEL: gpu.module @sparse_attention_kernels_0 {
// CHECK:         tile.role "consumer"
// CHECK:           %[[S:.*]] = tile.mma_wait 0
// CHECK-NEXT:      %[[GATED:.*]] = scf.if
// CHECK:             arith.mulf %[[S]], %{{.*}} : vector<64x96xf32>
// CHECK:           } else {
// CHECK-NEXT:        scf.yield %[[S]]
// CHECK-NEXT:      }
// CHECK-NEXT:      scf.if
// CHECK:             arith.select %{{.*}}, %[[GATED]], %{{.*}} : vector<64x96xi1>, vector<64x96xf32>
// CHECK:           %[[P:.*]] = math.exp2 %{{.*}} : vector<64x96xf32>
// CHECK:           scf.if
// CHECK:             arith.mulf %[[P]], %{{.*}} : vector<64x96xf32>
func.func @key_value(%q: !q, %k: !kv, %v: !kv, %e: !end, %s: !gates, %t: !gates, %o: !q, %l: !lse) {
  sparsek.sparse_attention gate(key_value) window(512) ins(%q, %k, %v, %e : !q, !kv, !kv, !end)
      gating(%s, %t : !gates, !gates) outs(%o, %l : !q, !lse)
  return
}
