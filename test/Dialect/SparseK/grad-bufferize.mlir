// RUN: sparsek-opt %s --split-input-file \
// RUN:   --one-shot-bufferize="bufferize-function-boundaries function-boundary-type-conversion=identity-layout-map" \
// RUN:   --canonicalize | FileCheck %s
// RUN: sparsek-opt %s --split-input-file \
// RUN:   --one-shot-bufferize="bufferize-function-boundaries function-boundary-type-conversion=identity-layout-map" \
// RUN:   --sparsek-memref-to-tensor | FileCheck %s --check-prefix=BACK

// Destinations are written in place.
// CHECK-LABEL: func @topk_mask_grad
// CHECK-SAME: (%[[Z:.*]]: memref<4x9xbf16>, %[[T:.*]]: memref<4xf32>, %[[O:.*]]: memref<4x9xbf16>)
// CHECK-NEXT: sparsek.topk_mask_grad ins(%[[Z]], %[[T]], %[[Z]] : memref<4x9xbf16>, memref<4xf32>, memref<4x9xbf16>) grad_tau(%[[T]] : memref<4xf32>) outs(%[[O]] : memref<4x9xbf16>){{$}}
// CHECK-NEXT: return %[[O]]

// And back on tensors.
// BACK-LABEL: func @topk_mask_grad
// BACK: %[[R:.*]] = sparsek.topk_mask_grad ins({{.*}}) grad_tau(%{{.*}} : tensor<4xf32>) outs({{.*}}) -> tensor<4x9xbf16>
// BACK: bufferization.materialize_in_destination %[[R]] in writable %arg2
func.func @topk_mask_grad(%z: tensor<4x9xbf16>, %t: tensor<4xf32>,
                          %o: tensor<4x9xbf16>) -> tensor<4x9xbf16> {
  %0 = sparsek.topk_mask_grad
      ins(%z, %t, %z : tensor<4x9xbf16>, tensor<4xf32>, tensor<4x9xbf16>)
      grad_tau(%t : tensor<4xf32>)
      outs(%o : tensor<4x9xbf16>) -> tensor<4x9xbf16>
  return %0 : tensor<4x9xbf16>
}

// -----

// A destination that is also read is not.
// CHECK-LABEL: func @causal_topk_mask_grad
// CHECK-SAME: (%[[U:.*]]: memref<1x2x9xf32>, %[[F:.*]]: memref<1x2x9xi32>, %[[G:.*]]: memref<1x2x9xf32>)
// CHECK: %[[O:.*]] = memref.alloc() {{.*}} : memref<1x2x9xf32>
// CHECK-NOT: memref.copy
// CHECK: sparsek.causal_topk_mask_grad window(3) ins(%[[U]], %[[U]], %[[F]], %[[G]] : {{.*}}) outs(%[[O]] :
// CHECK: return %[[O]]

// BACK-LABEL: func @causal_topk_mask_grad
// BACK: sparsek.causal_topk_mask_grad window(3) {{.*}} -> tensor<1x2x9xf32>
func.func @causal_topk_mask_grad(
    %u: tensor<1x2x9xf32>, %f: tensor<1x2x9xi32>, %g: tensor<1x2x9xf32>)
    -> tensor<1x2x9xf32> {
  %0 = sparsek.causal_topk_mask_grad window(3)
      ins(%u, %u, %f, %g : tensor<1x2x9xf32>, tensor<1x2x9xf32>,
          tensor<1x2x9xi32>, tensor<1x2x9xf32>)
      outs(%g : tensor<1x2x9xf32>) -> tensor<1x2x9xf32>
  return %0 : tensor<1x2x9xf32>
}

// -----

// CHECK-LABEL: func @sparse_attention_grad
// CHECK-SAME: (%[[Q:[^:]*]]: {{[^%]*}}%[[K:[^:]*]]: {{[^%]*}}%[[E:[^:]*]]: {{[^%]*}}%[[U:[^:]*]]: {{[^%]*}}%[[L:[^:]*]]: {{[^%]*}}%[[DQ:[^:]*]]: {{[^%]*}}%[[DK:[^:]*]]: {{[^%]*}}%[[DV:[^:]*]]: {{[^%]*}}%[[DU:[^:]*]]: {{[^%]*}}%[[DT:[^:]*]]:
// CHECK-NEXT: sparsek.sparse_attention_grad gate(value) window(2) scale(5.000000e-01) group(2)
// CHECK-SAME: ins(%[[Q]], %[[K]], %[[K]], %[[E]], %[[Q]], %[[L]], %[[Q]] : memref<1x4x5x8xf16>,
// CHECK-SAME: gating(%[[U]], %[[U]] : memref<1x2x9xf32>, memref<1x2x9xf32>)
// CHECK-SAME: outs(%[[DQ]], %[[DK]], %[[DV]] : memref<1x4x5x8xf16>, memref<1x2x9x8xf16>, memref<1x2x9x8xf16>)
// CHECK-SAME: gating_outs(%[[DU]], %[[DT]] : memref<1x2x9xf32>, memref<1x2x9xf32>){{$}}
// CHECK-NEXT: return %[[DQ]], %[[DK]], %[[DV]], %[[DU]], %[[DT]]

// BACK-LABEL: func @sparse_attention_grad
// BACK: %[[R:.*]]:5 = sparsek.sparse_attention_grad
// BACK: bufferization.materialize_in_destination %[[R]]#0 in writable %arg5
// BACK: bufferization.materialize_in_destination %[[R]]#4 in writable %arg9
func.func @sparse_attention_grad(
    %q: tensor<1x4x5x8xf16>, %k: tensor<1x2x9x8xf16>, %e: tensor<1x2x9xi32>,
    %u: tensor<1x2x9xf32>, %l: tensor<1x4x5xf32>, %dq: tensor<1x4x5x8xf16>,
    %dk: tensor<1x2x9x8xf16>, %dv: tensor<1x2x9x8xf16>, %du: tensor<1x2x9xf32>,
    %dt: tensor<1x2x9xf32>)
    -> (tensor<1x4x5x8xf16>, tensor<1x2x9x8xf16>, tensor<1x2x9x8xf16>,
        tensor<1x2x9xf32>, tensor<1x2x9xf32>) {
  %0:5 = sparsek.sparse_attention_grad gate(value) window(2) scale(0.5) group(2)
      ins(%q, %k, %k, %e, %q, %l, %q : tensor<1x4x5x8xf16>,
          tensor<1x2x9x8xf16>, tensor<1x2x9x8xf16>, tensor<1x2x9xi32>,
          tensor<1x4x5x8xf16>, tensor<1x4x5xf32>, tensor<1x4x5x8xf16>)
      gating(%u, %u : tensor<1x2x9xf32>, tensor<1x2x9xf32>)
      outs(%dq, %dk, %dv : tensor<1x4x5x8xf16>, tensor<1x2x9x8xf16>,
           tensor<1x2x9x8xf16>)
      gating_outs(%du, %dt : tensor<1x2x9xf32>, tensor<1x2x9xf32>)
      -> tensor<1x4x5x8xf16>, tensor<1x2x9x8xf16>, tensor<1x2x9x8xf16>,
         tensor<1x2x9xf32>, tensor<1x2x9xf32>
  return %0#0, %0#1, %0#2, %0#3, %0#4
      : tensor<1x4x5x8xf16>, tensor<1x2x9x8xf16>, tensor<1x2x9x8xf16>,
        tensor<1x2x9xf32>, tensor<1x2x9xf32>
}
