// RUN: sparsek-opt %s --transform-interpreter --canonicalize --cse \
// RUN:   --split-input-file | FileCheck %s

// Rows are tiled, a row stays whole.
// CHECK-LABEL: func @topk_mask
// CHECK-SAME: (%[[Z:.*]]: tensor<4x6x9xf32>, %[[T:.*]]: tensor<4x6xf32>)
// CHECK: scf.for %[[I:.*]] = %{{.*}} to %{{.*}} step %{{.*}} iter_args
// CHECK: scf.for %[[J:.*]] = %{{.*}} to %{{.*}} step %{{.*}} iter_args(%[[P1:.*]] = %{{.*}}, %[[T1:.*]] = %{{.*}})
// CHECK: %[[ZS:.*]] = tensor.extract_slice %[[Z]][%[[I]], %[[J]], 0] [2, 3, 9] [1, 1, 1]
// CHECK: %[[PS:.*]] = tensor.extract_slice %[[P1]][%[[I]], %[[J]], 0] [2, 3, 9] [1, 1, 1]
// CHECK: %[[TS:.*]] = tensor.extract_slice %[[T1]][%[[I]], %[[J]]] [2, 3] [1, 1]
// CHECK: %[[TILE:.*]]:2 = sparsek.topk_mask topk(3) ins(%[[ZS]] : tensor<2x3x9xf32>) outs(%[[PS]], %[[TS]] :
// CHECK: tensor.insert_slice %[[TILE]]#0 into %[[P1]][%[[I]], %[[J]], 0] [2, 3, 9] [1, 1, 1]
// CHECK: tensor.insert_slice %[[TILE]]#1 into %[[T1]][%[[I]], %[[J]]] [2, 3] [1, 1]
func.func @topk_mask(%z: tensor<4x6x9xf32>, %t: tensor<4x6xf32>)
    -> (tensor<4x6x9xf32>, tensor<4x6xf32>) {
  %0:2 = sparsek.topk_mask topk(3) ins(%z : tensor<4x6x9xf32>)
      outs(%z, %t : tensor<4x6x9xf32>, tensor<4x6xf32>)
      -> tensor<4x6x9xf32>, tensor<4x6xf32>
  return %0#0, %0#1 : tensor<4x6x9xf32>, tensor<4x6xf32>
}
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(
      %root: !transform.any_op {transform.readonly}) {
    %op = transform.structured.match ops{["sparsek.topk_mask"]} in %root
        : (!transform.any_op) -> !transform.any_op
    %tiled, %loops:2 = transform.structured.tile_using_for %op
        tile_sizes [2, 3] : (!transform.any_op)
        -> (!transform.any_op, !transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

// Batch and heads are tiled, the sequence stays whole.
// CHECK: #[[HEAD:.*]] = affine_map<(d0) -> (d0 * 2)>
// CHECK-LABEL: func @causal_topk_mask
// CHECK-SAME: (%[[U:.*]]: tensor<2x4x?xf32>, %{{.*}}: tensor<2x4x?xi32>)
// CHECK: scf.forall (%[[B:.*]], %[[I:.*]]) in (2, 2) shared_outs(%[[E1:.*]] = %{{.*}}, %[[T1:.*]] = %{{.*}}, %[[F1:.*]] = %{{.*}})
// CHECK: %[[H:.*]] = affine.apply #[[HEAD]](%[[I]])
// CHECK: %[[N:.*]] = tensor.dim %[[U]]
// CHECK: %[[US:.*]] = tensor.extract_slice %[[U]][%[[B]], %[[H]], 0] [1, 2, %[[N]]] [1, 1, 1]
// CHECK: %[[TILE:.*]]:3 = sparsek.causal_topk_mask topk(3) window(1) ins(%[[US]] : tensor<1x2x?xf32>)
// CHECK: scf.forall.in_parallel
// CHECK-NEXT: tensor.parallel_insert_slice %[[TILE]]#0 into %[[E1]][%[[B]], %[[H]], 0]
// CHECK-NEXT: tensor.parallel_insert_slice %[[TILE]]#1 into %[[T1]][%[[B]], %[[H]], 0]
// CHECK-NEXT: tensor.parallel_insert_slice %[[TILE]]#2 into %[[F1]][%[[B]], %[[H]], 0]
func.func @causal_topk_mask(%u: tensor<2x4x?xf32>, %e: tensor<2x4x?xi32>)
    -> (tensor<2x4x?xi32>, tensor<2x4x?xf32>, tensor<2x4x?xi32>) {
  %0:3 = sparsek.causal_topk_mask topk(3) window(1) ins(%u : tensor<2x4x?xf32>)
      outs(%e, %u, %e : tensor<2x4x?xi32>, tensor<2x4x?xf32>, tensor<2x4x?xi32>)
      -> tensor<2x4x?xi32>, tensor<2x4x?xf32>, tensor<2x4x?xi32>
  return %0#0, %0#1, %0#2
      : tensor<2x4x?xi32>, tensor<2x4x?xf32>, tensor<2x4x?xi32>
}
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(
      %root: !transform.any_op {transform.readonly}) {
    %op = transform.structured.match ops{["sparsek.causal_topk_mask"]} in %root
        : (!transform.any_op) -> !transform.any_op
    %tiled, %loop = transform.structured.tile_using_forall %op
        tile_sizes [1, 2] : (!transform.any_op)
        -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

// A tile of kv heads takes its group of query heads; a tile of queries the keys
// up to its last position, so that both stay aligned at their ends.
// CHECK-DAG: #[[ROW:.*]] = affine_map<(d0) -> (d0 * 5)>
// CHECK-DAG: #[[SIZE:.*]] = affine_map<(d0)[s0] -> (d0 * -5 + s0, 5)>
// CHECK-DAG: #[[KEYS:.*]] = affine_map<(d0, d1)[s0, s1] -> (0, d0 + d1 * 5 + s0 - s1)>
// CHECK-DAG: #[[HEADS:.*]] = affine_map<(d0) -> (d0 * 4)>
// CHECK-LABEL: func @sparse_attention
// CHECK-SAME: (%[[Q:[^:]*]]: {{[^%]*}}%[[K:[^:]*]]: {{[^%]*}}%[[E:[^:]*]]: {{[^%]*}}%[[U:[^:]*]]: {{[^%]*}}%[[T:[^:]*]]: {{[^%]*}}%{{[^:]*}}: {{[^%]*}}%{{.*}}:
// CHECK: %[[NQ:.*]] = tensor.dim %[[Q]], %c2
// CHECK: scf.forall (%[[H:.*]], %[[I:.*]]) in (2, %{{.*}}) shared_outs(%[[O1:.*]] = %{{.*}}, %[[L1:.*]] = %{{.*}})
// CHECK: %[[R:.*]] = affine.apply #[[ROW]](%[[I]])
// CHECK: %[[S:.*]] = affine.min #[[SIZE]](%[[I]])[%[[NQ]]]
// CHECK: %[[NK:.*]] = tensor.dim %[[K]], %c2
// CHECK: %[[N:.*]] = affine.max #[[KEYS]](%[[S]], %[[I]])[%[[NK]], %[[NQ]]]
// CHECK: %[[HQ:.*]] = affine.apply #[[HEADS]](%[[H]])
// CHECK: %[[QS:.*]] = tensor.extract_slice %[[Q]][0, %[[HQ]], %[[R]], 0] [1, 4, %[[S]], 16]
// CHECK: %[[KS:.*]] = tensor.extract_slice %[[K]][0, %[[H]], 0, 0] [1, 1, %[[N]], 16]
// CHECK: %[[ES:.*]] = tensor.extract_slice %[[E]][0, %[[H]], 0] [1, 1, %[[N]]]
// CHECK: %[[US:.*]] = tensor.extract_slice %[[U]][0, %[[H]], 0] [1, 1, %[[N]]]
// CHECK: %[[TS:.*]] = tensor.extract_slice %[[T]][0, %[[H]], 0] [1, 1, %[[N]]]
// CHECK: %[[OS:.*]] = tensor.extract_slice %[[O1]][0, %[[HQ]], %[[R]], 0] [1, 4, %[[S]], 16]
// CHECK: %[[LS:.*]] = tensor.extract_slice %[[L1]][0, %[[HQ]], %[[R]]] [1, 4, %[[S]]]
// CHECK: sparsek.sparse_attention gate(value) window(4) group(4)
// CHECK-SAME: ins(%[[QS]], %[[KS]], %[[KS]], %[[ES]] :
// CHECK-SAME: gating(%[[US]], %[[TS]] :
// CHECK-SAME: outs(%[[OS]], %[[LS]] :
// CHECK: tensor.parallel_insert_slice %{{.*}}#0 into %[[O1]][0, %[[HQ]], %[[R]], 0] [1, 4, %[[S]], 16]
// CHECK: tensor.parallel_insert_slice %{{.*}}#1 into %[[L1]][0, %[[HQ]], %[[R]]] [1, 4, %[[S]]]
func.func @sparse_attention(
    %q: tensor<1x8x?x16xf32>, %k: tensor<1x2x?x16xf32>, %e: tensor<1x2x?xi32>,
    %u: tensor<1x2x?xf32>, %t: tensor<1x2x?xf32>, %o: tensor<1x8x?x16xf32>,
    %l: tensor<1x8x?xf32>) -> (tensor<1x8x?x16xf32>, tensor<1x8x?xf32>) {
  %0:2 = sparsek.sparse_attention gate(value) window(4)
      ins(%q, %k, %k, %e : tensor<1x8x?x16xf32>, tensor<1x2x?x16xf32>,
          tensor<1x2x?x16xf32>, tensor<1x2x?xi32>)
      gating(%u, %t : tensor<1x2x?xf32>, tensor<1x2x?xf32>)
      outs(%o, %l : tensor<1x8x?x16xf32>, tensor<1x8x?xf32>)
      -> tensor<1x8x?x16xf32>, tensor<1x8x?xf32>
  return %0#0, %0#1 : tensor<1x8x?x16xf32>, tensor<1x8x?xf32>
}
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(
      %root: !transform.any_op {transform.readonly}) {
    %op = transform.structured.match ops{["sparsek.sparse_attention"]} in %root
        : (!transform.any_op) -> !transform.any_op
    %tiled, %loop = transform.structured.tile_using_forall %op
        tile_sizes [1, 1, 5] : (!transform.any_op)
        -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

// More queries than keys: the first tiles see no key at all.
// CHECK: #[[KEYS:.*]] = affine_map<(d0) -> (0, d0 - 8)>
// CHECK-LABEL: func @more_queries_than_keys
// CHECK-SAME: (%{{.*}}: {{.*}}, %[[K:.*]]: memref<1x1x2x4xf32>,
// CHECK: scf.for %[[R:.*]] = %c0 to %c12 step %c2
// CHECK: %[[N:.*]] = affine.max #[[KEYS]](%[[R]])
// CHECK: memref.subview %{{.*}}[0, 0, %[[R]], 0] [1, 1, 2, 4] [1, 1, 1, 1]
// CHECK: memref.subview %[[K]][0, 0, 0, 0] [1, 1, %[[N]], 4] [1, 1, 1, 1]
// CHECK: sparsek.sparse_attention group(1) {{.*}}>){{$}}
func.func @more_queries_than_keys(
    %q: memref<1x1x12x4xf32>, %k: memref<1x1x2x4xf32>, %e: memref<1x1x2xi32>,
    %o: memref<1x1x12x4xf32>, %l: memref<1x1x12xf32>) {
  sparsek.sparse_attention
      ins(%q, %k, %k, %e : memref<1x1x12x4xf32>, memref<1x1x2x4xf32>,
          memref<1x1x2x4xf32>, memref<1x1x2xi32>)
      outs(%o, %l : memref<1x1x12x4xf32>, memref<1x1x12xf32>)
  return
}
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(
      %root: !transform.any_op {transform.readonly}) {
    %op = transform.structured.match ops{["sparsek.sparse_attention"]} in %root
        : (!transform.any_op) -> !transform.any_op
    %tiled, %loops = transform.structured.tile_using_for %op
        tile_sizes [0, 0, 2] : (!transform.any_op)
        -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

// CHECK-LABEL: func @score
// CHECK-SAME: (%[[X:[^:]*]]: {{[^%]*}}%[[W:[^:]*]]: {{[^%]*}}%[[BIAS:[^:]*]]: {{[^%]*}}%[[SLOPE:[^:]*]]: {{[^%]*}}%[[U:[^:]*]]:
// CHECK: scf.for %[[B:.*]] = %c0 to %c2 step %c1
// CHECK: scf.for %[[H:.*]] = %c0 to %c4 step %c2
// CHECK-DAG: %[[XS:.*]] = memref.subview %[[X]][%[[B]], 0, 0] [1, %{{.*}}, 8]
// CHECK-DAG: %[[WS:.*]] = memref.subview %[[W]][%[[H]], 0] [2, 8]
// CHECK-DAG: %[[BS:.*]] = memref.subview %[[BIAS]][%[[H]]] [2]
// CHECK-DAG: %[[SS:.*]] = memref.subview %[[SLOPE]][%[[H]]] [2]
// CHECK-DAG: %[[US:.*]] = memref.subview %[[U]][%[[B]], %[[H]], 0] [1, 2, %{{.*}}]
// CHECK: sparsek.score ins(%[[XS]], %[[WS]], %[[BS]], %[[SS]] : {{.*}}) outs(%[[US]] :
func.func @score(%x: memref<2x?x8xf16>, %w: memref<4x8xf16>, %b: memref<4xf32>,
                 %s: memref<4xf32>, %u: memref<2x4x?xf32>) {
  sparsek.score
      ins(%x, %w, %b, %s : memref<2x?x8xf16>, memref<4x8xf16>, memref<4xf32>,
          memref<4xf32>)
      outs(%u : memref<2x4x?xf32>)
  return
}
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(
      %root: !transform.any_op {transform.readonly}) {
    %op = transform.structured.match ops{["sparsek.score"]} in %root
        : (!transform.any_op) -> !transform.any_op
    %tiled, %loops:2 = transform.structured.tile_using_for %op
        tile_sizes [1, 2] : (!transform.any_op)
        -> (!transform.any_op, !transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

// A consumer's tile of whole groups is one tile.
// CHECK-LABEL: func @fuse_whole_groups
// CHECK-NOT: sparsek
// CHECK: scf.forall (%[[H:.*]], %{{.*}}) in (2, 2)
// CHECK: tensor.extract_slice %{{.*}}[0, %[[H]], 0, 0] [1, 1, %{{.*}}, 16] [1, 1, 1, 1] : tensor<1x2x10x16xf32>
// CHECK: %[[TILE:.*]]:2 = sparsek.sparse_attention group(4)
// CHECK-SAME: -> tensor<1x4x5x16xf32>, tensor<1x4x5xf32>
// CHECK-NEXT: linalg.exp ins(%[[TILE]]#0 : tensor<1x4x5x16xf32>)
func.func @fuse_whole_groups(
    %q: tensor<1x8x10x16xf32>, %k: tensor<1x2x10x16xf32>,
    %e: tensor<1x2x10xi32>, %l: tensor<1x8x10xf32>) -> tensor<1x8x10x16xf32> {
  %0:2 = sparsek.sparse_attention
      ins(%q, %k, %k, %e : tensor<1x8x10x16xf32>, tensor<1x2x10x16xf32>,
          tensor<1x2x10x16xf32>, tensor<1x2x10xi32>)
      outs(%q, %l : tensor<1x8x10x16xf32>, tensor<1x8x10xf32>)
      -> tensor<1x8x10x16xf32>, tensor<1x8x10xf32>
  %1 = linalg.exp ins(%0#0 : tensor<1x8x10x16xf32>)
      outs(%q : tensor<1x8x10x16xf32>) -> tensor<1x8x10x16xf32>
  return %1 : tensor<1x8x10x16xf32>
}
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(
      %root: !transform.any_op {transform.readonly}) {
    %op = transform.structured.match ops{["sparsek.sparse_attention"]} in %root
        : (!transform.any_op) -> !transform.any_op
    %exp = transform.structured.match ops{["linalg.exp"]} in %root
        : (!transform.any_op) -> !transform.any_op
    %tiled, %loop = transform.structured.tile_using_forall %exp
        tile_sizes [0, 4, 5] : (!transform.any_op)
        -> (!transform.any_op, !transform.any_op)
    %fused, %container = transform.structured.fuse_into_containing_op %op
        into %loop : (!transform.any_op, !transform.any_op)
        -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

// A consumer's tile of heads that cuts groups takes the groups it touches and
// leaves the other heads out.
// CHECK-DAG: #[[FIRST:.*]] = affine_map<(d0) -> ((d0 * 3) floordiv 4)>
// CHECK-DAG: #[[COUNT:.*]] = affine_map<(d0, d1) -> ((d0 + d1 * 3) ceildiv 4 - (d1 * 3) floordiv 4)>
// CHECK-DAG: #[[SKIP:.*]] = affine_map<(d0) -> ((d0 * 3) mod 4)>
// CHECK-LABEL: func @fuse_cut_groups
// CHECK: scf.forall (%[[I:.*]]) in (3)
// CHECK: %[[S:.*]] = affine.min
// CHECK: %[[H:.*]] = affine.apply #[[FIRST]](%[[I]])
// CHECK: %[[N:.*]] = affine.apply #[[COUNT]](%[[S]], %[[I]])
// CHECK: tensor.extract_slice %{{.*}}[0, %[[H]], 0, 0] [1, %[[N]], 10, 16] [1, 1, 1, 1] : tensor<1x2x10x16xf32>
// CHECK: %[[TILE:.*]]:2 = sparsek.sparse_attention group(4)
// CHECK: %[[SKIPPED:.*]] = affine.apply #[[SKIP]](%[[I]])
// CHECK: %[[PART:.*]] = tensor.extract_slice %[[TILE]]#0[0, %[[SKIPPED]], 0, 0] [1, %[[S]], 10, 16]
// CHECK: linalg.exp ins(%[[PART]] :
func.func @fuse_cut_groups(
    %q: tensor<1x8x10x16xf32>, %k: tensor<1x2x10x16xf32>,
    %e: tensor<1x2x10xi32>, %l: tensor<1x8x10xf32>) -> tensor<1x8x10x16xf32> {
  %0:2 = sparsek.sparse_attention
      ins(%q, %k, %k, %e : tensor<1x8x10x16xf32>, tensor<1x2x10x16xf32>,
          tensor<1x2x10x16xf32>, tensor<1x2x10xi32>)
      outs(%q, %l : tensor<1x8x10x16xf32>, tensor<1x8x10xf32>)
      -> tensor<1x8x10x16xf32>, tensor<1x8x10xf32>
  %1 = linalg.exp ins(%0#0 : tensor<1x8x10x16xf32>)
      outs(%q : tensor<1x8x10x16xf32>) -> tensor<1x8x10x16xf32>
  return %1 : tensor<1x8x10x16xf32>
}
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(
      %root: !transform.any_op {transform.readonly}) {
    %op = transform.structured.match ops{["sparsek.sparse_attention"]} in %root
        : (!transform.any_op) -> !transform.any_op
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

// A part of a head is not computed alone: the op moves in whole.
// CHECK-LABEL: func @fuse_part_of_head
// CHECK: sparsek.sparse_attention
// CHECK-SAME: -> tensor<1x8x10x16xf32>, tensor<1x8x10xf32>
// CHECK-NEXT: tensor.extract_slice {{.*}} to tensor<1x8x10x8xf32>
func.func @fuse_part_of_head(
    %q: tensor<1x8x10x16xf32>, %k: tensor<1x2x10x16xf32>,
    %e: tensor<1x2x10xi32>, %l: tensor<1x8x10xf32>) -> tensor<1x8x10x16xf32> {
  %0:2 = sparsek.sparse_attention
      ins(%q, %k, %k, %e : tensor<1x8x10x16xf32>, tensor<1x2x10x16xf32>,
          tensor<1x2x10x16xf32>, tensor<1x2x10xi32>)
      outs(%q, %l : tensor<1x8x10x16xf32>, tensor<1x8x10xf32>)
      -> tensor<1x8x10x16xf32>, tensor<1x8x10xf32>
  %1 = linalg.exp ins(%0#0 : tensor<1x8x10x16xf32>)
      outs(%q : tensor<1x8x10x16xf32>) -> tensor<1x8x10x16xf32>
  return %1 : tensor<1x8x10x16xf32>
}
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(
      %root: !transform.any_op {transform.readonly}) {
    %op = transform.structured.match ops{["sparsek.sparse_attention"]} in %root
        : (!transform.any_op) -> !transform.any_op
    %exp = transform.structured.match ops{["linalg.exp"]} in %root
        : (!transform.any_op) -> !transform.any_op
    %tiled, %loop = transform.structured.tile_using_forall %exp
        tile_sizes [0, 0, 0, 8] : (!transform.any_op)
        -> (!transform.any_op, !transform.any_op)
    %fused, %container = transform.structured.fuse_into_containing_op %op
        into %loop : (!transform.any_op, !transform.any_op)
        -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

// CHECK-LABEL: func @fuse_rows
// CHECK-SAME: (%[[Z:.*]]: tensor<?x?xf32>, %{{.*}}: tensor<?xf32>)
// CHECK-NOT: sparsek
// CHECK: scf.forall
// CHECK: %[[R:.*]] = affine.apply
// CHECK: %[[S:.*]] = affine.min
// CHECK: %[[ROWS:.*]] = tensor.extract_slice %[[Z]][%[[R]], 0] [%[[S]], %{{.*}}] [1, 1]
// CHECK: %[[TILE:.*]]:2 = sparsek.topk_mask topk(3) ins(%[[ROWS]] :
// CHECK: linalg.exp ins(%[[TILE]]#0 :
func.func @fuse_rows(%z: tensor<?x?xf32>, %t: tensor<?xf32>)
    -> tensor<?x?xf32> {
  %0:2 = sparsek.topk_mask topk(3) ins(%z : tensor<?x?xf32>)
      outs(%z, %t : tensor<?x?xf32>, tensor<?xf32>)
      -> tensor<?x?xf32>, tensor<?xf32>
  %1 = linalg.exp ins(%0#0 : tensor<?x?xf32>) outs(%z : tensor<?x?xf32>)
      -> tensor<?x?xf32>
  return %1 : tensor<?x?xf32>
}
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(
      %root: !transform.any_op {transform.readonly}) {
    %op = transform.structured.match ops{["sparsek.topk_mask"]} in %root
        : (!transform.any_op) -> !transform.any_op
    %exp = transform.structured.match ops{["linalg.exp"]} in %root
        : (!transform.any_op) -> !transform.any_op
    %tiled, %loop = transform.structured.tile_using_forall %exp
        tile_sizes [4, 0] : (!transform.any_op)
        -> (!transform.any_op, !transform.any_op)
    %fused, %container = transform.structured.fuse_into_containing_op %op
        into %loop : (!transform.any_op, !transform.any_op)
        -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

// A part of a row is not computed alone: the op moves in whole.
// CHECK-LABEL: func @fuse_part_of_row
// CHECK-SAME: (%[[Z:.*]]: tensor<?x?xf32>, %{{.*}}: tensor<?xf32>)
// CHECK: %[[WHOLE:.*]]:2 = sparsek.topk_mask topk(3) ins(%[[Z]] :
// CHECK: tensor.extract_slice %[[WHOLE]]#0
func.func @fuse_part_of_row(%z: tensor<?x?xf32>, %t: tensor<?xf32>)
    -> tensor<?x?xf32> {
  %0:2 = sparsek.topk_mask topk(3) ins(%z : tensor<?x?xf32>)
      outs(%z, %t : tensor<?x?xf32>, tensor<?xf32>)
      -> tensor<?x?xf32>, tensor<?xf32>
  %1 = linalg.exp ins(%0#0 : tensor<?x?xf32>) outs(%z : tensor<?x?xf32>)
      -> tensor<?x?xf32>
  return %1 : tensor<?x?xf32>
}
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(
      %root: !transform.any_op {transform.readonly}) {
    %op = transform.structured.match ops{["sparsek.topk_mask"]} in %root
        : (!transform.any_op) -> !transform.any_op
    %exp = transform.structured.match ops{["linalg.exp"]} in %root
        : (!transform.any_op) -> !transform.any_op
    %tiled, %loop = transform.structured.tile_using_forall %exp
        tile_sizes [0, 4] : (!transform.any_op)
        -> (!transform.any_op, !transform.any_op)
    %fused, %container = transform.structured.fuse_into_containing_op %op
        into %loop : (!transform.any_op, !transform.any_op)
        -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}
