// RUN: sparsek-opt %s --convert-sparsek-live-lists-to-gpu --canonicalize --cse \
// RUN:   --split-input-file | FileCheck %s

// The host's code: a summary with 33 entries for each 1,024 keys, and one
// launch that fills and one that uses it. A block has 8 to 32 tiles of 32.

// CHECK: module attributes {gpu.container_module}
// CHECK-LABEL: func.func @live_lists
// CHECK-SAME:  (%[[END:.*]]: memref<1x2x?xi32, strided<[?, ?, 1]>>, %[[NQ:.*]]: index, %[[S:.*]]: memref<1x2x?xi32>, %[[C:.*]]: memref<1x2x?xi32>, %[[L:.*]]: memref<1x2x?x512xi32>)
// CHECK:         %[[N:.*]] = memref.dim %[[END]], %c2
// CHECK:         %[[FULL:.*]] = arith.ceildivui %[[N]], %c1024
// CHECK:         %[[NODES:.*]] = arith.maxsi %[[FULL]], %c1
// CHECK:         %[[P:.*]] = arith.muli %[[NODES]], %c33
// CHECK:         %[[ALLOC:.*]] = memref.alloc(%[[P]]) : memref<1x2x?x2xi32>
// CHECK:         %[[SUMMARY:.*]] = memref.cast %[[ALLOC]] : memref<1x2x?x2xi32> to memref<?x?x?x2xi32>
// CHECK:         gpu.launch_func @sparsek_live_lists::@summarize blocks in (%[[NODES]], %c2, %c1) threads in (%c256, %c1, %c1) args(%[[END]] : {{.*}}, %[[SUMMARY]] : {{.*}})
// CHECK:         %[[T:.*]] = memref.dim %[[S]], %c2
// CHECK:         %[[MORE:.*]] = arith.maxsi %{{.*}}, %c8
// CHECK:         %[[TILES:.*]] = arith.minsi %[[MORE]], %c32
// CHECK:         %[[BLOCKS:.*]] = arith.ceildivui %[[T]], %[[TILES]]
// CHECK:         gpu.launch_func @sparsek_live_lists::@list blocks in (%[[BLOCKS]], %c2, %c1) threads in (%c256, %c1, %c1) args(%[[END]] : {{.*}}, %[[SUMMARY]] : {{.*}}, %[[NQ]] : index, %[[TILES]] : index, %[[S]] : {{.*}}, %[[C]] : {{.*}}, %[[L]] : {{.*}})
// CHECK-NEXT:    memref.dealloc %[[ALLOC]]
// CHECK-NEXT:    return

// A warp takes the bounds of a leaf of 32 keys, four times; the first warp
// those of the node.

// CHECK-LABEL: gpu.module @sparsek_live_lists
// CHECK-LABEL: gpu.func @summarize
// CHECK-SAME:    workgroup(%[[ENDS:.*]] : memref<32xi32, #gpu.address_space<workgroup>>, %[[DEATHS:.*]] : memref<32xi32, #gpu.address_space<workgroup>>)
// CHECK-SAME:    kernel attributes {known_block_size = array<i32: 256, 1, 1>, nvvm.minctasm = 8 : i32}
// CHECK:         %[[TREE:.*]] = memref.subview %{{.*}} : memref<?x?x?x2xi32> to memref<?x2xi32, strided<[2, 1], offset: ?>>
// CHECK:         %[[KEY:.*]]:2 = scf.if %{{.*}} -> (i32, i32)
// CHECK:           arith.maxsi
// CHECK:         %[[MAX:.*]] = nvvm.redux.sync max %[[KEY]]#0
// CHECK:         %[[MIN:.*]] = nvvm.redux.sync min %[[KEY]]#1
// CHECK:         scf.if
// CHECK:           memref.store %[[MAX]], %[[TREE]][%{{.*}}, %c0]
// CHECK:           memref.store %[[MIN]], %[[TREE]][%{{.*}}, %c1]
// CHECK:           memref.store %[[MAX]], %[[ENDS]]
// CHECK:           memref.store %[[MIN]], %[[DEATHS]]
// CHECK-COUNT-6: nvvm.redux.sync
// CHECK:         gpu.barrier
// CHECK:         scf.if
// CHECK:           memref.load %[[ENDS]]
// CHECK:           nvvm.redux.sync max
// CHECK:           memref.load %[[DEATHS]]
// CHECK:           nvvm.redux.sync min
// CHECK-NOT:     gpu.barrier
// CHECK:         gpu.return

