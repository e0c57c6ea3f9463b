// RUN: sparsek-opt %s --sparsek-memref-to-tensor --split-input-file | FileCheck %s
// RUN: sparsek-opt %s --sparsek-memref-to-tensor --split-input-file \
// RUN:   --one-shot-bufferize --canonicalize | FileCheck %s --check-prefix=BACK

// There and back again leaves no copy.
// CHECK-LABEL: func @topk_mask
// CHECK-SAME: (%[[Z:.*]]: memref<4x?xf32, strided<[?, 1], offset: ?>>, %[[P:.*]]: memref<4x?xf32>, %[[T:.*]]: memref<4xf32>)
// CHECK: %[[Z1:.*]] = bufferization.to_tensor %[[Z]] restrict :
// CHECK: %[[P1:.*]] = bufferization.to_tensor %[[P]] restrict writable :
// CHECK: %[[T1:.*]] = bufferization.to_tensor %[[T]] restrict writable :
// CHECK: %[[R:.*]]:2 = sparsek.topk_mask topk(3) ins(%[[Z1]] : tensor<4x?xf32>) outs(%[[P1]], %[[T1]] : tensor<4x?xf32>, tensor<4xf32>) -> tensor<4x?xf32>, tensor<4xf32>
// CHECK: bufferization.materialize_in_destination %[[R]]#0 in writable %[[P]] :
// CHECK: bufferization.materialize_in_destination %[[R]]#1 in writable %[[T]] :

// BACK-LABEL: func @topk_mask
// BACK-SAME: (%[[Z:.*]]: memref<{{.*}}>, %[[P:.*]]: memref<{{.*}}>, %[[T:.*]]: memref<{{.*}}>)
// BACK-NEXT: sparsek.topk_mask topk(3) ins(%[[Z]] : {{.*}}) outs(%[[P]], %[[T]] : {{.*}}){{$}}
// BACK-NEXT: return
func.func @topk_mask(%z: memref<4x?xf32, strided<[?, 1], offset: ?>>,
                     %p: memref<4x?xf32>, %t: memref<4xf32>) {
  sparsek.topk_mask topk(3)
      ins(%z : memref<4x?xf32, strided<[?, 1], offset: ?>>)
      outs(%p, %t : memref<4x?xf32>, memref<4xf32>)
  return
}

// -----

// A destination that is read too is computed apart.
// CHECK-LABEL: func @in_place
// CHECK-SAME: (%[[Z:.*]]: memref<4x?xf32>, %[[T:.*]]: memref<4xf32>)
// CHECK: %[[Z1:.*]] = bufferization.to_tensor %[[Z]] restrict :
// CHECK: %[[P1:.*]] = tensor.empty(%{{.*}}) : tensor<4x?xf32>
// CHECK: %[[R:.*]]:2 = sparsek.topk_mask topk(3) ins(%[[Z1]] : {{.*}}) outs(%[[P1]], %{{.*}} :
// CHECK: bufferization.materialize_in_destination %[[R]]#0 in writable %[[Z]] :
func.func @in_place(%z: memref<4x?xf32>, %t: memref<4xf32>) {
  sparsek.topk_mask topk(3) ins(%z : memref<4x?xf32>)
      outs(%z, %t : memref<4x?xf32>, memref<4xf32>)
  return
}

// -----

// So is one that is a view of the same memory.
// CHECK-LABEL: func @overlapping_views
// CHECK: %[[P1:.*]] = tensor.empty() : tensor<4xf32>
// CHECK: sparsek.topk_mask topk(3) ins(%{{.*}} : tensor<4xf32>) outs(%[[P1]],
func.func @overlapping_views(%m: memref<6xf32>, %t: memref<f32>) {
  %z = memref.subview %m[0] [4] [1]
      : memref<6xf32> to memref<4xf32, strided<[1]>>
  %p = memref.subview %m[2] [4] [1]
      : memref<6xf32> to memref<4xf32, strided<[1], offset: 2>>
  sparsek.topk_mask topk(3) ins(%z : memref<4xf32, strided<[1]>>)
      outs(%p, %t : memref<4xf32, strided<[1], offset: 2>>, memref<f32>)
  return
}

