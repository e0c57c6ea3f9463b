// RUN: sparsek-opt %s --sparsek-check-shapes --split-input-file | FileCheck %s

// Two sizes that the op ties together and that nothing says are equal: one
// check, with the operand's name, dimension and label, and the op behind it.

// CHECK-DAG: llvm.mlir.global internal constant @[[MESSAGE:.*]]("{{.*}}check-shapes.mlir:[[# @LINE + 17]]:{{[0-9]+}}: 'sparsek.topk_mask' op operand 'tau' has size $0 in dimension 0, expected $1 as dimension 0 of operand 'scores' (C4)\00")
// CHECK-DAG: llvm.func @sparsek_check_equal(!llvm.ptr, i64, i64) -> i1
// CHECK-LABEL: func.func @one_check
// CHECK-SAME:    %[[Z:.*]]: tensor<?x8xf32>, %[[T:.*]]: tensor<?xf32>
// CHECK-DAG:     %[[DIM_T:.*]] = tensor.dim %[[T]]
// CHECK-DAG:     %[[GOT:.*]] = arith.index_cast %[[DIM_T]] : index to i64
// CHECK:         %[[ADDRESS:.*]] = llvm.mlir.addressof @[[MESSAGE]]
// CHECK:         %[[OK:.*]] = llvm.call @sparsek_check_equal(%[[ADDRESS]], %[[GOT]], %{{.*}})
// CHECK:         %[[R:.*]]:2 = scf.if %[[OK]]
// CHECK-NEXT:      %[[OP:.*]]:2 = sparsek.topk_mask
// CHECK-NEXT:      scf.yield %[[OP]]#0, %[[OP]]#1
// CHECK-NEXT:    } else {
// CHECK:           %[[NEW:.*]] = tensor.empty(%{{.*}}) : tensor<?xf32>
// CHECK-NEXT:      scf.yield %[[P0:.*]], %[[NEW]]
// CHECK:         return %[[R]]#1
func.func @one_check(%z: tensor<?x8xf32>, %t: tensor<?xf32>) -> tensor<?xf32> {
  %p0 = linalg.copy ins(%z : tensor<?x8xf32>) outs(%z : tensor<?x8xf32>) -> tensor<?x8xf32>
  %a, %b = sparsek.topk_mask topk(2) ins(%z : tensor<?x8xf32>)
      outs(%p0, %t : tensor<?x8xf32>, tensor<?xf32>) -> tensor<?x8xf32>, tensor<?xf32>
  return %b : tensor<?xf32>
}

// -----

// Destinations made from the sizes of the operands, and static sizes, need no
// check; neither do results of an op with such destinations.

// CHECK-LABEL: func.func @no_check
// CHECK-NOT:     llvm.call
// CHECK-NOT:     scf.if
// CHECK:         return
func.func @no_check(%z: tensor<?x4xf32>, %q: tensor<1x8x4x16xf32>, %k: tensor<1x2x16x16xf32>,
                    %l: tensor<1x8x4xf32>, %e: tensor<1x2x16xi32>) -> tensor<?xf32> {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %z, %c0 : tensor<?x4xf32>
  %p0 = tensor.empty(%n) : tensor<?x4xf32>
  %t0 = tensor.empty(%n) : tensor<?xf32>
  %p, %t = sparsek.topk_mask topk(2) ins(%z : tensor<?x4xf32>)
      outs(%p0, %t0 : tensor<?x4xf32>, tensor<?xf32>) -> tensor<?x4xf32>, tensor<?xf32>
  %p2, %t2 = sparsek.topk_mask topk(2) ins(%p : tensor<?x4xf32>)
      outs(%z, %t : tensor<?x4xf32>, tensor<?xf32>) -> tensor<?x4xf32>, tensor<?xf32>
  %o, %lse = sparsek.sparse_attention
      ins(%q, %k, %k, %e : tensor<1x8x4x16xf32>, tensor<1x2x16x16xf32>, tensor<1x2x16x16xf32>, tensor<1x2x16xi32>)
      outs(%q, %l : tensor<1x8x4x16xf32>, tensor<1x8x4xf32>)
      -> tensor<1x8x4x16xf32>, tensor<1x8x4xf32>
  return %t2 : tensor<?xf32>
}

// -----

// On memrefs; the group size; a later op of the block is skipped after a failed
// check of an earlier one, and what was checked is not checked again.

// CHECK-DAG: has size $0 in dimension 2, expected $1 as dimension 2 of operand 'key' (C5)
// CHECK-DAG: operand 'query' has size $0 in dimension 1, expected $1 as 4 times dimension 1 of operand 'key' (C6)
// CHECK-LABEL: func.func @memrefs
// CHECK:         %[[FOUR:.*]] = arith.constant 4 : i64
// CHECK:         arith.muli %{{.*}}, %[[FOUR]] : i64
// CHECK:         llvm.call @sparsek_check_equal
// CHECK:         %[[OK:.*]] = arith.andi
// CHECK-NEXT:    scf.if %[[OK]] {
// CHECK-NEXT:      sparsek.sparse_attention
// CHECK-NEXT:    }
// CHECK-NOT:     llvm.call
// CHECK:         scf.if %[[OK]] {
// CHECK-NEXT:      sparsek.sparse_attention
// CHECK-NEXT:    }
// CHECK-NEXT:    return
func.func @memrefs(%q: memref<1x?x4x16xf32>, %k: memref<1x?x?x16xf32>, %v: memref<1x?x16x16xf32>,
                   %e: memref<1x?x16xi32>, %o: memref<1x?x4x16xf32>, %l: memref<1x?x4xf32>) {
  sparsek.sparse_attention group(4)
      ins(%q, %k, %v, %e : memref<1x?x4x16xf32>, memref<1x?x?x16xf32>, memref<1x?x16x16xf32>, memref<1x?x16xi32>)
      outs(%o, %l : memref<1x?x4x16xf32>, memref<1x?x4xf32>)
  sparsek.sparse_attention group(4)
      ins(%q, %k, %v, %e : memref<1x?x4x16xf32>, memref<1x?x?x16xf32>, memref<1x?x16x16xf32>, memref<1x?x16xi32>)
      outs(%o, %l : memref<1x?x4x16xf32>, memref<1x?x4xf32>)
  return
}

