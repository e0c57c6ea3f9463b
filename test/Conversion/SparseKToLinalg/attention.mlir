// RUN: sparsek-opt %s --convert-sparsek-to-linalg --canonicalize --cse \
// RUN:   --split-input-file | FileCheck %s

// Query head h reads kv head h / G; query row r stands at r + (Nk - Nq).
// CHECK-DAG: #[[Q:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d4)>
// CHECK-DAG: #[[K:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1 floordiv 2, d3, d4)>
// CHECK-DAG: #[[L:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3)>
// CHECK-LABEL: func @gate_value
// CHECK-SAME: %[[QUERY:.*]]: tensor<1x4x5x8xf16>, %[[KEY:.*]]: tensor<1x2x9x8xf16>, %[[VALUE:.*]]: tensor<1x2x9x3xf16>, %[[END:.*]]: tensor<1x2x9xi32>, %[[SCORES:.*]]: tensor<1x2x9xf32>, %[[TAU:.*]]: tensor<1x2x9xf32>, %[[O:.*]]: tensor<1x4x5x3xf16>, %[[LSE:.*]]: tensor<1x4x5xf32>)
// CHECK: %[[T:.*]] = tensor.extract_slice %[[TAU]][0, 0, 4] [1, 2, 5] [1, 1, 1]
// CHECK: %[[DOTS:.*]] = linalg.generic {indexing_maps = [#[[Q]], #[[K]], #[[L]]],
// CHECK-SAME: ins(%[[QUERY]], %[[KEY]] :
// CHECK: %[[LOGITS:.*]] = linalg.generic {{.*}} ins(%[[END]] : {{.*}}) outs(%[[DOTS]] :
// CHECK: arith.mulf %{{.*}}, %cst{{.*}} : f64
// CHECK: %[[R:.*]] = linalg.index 2
// CHECK: %[[I:.*]] = arith.addi %[[R]], %c4
// CHECK: %[[J:.*]] = linalg.index 3
// CHECK: %[[E:.*]] = arith.index_cast
// CHECK: arith.cmpi sle, %[[J]], %[[I]]
// CHECK: arith.cmpi slt, %[[I]], %[[E]]
// CHECK: linalg.generic {{.*}} ins(%[[LOGITS]] :
// CHECK: arith.maximumf
// CHECK: %[[MAX:.*]] = linalg.generic
// CHECK: %[[WEIGHTS:.*]] = linalg.generic {{.*}} ins(%[[MAX]] : {{.*}}) outs(%[[LOGITS]] :
// CHECK: math.exp
// CHECK: %[[SUM:.*]] = linalg.generic {{.*}} ins(%[[WEIGHTS]] :
// CHECK: %[[GATED:.*]] = linalg.generic {{.*}} ins(%[[SCORES]], %[[T]] : {{.*}}) outs(%[[WEIGHTS]] :
// CHECK: arith.subf %{{.*}}, %{{.*}} : f32
// CHECK: arith.cmpi slt, %{{.*}}, %c2 : index
// CHECK: %[[WEIGHTED:.*]] = linalg.generic {{.*}} ins(%[[GATED]], %[[VALUE]], %[[END]] :
// CHECK: %[[OUT:.*]] = linalg.generic {{.*}} ins(%[[SUM]], %[[WEIGHTED]] : {{.*}}) outs(%[[O]] :
// CHECK: arith.divf
// CHECK: %[[LOG:.*]] = linalg.generic {{.*}} ins(%[[SUM]], %[[MAX]] : {{.*}}) outs(%[[LSE]] :
// CHECK: math.log
// CHECK: return %[[OUT]], %[[LOG]]
func.func @gate_value(
    %q: tensor<1x4x5x8xf16>, %k: tensor<1x2x9x8xf16>, %v: tensor<1x2x9x3xf16>,
    %e: tensor<1x2x9xi32>, %u: tensor<1x2x9xf32>, %t: tensor<1x2x9xf32>,
    %o: tensor<1x4x5x3xf16>, %l: tensor<1x4x5xf32>)
    -> (tensor<1x4x5x3xf16>, tensor<1x4x5xf32>) {
  %0:2 = sparsek.sparse_attention gate(value) window(2) scale(0.5)
      ins(%q, %k, %v, %e : tensor<1x4x5x8xf16>, tensor<1x2x9x8xf16>,
          tensor<1x2x9x3xf16>, tensor<1x2x9xi32>)
      gating(%u, %t : tensor<1x2x9xf32>, tensor<1x2x9xf32>)
      outs(%o, %l : tensor<1x4x5x3xf16>, tensor<1x4x5xf32>)
      -> tensor<1x4x5x3xf16>, tensor<1x4x5xf32>
  return %0#0, %0#1 : tensor<1x4x5x3xf16>, tensor<1x4x5xf32>
}

