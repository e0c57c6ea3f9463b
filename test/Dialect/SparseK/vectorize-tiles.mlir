// RUN: sparsek-opt %s --pass-pipeline="builtin.module(func.func(sparsek-vectorize-tiles),canonicalize)" --split-input-file | FileCheck %s
// RUN: sparsek-opt %s --pass-pipeline="builtin.module(func.func(sparsek-vectorize-tiles{vector-bits=256}),canonicalize)" --split-input-file | FileCheck %s --check-prefix=NARROW

// A product starts from zeros in registers and keeps its accumulators there over
// the whole reduction.

// CHECK-LABEL: func @product
// CHECK-SAME:    %[[A:.+]]: tensor<48x64xf32>, %[[B:.+]]: tensor<64x32xf32>
// CHECK:         %[[ZERO:.+]] = arith.constant dense<0.000000e+00> : vector<8x32xf32>
// CHECK:         scf.for %[[M:.+]] = %{{.+}} to %{{.+}} step %{{.+}} iter_args
// CHECK:           %[[ACC:.+]] = scf.for %[[K:.+]] = %{{.+}} iter_args(%[[SUM:.+]] = %[[ZERO]]) -> (vector<8x32xf32>)
// CHECK:             %[[L:.+]] = vector.transfer_read %[[A]][%[[M]], %[[K]]]{{.*}} vector<8x1xf32>
// CHECK:             %[[R:.+]] = vector.transfer_read %[[B]][%[[K]], %{{.+}}]{{.*}} vector<1x32xf32>
// CHECK:             vector.contract {{.*}} %[[L]], %[[R]], %[[SUM]]
// CHECK:           vector.transfer_write %[[ACC]]
// CHECK-NOT:     linalg.

// NARROW-LABEL: func @product
// NARROW:         vector.contract {{.*}} : vector<6x1xf32>, vector<1x16xf32> into vector<6x16xf32>
func.func @product(%a: tensor<48x64xf32>, %b: tensor<64x32xf32>, %c: tensor<48x32xf32>) -> tensor<48x32xf32> {
  %zero = arith.constant 0.0 : f32
  %init = linalg.fill ins(%zero : f32) outs(%c : tensor<48x32xf32>) -> tensor<48x32xf32>
  %0 = linalg.matmul ins(%a, %b : tensor<48x64xf32>, tensor<64x32xf32>) outs(%init : tensor<48x32xf32>) -> tensor<48x32xf32>
  return %0 : tensor<48x32xf32>
}

// -----

// A reduction over rows carries its vector through the loop over rows.

#all = affine_map<(r, c) -> (r, c)>
#column = affine_map<(r, c) -> (c)>

// CHECK-LABEL: func @column_maximum
// CHECK:         %[[INIT:.+]] = vector.transfer_read %{{.+}} : tensor<32xf32>, vector<32xf32>
// CHECK:         %[[MAX:.+]] = scf.for {{.*}} iter_args(%[[ACC:.+]] = %[[INIT]]) -> (vector<32xf32>)
// CHECK:           %[[ROWS:.+]] = vector.transfer_read {{.*}} vector<4x32xf32>
// CHECK:           vector.multi_reduction <maxnumf>, %[[ROWS]], %[[ACC]] [0]
// CHECK:         vector.transfer_write %[[MAX]]
func.func @column_maximum(%a: tensor<64x32xf32>, %c: tensor<32xf32>) -> tensor<32xf32> {
  %0 = linalg.generic {indexing_maps = [#all, #column], iterator_types = ["reduction", "parallel"]}
      ins(%a : tensor<64x32xf32>) outs(%c : tensor<32xf32>) {
  ^bb0(%x: f32, %m: f32):
    %1 = arith.maxnumf %x, %m : f32
    linalg.yield %1 : f32
  } -> tensor<32xf32>
  return %0 : tensor<32xf32>
}

// -----

// CHECK-LABEL: func @transpose
// CHECK:         vector.transfer_read {{.*}} vector<16x16xf32>
// NARROW-LABEL: func @transpose
// NARROW:         vector.transfer_read {{.*}} vector<8x8xf32>
func.func @transpose(%a: tensor<32x64xf32>, %c: tensor<64x32xf32>) -> tensor<64x32xf32> {
  %0 = linalg.transpose ins(%a : tensor<32x64xf32>) outs(%c : tensor<64x32xf32>) permutation = [1, 0]
  return %0 : tensor<64x32xf32>
}

// -----

// Dynamic shapes stay linalg.

// CHECK-LABEL: func @dynamic
// CHECK:         linalg.matmul
func.func @dynamic(%a: tensor<?x64xf32>, %b: tensor<64x32xf32>, %c: tensor<?x32xf32>) -> tensor<?x32xf32> {
  %0 = linalg.matmul ins(%a, %b : tensor<?x64xf32>, tensor<64x32xf32>) outs(%c : tensor<?x32xf32>) -> tensor<?x32xf32>
  return %0 : tensor<?x32xf32>
}
