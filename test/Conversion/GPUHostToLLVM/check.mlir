// RUN: sparsek-opt %s -split-input-file -sparsek-check-gpu-host -verify-diagnostics

// Nothing here looks into memory.

func.func private @other(memref<?xf32>)

func.func @allowed(%m: memref<?xf32>, %c: i1, %n: index) -> memref<?xf32> {
  %c0 = arith.constant 0 : index
  %d = memref.dim %m, %c0 : memref<?xf32>
  %a = memref.alloc(%d) : memref<?xf32>
  memref.copy %m, %a : memref<?xf32> to memref<?xf32>
  %s = memref.subview %a[0] [%n] [1] : memref<?xf32> to memref<?xf32, strided<[1]>>
  %r = scf.if %c -> memref<?xf32> {
    scf.yield %a : memref<?xf32>
  } else {
    scf.yield %m : memref<?xf32>
  }
  func.call @other(%r) : (memref<?xf32>) -> ()
  return %r : memref<?xf32>
}

// A kernel may.

gpu.module @kernels {
  gpu.func @f(%m: memref<4xf32>) kernel {
    %c0 = arith.constant 0 : index
    %x = memref.load %m[%c0] : memref<4xf32>
    memref.store %x, %m[%c0] : memref<4xf32>
    gpu.return
  }
}

// -----

func.func @load(%m: memref<4xf32>) -> f32 {
  %c0 = arith.constant 0 : index
  // expected-error @below {{'memref.load' op has no GPU lowering yet: its operands lie in the GPU's memory, which host code cannot access}}
  %x = memref.load %m[%c0] : memref<4xf32>
  return %x : f32
}

// -----

func.func @stack() {
  // expected-error @below {{'memref.alloca' op has no GPU lowering yet}}
  %m = memref.alloca() : memref<4xf32>
  return
}

// -----

func.func @tensor(%t: tensor<4xf32>) -> f32 {
  %c0 = arith.constant 0 : index
  // expected-error @below {{'tensor.extract' op has no GPU lowering yet}}
  %x = tensor.extract %t[%c0] : tensor<4xf32>
  return %x : f32
}

// -----

func.func @selection(%scores: memref<1x1x8xf32>, %end: memref<1x1x8xi32>, %tau: memref<1x1x8xf32>, %free: memref<1x1x8xi32>) {
  // expected-error @below {{'sparsek.causal_topk_mask' op has no GPU lowering yet}}
  sparsek.causal_topk_mask topk(2) window(2) ins(%scores : memref<1x1x8xf32>)
      outs(%end, %tau, %free : memref<1x1x8xi32>, memref<1x1x8xf32>, memref<1x1x8xi32>)
  return
}
