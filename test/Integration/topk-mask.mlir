// RUN: sparsek-opt %s --sparsek-reference-pipeline | %run_host | FileCheck %s

func.func private @printMemrefF32(tensor<*xf32>)

func.func @main() {
  // Row 0: tau = 0.5 * (0.5 + 0.25 - 1) = -0.125: one entry is cut at 1, one
  //        at 0.
  // Row 1: all equal; each gets topk / n.
  // Row 2: a flat piece [1, 2]: tau is its start.
  // Row 3: NaN and -inf leave two finite entries: everything is kept.
  // Row 4: one score takes its whole 1, the equal ones share the other.
  // Row 5: -0.0 is 0.0, and tau is never -0.0.
  %z = arith.constant dense<[
    [0.5, 0.25, -0.5, 2.0],
    [1.0, 1.0, 1.0, 1.0],
    [5.0, 3.0, 1.0, 0.0],
    [0xFF800000, 0.5, 0x7FC00000, -1.0e30],
    [1.0e9, 0.5, 0.5, -1.0e30],
    [-0.0, 0.0, 1.0, 1.0]]> : tensor<6x4xf32>
  %p0 = tensor.empty() : tensor<6x4xf32>
  %t0 = tensor.empty() : tensor<6xf32>
  %p, %t = sparsek.topk_mask topk(2) ins(%z : tensor<6x4xf32>)
      outs(%p0, %t0 : tensor<6x4xf32>, tensor<6xf32>)
      -> tensor<6x4xf32>, tensor<6xf32>
  %pu = tensor.cast %p : tensor<6x4xf32> to tensor<*xf32>
  %tu = tensor.cast %t : tensor<6xf32> to tensor<*xf32>
  // CHECK: sizes = [6, 4]
  // CHECK-NEXT: {{\[}}[0.625, 0.375, 0, 1],
  // CHECK-NEXT: [0.5, 0.5, 0.5, 0.5],
  // CHECK-NEXT: [1, 1, 0, 0],
  // CHECK-NEXT: [1, 1, 1, 1],
  // CHECK-NEXT: [1, 0.5, 0.5, 0],
  // CHECK-NEXT: [0, 0, 1, 1]]
  call @printMemrefF32(%pu) : (tensor<*xf32>) -> ()
  // CHECK: sizes = [6]
  // CHECK-NEXT: [-0.125, 0.5, 1, -inf, 0, 0]
  call @printMemrefF32(%tu) : (tensor<*xf32>) -> ()
  return
}
