// RUN: sparsek-opt %s --sparsek-differentiate --split-input-file | FileCheck %s

// Destinations carry no gradient; neither does the result that is not returned.
// CHECK-LABEL: func @topk_mask(
// CHECK-LABEL: func @topk_mask_grad(
// CHECK-SAME: %[[Z:.*]]: tensor<4x?xf32>, %[[P0:.*]]: tensor<4x?xf32>, %[[T0:.*]]: tensor<4xf32>, %[[DP:.*]]: tensor<4x?xf32>) -> tensor<4x?xf32> {
// CHECK: %[[R:.*]]:2 = sparsek.topk_mask topk(2) ins(%[[Z]] : tensor<4x?xf32>) outs(%[[P0]], %[[T0]] :
// CHECK: %[[N:.*]] = tensor.dim %[[Z]], %{{.*}}
// CHECK: %[[DZ0:.*]] = tensor.empty(%[[N]])
// CHECK: %[[DZ:.*]] = sparsek.topk_mask_grad ins(%[[Z]], %[[R]]#1, %[[DP]] : {{.*}}) outs(%[[DZ0]] : tensor<4x?xf32>)
// CHECK: return %[[DZ]] : tensor<4x?xf32>
func.func @topk_mask(%z: tensor<4x?xf32>, %p0: tensor<4x?xf32>,
                     %t0: tensor<4xf32>) -> tensor<4x?xf32> {
  %p, %t = sparsek.topk_mask topk(2) ins(%z : tensor<4x?xf32>)
      outs(%p0, %t0 : tensor<4x?xf32>, tensor<4xf32>)
      -> tensor<4x?xf32>, tensor<4xf32>
  return %p : tensor<4x?xf32>
}

// -----

// Only tau is returned: the gradient of the mask is zero.
// CHECK-LABEL: func @topk_tau_grad(
// CHECK-SAME: %[[Z:.*]]: tensor<4x9xf16>, %[[DT:.*]]: tensor<4xf32>) -> tensor<4x9xf16> {
// CHECK: %[[R:.*]]:2 = sparsek.topk_mask
// CHECK: %[[ZEROS:.*]] = linalg.fill ins(%{{.*}} : f16) outs(%{{.*}} : tensor<4x9xf16>)
// CHECK: %[[DZ:.*]] = sparsek.topk_mask_grad ins(%[[Z]], %[[R]]#1, %[[ZEROS]] : {{.*}}) grad_tau(%[[DT]] : tensor<4xf32>) outs(
// CHECK: return %[[DZ]]
func.func @topk_tau(%z: tensor<4x9xf16>) -> tensor<4xf32> {
  %p0 = tensor.empty() : tensor<4x9xf16>
  %t0 = tensor.empty() : tensor<4xf32>
  %p, %t = sparsek.topk_mask topk(2) ins(%z : tensor<4x9xf16>)
      outs(%p0, %t0 : tensor<4x9xf16>, tensor<4xf32>)
      -> tensor<4x9xf16>, tensor<4xf32>
  return %t : tensor<4xf32>
}

// -----

// Nothing flows to `end`; key is value, so their gradients add up.
// CHECK-LABEL: func @attention_grad(
// CHECK-SAME: %[[Q:.*]]: tensor<1x2x?x16xf16>, %[[K:.*]]: tensor<1x1x?x16xf16>, %[[E:[a-z0-9]*]]: tensor<1x1x?xi32>, %{{.*}}: tensor<1x2x?x16xf16>, %{{.*}}: tensor<1x2x?xf32>, %[[DL:.*]]: tensor<1x2x?xf32>) -> (tensor<1x2x?x16xf16>, tensor<1x1x?x16xf16>) {
// CHECK: %[[R:.*]]:2 = sparsek.sparse_attention scale(5.000000e-01)
// CHECK: %[[DO:.*]] = linalg.fill ins(%{{.*}} : f16) outs(%{{.*}} : tensor<1x2x?x16xf16>)
// CHECK: %[[D:.*]]:3 = sparsek.sparse_attention_grad scale(5.000000e-01) ins(%[[Q]], %[[K]], %[[K]], %[[E]], %[[R]]#0, %[[R]]#1, %[[DO]] : {{.*}}) grad_lse(%[[DL]] : tensor<1x2x?xf32>) outs(
// CHECK: %[[DK:.*]] = arith.addf %[[D]]#1, %[[D]]#2
// CHECK: return %[[D]]#0, %[[DK]]
func.func @attention(%q: tensor<1x2x?x16xf16>, %k: tensor<1x1x?x16xf16>,
                     %end: tensor<1x1x?xi32>, %o0: tensor<1x2x?x16xf16>,
                     %l0: tensor<1x2x?xf32>)
    -> (tensor<1x2x?xf32>, tensor<1x1x?xi32>) {
  %o, %l = sparsek.sparse_attention scale(0.5)
      ins(%q, %k, %k, %end : tensor<1x2x?x16xf16>, tensor<1x1x?x16xf16>,
          tensor<1x1x?x16xf16>, tensor<1x1x?xi32>)
      outs(%o0, %l0 : tensor<1x2x?x16xf16>, tensor<1x2x?xf32>)
      -> tensor<1x2x?x16xf16>, tensor<1x2x?xf32>
  return %l, %end : tensor<1x2x?xf32>, tensor<1x1x?xi32>
}

