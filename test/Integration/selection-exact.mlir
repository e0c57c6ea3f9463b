// RUN: sparsek-opt %s | %run_host | FileCheck %s

// Scores whose thresholds are lost in floating point, worked out by hand.

func.func private @printMemrefF32(tensor<*xf32>)
func.func private @printMemrefI32(tensor<*xi32>)

func.func @main() {
  // Head 0, e = 2^-149: tau[3] = e/3 rounds to 0; tau[5] = e/2 is a tie between
  //         0 and e and rounds to the even 0, so both e are free.
  // Head 1: padding is part of the projection while fewer than two others came:
  //         tau is below it by 2/3, then by 1/3; at the end f is flat at 2 from
  //         -1e30 to 3, and tau is the left end.
  // Head 2: 1e9 - 1 is 1e9 in f32.
  %u = arith.constant dense<[[
    [0.0, 1.0, 0x00000001, 1.0, -0.0, 0x00000001],
    [-1.0e30, -1.0e30, -1.0e30, 5.0, -1.0e30, 4.0],
    [1.0e9, 1.0e9, 1.0e9, 1000000064.0, 0.0, 1.0e9]]]>
    : tensor<1x3x6xf32>
  %e = tensor.empty() : tensor<1x3x6xi32>
  %t = tensor.empty() : tensor<1x3x6xf32>
  %f = tensor.empty() : tensor<1x3x6xi32>
  %r:3 = sparsek.causal_topk_mask topk(2) window(0)
      ins(%u : tensor<1x3x6xf32>)
      outs(%e, %t, %f
           : tensor<1x3x6xi32>, tensor<1x3x6xf32>, tensor<1x3x6xi32>)
      -> tensor<1x3x6xi32>, tensor<1x3x6xf32>, tensor<1x3x6xi32>
  %end = tensor.cast %r#0 : tensor<1x3x6xi32> to tensor<*xi32>
  %tau = tensor.cast %r#1 : tensor<1x3x6xf32> to tensor<*xf32>
  %free = tensor.cast %r#2 : tensor<1x3x6xi32> to tensor<*xi32>
  // CHECK:      sizes = [1, 3, 6]
  // CHECK-NEXT: {{\[\[}}[2, 6, 3, 6, 4, 5],
  // CHECK-NEXT: [5, 3, 2, 6, 4, 6],
  // CHECK-NEXT: [6, 3, 2, 6, 4, 5]]]
  call @printMemrefI32(%end) : (tensor<*xi32>) -> ()
  // CHECK:      sizes = [1, 3, 6]
  // CHECK-NEXT: {{\[\[}}[-inf, -inf, -0.5, 0, 0, 0],
  // CHECK-NEXT: [-inf, -inf, -1e+30, -1e+30, -1e+30, -1e+30],
  // CHECK-NEXT: [-inf, -inf, 1e+09, 1e+09, 1e+09, 1e+09]]]
  call @printMemrefF32(%tau) : (tensor<*xf32>) -> ()
  // CHECK:      sizes = [1, 3, 6]
  // CHECK-NEXT: {{\[\[}}[0, 0, 2, 1, 1, 2],
  // CHECK-NEXT: [0, 0, 0, 0, 0, 0],
  // CHECK-NEXT: [0, 0, 0, 0, 0, 0]]]
  call @printMemrefI32(%free) : (tensor<*xi32>) -> ()
  return
}
