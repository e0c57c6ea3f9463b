// RUN: sparsek-opt %s --cse --canonicalize | FileCheck %s
// RUN: sparsek-opt %s --loop-invariant-code-motion | FileCheck %s --check-prefix=LICM

// On tensors an op has no effect: equal ones are one, unused ones go.
// CHECK-LABEL: func @equal_on_tensors
// CHECK-COUNT-1: sparsek.topk_mask
// CHECK-NOT: sparsek.topk_mask
func.func @equal_on_tensors(%z: tensor<2x9xf32>, %t: tensor<2xf32>)
    -> (tensor<2x9xf32>, tensor<2x9xf32>) {
  %a:2 = sparsek.topk_mask topk(3) ins(%z : tensor<2x9xf32>)
      outs(%z, %t : tensor<2x9xf32>, tensor<2xf32>)
      -> tensor<2x9xf32>, tensor<2xf32>
  %b:2 = sparsek.topk_mask topk(3) ins(%z : tensor<2x9xf32>)
      outs(%z, %t : tensor<2x9xf32>, tensor<2xf32>)
      -> tensor<2x9xf32>, tensor<2xf32>
  %unused:2 = sparsek.topk_mask topk(2) ins(%z : tensor<2x9xf32>)
      outs(%z, %t : tensor<2x9xf32>, tensor<2xf32>)
      -> tensor<2x9xf32>, tensor<2xf32>
  return %a#0, %b#0 : tensor<2x9xf32>, tensor<2x9xf32>
}

// CHECK-LABEL: func @different_on_tensors
// CHECK-COUNT-2: sparsek.topk_mask
func.func @different_on_tensors(%z: tensor<2x9xf32>, %t: tensor<2xf32>)
    -> (tensor<2x9xf32>, tensor<2x9xf32>) {
  %a:2 = sparsek.topk_mask topk(3) ins(%z : tensor<2x9xf32>)
      outs(%z, %t : tensor<2x9xf32>, tensor<2xf32>)
      -> tensor<2x9xf32>, tensor<2xf32>
  %b:2 = sparsek.topk_mask topk(4) ins(%z : tensor<2x9xf32>)
      outs(%z, %t : tensor<2x9xf32>, tensor<2xf32>)
      -> tensor<2x9xf32>, tensor<2xf32>
  return %a#0, %b#0 : tensor<2x9xf32>, tensor<2x9xf32>
}

// On memrefs an op writes: both stay, and so does the load between.
// CHECK-LABEL: func @in_memory
// CHECK: memref.load
// CHECK: sparsek.topk_mask
// CHECK: memref.load
// CHECK: sparsek.topk_mask
// CHECK: memref.load
func.func @in_memory(%z: memref<9xf32>, %p: memref<9xf32>, %t: memref<f32>)
    -> (f32, f32, f32) {
  %0 = memref.load %t[] : memref<f32>
  sparsek.topk_mask topk(3) ins(%z : memref<9xf32>)
      outs(%p, %t : memref<9xf32>, memref<f32>)
  %1 = memref.load %t[] : memref<f32>
  sparsek.topk_mask topk(3) ins(%z : memref<9xf32>)
      outs(%p, %t : memref<9xf32>, memref<f32>)
  %2 = memref.load %t[] : memref<f32>
  return %0, %1, %2 : f32, f32, f32
}

// LICM-LABEL: func @hoisted_on_tensors
// LICM: sparsek.topk_mask
// LICM: scf.for
// LICM-NOT: sparsek.topk_mask
func.func @hoisted_on_tensors(%z: tensor<9xf32>, %t: tensor<f32>, %n: index)
    -> tensor<9xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%x = %z) -> tensor<9xf32> {
    %a:2 = sparsek.topk_mask topk(3) ins(%z : tensor<9xf32>)
        outs(%z, %t : tensor<9xf32>, tensor<f32>)
        -> tensor<9xf32>, tensor<f32>
    %y = arith.addf %x, %a#0 : tensor<9xf32>
    scf.yield %y : tensor<9xf32>
  }
  return %r : tensor<9xf32>
}

// LICM-LABEL: func @stays_in_memory
// LICM: scf.for
// LICM: sparsek.topk_mask
func.func @stays_in_memory(%z: memref<9xf32>, %p: memref<9xf32>,
                           %t: memref<f32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %i = %c0 to %n step %c1 {
    sparsek.topk_mask topk(3) ins(%z : memref<9xf32>)
        outs(%p, %t : memref<9xf32>, memref<f32>)
  }
  return
}
