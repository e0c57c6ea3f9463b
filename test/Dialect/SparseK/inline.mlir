// RUN: sparsek-opt %s --sparsek-differentiate --inline --cse | FileCheck %s

// A step of training computes the loss and its gradient; inlined, both share one
// forward computation.
// CHECK-LABEL: func @step(
// CHECK-NOT: call
// CHECK: %[[Z:.*]] = linalg.matvec
// CHECK: %[[P:.*]]:2 = sparsek.topk_mask topk(2) ins(%[[Z]]
// CHECK-NOT: sparsek.topk_mask topk
// CHECK: sparsek.topk_mask_grad ins(%[[Z]], %[[P]]#1,
// CHECK-NOT: sparsek.topk_mask topk
// CHECK: return
func.func @loss(%w: tensor<4x8xf32>, %x: tensor<8xf32>) -> tensor<f32> {
  %zero = arith.constant 0.0 : f32
  %z0 = tensor.empty() : tensor<4xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%z0 : tensor<4xf32>) -> tensor<4xf32>
  %z = linalg.matvec ins(%w, %x : tensor<4x8xf32>, tensor<8xf32>) outs(%z1 : tensor<4xf32>) -> tensor<4xf32>
  %t0 = tensor.empty() : tensor<f32>
  %p, %t = sparsek.topk_mask topk(2) ins(%z : tensor<4xf32>) outs(%z0, %t0 : tensor<4xf32>, tensor<f32>)
      -> tensor<4xf32>, tensor<f32>
  %l0 = linalg.fill ins(%zero : f32) outs(%t0 : tensor<f32>) -> tensor<f32>
  %l = linalg.dot ins(%p, %z : tensor<4xf32>, tensor<4xf32>) outs(%l0 : tensor<f32>) -> tensor<f32>
  return %l : tensor<f32>
}

func.func private @loss_grad(tensor<4x8xf32>, tensor<8xf32>, tensor<f32>) -> (tensor<4x8xf32>, tensor<8xf32>)

func.func @step(%w: tensor<4x8xf32>, %x: tensor<8xf32>) -> (tensor<f32>, tensor<4x8xf32>) {
  %one = arith.constant dense<1.0> : tensor<f32>
  %rate = arith.constant dense<0.01> : tensor<4x8xf32>
  %l = call @loss(%w, %x) : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<f32>
  %dw, %dx = call @loss_grad(%w, %x, %one)
      : (tensor<4x8xf32>, tensor<8xf32>, tensor<f32>) -> (tensor<4x8xf32>, tensor<8xf32>)
  %change = arith.mulf %rate, %dw : tensor<4x8xf32>
  %new = arith.subf %w, %change : tensor<4x8xf32>
  return %l, %new : tensor<f32>, tensor<4x8xf32>
}