// -----

// f16 is summed in f32; `bias` is `slope`. The scores are not needed again.
// CHECK-DAG: #[[SCORES:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>
// CHECK-DAG: #[[WEIGHT:.*]] = affine_map<(d0, d1, d2, d3) -> (d1, d3)>
// CHECK-DAG: #[[X:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d2, d3)>
// CHECK-LABEL: func @score_grad(
// CHECK-SAME: %[[XS:.*]]: tensor<1x?x16xf16>, %[[W:.*]]: tensor<2x16xf16>, %{{.*}}: tensor<2xf32>, %{{.*}}: tensor<1x2x?xf32>, %[[DU:.*]]: tensor<1x2x?xf32>) -> (tensor<1x?x16xf16>, tensor<2x16xf16>, tensor<2xf32>) {
// CHECK-NOT: sparsek.score
// CHECK: %[[DX32:.*]] = linalg.contract indexing_maps = [#[[SCORES]], #[[WEIGHT]], #[[X]]] ins(%[[DU]], %[[W]] : {{.*}}) outs(%{{.*}} : tensor<1x?x16xf32>)
// CHECK: %[[DX:.*]] = arith.truncf %[[DX32]]
// CHECK: %[[DW32:.*]] = linalg.contract indexing_maps = [#[[SCORES]], #[[X]], #[[WEIGHT]]] ins(%[[DU]], %[[XS]] : {{.*}}) outs(%{{.*}} : tensor<2x16xf32>)
// CHECK: %[[DW:.*]] = arith.truncf %[[DW32]]
// CHECK: %[[DBIAS:.*]] = linalg.generic {{.*}}iterator_types = ["reduction", "parallel", "reduction"]} ins(%[[DU]]
// CHECK-NOT: linalg.index
// CHECK: %[[DSLOPE:.*]] = linalg.generic {{.*}}iterator_types = ["reduction", "parallel", "reduction"]} ins(%[[DU]]
// CHECK: linalg.index 2
// CHECK: %[[SUM:.*]] = arith.addf %[[DBIAS]], %[[DSLOPE]] : tensor<2xf32>
// CHECK: return %[[DX]], %[[DW]], %[[SUM]]
func.func @score(%x: tensor<1x?x16xf16>, %w: tensor<2x16xf16>,
                 %b: tensor<2xf32>, %u0: tensor<1x2x?xf32>)
    -> tensor<1x2x?xf32> {
  %u = sparsek.score
      ins(%x, %w, %b, %b : tensor<1x?x16xf16>, tensor<2x16xf16>,
          tensor<2xf32>, tensor<2xf32>)
      outs(%u0 : tensor<1x2x?xf32>) -> tensor<1x2x?xf32>
  return %u : tensor<1x2x?xf32>
}

// -----

