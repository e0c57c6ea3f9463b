// RUN: sparsek-opt %s --convert-sparsek-to-scf --canonicalize --cse | FileCheck %s

// CHECK-LABEL: func.func @rows
// CHECK-SAME:  %[[Z:[a-z0-9]+]]: memref<3x?x?xf32>, %[[P:[a-z0-9]+]]: memref<3x?x?xf32>, %[[TAU:[a-z0-9]+]]: memref<3x?xf32>
func.func @rows(%z: memref<3x?x?xf32>, %p: memref<3x?x?xf32>,
                %tau: memref<3x?xf32>) {
  // CHECK-DAG: %[[OPEN:.+]] = arith.constant 0xFF800000 : f32
  // CHECK:     scf.parallel (%[[A:.+]], %[[B:.+]]) =
  // CHECK:       memref.alloc() {alignment = 64 : i64} : memref<4x256xi32>
  // CHECK:       scf.for
  // CHECK:         memref.load %[[Z]][%[[A]], %[[B]], %{{.+}}]

  // The start near the threshold: sums downwards from the topk + 1 highest.
  // CHECK:       %[[START:.+]]:{{.}} = scf.if {{.*}} -> (i256,
  // CHECK:         scf.while {{.*}} (i256, index) -> (i256, index)
  // CHECK:       scf.while (%{{.+}} = %[[START]]#0, {{.*}} -> (i256, i64, i64, index, index, index, index, i1, f32)
  // CHECK:       %[[T:.+]] = scf.if {{.*}} -> (f32) {
  // CHECK:       memref.store %[[T]], %[[TAU]][%[[A]], %[[B]]]

  // CHECK:       %[[ALL:.+]] = arith.cmpf oeq, %[[T]], %[[OPEN]]
  // CHECK:       scf.for %[[J:.+]] =
  // CHECK:         %[[U:.+]] = memref.load %[[Z]][%[[A]], %[[B]], %[[J]]]
  // CHECK:         arith.subf %[[U]], %[[T]]
  // CHECK:         arith.ori %[[ALL]]
  // CHECK:         memref.store %{{.+}}, %[[P]][%[[A]], %[[B]], %[[J]]]
  // CHECK-COUNT-4: memref.dealloc
  // CHECK:         scf.reduce
  sparsek.topk_mask topk(2) ins(%z : memref<3x?x?xf32>)
      outs(%p, %tau : memref<3x?x?xf32>, memref<3x?xf32>)
  return
}

// One row needs no parallel loop.

// CHECK-LABEL: func.func @row
// CHECK-NOT:   scf.parallel
// CHECK:       memref.store %{{.+}}, %{{.+}}[] : memref<f32>
// CHECK-NOT:   scf.parallel
// CHECK:       return
func.func @row(%z: memref<?xf32>, %p: memref<?xf32>, %tau: memref<f32>) {
  sparsek.topk_mask topk(2) ins(%z : memref<?xf32>)
      outs(%p, %tau : memref<?xf32>, memref<f32>)
  return
}

// Scores of 16 bits are f32 inside, and tau is f32.

// CHECK-LABEL: func.func @half
// CHECK:       arith.extf %{{.+}} : f16 to f32
// CHECK:       memref.store %{{.+}}, %{{.+}} : memref<4xf32>
// CHECK:       arith.truncf %{{.+}} : f32 to f16
func.func @half(%z: memref<4x?xf16>, %p: memref<4x?xf16>, %tau: memref<4xf32>) {
  sparsek.topk_mask topk(2) ins(%z : memref<4x?xf16>)
      outs(%p, %tau : memref<4x?xf16>, memref<4xf32>)
  return
}

// Any layout: the loads and stores keep it.

// CHECK-LABEL: func.func @strided
// CHECK:       memref.load %{{.+}} : memref<?x?xf32, strided<[?, ?], offset: ?>>
// CHECK:       memref.store %{{.+}} : memref<?x?xf32, strided<[?, 1], offset: ?>>
func.func @strided(%z: memref<?x?xf32, strided<[?, ?], offset: ?>>,
                   %p: memref<?x?xf32, strided<[?, 1], offset: ?>>,
                   %tau: memref<?xf32>) {
  sparsek.topk_mask topk(2)
      ins(%z : memref<?x?xf32, strided<[?, ?], offset: ?>>)
      outs(%p, %tau
           : memref<?x?xf32, strided<[?, 1], offset: ?>>, memref<?xf32>)
  return
}
