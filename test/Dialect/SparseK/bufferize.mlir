// RUN: sparsek-opt %s --split-input-file \
// RUN:   --one-shot-bufferize="bufferize-function-boundaries function-boundary-type-conversion=identity-layout-map" \
// RUN:   --canonicalize | FileCheck %s

// Destinations are written in place.
// CHECK-LABEL: func @topk_mask
// CHECK-SAME: (%[[Z:.*]]: memref<4x9xbf16>, %[[P:.*]]: memref<4x9xbf16>, %[[T:.*]]: memref<4xf32>)
// CHECK-NEXT: sparsek.topk_mask topk(3) ins(%[[Z]] : memref<4x9xbf16>) outs(%[[P]], %[[T]] : memref<4x9xbf16>, memref<4xf32>){{$}}
// CHECK-NEXT: return %[[P]], %[[T]]
func.func @topk_mask(%z: tensor<4x9xbf16>,
                     %p: tensor<4x9xbf16>,
                     %t: tensor<4xf32>) -> (tensor<4x9xbf16>, tensor<4xf32>) {
  %0:2 = sparsek.topk_mask topk(3) ins(%z : tensor<4x9xbf16>)
      outs(%p, %t : tensor<4x9xbf16>, tensor<4xf32>)
      -> tensor<4x9xbf16>, tensor<4xf32>
  return %0#0, %0#1 : tensor<4x9xbf16>, tensor<4xf32>
}

// -----

// A destination that is also read is not: the op reads it while it writes.
// CHECK-LABEL: func @input_as_destination
// CHECK-SAME: (%[[Z:.*]]: memref<4x9xf32>, %[[T:.*]]: memref<4xf32>)
// CHECK: %[[P:.*]] = memref.alloc() {{.*}} : memref<4x9xf32>
// CHECK-NOT: memref.copy
// CHECK: sparsek.topk_mask topk(3) ins(%[[Z]] : memref<4x9xf32>) outs(%[[P]], %[[T]] :
// CHECK: return %[[P]]
func.func @input_as_destination(%z: tensor<4x9xf32>, %t: tensor<4xf32>)
    -> tensor<4x9xf32> {
  %0:2 = sparsek.topk_mask topk(3) ins(%z : tensor<4x9xf32>)
      outs(%z, %t : tensor<4x9xf32>, tensor<4xf32>)
      -> tensor<4x9xf32>, tensor<4xf32>
  return %0#0 : tensor<4x9xf32>
}

// -----

// Nor is one that is read later. Its old contents are not copied.
// CHECK-LABEL: func @destination_read_later
// CHECK-SAME: (%[[Z:.*]]: memref<4x9xf32>, %[[P:.*]]: memref<4x9xf32>, %{{.*}}: memref<4xf32>)
// CHECK: %[[ALLOC:.*]] = memref.alloc() {{.*}} : memref<4x9xf32>
// CHECK-NOT: memref.copy
// CHECK: sparsek.topk_mask topk(3) ins(%[[Z]] : memref<4x9xf32>) outs(%[[ALLOC]],
// CHECK: return %[[ALLOC]], %[[P]]
func.func @destination_read_later(%z: tensor<4x9xf32>, %p: tensor<4x9xf32>,
                                  %t: tensor<4xf32>)
    -> (tensor<4x9xf32>, tensor<4x9xf32>) {
  %0:2 = sparsek.topk_mask topk(3) ins(%z : tensor<4x9xf32>)
      outs(%p, %t : tensor<4x9xf32>, tensor<4xf32>)
      -> tensor<4x9xf32>, tensor<4xf32>
  return %0#0, %p : tensor<4x9xf32>, tensor<4x9xf32>
}

// -----

// One tensor for two destinations: two buffers.
// CHECK-LABEL: func @causal_topk_mask
// CHECK-SAME: (%[[U:.*]]: memref<1x2x?xf32>, %[[E:.*]]: memref<1x2x?xi32>, %[[T:.*]]: memref<1x2x?xf32>)
// CHECK: %[[ALLOC:.*]] = memref.alloc(%{{.*}}) {{.*}} : memref<1x2x?xi32>
// CHECK: sparsek.causal_topk_mask topk(3) window(1) ins(%[[U]] :
// CHECK-SAME: outs(%[[E]], %[[T]], %[[ALLOC]] :
// CHECK: return %[[E]], %[[T]], %[[ALLOC]]
func.func @causal_topk_mask(%u: tensor<1x2x?xf32>, %e: tensor<1x2x?xi32>,
                            %t: tensor<1x2x?xf32>)
    -> (tensor<1x2x?xi32>, tensor<1x2x?xf32>, tensor<1x2x?xi32>) {
  %0:3 = sparsek.causal_topk_mask topk(3) window(1) ins(%u : tensor<1x2x?xf32>)
      outs(%e, %t, %e : tensor<1x2x?xi32>, tensor<1x2x?xf32>, tensor<1x2x?xi32>)
      -> tensor<1x2x?xi32>, tensor<1x2x?xf32>, tensor<1x2x?xi32>
  return %0#0, %0#1, %0#2
      : tensor<1x2x?xi32>, tensor<1x2x?xf32>, tensor<1x2x?xi32>
}