// CHECK-LABEL: gpu.func @list
// CHECK-SAME:    workgroup(%[[SCRATCH:.*]] : memref<8xi32, {{.*}}>, %[[NODES:.*]] : memref<1024xi32, {{.*}}>, %[[LEAVES:.*]] : memref<1024xi32, {{.*}}>, %[[KEYS:.*]] : memref<2048xi32, {{.*}}>, %[[KEYENDS:.*]] : memref<2048xi32, {{.*}}>, %[[RESUME:.*]] : memref<1xi32, {{.*}}>)

// The last key that is dead at the block's first query, down the tree.
// CHECK:         scf.while
// CHECK:           nvvm.vote.sync ballot
// CHECK:         scf.if
// CHECK-COUNT-2:   nvvm.vote.sync ballot

// The block's list: nodes, their leaves, their keys; each step two barriers.
// CHECK:         memref.store %{{.*}}, %[[RESUME]]
// CHECK:         gpu.barrier
// CHECK:         %[[LENGTH:.*]]:2 = scf.while
// CHECK-COUNT-4:   nvvm.vote.sync ballot
// CHECK:           memref.store %{{.*}}, %[[SCRATCH]]
// CHECK:           gpu.barrier
// CHECK-COUNT-4:   memref.store %{{.*}}, %[[NODES]]
// CHECK:           gpu.barrier
// CHECK:           scf.while
// CHECK:             memref.load %[[NODES]]
// CHECK-COUNT-4:     memref.store %{{.*}}, %[[LEAVES]]
// CHECK:             gpu.barrier
// CHECK:             scf.while
// CHECK:               memref.load %[[LEAVES]]
// CHECK:               memref.store %{{.*}}, %[[KEYS]]
// CHECK:               memref.store %{{.*}}, %[[RESUME]]
// CHECK:         %[[KEPT:.*]] = arith.minsi %[[LENGTH]]#1, %c2048_i32
// CHECK:         scf.for %{{.*}} = %{{.*}} to %[[KEPT]]
// CHECK:           memref.load %[[KEYS]]
// CHECK:           memref.store %{{.*}}, %[[KEYENDS]]
// CHECK:         gpu.barrier
// CHECK:         memref.load %[[RESUME]]

// A warp's tiles: no barrier from here on. The band, then the block's list,
// then what the tree has behind it.
// CHECK-NOT:     gpu.barrier
// CHECK:         scf.for
// CHECK:           scf.while
// CHECK:           scf.while
// CHECK-COUNT-4:     memref.load %[[KEYENDS]]
// CHECK:             memref.store %{{.*}} : memref<?x512xi32, strided<[512, 1], offset: ?>>
// CHECK:             memref.store %{{.*}} : memref<?xi32, strided<[1], offset: ?>>
// CHECK:           scf.while
// CHECK:             scf.while
// CHECK:               scf.while
// CHECK-NOT:     gpu.barrier
// CHECK:         gpu.return
func.func @live_lists(%end: memref<1x2x?xi32, strided<[?, ?, 1]>>, %nq: index,
                      %s: memref<1x2x?xi32>, %c: memref<1x2x?xi32>,
                      %l: memref<1x2x?x512xi32>) {
  sparsek.live_lists tile(32)
      ins(%end : memref<1x2x?xi32, strided<[?, ?, 1]>>) queries(%nq)
      outs(%s, %c, %l
           : memref<1x2x?xi32>, memref<1x2x?xi32>, memref<1x2x?x512xi32>)
  return
}

// -----

// Two ops have kernels of their own. A block has 8 tiles where that is more
// than 1,024 queries. Static sizes cost nothing at run time.

// CHECK-LABEL: func.func @two
// CHECK:         memref.alloc() : memref<1x1x66x2xi32>
// CHECK:         gpu.launch_func @sparsek_live_lists::@summarize blocks in (%c2, %c1, %c1)
// CHECK:         gpu.launch_func @sparsek_live_lists::@list blocks in (%c1, %c1, %c1) {{.*}} %c8 : index
// CHECK:         gpu.launch_func @sparsek_live_lists_0::@summarize
// CHECK:         gpu.launch_func @sparsek_live_lists_0::@list
func.func @two(%end: memref<1x1x1500xi32>, %nq: index, %s: memref<1x1x7xi32>,
               %c: memref<1x1x7xi32>, %l: memref<1x1x7x8xi32>) {
  sparsek.live_lists tile(256) ins(%end : memref<1x1x1500xi32>) queries(%nq)
      outs(%s, %c, %l : memref<1x1x7xi32>, memref<1x1x7xi32>, memref<1x1x7x8xi32>)
  sparsek.live_lists tile(256) ins(%end : memref<1x1x1500xi32>) queries(%nq)
      outs(%s, %c, %l : memref<1x1x7xi32>, memref<1x1x7xi32>, memref<1x1x7x8xi32>)
  return
}

// -----

// CHECK-LABEL: func.func @none
// CHECK-NOT:     gpu
func.func @none(%a: memref<4xi32>) {
  return
}
