// RUN: sparsek-opt %s --sparsek-lower-vectors | FileCheck %s

#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (k, n)>
#c = affine_map<(m, n, k) -> (m, n)>

// CHECK-LABEL: func @contract
// CHECK-COUNT-2: vector.fma
// CHECK-NOT:     vector.contract
// CHECK-NOT:     vector.outerproduct
func.func @contract(%a: vector<2x1xf32>, %b: vector<1x16xf32>, %c: vector<2x16xf32>) -> vector<2x16xf32> {
  %0 = vector.contract {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"], kind = #vector.kind<add>}
      %a, %b, %c : vector<2x1xf32>, vector<1x16xf32> into vector<2x16xf32>
  return %0 : vector<2x16xf32>
}

// A reduction over rows is elementwise.

// CHECK-LABEL: func @rows
// CHECK-COUNT-4: arith.addf %{{.+}}, %{{.+}} : vector<16xf32>
// CHECK-NOT:     vector.multi_reduction
func.func @rows(%a: vector<4x16xf32>, %c: vector<16xf32>) -> vector<16xf32> {
  %0 = vector.multi_reduction <add>, %a, %c [0] : vector<4x16xf32> to vector<16xf32>
  return %0 : vector<16xf32>
}

// A transfer of two dimensions is a load per row.

// CHECK-LABEL: func @transfer
// CHECK-COUNT-2: vector.load
// CHECK-NOT:     vector.transfer_read
func.func @transfer(%m: memref<8x16xf32>, %i: index) -> vector<2x16xf32> {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %0 = vector.transfer_read %m[%i, %c0], %zero {in_bounds = [true, true]} : memref<8x16xf32>, vector<2x16xf32>
  return %0 : vector<2x16xf32>
}

// CHECK-LABEL: func @transpose
// CHECK:         vector.shuffle
// CHECK-NOT:     vector.transpose
func.func @transpose(%a: vector<16x16xf32>) -> vector<16x16xf32> {
  %0 = vector.transpose %a, [1, 0] : vector<16x16xf32> to vector<16x16xf32>
  return %0 : vector<16x16xf32>
}
