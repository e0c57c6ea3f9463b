// RUN: split-file %s %t
// RUN: not sparsek-run %t/good.mlir 2>&1 | FileCheck %s --check-prefix=ENTRY
// RUN: not sparsek-run %t/good.mlir --entry=h 2>&1 | FileCheck %s --check-prefix=ENTRY
// RUN: env SPARSEK_LIBCUDA=%t/none.so not sparsek-run %t/good.mlir --entry=f --target=cuda 2>&1 | FileCheck %s --check-prefix=CUDA
// RUN: not sparsek-run %t/good.mlir --entry=f --target=8086 2>&1 | FileCheck %s --check-prefix=TARGET
// RUN: not sparsek-run %t/good.mlir --entry=f --arg-shape=0:3xx 2>&1 | FileCheck %s --check-prefix=SHAPE
// RUN: not sparsek-run %t/good.mlir --entry=f --arg-shape=7:3 2>&1 | FileCheck %s --check-prefix=INDEX
// RUN: not sparsek-run %t/good.mlir --entry=f --arg-shape=0:3x4 2>&1 | FileCheck %s --check-prefix=RANK
// RUN: not sparsek-run %t/good.mlir --entry=g --arg-shape=0:3x4 2>&1 | FileCheck %s --check-prefix=SIZES
// RUN: not sparsek-run %t/parse.mlir 2>&1 | FileCheck %s --check-prefix=PARSE
// RUN: not sparsek-run %t/nothing.mlir 2>&1 | FileCheck %s --check-prefix=FILE

// ENTRY: good.mlir: no public function @{{main|h}}, expected --entry to be one of: @f, @g
// CUDA: target 'cuda': no CUDA driver: {{.*}}none.so
// TARGET: target is '8086', expected 'cpu' or a processor
// SHAPE: --arg-shape: '3xx' is no shape
// INDEX: --arg-shape=7:3: @f has 1 arguments
// RANK: @f: argument 0 has rank 2, expected tensor<?xf32>
// SIZES: @g: {{.*}}good.mlir:7:{{.*}} 'sparsek.topk_mask' op operand 'tau' has size 1024 in dimension 0, expected 3 as dimension 0 of operand 'scores' (C4)
// PARSE: parse.mlir:2:10: use of undeclared SSA value name
// FILE: nothing.mlir: No such file or directory

//--- good.mlir
func.func @f(%x: tensor<?xf32>) -> tensor<?xf32> {
  return %x : tensor<?xf32>
}
func.func @g(%z: tensor<?x4xf32>, %t: tensor<?xf32>) -> tensor<?xf32> {
  %0 = tensor.empty() : tensor<1xf32>
  %p = linalg.copy ins(%z : tensor<?x4xf32>) outs(%z : tensor<?x4xf32>) -> tensor<?x4xf32>
  %a, %b = sparsek.topk_mask topk(2) ins(%z : tensor<?x4xf32>)
      outs(%p, %t : tensor<?x4xf32>, tensor<?xf32>) -> tensor<?x4xf32>, tensor<?xf32>
  return %b : tensor<?xf32>
}

//--- parse.mlir
func.func @f() -> f32 {
  return %x : f32
}
