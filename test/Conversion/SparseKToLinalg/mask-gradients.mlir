// RUN: sparsek-opt %s --convert-sparsek-to-linalg --canonicalize --cse \
// RUN:   --split-input-file | FileCheck %s

// The sums over what follows tau, then the gradients.
// CHECK-DAG: #[[ALL:.*]] = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
// CHECK-DAG: #[[ROW:.*]] = affine_map<(d0, d1, d2) -> (d0, d1)>
// CHECK-LABEL: func @topk_mask_grad
// CHECK-SAME: (%[[Z:.*]]: tensor<2x?x9xf16>, %[[T:.*]]: tensor<2x?xf32>, %[[DP:.*]]: tensor<2x?x9xf16>, %[[DT:.*]]: tensor<2x?xf32>, %[[O:.*]]: tensor<2x?x9xf16>)
// CHECK: %[[SUMS:.*]]:2 = linalg.generic {indexing_maps = [#[[ALL]], #[[ROW]], #[[ALL]], #[[ROW]], #[[ROW]]], iterator_types = ["parallel", "parallel", "reduction"]}
// CHECK-SAME: ins(%[[Z]], %[[T]], %[[DP]] :
// CHECK: ^bb0(%[[SCORE:.*]]: f16, %[[TAU:.*]]: f32,
// CHECK: %[[WIDE:.*]] = arith.extf %[[SCORE]] : f16 to f32
// CHECK: %[[EXCESS:.*]] = arith.subf %[[WIDE]], %[[TAU]] : f32
// CHECK: arith.cmpf ogt, %[[EXCESS]]
// CHECK: arith.cmpf olt, %[[EXCESS]]
// CHECK: %[[DZ:.*]] = linalg.generic {{.*}} iterator_types = ["parallel", "parallel", "parallel"]}
// CHECK-SAME: ins(%[[Z]], %[[T]], %[[DP]], %[[SUMS]]#0, %[[SUMS]]#1, %[[DT]] : {{.*}}) outs(%[[O]] :
// CHECK: arith.subf %{{.*}} : f64
// CHECK: arith.divf %{{.*}} : f64
// CHECK: arith.select %{{.*}} : f64
// CHECK: arith.truncf %{{.*}} : f64 to f32
// CHECK: arith.truncf %{{.*}} : f32 to f16
// CHECK: return %[[DZ]]
func.func @topk_mask_grad(
    %z: tensor<2x?x9xf16>, %t: tensor<2x?xf32>, %dp: tensor<2x?x9xf16>,
    %dt: tensor<2x?xf32>, %o: tensor<2x?x9xf16>) -> tensor<2x?x9xf16> {
  %0 = sparsek.topk_mask_grad
      ins(%z, %t, %dp : tensor<2x?x9xf16>, tensor<2x?xf32>, tensor<2x?x9xf16>)
      grad_tau(%dt : tensor<2x?xf32>)
      outs(%o : tensor<2x?x9xf16>) -> tensor<2x?x9xf16>
  return %0 : tensor<2x?x9xf16>
}

// -----

// One row, and no gradient of tau.
// CHECK-LABEL: func @row
// CHECK: linalg.generic {{.*}} iterator_types = ["reduction"]}
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel"]}
// CHECK-NOT: linalg.generic
// CHECK: return
func.func @row(%z: tensor<9xf32>, %t: tensor<f32>) -> tensor<9xf32> {
  %0 = sparsek.topk_mask_grad
      ins(%z, %t, %z : tensor<9xf32>, tensor<f32>, tensor<9xf32>)
      outs(%z : tensor<9xf32>) -> tensor<9xf32>
  return %0 : tensor<9xf32>
}

// -----

// CHECK-DAG: #[[ALL:.*]] = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
// CHECK-DAG: #[[KEY:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>
// CHECK-DAG: #[[QUERY:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d1, d3)>
// CHECK-LABEL: func @causal_topk_mask_grad
// CHECK-SAME: (%[[U:.*]]: tensor<1x2x?xf32>, %[[T:.*]]: tensor<1x2x?xf32>, %[[F:.*]]: tensor<1x2x?xi32>, %[[DT:.*]]: tensor<1x2x?xf32>, %[[O:.*]]: tensor<1x2x?xf32>)
// CHECK: %[[SHARES:.*]] = linalg.generic {indexing_maps = [#[[ALL]], #[[ALL]], #[[ALL]]], {{.*}} ins(%[[DT]], %[[F]] :
// CHECK: arith.divf %{{.*}} : f64
// CHECK: arith.cmpi eq, %{{.*}} : i32
// CHECK: %[[SUMS:.*]] = linalg.generic {indexing_maps = [#[[KEY]], #[[QUERY]], #[[QUERY]], #[[KEY]]], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
// CHECK-SAME: ins(%[[U]], %[[T]], %[[SHARES]] :
// CHECK: %[[J:.*]] = linalg.index 2
// CHECK: %[[I:.*]] = linalg.index 3
// CHECK: %[[LAST:.*]] = arith.subi %[[I]], %c3
// CHECK: arith.cmpi sle, %[[J]], %[[LAST]]
// CHECK: arith.cmpf ogt
// CHECK: arith.cmpf olt
// CHECK: arith.addf %{{.*}} : f64
// CHECK: %[[DU:.*]] = linalg.generic {{.*}} ins(%[[SUMS]] : {{.*}}) outs(%[[O]] :
// CHECK: return %[[DU]]
func.func @causal_topk_mask_grad(
    %u: tensor<1x2x?xf32>, %t: tensor<1x2x?xf32>, %f: tensor<1x2x?xi32>,
    %dt: tensor<1x2x?xf32>, %o: tensor<1x2x?xf32>) -> tensor<1x2x?xf32> {
  %0 = sparsek.causal_topk_mask_grad window(3)
      ins(%u, %t, %f, %dt : tensor<1x2x?xf32>, tensor<1x2x?xf32>,
          tensor<1x2x?xi32>, tensor<1x2x?xf32>)
      outs(%o : tensor<1x2x?xf32>) -> tensor<1x2x?xf32>
  return %0 : tensor<1x2x?xf32>
}
