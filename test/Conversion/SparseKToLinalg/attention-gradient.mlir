// RUN: sparsek-opt %s --convert-sparsek-to-linalg --canonicalize --cse \
// RUN:   --split-input-file | FileCheck %s

// Gradients of a group's heads are summed at the end.
// CHECK-DAG: #[[Q:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d4)>
// CHECK-DAG: #[[K:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1 floordiv 2, d3, d4)>
// CHECK-DAG: #[[L:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3)>
// CHECK-DAG: #[[E:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1 floordiv 2, d3)>
// CHECK-DAG: #[[J:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d3, d4)>
// CHECK-LABEL: func @gate_none
// CHECK-SAME: (%[[QUERY:[^:]*]]: {{[^%]*}}%[[KEY:[^:]*]]: {{[^%]*}}%[[VALUE:[^:]*]]: {{[^%]*}}%[[END:[^:]*]]: {{[^%]*}}%[[O:[^:]*]]: {{[^%]*}}%[[LSE:[^:]*]]: {{[^%]*}}%[[DO:[^:]*]]: {{[^%]*}}%[[DQ:[^:]*]]: {{[^%]*}}%[[DK:[^:]*]]: {{[^%]*}}%[[DV:[^:]*]]:
// CHECK-NOT: tensor.pad
// CHECK: %[[DOTS:.*]] = linalg.generic {indexing_maps = [#[[Q]], #[[K]], #[[L]]], {{.*}} ins(%[[QUERY]], %[[KEY]] :
// CHECK: %[[P:.*]] = linalg.generic {indexing_maps = [#[[Q]], #[[K]], #[[L]]], {{.*}} ins(%[[DO]], %[[VALUE]] :
// CHECK: %[[A:.*]] = linalg.generic {{.*}} ins(%[[DOTS]], %[[END]], %[[LSE]] :
// CHECK: math.exp
// CHECK: %[[D:.*]] = linalg.generic {{.*}} ins(%[[DO]], %[[O]] :
// CHECK: %[[DS:.*]] = linalg.generic {{.*}} ins(%[[A]], %[[P]], %[[D]], %[[END]] :
// CHECK: %[[SCALED:.*]] = linalg.generic {{.*}} ins(%[[DS]] :
// CHECK: %[[DQ64:.*]] = linalg.generic {indexing_maps = [#[[L]], #[[K]], #[[E]], #[[Q]]], iterator_types = ["parallel", "parallel", "parallel", "reduction", "parallel"]} ins(%[[SCALED]], %[[KEY]], %[[END]] :
// CHECK: %[[DKH:.*]] = linalg.generic {indexing_maps = [#[[L]], #[[Q]], #[[E]], #[[J]]], iterator_types = ["parallel", "parallel", "reduction", "parallel", "parallel"]} ins(%[[SCALED]], %[[QUERY]], %[[END]] :
// CHECK: %[[DKG:.*]] = tensor.expand_shape %[[DKH]] {{\[\[}}0], [1, 2], [3], [4]] output_shape [1, 3, 2, 9, 8]
// CHECK: %[[DK64:.*]] = linalg.generic {{.*}} iterator_types = ["parallel", "parallel", "reduction", "parallel", "parallel"]} ins(%[[DKG]] :
// CHECK: %[[DVH:.*]] = linalg.generic {indexing_maps = [#[[L]], #[[Q]], #[[E]], #[[J]]], {{.*}} ins(%[[A]], %[[DO]], %[[END]] :
// CHECK: %[[DVG:.*]] = tensor.expand_shape %[[DVH]]
// CHECK: %[[DV64:.*]] = linalg.generic {{.*}} ins(%[[DVG]] :
// CHECK: linalg.generic {{.*}} ins(%[[DQ64]] : {{.*}}) outs(%[[DQ]] :
// CHECK: linalg.generic {{.*}} ins(%[[DK64]] : {{.*}}) outs(%[[DK]] :
// CHECK: linalg.generic {{.*}} ins(%[[DV64]] : {{.*}}) outs(%[[DV]] :
func.func @gate_none(
    %q: tensor<1x6x5x8xf16>, %k: tensor<1x3x9x8xf16>, %v: tensor<1x3x9x4xf16>,
    %e: tensor<1x3x9xi32>, %o: tensor<1x6x5x4xf16>, %l: tensor<1x6x5xf32>,
    %do: tensor<1x6x5x4xf16>, %dq: tensor<1x6x5x8xf16>,
    %dk: tensor<1x3x9x8xf16>, %dv: tensor<1x3x9x4xf16>)
    -> (tensor<1x6x5x8xf16>, tensor<1x3x9x8xf16>, tensor<1x3x9x4xf16>) {
  %0:3 = sparsek.sparse_attention_grad
      ins(%q, %k, %v, %e, %o, %l, %do : tensor<1x6x5x8xf16>,
          tensor<1x3x9x8xf16>, tensor<1x3x9x4xf16>, tensor<1x3x9xi32>,
          tensor<1x6x5x4xf16>, tensor<1x6x5xf32>, tensor<1x6x5x4xf16>)
      outs(%dq, %dk, %dv : tensor<1x6x5x8xf16>, tensor<1x3x9x8xf16>,
           tensor<1x3x9x4xf16>)
      -> tensor<1x6x5x8xf16>, tensor<1x3x9x8xf16>, tensor<1x3x9x4xf16>
  return %0#0, %0#1, %0#2
      : tensor<1x6x5x8xf16>, tensor<1x3x9x8xf16>, tensor<1x3x9x4xf16>
}

