// RUN: sparsek-opt %s --transform-interpreter --canonicalize --cse \
// RUN:   --split-input-file | FileCheck %s

// Rows are tiled, a row stays whole.
// CHECK-LABEL: func @topk_mask_grad
// CHECK-SAME: (%[[Z:.*]]: tensor<4x6x9xf32>, %[[T:.*]]: tensor<4x6xf32>)
// CHECK: scf.for %[[I:.*]] = %{{.*}} to %{{.*}} step %{{.*}} iter_args
// CHECK: scf.for %[[J:.*]] = %{{.*}} to %{{.*}} step %{{.*}} iter_args(%[[O1:.*]] = %{{.*}})
// CHECK: %[[ZS:.*]] = tensor.extract_slice %[[Z]][%[[I]], %[[J]], 0] [2, 3, 9] [1, 1, 1]
// CHECK: %[[TS:.*]] = tensor.extract_slice %[[T]][%[[I]], %[[J]]] [2, 3] [1, 1]
// CHECK: %[[OS:.*]] = tensor.extract_slice %[[O1]][%[[I]], %[[J]], 0] [2, 3, 9] [1, 1, 1]
// CHECK: %[[TILE:.*]] = sparsek.topk_mask_grad ins(%[[ZS]], %[[TS]], %[[ZS]] : {{.*}}) grad_tau(%[[TS]] : tensor<2x3xf32>) outs(%[[OS]] :
// CHECK: tensor.insert_slice %[[TILE]] into %[[O1]][%[[I]], %[[J]], 0] [2, 3, 9] [1, 1, 1]
func.func @topk_mask_grad(%z: tensor<4x6x9xf32>, %t: tensor<4x6xf32>)
    -> tensor<4x6x9xf32> {
  %0 = sparsek.topk_mask_grad
      ins(%z, %t, %z : tensor<4x6x9xf32>, tensor<4x6xf32>, tensor<4x6x9xf32>)
      grad_tau(%t : tensor<4x6xf32>)
      outs(%z : tensor<4x6x9xf32>) -> tensor<4x6x9xf32>
  return %0 : tensor<4x6x9xf32>
}
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(
      %root: !transform.any_op {transform.readonly}) {
    %op = transform.structured.match ops{["sparsek.topk_mask_grad"]} in %root
        : (!transform.any_op) -> !transform.any_op
    %tiled, %loops:2 = transform.structured.tile_using_for %op
        tile_sizes [2, 3] : (!transform.any_op)
        -> (!transform.any_op, !transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

// Batch and heads are tiled, the sequence stays whole.
// CHECK-LABEL: func @causal_topk_mask_grad
// CHECK-SAME: (%[[U:.*]]: memref<2x4x?xf32>, %[[F:.*]]: memref<2x4x?xi32>, %[[O:.*]]: memref<2x4x?xf32>)
// CHECK: scf.for %[[B:.*]] = %c0 to %c2 step %c1
// CHECK: scf.for %[[H:.*]] = %c0 to %c4 step %c2
// CHECK-DAG: %[[US:.*]] = memref.subview %[[U]][%[[B]], %[[H]], 0] [1, 2, %{{.*}}]
// CHECK-DAG: %[[FS:.*]] = memref.subview %[[F]][%[[B]], %[[H]], 0] [1, 2, %{{.*}}]
// CHECK-DAG: %[[OS:.*]] = memref.subview %[[O]][%[[B]], %[[H]], 0] [1, 2, %{{.*}}]
// CHECK: sparsek.causal_topk_mask_grad window(1) ins(%[[US]], %[[US]], %[[FS]], %[[US]] : {{.*}}) outs(%[[OS]] :
func.func @causal_topk_mask_grad(
    %u: memref<2x4x?xf32>, %f: memref<2x4x?xi32>, %o: memref<2x4x?xf32>) {
  sparsek.causal_topk_mask_grad window(1)
      ins(%u, %u, %f, %u : memref<2x4x?xf32>, memref<2x4x?xf32>,
          memref<2x4x?xi32>, memref<2x4x?xf32>)
      outs(%o : memref<2x4x?xf32>)
  return
}
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(
      %root: !transform.any_op {transform.readonly}) {
    %op = transform.structured.match ops{["sparsek.causal_topk_mask_grad"]}
        in %root : (!transform.any_op) -> !transform.any_op
    %tiled, %loops:2 = transform.structured.tile_using_for %op
        tile_sizes [1, 2] : (!transform.any_op)
        -> (!transform.any_op, !transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

// A tile of kv heads takes its group of query heads.
// CHECK: #[[HEADS:.*]] = affine_map<(d0) -> (d0 * 4)>
// CHECK-LABEL: func @sparse_attention_grad
// CHECK-SAME: (%[[Q:[^:]*]]: {{[^%]*}}%[[K:[^:]*]]: {{[^%]*}}%[[E:[^:]*]]: {{[^%]*}}%[[U:[^:]*]]: {{[^%]*}}%[[L:[^:]*]]:
// CHECK: scf.forall (%[[B:.*]], %[[H:.*]]) in (3, 2) shared_outs(%[[DQ:.*]] = %{{.*}}, %[[DK:.*]] = %{{.*}}, %[[DV:.*]] = %{{.*}}, %[[DU:.*]] = %{{.*}}, %[[DT:.*]] = %{{.*}})
// CHECK: %[[HQ:.*]] = affine.apply #[[HEADS]](%[[H]])
// CHECK: %[[QS:.*]] = tensor.extract_slice %[[Q]][%[[B]], %[[HQ]], 0, 0] [1, 4, 5, 16]
// CHECK: %[[KS:.*]] = tensor.extract_slice %[[K]][%[[B]], %[[H]], 0, 0] [1, 1, 7, 16]
// CHECK: %[[ES:.*]] = tensor.extract_slice %[[E]][%[[B]], %[[H]], 0] [1, 1, 7]
// CHECK: %[[LS:.*]] = tensor.extract_slice %[[L]][%[[B]], %[[HQ]], 0] [1, 4, 5]
// CHECK: %[[US:.*]] = tensor.extract_slice %[[U]][%[[B]], %[[H]], 0] [1, 1, 7]
// CHECK: sparsek.sparse_attention_grad gate(value) window(4) group(4)
// CHECK-SAME: ins(%[[QS]], %[[KS]], %[[KS]], %[[ES]], %[[QS]], %[[LS]], %[[QS]] :
// CHECK-SAME: grad_lse(%[[LS]] :
// CHECK-SAME: gating(%[[US]], %[[US]] :
// CHECK: tensor.parallel_insert_slice %{{.*}}#0 into %[[DQ]][%[[B]], %[[HQ]], 0, 0] [1, 4, 5, 16]
// CHECK: tensor.parallel_insert_slice %{{.*}}#1 into %[[DK]][%[[B]], %[[H]], 0, 0] [1, 1, 7, 16]
// CHECK: tensor.parallel_insert_slice %{{.*}}#2 into %[[DV]][%[[B]], %[[H]], 0, 0] [1, 1, 7, 16]
// CHECK: tensor.parallel_insert_slice %{{.*}}#3 into %[[DU]][%[[B]], %[[H]], 0] [1, 1, 7]
// CHECK: tensor.parallel_insert_slice %{{.*}}#4 into %[[DT]][%[[B]], %[[H]], 0] [1, 1, 7]
func.func @sparse_attention_grad(
    %q: tensor<3x8x5x16xf32>, %k: tensor<3x2x7x16xf32>, %e: tensor<3x2x7xi32>,
    %u: tensor<3x2x7xf32>, %l: tensor<3x8x5xf32>)
    -> (tensor<3x8x5x16xf32>, tensor<3x2x7x16xf32>, tensor<3x2x7x16xf32>,
        tensor<3x2x7xf32>, tensor<3x2x7xf32>) {
  %0:5 = sparsek.sparse_attention_grad gate(value) window(4)
      ins(%q, %k, %k, %e, %q, %l, %q : tensor<3x8x5x16xf32>,
          tensor<3x2x7x16xf32>, tensor<3x2x7x16xf32>, tensor<3x2x7xi32>,
          tensor<3x8x5x16xf32>, tensor<3x8x5xf32>, tensor<3x8x5x16xf32>)
      grad_lse(%l : tensor<3x8x5xf32>)
      gating(%u, %u : tensor<3x2x7xf32>, tensor<3x2x7xf32>)
      outs(%q, %k, %k : tensor<3x8x5x16xf32>, tensor<3x2x7x16xf32>,
           tensor<3x2x7x16xf32>)
      gating_outs(%u, %u : tensor<3x2x7xf32>, tensor<3x2x7xf32>)
      -> tensor<3x8x5x16xf32>, tensor<3x2x7x16xf32>, tensor<3x2x7x16xf32>,
         tensor<3x2x7xf32>, tensor<3x2x7xf32>
  return %0#0, %0#1, %0#2, %0#3, %0#4
      : tensor<3x8x5x16xf32>, tensor<3x2x7x16xf32>, tensor<3x2x7x16xf32>,
        tensor<3x2x7xf32>, tensor<3x2x7xf32>
}
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(
      %root: !transform.any_op {transform.readonly}) {
    %op = transform.structured.match ops{["sparsek.sparse_attention_grad"]}
        in %root : (!transform.any_op) -> !transform.any_op
    %tiled, %loop = transform.structured.tile_using_forall %op
        tile_sizes [1, 1] : (!transform.any_op)
        -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

// Three query heads of groups of two: the groups are computed whole, and what
// was asked for is cut out.
// CHECK-DAG: #[[FIRST:.*]] = affine_map<(d0) -> ((d0 * 3) floordiv 2)>
// CHECK-DAG: #[[SKIPPED:.*]] = affine_map<(d0) -> ((d0 * 3) mod 2)>
// CHECK-LABEL: func @fuse_grad_query
// CHECK-SAME: (%{{.*}}, %[[K:.*]]: tensor<1x3x7x16xf32>, %{{.*}}, %{{.*}})
// CHECK: scf.forall (%{{.*}}) in (2)
// CHECK: %[[H:.*]] = affine.apply #[[FIRST]]
// CHECK: %[[KS:.*]] = tensor.extract_slice %[[K]][0, %[[H]], 0, 0] [1, %{{.*}}, 7, 16]
// CHECK: %[[TILE:.*]]:3 = sparsek.sparse_attention_grad group(2) ins(%{{.*}}, %[[KS]],
// CHECK: %[[SKIP:.*]] = affine.apply #[[SKIPPED]]
// CHECK: %[[CUT:.*]] = tensor.extract_slice %[[TILE]]#0[0, %[[SKIP]], 0, 0] [1, 3, 5, 16]
// CHECK: linalg.exp ins(%[[CUT]] :
func.func @fuse_grad_query(
    %q: tensor<1x6x5x16xf32>, %k: tensor<1x3x7x16xf32>, %e: tensor<1x3x7xi32>,
    %l: tensor<1x6x5xf32>) -> tensor<1x6x5x16xf32> {
  %0:3 = sparsek.sparse_attention_grad
      ins(%q, %k, %k, %e, %q, %l, %q : tensor<1x6x5x16xf32>,
          tensor<1x3x7x16xf32>, tensor<1x3x7x16xf32>, tensor<1x3x7xi32>,
          tensor<1x6x5x16xf32>, tensor<1x6x5xf32>, tensor<1x6x5x16xf32>)
      outs(%q, %k, %k : tensor<1x6x5x16xf32>, tensor<1x3x7x16xf32>,
           tensor<1x3x7x16xf32>)
      -> tensor<1x6x5x16xf32>, tensor<1x3x7x16xf32>, tensor<1x3x7x16xf32>
  %1 = linalg.exp ins(%0#0 : tensor<1x6x5x16xf32>)
      outs(%q : tensor<1x6x5x16xf32>) -> tensor<1x6x5x16xf32>
  return %1 : tensor<1x6x5x16xf32>
}
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(
      %root: !transform.any_op {transform.readonly}) {
    %op = transform.structured.match ops{["sparsek.sparse_attention_grad"]}
        in %root : (!transform.any_op) -> !transform.any_op
    %exp = transform.structured.match ops{["linalg.exp"]} in %root
        : (!transform.any_op) -> !transform.any_op
    %tiled, %loop = transform.structured.tile_using_forall %exp
        tile_sizes [0, 3] : (!transform.any_op)
        -> (!transform.any_op, !transform.any_op)
    %fused, %container = transform.structured.fuse_into_containing_op %op
        into %loop : (!transform.any_op, !transform.any_op)
        -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

// The gradient of the keys has the tile's own heads.
// CHECK-LABEL: func @fuse_grad_key
// CHECK: scf.forall (%[[H:.*]]) in (3)
// CHECK: tensor.extract_slice %{{.*}}[0, %[[H]], 0, 0] [1, 1, 7, 16]
// CHECK: %[[TILE:.*]]:3 = sparsek.sparse_attention_grad group(2)
// CHECK: linalg.exp ins(%[[TILE]]#1 :
func.func @fuse_grad_key(
    %q: tensor<1x6x5x16xf32>, %k: tensor<1x3x7x16xf32>, %e: tensor<1x3x7xi32>,
    %l: tensor<1x6x5xf32>) -> tensor<1x3x7x16xf32> {
  %0:3 = sparsek.sparse_attention_grad
      ins(%q, %k, %k, %e, %q, %l, %q : tensor<1x6x5x16xf32>,
          tensor<1x3x7x16xf32>, tensor<1x3x7x16xf32>, tensor<1x3x7xi32>,
          tensor<1x6x5x16xf32>, tensor<1x6x5xf32>, tensor<1x6x5x16xf32>)
      outs(%q, %k, %k : tensor<1x6x5x16xf32>, tensor<1x3x7x16xf32>,
           tensor<1x3x7x16xf32>)
      -> tensor<1x6x5x16xf32>, tensor<1x3x7x16xf32>, tensor<1x3x7x16xf32>
  %1 = linalg.exp ins(%0#1 : tensor<1x3x7x16xf32>)
      outs(%k : tensor<1x3x7x16xf32>) -> tensor<1x3x7x16xf32>
  return %1 : tensor<1x3x7x16xf32>
}
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(
      %root: !transform.any_op {transform.readonly}) {
    %op = transform.structured.match ops{["sparsek.sparse_attention_grad"]}
        in %root : (!transform.any_op) -> !transform.any_op
    %exp = transform.structured.match ops{["linalg.exp"]} in %root
        : (!transform.any_op) -> !transform.any_op
    %tiled, %loop = transform.structured.tile_using_forall %exp
        tile_sizes [0, 1] : (!transform.any_op)
        -> (!transform.any_op, !transform.any_op)
    %fused, %container = transform.structured.fuse_into_containing_op %op
        into %loop : (!transform.any_op, !transform.any_op)
        -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}
