// RUN: sparsek-opt %s --convert-sparsek-to-linalg --verify-diagnostics

func.func @on_memrefs(%z: memref<9xf32>, %p: memref<9xf32>, %t: memref<f32>) {
  // expected-error @+1 {{'sparsek.topk_mask' op is on memrefs, expected tensors: run --sparsek-memref-to-tensor first}}
  sparsek.topk_mask topk(3) ins(%z : memref<9xf32>)
      outs(%p, %t : memref<9xf32>, memref<f32>)
  return
}
