// RUN: sparsek-opt %s | sparsek-opt | FileCheck %s
// RUN: sparsek-opt %s --mlir-print-op-generic | sparsek-opt | FileCheck %s
// RUN: sparsek-opt %s --emit-bytecode | sparsek-opt | FileCheck %s

// CHECK-LABEL: func @live_lists
func.func @live_lists(%end: tensor<1x2x?xi32>, %nq: index,
                      %start: tensor<1x2x?xi32>, %list: tensor<1x2x?x8xi32>)
    -> tensor<1x2x?x8xi32> {
  // CHECK: %{{.*}}:3 = sparsek.live_lists tile(25)
  // CHECK-SAME: ins(%{{.*}} : tensor<1x2x?xi32>) queries(%{{[^)]*}})
  // CHECK-SAME: outs(%{{.*}}, %{{.*}}, %{{.*}} : tensor<1x2x?xi32>, tensor<1x2x?xi32>, tensor<1x2x?x8xi32>) {note = "kept"}
  // CHECK-SAME: -> tensor<1x2x?xi32>, tensor<1x2x?xi32>, tensor<1x2x?x8xi32>
  %0:3 = sparsek.live_lists tile(25) ins(%end : tensor<1x2x?xi32>) queries(%nq)
      outs(%start, %start, %list
           : tensor<1x2x?xi32>, tensor<1x2x?xi32>, tensor<1x2x?x8xi32>)
      {note = "kept"}
      -> tensor<1x2x?xi32>, tensor<1x2x?xi32>, tensor<1x2x?x8xi32>
  return %0#2 : tensor<1x2x?x8xi32>
}

// CHECK-LABEL: func @live_lists_in_memory
func.func @live_lists_in_memory(
    %end: memref<1x2x7xi32, strided<[?, ?, 1], offset: ?>>, %nq: index,
    %start: memref<1x2x4xi32>, %count: memref<1x2x4xi32>,
    %list: memref<1x2x4x0xi32>) {
  // CHECK: sparsek.live_lists tile(2147483647)
  // CHECK-SAME: ins(%{{.*}} : memref<1x2x7xi32, strided<[?, ?, 1], offset: ?>>) queries(%{{[^)]*}})
  // CHECK-SAME: outs(%{{.*}}, %{{.*}}, %{{.*}} : memref<1x2x4xi32>, memref<1x2x4xi32>, memref<1x2x4x0xi32>){{$}}
  sparsek.live_lists tile(2147483647)
      ins(%end : memref<1x2x7xi32, strided<[?, ?, 1], offset: ?>>) queries(%nq)
      outs(%start, %count, %list
           : memref<1x2x4xi32>, memref<1x2x4xi32>, memref<1x2x4x0xi32>)
  return
}