// -----

// CHECK-LABEL: func @sparse_attention
// CHECK-SAME: (%[[Q:[^:]*]]: {{[^%]*}}%[[K:[^:]*]]: {{[^%]*}}%[[E:[^:]*]]: {{[^%]*}}%[[U:[^:]*]]: {{[^%]*}}%[[O:[^:]*]]: {{[^%]*}}%[[L:[^:]*]]:
// CHECK-NEXT: sparsek.sparse_attention gate(value) window(2) scale(5.000000e-01) group(2)
// CHECK-SAME: ins(%[[Q]], %[[K]], %[[K]], %[[E]] : memref<1x4x5x8xf16>, memref<1x2x9x8xf16>, memref<1x2x9x8xf16>, memref<1x2x9xi32>)
// CHECK-SAME: gating(%[[U]], %[[U]] : memref<1x2x9xf32>, memref<1x2x9xf32>)
// CHECK-SAME: outs(%[[O]], %[[L]] : memref<1x4x5x8xf16>, memref<1x4x5xf32>){{$}}
// CHECK-NEXT: return %[[O]], %[[L]]
func.func @sparse_attention(
    %q: tensor<1x4x5x8xf16>, %k: tensor<1x2x9x8xf16>, %e: tensor<1x2x9xi32>,
    %u: tensor<1x2x9xf32>, %o: tensor<1x4x5x8xf16>, %l: tensor<1x4x5xf32>)
    -> (tensor<1x4x5x8xf16>, tensor<1x4x5xf32>) {
  %0:2 = sparsek.sparse_attention gate(value) window(2) scale(0.5) group(2)
      ins(%q, %k, %k, %e : tensor<1x4x5x8xf16>, tensor<1x2x9x8xf16>,
          tensor<1x2x9x8xf16>, tensor<1x2x9xi32>)
      gating(%u, %u : tensor<1x2x9xf32>, tensor<1x2x9xf32>)
      outs(%o, %l : tensor<1x4x5x8xf16>, tensor<1x4x5xf32>)
      -> tensor<1x4x5x8xf16>, tensor<1x4x5xf32>
  return %0#0, %0#1 : tensor<1x4x5x8xf16>, tensor<1x4x5xf32>
}

// -----

// CHECK-LABEL: func @score
// CHECK-SAME: (%[[X:.*]]: memref<1x9x8xf32>, %[[W:.*]]: memref<2x8xf32>, %[[B:.*]]: memref<2xf32>, %[[U:.*]]: memref<1x2x9xf32>)
// CHECK-NEXT: sparsek.score ins(%[[X]], %[[W]], %[[B]], %[[B]] : {{.*}}) outs(%[[U]] : memref<1x2x9xf32>){{$}}
// CHECK-NEXT: return %[[U]]
func.func @score(%x: tensor<1x9x8xf32>, %w: tensor<2x8xf32>, %b: tensor<2xf32>,
                 %u: tensor<1x2x9xf32>) -> tensor<1x2x9xf32> {
  %0 = sparsek.score
      ins(%x, %w, %b, %b : tensor<1x9x8xf32>, tensor<2x8xf32>, tensor<2xf32>,
          tensor<2xf32>)
      outs(%u : tensor<1x2x9xf32>) -> tensor<1x2x9xf32>
  return %0 : tensor<1x2x9xf32>
}

// -----

// CHECK-LABEL: func @live_lists
// CHECK-SAME: (%[[END:.*]]: memref<1x2x9xi32>, %[[NQ:.*]]: index, %[[S:.*]]: memref<1x2x3xi32>, %[[C:.*]]: memref<1x2x3xi32>, %[[L:.*]]: memref<1x2x3x8xi32>)
// CHECK-NEXT: sparsek.live_lists tile(4) ins(%[[END]] : {{.*}}) queries(%[[NQ]]) outs(%[[S]], %[[C]], %[[L]] : {{.*}}){{$}}
// CHECK-NEXT: return %[[L]]
func.func @live_lists(%end: tensor<1x2x9xi32>, %nq: index,
                      %s: tensor<1x2x3xi32>, %c: tensor<1x2x3xi32>,
                      %l: tensor<1x2x3x8xi32>) -> tensor<1x2x3x8xi32> {
  %0:3 = sparsek.live_lists tile(4) ins(%end : tensor<1x2x9xi32>) queries(%nq)
      outs(%s, %c, %l
           : tensor<1x2x3xi32>, tensor<1x2x3xi32>, tensor<1x2x3x8xi32>)
      -> tensor<1x2x3xi32>, tensor<1x2x3xi32>, tensor<1x2x3x8xi32>
  return %0#2 : tensor<1x2x3x8xi32>
}
