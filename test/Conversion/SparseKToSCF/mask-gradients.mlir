// RUN: sparsek-opt %s --convert-sparsek-to-scf --canonicalize --cse | FileCheck %s

// Two passes over a row: the sums, then the gradients.

// CHECK-LABEL: func.func @rows
// CHECK-SAME:  %[[Z:[a-z0-9]+]]: memref<3x?x?xf16>, %[[T:[a-z0-9]+]]: memref<3x?xf32>, %[[DP:[a-z0-9]+]]: memref<3x?x?xf16>, %[[DT:[a-z0-9]+]]: memref<3x?xf32>, %[[DZ:[a-z0-9]+]]: memref<3x?x?xf16>
func.func @rows(%z: memref<3x?x?xf16>, %t: memref<3x?xf32>,
                %dp: memref<3x?x?xf16>, %dt: memref<3x?xf32>,
                %dz: memref<3x?x?xf16>) {
  // CHECK:     scf.parallel (%[[A:.+]], %[[B:.+]]) =
  // CHECK:       %[[TAU:.+]] = memref.load %[[T]][%[[A]], %[[B]]]
  // CHECK:       %[[SUMS:.+]]:2 = scf.for %[[J:[a-z0-9]+]] = {{.*}} -> (f64, f64)
  // CHECK:         %[[U:.+]] = memref.load %[[Z]][%[[A]], %[[B]], %[[J]]]
  // CHECK:         %[[WIDE:.+]] = arith.extf %[[U]] : f16 to f32
  // CHECK:         %[[EXCESS:.+]] = arith.subf %[[WIDE]], %[[TAU]] : f32
  // CHECK:         %[[ABOVE:.+]] = arith.cmpf ogt, %[[EXCESS]],
  // CHECK:         %[[BELOW:.+]] = arith.cmpf olt, %[[EXCESS]],
  // CHECK:         arith.andi %[[ABOVE]], %[[BELOW]]
  // CHECK:         memref.load %[[DP]][%[[A]], %[[B]], %[[J]]]
  // CHECK:       memref.load %[[DT]][%[[A]], %[[B]]]
  // CHECK:       %[[REST:.+]] = arith.subf %{{.+}}, %[[SUMS]]#1 : f64
  // CHECK:       %[[SHARE:.+]] = arith.divf %[[REST]], %[[SUMS]]#0 : f64
  // CHECK:       scf.for %[[K:[a-z0-9]+]] =
  // CHECK:         memref.load %[[DP]][%[[A]], %[[B]], %[[K]]]
  // CHECK:         arith.addf %{{.+}}, %[[SHARE]] : f64
  // CHECK:         memref.load %[[Z]][%[[A]], %[[B]], %[[K]]]
  // CHECK:         arith.select
  // CHECK:         arith.truncf %{{.+}} : f32 to f16
  // CHECK:         memref.store %{{.+}}, %[[DZ]][%[[A]], %[[B]], %[[K]]]
  // CHECK:       scf.reduce
  sparsek.topk_mask_grad
      ins(%z, %t, %dp : memref<3x?x?xf16>, memref<3x?xf32>, memref<3x?x?xf16>)
      grad_tau(%dt : memref<3x?xf32>)
      outs(%dz : memref<3x?x?xf16>)
  return
}

// One row needs no parallel loop. Without grad_tau nothing is added.

// CHECK-LABEL: func.func @row
// CHECK-NOT:   scf.parallel
// CHECK:       memref.load %{{.+}}[] : memref<f32>
// CHECK:       scf.for
// CHECK-NOT:   memref.load %{{.+}}[] : memref<f32>
// CHECK:       scf.for
// CHECK:       memref.store %{{.+}} : memref<?xf32, strided<[?], offset: ?>>
// CHECK:       return
func.func @row(%z: memref<?xf32>, %t: memref<f32>, %dp: memref<?xf32>,
               %dz: memref<?xf32, strided<[?], offset: ?>>) {
  sparsek.topk_mask_grad
      ins(%z, %t, %dp : memref<?xf32>, memref<f32>, memref<?xf32>)
      outs(%dz : memref<?xf32, strided<[?], offset: ?>>)
  return
}

// Prefix sums over the queries, then two binary searches per key.

