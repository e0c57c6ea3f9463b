// RUN: sparsek-opt %s --convert-sparsek-to-linalg --canonicalize --cse | FileCheck %s

// CHECK-DAG: #[[X:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d2, d3)>
// CHECK-DAG: #[[W:.*]] = affine_map<(d0, d1, d2, d3) -> (d1, d3)>
// CHECK-DAG: #[[DOT:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>
// CHECK-DAG: #[[ID:.*]] = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
// CHECK-DAG: #[[HEAD:.*]] = affine_map<(d0, d1, d2) -> (d1)>
// CHECK-LABEL: func @score
// CHECK: %[[DOTS:.*]] = linalg.generic
// CHECK-SAME: indexing_maps = [#[[X]], #[[W]], #[[DOT]]]
// CHECK-SAME: iterator_types = ["parallel", "parallel", "parallel", "reduction"]
// CHECK: arith.mulf %{{.*}}, %{{.*}} : f64
// CHECK: arith.addf %{{.*}}, %{{.*}} : f64
// CHECK: %[[U:.*]] = linalg.generic
// CHECK-SAME: indexing_maps = [#[[ID]], #[[HEAD]], #[[HEAD]], #[[ID]]]
// CHECK-SAME: ins(%[[DOTS]],
// CHECK: ^bb0(%[[D:.*]]: f64, %[[BIAS:.*]]: f32, %[[SLOPE:.*]]: f32, %{{.*}}: f32):
// CHECK: %[[N:.*]] = linalg.index 2
// CHECK: %[[I:.*]] = arith.index_cast %[[N]]
// CHECK: %[[P:.*]] = arith.sitofp %[[I]] : i64 to f64
// CHECK: %[[B:.*]] = arith.extf %[[BIAS]]
// CHECK: %[[S:.*]] = arith.extf %[[SLOPE]]
// CHECK: %[[SP:.*]] = arith.mulf %[[S]], %[[P]] : f64
// CHECK: %[[OFFSET:.*]] = arith.addf %[[B]], %[[SP]] : f64
// CHECK: %[[SUM:.*]] = arith.addf %[[D]], %[[OFFSET]] : f64
// CHECK: arith.truncf %[[SUM]] : f64 to f32
// CHECK: return %[[U]]
func.func @score(%x: tensor<1x?x8xbf16>, %w: tensor<2x8xbf16>,
                 %b: tensor<2xf32>, %s: tensor<2xf32>, %u: tensor<1x2x?xf32>)
    -> tensor<1x2x?xf32> {
  %0 = sparsek.score
      ins(%x, %w, %b, %s : tensor<1x?x8xbf16>, tensor<2x8xbf16>, tensor<2xf32>,
          tensor<2xf32>)
      outs(%u : tensor<1x2x?xf32>) -> tensor<1x2x?xf32>
  return %0 : tensor<1x2x?xf32>
}