// -----

// The gate's gradient flows to the scores and, negated, to tau at the queries'
// positions; heads and lengths are dynamic.
// CHECK-DAG: #[[LOW:.*]] = affine_map<()[s0, s1] -> (-s0 + s1, 0)>
// CHECK-DAG: #[[SKIP:.*]] = affine_map<()[s0, s1] -> (0, s0 - s1)>
// CHECK-LABEL: func @gate_key_value
// CHECK-SAME: (%[[Q:[^:]*]]: {{[^%]*}}%{{[^:]*}}: {{[^%]*}}%[[E:[^:]*]]: {{[^%]*}}%[[L:[^:]*]]: {{[^%]*}}%[[U:[^:]*]]: {{[^%]*}}%[[T:[^:]*]]: {{[^%]*}}%[[DL:[^:]*]]: {{[^%]*}}%[[DU:[^:]*]]: {{[^%]*}}%[[DT:[^:]*]]:
// CHECK: %[[BEFORE:.*]] = affine.max #[[LOW]]()[%[[NK:.*]], %[[NQ:.*]]]
// CHECK: %[[SKIPPED:.*]] = affine.max #[[SKIP]]()[%[[NK]], %[[NQ]]]
// CHECK: %[[PADDED:.*]] = tensor.pad %[[T]] low[0, 0, %[[BEFORE]]] high[0, 0, 0]
// CHECK: %[[TAU:.*]] = tensor.extract_slice %[[PADDED]][0, 0, %[[SKIPPED]]] [
// CHECK: %[[A:.*]] = linalg.generic {{.*}} ins(%{{.*}}, %[[E]], %[[L]], %[[U]], %[[TAU]] :
// CHECK: math.exp
// CHECK: linalg.generic {{.*}} ins(%[[DL]] :
// CHECK: arith.subf %{{.*}} : f64
// CHECK: %[[DS:.*]] = linalg.generic {{.*}} ins(%[[A]], %{{.*}}, %{{.*}}, %[[E]], %[[U]], %[[TAU]] :
// CHECK: linalg.generic {{.*}} ins(%[[DS]], %[[U]], %[[TAU]] :
// CHECK: %[[DG:.*]] = linalg.generic {{.*}} ins(%[[A]], %{{.*}}, %[[DS]], %{{.*}}, %[[E]], %[[U]], %[[TAU]] :
// CHECK: %[[PERKEY:.*]] = linalg.generic {{.*}} iterator_types = ["parallel", "parallel", "reduction", "parallel"]} ins(%[[DG]] :
// CHECK: tensor.expand_shape %[[PERKEY]]
// CHECK: %[[PERQUERY:.*]] = linalg.generic {{.*}} iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%[[DG]] :
// CHECK: tensor.expand_shape %[[PERQUERY]]
// CHECK: %[[BEFOREKEYS:.*]] = affine.max #[[LOW]]()[%[[NQ]], %[[NK]]]
// CHECK: %[[SKIPPEDROWS:.*]] = affine.max #[[SKIP]]()[%[[NQ]], %[[NK]]]
// CHECK: %[[AHEAD:.*]] = tensor.pad %{{.*}} low[0, 0, %[[BEFOREKEYS]]] high[0, 0, 0]
// CHECK: %[[ATKEYS:.*]] = tensor.extract_slice %[[AHEAD]][0, 0, %[[SKIPPEDROWS]]] [
// CHECK: linalg.generic {{.*}} outs(%[[DU]] :
// CHECK: linalg.generic {{.*}} ins(%[[ATKEYS]] : {{.*}}) outs(%[[DT]] :
func.func @gate_key_value(
    %q: tensor<1x?x?x8xf32>, %k: tensor<1x?x?x8xf32>, %e: tensor<1x?x?xi32>,
    %l: tensor<1x?x?xf32>, %u: tensor<1x?x?xf32>, %t: tensor<1x?x?xf32>,
    %dl: tensor<1x?x?xf32>, %du: tensor<1x?x?xf32>, %dt: tensor<1x?x?xf32>)
    -> (tensor<1x?x?x8xf32>, tensor<1x?x?xf32>, tensor<1x?x?xf32>) {
  %0:5 = sparsek.sparse_attention_grad gate(key_value) window(2) group(4)
      ins(%q, %k, %k, %e, %q, %l, %q : tensor<1x?x?x8xf32>,
          tensor<1x?x?x8xf32>, tensor<1x?x?x8xf32>, tensor<1x?x?xi32>,
          tensor<1x?x?x8xf32>, tensor<1x?x?xf32>, tensor<1x?x?x8xf32>)
      grad_lse(%dl : tensor<1x?x?xf32>)
      gating(%u, %t : tensor<1x?x?xf32>, tensor<1x?x?xf32>)
      outs(%q, %k, %k : tensor<1x?x?x8xf32>, tensor<1x?x?x8xf32>,
           tensor<1x?x?x8xf32>)
      gating_outs(%du, %dt : tensor<1x?x?xf32>, tensor<1x?x?xf32>)
      -> tensor<1x?x?x8xf32>, tensor<1x?x?x8xf32>, tensor<1x?x?x8xf32>,
         tensor<1x?x?xf32>, tensor<1x?x?xf32>
  return %0#0, %0#3, %0#4
      : tensor<1x?x?x8xf32>, tensor<1x?x?xf32>, tensor<1x?x?xf32>
}