// CHECK-LABEL: func.func @causal
// CHECK-SAME:  %[[U:[a-z0-9]+]]: memref<2x4x?xf32>, %[[TAU:[a-z0-9]+]]: memref<2x4x?xf32>, %[[FREE:[a-z0-9]+]]: memref<2x4x?xi32>, %[[DT:[a-z0-9]+]]: memref<2x4x?xf32>, %[[DU:[a-z0-9]+]]: memref<2x4x?xf32>
func.func @causal(%u: memref<2x4x?xf32>, %tau: memref<2x4x?xf32>,
                  %free: memref<2x4x?xi32>, %dt: memref<2x4x?xf32>,
                  %du: memref<2x4x?xf32>) {
  // CHECK-DAG: %[[WINDOW:.+]] = arith.constant 3 : index
  // CHECK-DAG: %[[NONE:.+]] = arith.constant 0xFF800000 : f32
  // CHECK-DAG: %[[ZERO:.+]] = arith.constant 0.000000e+00 : f32
  // CHECK-DAG: %[[ONE:.+]] = arith.constant 1.000000e+00 : f32
  // CHECK:     scf.parallel (%[[B:.+]], %[[H:.+]]) =
  // CHECK:       %[[N:.+]] = memref.dim %[[U]]
  // CHECK:       %[[SUMS:.+]] = memref.alloc({{.+}}) {alignment = 64 : i64} : memref<?xf64>
  // CHECK:       memref.store %{{.+}}, %[[SUMS]][%c0]
  // CHECK:       scf.for %[[I:[a-z0-9]+]] = {{.*}} -> (f64)
  // CHECK:         memref.load %[[FREE]][%[[B]], %[[H]], %[[I]]]
  // CHECK:         memref.load %[[DT]][%[[B]], %[[H]], %[[I]]]
  // CHECK:         arith.divf %{{.+}} : f64
  // CHECK:         %[[NEXT:.+]] = arith.addi %[[I]], %c1
  // CHECK:         memref.store %{{.+}}, %[[SUMS]][%[[NEXT]]]
  // CHECK:       %[[W:.+]] = arith.minsi %[[N]], %[[WINDOW]]
  // CHECK:       scf.for %[[J:[a-z0-9]+]] =
  // CHECK:         %[[SCORE:.+]] = memref.load %[[U]][%[[B]], %[[H]], %[[J]]]
  // CHECK:         arith.cmpf ogt, %[[SCORE]], %[[NONE]]
  // CHECK:         %[[SUM:.+]] = scf.if
  // CHECK:           %[[AFTER:.+]] = arith.addi %[[J]], %[[W]]
  // CHECK:           %[[FIRST:.+]] = arith.minsi %[[N]], %[[AFTER]]
  // CHECK:           %[[BEGIN:.+]]:2 = scf.while (%{{.+}} = %[[FIRST]], %{{.+}} = %[[N]])
  // CHECK:             memref.load %[[TAU]][%[[B]], %[[H]], %{{.+}}]
  // CHECK:             arith.cmpf olt, %{{.+}}, %[[ONE]]
  // CHECK:           %[[END:.+]]:2 = scf.while (%{{.+}} = %[[BEGIN]]#0, %{{.+}} = %[[N]])
  // CHECK:             memref.load %[[TAU]][%[[B]], %[[H]], %{{.+}}]
  // CHECK:             arith.cmpf ole, %{{.+}}, %[[ZERO]]
  // CHECK-DAG:       memref.load %[[SUMS]][%[[END]]#0]
  // CHECK-DAG:       memref.load %[[SUMS]][%[[BEGIN]]#0]
  // CHECK:           arith.truncf %{{.+}} : f64 to f32
  // CHECK:         memref.store %[[SUM]], %[[DU]][%[[B]], %[[H]], %[[J]]]
  // CHECK:       memref.dealloc %[[SUMS]]
  // CHECK:       scf.reduce
  sparsek.causal_topk_mask_grad window(3)
      ins(%u, %tau, %free, %dt : memref<2x4x?xf32>, memref<2x4x?xf32>,
          memref<2x4x?xi32>, memref<2x4x?xf32>)
      outs(%du : memref<2x4x?xf32>)
  return
}