// A layer: projections, scores, selection, gated attention, projection. The
// scores get a gradient from the gates and one through the thresholds.
#x = affine_map<(b, h, n, e, c) -> (b, n, c)>
#w = affine_map<(b, h, n, e, c) -> (h, e, c)>
#y = affine_map<(b, h, n, e, c) -> (b, h, n, e)>
// CHECK-DAG: #[[X:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d2, d4)>
// CHECK-DAG: #[[W:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d1, d3, d4)>
// CHECK-DAG: #[[Y:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3)>
// CHECK-LABEL: func @layer_grad(
// CHECK-SAME: %[[T:.*]]: tensor<1x9x16xf32>, %[[WQ:.*]]: tensor<4x8x16xf32>, %[[WK:.*]]: tensor<2x8x16xf32>, %[[WU:.*]]: tensor<2x16xf32>, %[[B:.*]]: tensor<2xf32>, %[[DO:.*]]: tensor<1x4x9x8xf32>)
// CHECK-SAME: -> (tensor<1x9x16xf32>, tensor<4x8x16xf32>, tensor<2x8x16xf32>, tensor<2x16xf32>, tensor<2xf32>) {
// CHECK: %[[Q:.*]] = linalg.contract indexing_maps = [#[[X]], #[[W]], #[[Y]]] ins(%[[T]], %[[WQ]]
// CHECK: %[[K:.*]] = linalg.contract indexing_maps = [#[[X]], #[[W]], #[[Y]]] ins(%[[T]], %[[WK]]
// CHECK: %[[U:.*]] = sparsek.score
// CHECK: %[[S:.*]]:3 = sparsek.causal_topk_mask topk(4) window(3) ins(%[[U]]
// CHECK: %[[A:.*]]:2 = sparsek.sparse_attention
// CHECK: %[[D:.*]]:5 = sparsek.sparse_attention_grad gate(key_value) window(3) ins(%[[Q]], %[[K]], %[[K]], %[[S]]#0, %[[A]]#0, %[[A]]#1, %[[DO]] : {{.*}}) gating(%[[U]], %[[S]]#1 :
// CHECK: %[[DK:.*]] = arith.addf %[[D]]#1, %[[D]]#2 : tensor<1x2x9x8xf32>
// CHECK: %[[DU1:.*]] = sparsek.causal_topk_mask_grad window(3) ins(%[[U]], %[[S]]#1, %[[S]]#2, %[[D]]#4
// CHECK: %[[DU:.*]] = arith.addf %[[D]]#3, %[[DU1]] : tensor<1x2x9xf32>
// CHECK: %[[DX1:.*]] = linalg.contract {{.*}} ins(%[[DU]], %[[WU]]
// CHECK: %[[DWU:.*]] = linalg.contract {{.*}} ins(%[[DU]], %[[T]]
// CHECK: %[[DX2:.*]] = linalg.contract indexing_maps = [#[[Y]], #[[W]], #[[X]]] ins(%[[DK]], %[[WK]]
// CHECK: %[[DX12:.*]] = arith.addf %[[DX1]], %[[DX2]]
// CHECK: %[[DWK:.*]] = linalg.contract indexing_maps = [#[[Y]], #[[X]], #[[W]]] ins(%[[DK]], %[[T]]
// CHECK: %[[DX3:.*]] = linalg.contract indexing_maps = [#[[Y]], #[[W]], #[[X]]] ins(%[[D]]#0, %[[WQ]]
// CHECK: %[[DX:.*]] = arith.addf %[[DX12]], %[[DX3]]
// CHECK: %[[DWQ:.*]] = linalg.contract indexing_maps = [#[[Y]], #[[X]], #[[W]]] ins(%[[D]]#0, %[[T]]
// CHECK: return %[[DX]], %[[DWQ]], %[[DWK]], %[[DWU]], %{{.*}} :
func.func @layer(%x: tensor<1x9x16xf32>, %wq: tensor<4x8x16xf32>,
                 %wk: tensor<2x8x16xf32>, %wu: tensor<2x16xf32>,
                 %b: tensor<2xf32>) -> tensor<1x4x9x8xf32> {
  %zero = arith.constant 0.0 : f32
  %q0 = tensor.empty() : tensor<1x4x9x8xf32>
  %q1 = linalg.fill ins(%zero : f32) outs(%q0 : tensor<1x4x9x8xf32>)
      -> tensor<1x4x9x8xf32>
  %q = linalg.contract indexing_maps = [#x, #w, #y]
      ins(%x, %wq : tensor<1x9x16xf32>, tensor<4x8x16xf32>)
      outs(%q1 : tensor<1x4x9x8xf32>) -> tensor<1x4x9x8xf32>
  %k0 = tensor.empty() : tensor<1x2x9x8xf32>
  %k1 = linalg.fill ins(%zero : f32) outs(%k0 : tensor<1x2x9x8xf32>)
      -> tensor<1x2x9x8xf32>
  %k = linalg.contract indexing_maps = [#x, #w, #y]
      ins(%x, %wk : tensor<1x9x16xf32>, tensor<2x8x16xf32>)
      outs(%k1 : tensor<1x2x9x8xf32>) -> tensor<1x2x9x8xf32>
  %u0 = tensor.empty() : tensor<1x2x9xf32>
  %u = sparsek.score
      ins(%x, %wu, %b, %b : tensor<1x9x16xf32>, tensor<2x16xf32>,
          tensor<2xf32>, tensor<2xf32>)
      outs(%u0 : tensor<1x2x9xf32>) -> tensor<1x2x9xf32>
  %e0 = tensor.empty() : tensor<1x2x9xi32>
  %end, %tau, %free = sparsek.causal_topk_mask topk(4) window(3)
      ins(%u : tensor<1x2x9xf32>)
      outs(%e0, %u0, %e0
           : tensor<1x2x9xi32>, tensor<1x2x9xf32>, tensor<1x2x9xi32>)
      -> tensor<1x2x9xi32>, tensor<1x2x9xf32>, tensor<1x2x9xi32>
  %l0 = tensor.empty() : tensor<1x4x9xf32>
  %o, %lse = sparsek.sparse_attention gate(key_value) window(3)
      ins(%q, %k, %k, %end : tensor<1x4x9x8xf32>, tensor<1x2x9x8xf32>,
          tensor<1x2x9x8xf32>, tensor<1x2x9xi32>)
      gating(%u, %tau : tensor<1x2x9xf32>, tensor<1x2x9xf32>)
      outs(%q0, %l0 : tensor<1x4x9x8xf32>, tensor<1x4x9xf32>)
      -> tensor<1x4x9x8xf32>, tensor<1x4x9xf32>
  return %o : tensor<1x4x9x8xf32>
}

// -----

// By default public functions with a sparsek op that take and return floats.
// CHECK-NOT: @private_grad
// CHECK-NOT: @select_grad
// CHECK-NOT: @upstream_grad
func.func private @private(%z: tensor<4xf32>, %p0: tensor<4xf32>,
                           %t0: tensor<f32>) -> tensor<4xf32> {
  %p, %t = sparsek.topk_mask topk(2) ins(%z : tensor<4xf32>)
      outs(%p0, %t0 : tensor<4xf32>, tensor<f32>) -> tensor<4xf32>, tensor<f32>
  return %p : tensor<4xf32>
}

func.func @select(%u: tensor<1x1x9xf32>, %e0: tensor<1x1x9xi32>)
    -> tensor<1x1x9xi32> {
  %t0 = tensor.empty() : tensor<1x1x9xf32>
  %end, %tau, %free = sparsek.causal_topk_mask topk(4) window(3)
      ins(%u : tensor<1x1x9xf32>)
      outs(%e0, %t0, %e0
           : tensor<1x1x9xi32>, tensor<1x1x9xf32>, tensor<1x1x9xi32>)
      -> tensor<1x1x9xi32>, tensor<1x1x9xf32>, tensor<1x1x9xi32>
  return %end : tensor<1x1x9xi32>
}

func.func @upstream(%a: tensor<4xf32>) -> tensor<4xf32> {
  %0 = arith.negf %a : tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

// A declaration is replaced.
// CHECK-LABEL: func @called(
// CHECK: func @called_grad(%{{.*}}: tensor<4xf32>, %{{.*}}: tensor<4xf32>) -> tensor<4xf32> {
// CHECK-NOT: @called_grad(
// CHECK-LABEL: func @caller(
// CHECK: call @called_grad(
func.func @called(%z: tensor<4xf32>) -> tensor<4xf32> {
  %p0 = tensor.empty() : tensor<4xf32>
  %t0 = tensor.empty() : tensor<f32>
  %p, %t = sparsek.topk_mask topk(2) ins(%z : tensor<4xf32>)
      outs(%p0, %t0 : tensor<4xf32>, tensor<f32>) -> tensor<4xf32>, tensor<f32>
  return %p : tensor<4xf32>
}

func.func private @called_grad(tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>

func.func @caller(%z: tensor<4xf32>) -> tensor<4xf32> {
  %0 = call @called_grad(%z, %z)
      : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}
