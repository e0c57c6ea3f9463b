// RUN: sparsek-opt %s --convert-sparsek-to-scf --canonicalize --cse | FileCheck %s

// A row of the operator: sort, outputs by default, list, then one step per
// candidate that moves pointers up.

// CHECK-LABEL: func.func @causal
// CHECK-SAME:  %[[U:[a-z0-9]+]]: memref<2x4x?xf32>, %[[END:[a-z0-9]+]]: memref<2x4x?xi32>, %[[TAU:[a-z0-9]+]]: memref<2x4x?xf32>, %[[FREE:[a-z0-9]+]]: memref<2x4x?xi32>
func.func @causal(%u: memref<2x4x?xf32>, %end: memref<2x4x?xi32>,
                  %tau: memref<2x4x?xf32>, %free: memref<2x4x?xi32>) {
  // CHECK-DAG: %[[WINDOW:.+]] = arith.constant 3 : index
  // CHECK-DAG: %[[TOPK:.+]] = arith.constant 8 : index
  // CHECK-DAG: %[[ZERO:.+]] = arith.constant 0 : index
  // CHECK-DAG: %[[ONE:.+]] = arith.constant 1 : index
  // CHECK-DAG: %[[OPEN:.+]] = arith.constant 0xFF800000 : f32
  // CHECK:     scf.parallel (%[[B:.+]], %[[H:.+]]) =
  // CHECK:       %[[N:.+]] = memref.dim %[[U]]
  // CHECK:       %[[W:.+]] = arith.minsi %[[N]], %[[WINDOW]]
  // CHECK:       %[[COUNT:.+]] = arith.subi %[[N]], %[[W]]
  // CHECK:       %[[LAST:.+]] = arith.addi %[[COUNT]], %[[ONE]]

  // Keys and the histograms of the four digits.
  // CHECK:       %[[SOURCE:.+]] = memref.alloc(%[[COUNT]]) {alignment = 64 : i64} : memref<?xi64>
  // CHECK:       %[[TARGET:.+]] = memref.alloc(%[[COUNT]]) {alignment = 64 : i64} : memref<?xi64>
  // CHECK:       %[[COUNTS:.+]] = memref.alloc() {alignment = 64 : i64} : memref<4x256xi32>
  // CHECK:       %[[KEYS:.+]]:2 = scf.for %{{.+}} = %[[ZERO]] to %[[COUNT]] {{.*}} -> (i64, index)
  // CHECK:         memref.load %[[U]][%[[B]], %[[H]], %{{.+}}]
  // CHECK:         memref.store %{{.+}}, %[[SOURCE]]
  // CHECK-COUNT-4: memref.store %{{.+}}, %[[COUNTS]]

  // Four passes; one whose digit is constant is skipped.
  // CHECK:       %[[PAIRS:.+]]:2 = scf.for {{.*}} iter_args(%[[FROM:.+]] = %[[SOURCE]], %[[TO:.+]] = %[[TARGET]])
  // CHECK:         arith.cmpi eq
  // CHECK:         scf.if
  // CHECK:         } else {
  // CHECK:           memref.load %[[FROM]]
  // CHECK:           memref.store %{{.+}}, %[[TO]]

  // Keys that nothing evicts, queries without a candidate.
  // CHECK:       %[[NEVER:.+]] = arith.index_cast %[[N]] : index to i32
  // CHECK:       scf.for %[[J:.+]] = %[[ZERO]] to %[[N]]
  // CHECK:         memref.store %[[NEVER]], %[[END]][%[[B]], %[[H]], %[[J]]]
  // CHECK:       scf.for %[[I:.+]] = %[[ZERO]] to %[[W]]
  // CHECK:         memref.store %[[OPEN]], %[[TAU]][%[[B]], %[[H]], %[[I]]]
  // CHECK:         memref.store %{{.+}}, %[[FREE]][%[[B]], %[[H]], %[[I]]]

  // The list: values, links, the node of every position.
  // CHECK:       %[[VALUES:.+]] = memref.alloc({{.+}}) {alignment = 64 : i64} : memref<?xf32>
  // CHECK:       %[[PREVS:.+]] = memref.alloc({{.+}}) {alignment = 64 : i64} : memref<?xi32>
  // CHECK:       %[[NEXTS:.+]] = memref.alloc({{.+}}) {alignment = 64 : i64} : memref<?xi32>
  // CHECK:       %[[NODES:.+]] = memref.alloc({{.+}}) {alignment = 64 : i64} : memref<?xi32>
  // CHECK:       scf.for
  // CHECK:         memref.load %[[PAIRS]]#0
  // CHECK:         memref.store %{{.+}}, %[[VALUES]]
  // CHECK:         memref.store %{{.+}}, %[[NODES]]
  // CHECK:         memref.store %{{.+}}, %[[PREVS]]
  // CHECK:         memref.store %{{.+}}, %[[NEXTS]]

  // Unlinking, the last position first.
  // CHECK:       scf.for
  // CHECK:         memref.load %[[NODES]]
  // CHECK:         memref.load %[[PREVS]]
  // CHECK:         memref.load %[[NEXTS]]
  // CHECK:         memref.store %{{.+}}, %[[NEXTS]]
  // CHECK:         memref.store %{{.+}}, %[[PREVS]]

  // One step per position: link, selection, threshold, free count.
  // CHECK:       scf.for %[[JOINS:.+]] = %[[ZERO]] to %[[COUNT]] {{.*}}iter_args(%[[WORST:[a-z0-9]+]] = %[[LAST]], %[[OLD:[a-z0-9]+]] = %[[OPEN]],
  // CHECK-SAME:      -> (index, f32, i32, index, index, i256, i64, i64, index, index, index, index)
  // CHECK:         %[[QUERY:.+]] = arith.addi %[[JOINS]], %[[W]]
  // CHECK:         memref.store %{{.+}}, %[[NEXTS]]
  // CHECK:         arith.cmpi slt, %[[JOINS]], %[[TOPK]]
  // CHECK:         scf.if
  // CHECK:           memref.store %{{.+}}, %[[END]][%[[B]], %[[H]], %{{.+}}]
  // CHECK:         arith.cmpf oge, %{{.+}}, %[[OLD]]
  // CHECK:         %[[STEP:.+]]:11 = scf.if
  // CHECK:           scf.while {{.*}} (i256, i64, i64, index, index, index, index) -> (i256, i64, i64, index, index, index, index, i1, f32)
  // CHECK:           arith.divf
  // CHECK-COUNT-2:   scf.while {{.*}} (index, i32) -> (index, i32)
  // CHECK:         memref.store %[[STEP]]#0, %[[TAU]][%[[B]], %[[H]], %[[QUERY]]]
  // CHECK:         memref.store %[[STEP]]#1, %[[FREE]][%[[B]], %[[H]], %[[QUERY]]]
  // CHECK-COUNT-7: memref.dealloc
  // CHECK:         scf.reduce
  sparsek.causal_topk_mask topk(8) window(3)
      ins(%u : memref<2x4x?xf32>)
      outs(%end, %tau, %free
           : memref<2x4x?xi32>, memref<2x4x?xf32>, memref<2x4x?xi32>)
  return
}
