// RUN: sparsek-opt %s --sparsek-lower-copies | FileCheck %s

// CHECK-LABEL: func @row
// CHECK:         %[[ROW:.+]] = vector.transfer_read %{{.+}} vector<128xf32>
// CHECK:         vector.transfer_write %[[ROW]]
// CHECK-NOT:     memref.copy
func.func @row(%a: memref<128xf32, strided<[1], offset: ?>>, %b: memref<128xf32>) {
  memref.copy %a, %b : memref<128xf32, strided<[1], offset: ?>> to memref<128xf32>
  return
}

// CHECK-LABEL: func @matrix
// CHECK:         linalg.copy
func.func @matrix(%a: memref<?x128xf32, strided<[?, 1], offset: ?>>, %b: memref<?x128xf32>) {
  memref.copy %a, %b : memref<?x128xf32, strided<[?, 1], offset: ?>> to memref<?x128xf32>
  return
}

// A long row, too.

// CHECK-LABEL: func @long_row
// CHECK:         linalg.copy
func.func @long_row(%a: memref<4096xf32>, %b: memref<4096xf32>) {
  memref.copy %a, %b : memref<4096xf32> to memref<4096xf32>
  return
}

// CHECK-LABEL: func @itself
// CHECK-NEXT:    return
func.func @itself(%a: memref<?x128xf32>) {
  memref.copy %a, %a : memref<?x128xf32> to memref<?x128xf32>
  return
}
