// RUN: sparsek-opt %s -convert-sparsek-attention-to-tile="chip=sm_90a rows=128 keys=96" -canonicalize -cse | FileCheck %s
// RUN: sparsek-opt %s -convert-sparsek-attention-to-tile="chip=sm_90a list-capacity=256" -canonicalize -cse | FileCheck %s --check-prefix=CAPACITY
// RUN: sparsek-opt %s -convert-sparsek-attention-to-tile=chip=sm_80 -canonicalize -cse | FileCheck %s --check-prefix=SM80

!q = memref<?x32x?x128xbf16>
!kv = memref<?x8x?x128xbf16>
!end = memref<?x8x?xi32>
!lse = memref<?x32x?xf32>

// Lists for tiles of 32 queries, descriptors for the bulk copies, a launch of as
// many blocks as there are tiles or multiprocessors, and the lists are gone.

// CHECK-LABEL: module attributes {gpu.container_module}
// CHECK-LABEL: func.func @attention(
// CHECK-SAME:    %[[Q:[a-z0-9]+]]: memref<?x32x?x128xbf16>, %[[K:[a-z0-9]+]]: memref<?x8x?x128xbf16>, %[[V:[a-z0-9]+]]: memref<?x8x?x128xbf16>, %[[END:[a-z0-9]+]]: memref<?x8x?xi32>, %[[O:[a-z0-9]+]]: memref<?x32x?x128xbf16>, %[[LSE:[a-z0-9]+]]: memref<?x32x?xf32>)
// CHECK-DAG:     %[[C32:.*]] = arith.constant 32 : index
// CHECK-DAG:     %[[C384:.*]] = arith.constant 384 : index
// CHECK-DAG:     %[[C1:.*]] = arith.constant 1 : index
// CHECK:         %[[NQ:.*]] = memref.dim %[[Q]], %c2 :
// CHECK:         %[[TILES:.*]] = arith.ceildivui %[[NQ]], %[[C32]]
// CHECK:         %[[BATCH:.*]] = memref.dim %[[END]]
// CHECK:         %[[START:.*]] = memref.alloc(%[[BATCH]], %[[TILES]]) : memref<?x8x?xi32>
// CHECK:         %[[START_ANY:.*]] = memref.cast %[[START]]
// CHECK:         %[[COUNT:.*]] = memref.alloc(%[[BATCH]], %[[TILES]]) : memref<?x8x?xi32>
// CHECK:         %[[COUNT_ANY:.*]] = memref.cast %[[COUNT]]
// CHECK:         %[[LIST:.*]] = memref.alloc(%[[BATCH]], %[[TILES]]) : memref<?x8x?x1024xi32>
// CHECK:         %[[LIST_ANY:.*]] = memref.cast %[[LIST]]
// CHECK:         sparsek.live_lists tile(32) ins(%[[END]] : memref<?x8x?xi32>) queries(%[[NQ]])
// CHECK-SAME:      outs(%[[START_ANY]], %[[COUNT_ANY]], %[[LIST_ANY]] :
// CHECK:         %[[KEY_MAP:.*]] = tile.encode_tensor_map %[[K]] rows(96)
// CHECK:         %[[VALUE_MAP:.*]] = tile.encode_tensor_map %[[V]] rows(96)
// CHECK:         call @sparsek_gpu_num_multiprocessors() : () -> i32
// CHECK:         %[[GRID:.*]] = arith.minui
// CHECK:         gpu.launch_func @sparse_attention_kernels::@sparse_attention
// CHECK-SAME:      blocks in (%[[GRID]], %[[C1]], %[[C1]]) threads in (%[[C384]], %[[C1]], %[[C1]])
// CHECK-SAME:      args(%[[Q]] : {{[^%]*}}, %[[K]] : {{[^%]*}}, %[[V]] : {{[^%]*}}, %[[END]] : {{[^%]*}}, %[[O]] : {{[^%]*}}, %[[LSE]] : {{[^%]*}}, %[[START_ANY]] : {{[^%]*}}, %[[COUNT_ANY]] : {{[^%]*}}, %[[LIST_ANY]] : {{[^%]*}}, %[[KEY_MAP]] : !tile.tensor_map, %[[VALUE_MAP]] : !tile.tensor_map)
// CHECK-DAG:     memref.dealloc %[[START]]
// CHECK-DAG:     memref.dealloc %[[COUNT]]
// CHECK-DAG:     memref.dealloc %[[LIST]]
// CHECK:         return
// CHECK-NOT:   sparsek.sparse_attention

// CAPACITY: memref.alloc(%{{.*}}) : memref<?x8x?x256xi32>

// Without TMA there is nothing to describe.
// SM80-LABEL: func.func @attention(
// SM80-NOT:     tile.encode_tensor_map
// SM80:         gpu.launch_func @sparse_attention_kernels::@sparse_attention
// SM80-NOT:     !tile.tensor_map
func.func @attention(%q: !q, %k: !kv, %v: !kv, %e: !end, %o: !q, %l: !lse) {
  sparsek.sparse_attention window(512) ins(%q, %k, %v, %e : !q, !kv, !kv, !end) outs(%o, %l : !q, !lse)
  return
}

// Another op has a kernel of its own, and the same function counts.
// CHECK-LABEL: func.func @again(
// CHECK:         call @sparsek_gpu_num_multiprocessors
// CHECK:         gpu.launch_func @sparse_attention_kernels_0::@sparse_attention
func.func @again(%q: !q, %k: !kv, %v: !kv, %e: !end, %o: !q, %l: !lse) {
  sparsek.sparse_attention window(256) ins(%q, %k, %v, %e : !q, !kv, !kv, !end) outs(%o, %l : !q, !lse)
  return
}
// CHECK:       func.func private @sparsek_gpu_num_multiprocessors() -> i32
// CHECK-NOT:   sparsek_gpu_num_multiprocessors