// -----

// Positions are i32.

// CHECK: 'sparsek.causal_topk_mask' op operand 'scores' has size $0 in dimension 2, expected at most $1 (C3)
// CHECK-LABEL: func.func @positions
// CHECK:         %[[MAX:.*]] = arith.constant 2147483647 : i64
// CHECK:         %[[BOUND:.*]] = arith.minsi %[[N:.*]], %[[MAX]] : i64
// CHECK:         llvm.call @sparsek_check_equal(%{{.*}}, %[[N]], %[[BOUND]])
// CHECK-NOT:     llvm.call
func.func @positions(%u: tensor<1x2x?xf32>) -> tensor<1x2x?xi32> {
  %c2 = arith.constant 2 : index
  %n = tensor.dim %u, %c2 : tensor<1x2x?xf32>
  %e0 = tensor.empty(%n) : tensor<1x2x?xi32>
  %t0 = tensor.empty(%n) : tensor<1x2x?xf32>
  %end, %tau, %free = sparsek.causal_topk_mask topk(2) window(1)
      ins(%u : tensor<1x2x?xf32>)
      outs(%e0, %t0, %e0 : tensor<1x2x?xi32>, tensor<1x2x?xf32>, tensor<1x2x?xi32>)
      -> tensor<1x2x?xi32>, tensor<1x2x?xf32>, tensor<1x2x?xi32>
  return %end : tensor<1x2x?xi32>
}

// -----

// The gradients have the sizes of what they are gradients of.

// CHECK-DAG: operand 'grad_mask' has size $0 in dimension 0, expected $1 as dimension 0 of operand 'scores' (C2)
// CHECK-DAG: operand 'grad_tau' has size $0 in dimension 2, expected $1 as dimension 2 of operand 'scores' (C3)
// CHECK-DAG: operand 'grad_output' has size $0 in dimension 2, expected $1 as dimension 2 of operand 'query' (C9)
// CHECK-DAG: operand 'grad_tau' has size $0 in dimension 2, expected $1 as dimension 2 of operand 'key' (C10)
// CHECK-LABEL: func.func @gradients
func.func @gradients(%z: memref<8xf32>, %t: memref<f32>, %zd: memref<?xf32>,
                     %u: memref<1x1x4xf32>, %f: memref<1x1x4xi32>, %ud: memref<1x1x?xf32>,
                     %q: memref<1x1x4x16xf32>, %qd: memref<1x1x?x16xf32>) {
  sparsek.topk_mask_grad ins(%z, %t, %zd : memref<8xf32>, memref<f32>, memref<?xf32>)
      outs(%z : memref<8xf32>)
  sparsek.causal_topk_mask_grad window(1)
      ins(%u, %u, %f, %ud : memref<1x1x4xf32>, memref<1x1x4xf32>, memref<1x1x4xi32>, memref<1x1x?xf32>)
      outs(%u : memref<1x1x4xf32>)
  sparsek.sparse_attention_grad gate(value)
      ins(%q, %q, %q, %f, %q, %u, %qd : memref<1x1x4x16xf32>, memref<1x1x4x16xf32>, memref<1x1x4x16xf32>,
          memref<1x1x4xi32>, memref<1x1x4x16xf32>, memref<1x1x4xf32>, memref<1x1x?x16xf32>)
      gating(%u, %u : memref<1x1x4xf32>, memref<1x1x4xf32>)
      outs(%q, %q, %q : memref<1x1x4x16xf32>, memref<1x1x4x16xf32>, memref<1x1x4x16xf32>)
      gating_outs(%u, %ud : memref<1x1x4xf32>, memref<1x1x?xf32>)
  return
}

// -----

// The keys fit i32, and the tiles' numbers agree.

// CHECK-DAG: operand 'end' has size $0 in dimension 2, expected at most $1 (C3)
// CHECK-DAG: operand 'start' has size $0 in dimension 1, expected $1 as dimension 1 of operand 'end' (C4)
// CHECK-DAG: operand 'count' has size $0 in dimension 2, expected $1 as dimension 2 of operand 'start' (C4)
// CHECK-DAG: operand 'list' has size $0 in dimension 2, expected $1 as dimension 2 of operand 'start' (C4)
// CHECK-LABEL: func.func @live_lists
// CHECK: scf.if
// CHECK-NEXT: sparsek.live_lists
func.func @live_lists(%end: memref<1x?x?xi32>, %nq: index, %start: memref<1x?x?xi32>,
                      %count: memref<1x?x?xi32>, %list: memref<1x?x?x8xi32>) {
  sparsek.live_lists tile(32) ins(%end : memref<1x?x?xi32>) queries(%nq)
      outs(%start, %count, %list
           : memref<1x?x?xi32>, memref<1x?x?xi32>, memref<1x?x?x8xi32>)
  return
}
