// RUN: sparsek-opt %s --convert-sparsek-to-scf --canonicalize --cse | FileCheck %s

// The test of a breakpoint: 256-bit integers in units of 2^-149, one product
// per side, an integer added at bit 149, and a sign.

// CHECK-LABEL: func.func @breakpoint
// CHECK-DAG:   %[[C0:.+]] = arith.constant 0 : i256
// CHECK-DAG:   %[[UNIT:.+]] = arith.constant 149 : i256
// CHECK:       scf.while (%[[SUM:[a-z0-9]+]] = %{{[a-z0-9#]+}}, %[[FREE:[a-z0-9]+]] = %{{.*}} -> (i256, i64, i64, index, index, index, index, i1, f32)
// A difference of exactly 1 is decided by its rounding error.
// CHECK:         %[[DIFF:.+]] = arith.subf {{.*}} : f64
// CHECK:         arith.cmpf oeq, %[[DIFF]]
// CHECK:         scf.if
// CHECK:           arith.cmpf oge
// CHECK:         } else {
// CHECK:           arith.cmpf ogt, %[[DIFF]]
// CHECK:         %[[PRODUCT:.+]] = arith.muli %[[FREE]], %{{.+}} : i64
// CHECK:         arith.extsi %[[PRODUCT]] : i64 to i128
// CHECK:         %[[REST:.+]] = arith.subi %[[SUM]], %{{.+}} : i256
// CHECK:         %[[INT:.+]] = arith.shli %{{.+}}, %[[UNIT]] : i256
// CHECK:         %[[EXCESS:.+]] = arith.addi %[[REST]], %[[INT]] : i256
// CHECK:         %[[CROSS:.+]] = arith.cmpi sgt, %[[EXCESS]], %[[C0]] : i256
// CHECK:         scf.condition(%[[CROSS]])

// The root in f64, its two roundings, and the exact test between them.
// CHECK:       arith.divf {{.*}} : f64
// CHECK:       %[[BELOW:.+]] = arith.truncf {{.*}} : f64 to f32
// CHECK:       %[[ABOVE:.+]] = arith.truncf {{.*}} : f64 to f32
// CHECK:       %[[SPLIT:.+]] = arith.cmpf one, %[[BELOW]], %[[ABOVE]]
// CHECK:       scf.if %[[SPLIT]]
// CHECK:         %[[TIE:.+]] = arith.cmpi eq, %{{.+}}, %[[C0]] : i256
// CHECK:         %[[ODD:.+]] = arith.trunci %{{.+}} : i32 to i1
// CHECK:         arith.andi %[[TIE]], %[[ODD]]
// CHECK:         arith.select %{{.+}}, %[[ABOVE]], %[[BELOW]]
func.func @breakpoint(%z: memref<?xf32>, %p: memref<?xf32>, %tau: memref<f32>) {
  sparsek.topk_mask topk(2) ins(%z : memref<?xf32>)
      outs(%p, %tau : memref<?xf32>, memref<f32>)
  return
}