// -----

// The gate of a key weighs its logit too. Lengths are dynamic: the thresholds
// of the queries are cut out, or padded in front, at run time.
// CHECK-DAG: #[[SHIFT:.*]] = affine_map<()[s0, s1] -> (s0 - s1)>
// CHECK-DAG: #[[BEFORE:.*]] = affine_map<()[s0, s1] -> (-s0 + s1, 0)>
// CHECK-DAG: #[[SKIP:.*]] = affine_map<()[s0, s1] -> (0, s0 - s1)>
// CHECK-LABEL: func @gate_key_value
// CHECK-DAG: %[[NQ:.*]] = tensor.dim %arg0, %c2
// CHECK-DAG: %[[NK:.*]] = tensor.dim %arg1, %c2
// CHECK-DAG: affine.apply #[[SHIFT]]()[%[[NK]], %[[NQ]]]
// CHECK-DAG: %[[B:.*]] = affine.max #[[BEFORE]]()[%[[NK]], %[[NQ]]]
// CHECK-DAG: %[[S:.*]] = affine.max #[[SKIP]]()[%[[NK]], %[[NQ]]]
// CHECK: %[[PADDED:.*]] = tensor.pad %arg4 low[0, 0, %[[B]]] high[0, 0, 0]
// CHECK: %[[T:.*]] = tensor.extract_slice %[[PADDED]][0, 0, %[[S]]] [1, 4, %[[NQ]]]
// CHECK: %[[LOGITS:.*]] = linalg.generic {{.*}} ins(%arg2, %arg3, %[[T]] :
// CHECK: %[[SCALED:.*]] = arith.mulf %{{.*}}, %cst{{.*}} : f64
// CHECK: %[[GATE:.*]] = arith.extf %{{.*}} : f32 to f64
// CHECK: arith.mulf %[[SCALED]], %[[GATE]] : f64
// CHECK: math.exp
// CHECK: linalg.generic {{.*}} ins(%arg3, %[[T]] :
func.func @gate_key_value(
    %q: tensor<1x4x?x8xf32>, %k: tensor<1x4x?x8xf32>, %e: tensor<1x4x?xi32>,
    %u: tensor<1x4x?xf32>, %t: tensor<1x4x?xf32>, %l: tensor<1x4x?xf32>)
    -> tensor<1x4x?x8xf32> {
  %0:2 = sparsek.sparse_attention gate(key_value) window(2)
      ins(%q, %k, %k, %e : tensor<1x4x?x8xf32>, tensor<1x4x?x8xf32>,
          tensor<1x4x?x8xf32>, tensor<1x4x?xi32>)
      gating(%u, %t : tensor<1x4x?xf32>, tensor<1x4x?xf32>)
      outs(%q, %l : tensor<1x4x?x8xf32>, tensor<1x4x?xf32>)
      -> tensor<1x4x?x8xf32>, tensor<1x4x?xf32>
  return %0#0 : tensor<1x4x?x8xf32>
}

// -----

// Without a gate neither scores nor thresholds are read.
// CHECK-LABEL: func @no_gate
// CHECK-SAME: -> tensor<1x4x?x8xf32> {
// CHECK-NOT: %arg3
// CHECK-NOT: tensor.pad
// CHECK-COUNT-1: math.exp
// CHECK-NOT: arith.subf {{.*}} f32
// CHECK: return
func.func @no_gate(
    %q: tensor<1x4x?x8xf32>, %k: tensor<1x4x?x8xf32>, %e: tensor<1x4x?xi32>,
    %u: tensor<1x4x?xf32>, %l: tensor<1x4x?xf32>) -> tensor<1x4x?x8xf32> {
  %0:2 = sparsek.sparse_attention window(2)
      ins(%q, %k, %k, %e : tensor<1x4x?x8xf32>, tensor<1x4x?x8xf32>,
          tensor<1x4x?x8xf32>, tensor<1x4x?xi32>)
      gating(%u, %u : tensor<1x4x?xf32>, tensor<1x4x?xf32>)
      outs(%q, %l : tensor<1x4x?x8xf32>, tensor<1x4x?xf32>)
      -> tensor<1x4x?x8xf32>, tensor<1x4x?xf32>
  return %0#0 : tensor<1x4x?x8xf32>
}
