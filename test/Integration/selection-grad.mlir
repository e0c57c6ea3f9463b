// Gradients of the selection, worked out by hand, by both lowerings.

// RUN: sparsek-opt %s | %run_host | FileCheck %s
// RUN: sparsek-opt %s --sparsek-reference-pipeline | %run_host | FileCheck %s

func.func private @printMemrefF32(memref<*xf32>)

func.func @main() {
  // Row 0: the entries 1 and 2 follow tau; the others are 1, 0 and padding.
  // Row 1: tau = -inf. Row 2: ties, of which none follows.
  %zs = arith.constant dense<[[0.9, 0.5, 0.2, -3.0, 0xFF800000],
                              [0.9, 0.5, 0.2, -3.0, 0x7FC00000],
                              [3.0, 2.0, 2.0, 3.0, 0x7FC00000]]>
      : tensor<3x5xf32>
  %ts = arith.constant dense<[-0.15, 0xFF800000, 2.0]> : tensor<3xf32>
  %gs = arith.constant dense<[1.0, 2.0, 4.0, 8.0, 0x7FC00000]> : tensor<5xf32>
  %gt = arith.constant dense<[1.0, 8.0, 8.0]> : tensor<3xf32>
  %all = tensor.empty() : tensor<3x5xf32>
  %dps = linalg.broadcast ins(%gs : tensor<5xf32>) outs(%all : tensor<3x5xf32>)
      dimensions = [0]
  %z = bufferization.to_buffer %zs : tensor<3x5xf32> to memref<3x5xf32>
  %t = bufferization.to_buffer %ts : tensor<3xf32> to memref<3xf32>
  %dp = bufferization.to_buffer %dps : tensor<3x5xf32> to memref<3x5xf32>
  %dt = bufferization.to_buffer %gt : tensor<3xf32> to memref<3xf32>
  %dz = memref.alloc() : memref<3x5xf32>
  %printed = memref.cast %dz : memref<3x5xf32> to memref<*xf32>

  sparsek.topk_mask_grad
      ins(%z, %t, %dp : memref<3x5xf32>, memref<3xf32>, memref<3x5xf32>)
      outs(%dz : memref<3x5xf32>)
  // CHECK:      sizes = [3, 5]
  // CHECK-NEXT: {{\[\[}}0, -1, 1, 0, 0],
  // CHECK-NEXT: [0, 0, 0, 0, 0],
  // CHECK-NEXT: [0, 0, 0, 0, 0]]
  call @printMemrefF32(%printed) : (memref<*xf32>) -> ()

  // 1 more for row 0, half each. In place.
  memref.copy %dp, %dz : memref<3x5xf32> to memref<3x5xf32>
  sparsek.topk_mask_grad
      ins(%z, %t, %dz : memref<3x5xf32>, memref<3xf32>, memref<3x5xf32>)
      grad_tau(%dt : memref<3xf32>)
      outs(%dz : memref<3x5xf32>)
  // CHECK:      sizes = [3, 5]
  // CHECK-NEXT: {{\[\[}}0, -0.5, 1.5, 0, 0],
  // CHECK-NEXT: [0, 0, 0, 0, 0],
  // CHECK-NEXT: [0, 0, 0, 0, 0]]
  call @printMemrefF32(%printed) : (memref<*xf32>) -> ()

  // Key 0 follows tau at 2, key 1 from 2 to 4, key 3 equals it, and the last
  // key is no candidate. At 5 none is free.
  %us = arith.constant dense<[[[0.0, 0.5, 0xFF800000, 0.25, 0x7FC00000, 9.0]]]>
      : tensor<1x1x6xf32>
  %taus = arith.constant dense<[[[0xFF800000, 0xFF800000, -0.25, 0.25, 0.25,
                                  1.5]]]> : tensor<1x1x6xf32>
  %frees = arith.constant dense<[[[0, 0, 2, 1, 1, 0]]]> : tensor<1x1x6xi32>
  %gtaus = arith.constant dense<[[[9.0, 9.0, 4.0, 6.0, 8.0, 0x7FC00000]]]>
      : tensor<1x1x6xf32>
  %u = bufferization.to_buffer %us : tensor<1x1x6xf32> to memref<1x1x6xf32>
  %tau = bufferization.to_buffer %taus : tensor<1x1x6xf32> to memref<1x1x6xf32>
  %free = bufferization.to_buffer %frees
      : tensor<1x1x6xi32> to memref<1x1x6xi32>
  %gtau = bufferization.to_buffer %gtaus
      : tensor<1x1x6xf32> to memref<1x1x6xf32>
  %du = memref.alloc() : memref<1x1x6xf32>
  %key = memref.cast %du : memref<1x1x6xf32> to memref<*xf32>
  sparsek.causal_topk_mask_grad window(1)
      ins(%u, %tau, %free, %gtau : memref<1x1x6xf32>, memref<1x1x6xf32>,
          memref<1x1x6xi32>, memref<1x1x6xf32>)
      outs(%du : memref<1x1x6xf32>)
  // CHECK: [2, 16, 0, 0, 0, 0]
  call @printMemrefF32(%key) : (memref<*xf32>) -> ()

  // A window of 3 leaves key 1 to the query 4, and key 0 to none. In place of
  // the gradient, then of the scores.
  memref.copy %gtau, %du : memref<1x1x6xf32> to memref<1x1x6xf32>
  sparsek.causal_topk_mask_grad window(3)
      ins(%u, %tau, %free, %du : memref<1x1x6xf32>, memref<1x1x6xf32>,
          memref<1x1x6xi32>, memref<1x1x6xf32>)
      outs(%du : memref<1x1x6xf32>)
  // CHECK: [0, 8, 0, 0, 0, 0]
  call @printMemrefF32(%key) : (memref<*xf32>) -> ()
  memref.copy %u, %du : memref<1x1x6xf32> to memref<1x1x6xf32>
  sparsek.causal_topk_mask_grad window(2)
      ins(%du, %tau, %free, %gtau : memref<1x1x6xf32>, memref<1x1x6xf32>,
          memref<1x1x6xi32>, memref<1x1x6xf32>)
      outs(%du : memref<1x1x6xf32>)
  // CHECK: [2, 14, 0, 0, 0, 0]
  call @printMemrefF32(%key) : (memref<*xf32>) -> ()
  return
}
