// RUN: sparsek-opt %s --sparsek-bufferize | FileCheck %s

// Arguments and results have dynamic offset and strides, the innermost 1.

// CHECK-LABEL: func @attention
// CHECK-SAME:    memref<1x2x?x64xf32, strided<[?, ?, ?, 1], offset: ?>>
// CHECK-SAME:    -> memref<1x2x?xf32, strided<[?, ?, 1], offset: ?>>
// CHECK:         sparsek.sparse_attention
// CHECK-SAME:    outs({{.*}} : memref<1x2x?x64xf32, strided<[?, ?, ?, 1], offset: ?>>, memref<1x2x?xf32, strided<[?, ?, 1], offset: ?>>)
// CHECK-NOT:     memref.copy
func.func @attention(%q: tensor<1x2x?x64xf32>, %k: tensor<1x2x?x64xf32>, %v: tensor<1x2x?x64xf32>, %end: tensor<1x2x?xi32>, %o: tensor<1x2x?x64xf32>, %l: tensor<1x2x?xf32>) -> tensor<1x2x?xf32> {
  %r:2 = sparsek.sparse_attention
      ins(%q, %k, %v, %end : tensor<1x2x?x64xf32>, tensor<1x2x?x64xf32>, tensor<1x2x?x64xf32>, tensor<1x2x?xi32>)
      outs(%o, %l : tensor<1x2x?x64xf32>, tensor<1x2x?xf32>) -> tensor<1x2x?x64xf32>, tensor<1x2x?xf32>
  return %r#1 : tensor<1x2x?xf32>
}

// A rank-0 tensor has no stride to fix.

// CHECK-LABEL: func @scalar
// CHECK-SAME:    memref<f32, strided<[], offset: ?>>
func.func @scalar(%x: tensor<f32>) -> f32 {
  %0 = tensor.extract %x[] : tensor<f32>
  return %0 : f32
}