// -----

// The op that reads what another wrote stays behind it.
// BACK-LABEL: func @in_sequence
// BACK-SAME: (%[[U:.*]]: memref<1x1x9xf32>, %[[Q:.*]]: memref<1x2x9x4xf32>, %[[K:.*]]: memref<1x1x9x4xf32>, %[[E:.*]]: memref<1x1x9xi32>, %[[T:.*]]: memref<1x1x9xf32>, %[[F:.*]]: memref<1x1x9xi32>, %[[O:.*]]: memref<1x2x9x4xf32>, %[[L:.*]]: memref<1x2x9xf32>)
// BACK-NEXT: sparsek.causal_topk_mask topk(3) window(1) ins(%[[U]] : {{.*}}) outs(%[[E]], %[[T]], %[[F]] :
// BACK-NEXT: sparsek.sparse_attention gate(value) window(1) ins(%[[Q]], %[[K]], %[[K]], %[[E]] : {{.*}}) gating(%[[U]], %[[T]] : {{.*}}) outs(%[[O]], %[[L]] :
// BACK-NEXT: return
func.func @in_sequence(
    %u: memref<1x1x9xf32>, %q: memref<1x2x9x4xf32>, %k: memref<1x1x9x4xf32>,
    %e: memref<1x1x9xi32>, %t: memref<1x1x9xf32>, %f: memref<1x1x9xi32>,
    %o: memref<1x2x9x4xf32>, %l: memref<1x2x9xf32>) {
  sparsek.causal_topk_mask topk(3) window(1) ins(%u : memref<1x1x9xf32>)
      outs(%e, %t, %f : memref<1x1x9xi32>, memref<1x1x9xf32>, memref<1x1x9xi32>)
  sparsek.sparse_attention gate(value) window(1)
      ins(%q, %k, %k, %e : memref<1x2x9x4xf32>, memref<1x1x9x4xf32>,
          memref<1x1x9x4xf32>, memref<1x1x9xi32>)
      gating(%u, %t : memref<1x1x9xf32>, memref<1x1x9xf32>)
      outs(%o, %l : memref<1x2x9x4xf32>, memref<1x2x9xf32>)
  return
}

// -----

// Ops on tensors stay as they are.
// CHECK-LABEL: func @on_tensors
// CHECK-NEXT: sparsek.score
// CHECK-NEXT: return
func.func @on_tensors(%x: tensor<1x9x8xf32>, %w: tensor<2x8xf32>,
                      %b: tensor<2xf32>, %u: tensor<1x2x9xf32>)
    -> tensor<1x2x9xf32> {
  %0 = sparsek.score
      ins(%x, %w, %b, %b : tensor<1x9x8xf32>, tensor<2x8xf32>, tensor<2xf32>,
          tensor<2xf32>)
      outs(%u : tensor<1x2x9xf32>) -> tensor<1x2x9xf32>
  return %0 : tensor<1x2x9xf32>
}

// -----

// Scalars are taken over.
// CHECK-LABEL: func @live_lists
// CHECK-SAME: %[[NQ:[a-z0-9]+]]: index
// CHECK: sparsek.live_lists tile(4) ins(%{{.*}} : tensor<1x2x9xi32>) queries(%[[NQ]])
// CHECK-COUNT-3: bufferization.materialize_in_destination
// BACK-LABEL: func @live_lists
// BACK-NEXT: sparsek.live_lists
// BACK-NEXT: return
func.func @live_lists(%end: memref<1x2x9xi32>, %nq: index,
                      %s: memref<1x2x3xi32>, %c: memref<1x2x3xi32>,
                      %l: memref<1x2x3x8xi32>) {
  sparsek.live_lists tile(4) ins(%end : memref<1x2x9xi32>) queries(%nq)
      outs(%s, %c, %l
           : memref<1x2x3xi32>, memref<1x2x3xi32>, memref<1x2x3x8xi32>)
  return
}
