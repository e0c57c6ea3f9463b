// Outputs of one run are the inputs of the next; the seed decides the rest.
//
// RUN: rm -rf %t
// RUN: sparsek-run %s --arg-shape=0:3x5 --seed=1 --dump-outputs=%t > %t.first
// RUN: sparsek-run %s --input=0:%t/result1.npy > %t.second
// RUN: diff %t.first %t.second
// RUN: sparsek-run %s --arg-shape=0:3x5 --seed=2 > %t.third
// RUN: not diff %t.first %t.third
// RUN: not sparsek-run %s --input=0:%t/result0.npy 2>&1 | FileCheck %s --check-prefix=TYPE
// RUN: not sparsek-run %s --input=0:%t/missing.npy 2>&1 | FileCheck %s --check-prefix=MISSING
// RUN: not sparsek-run %s --input=0:%s 2>&1 | FileCheck %s --check-prefix=FORMAT

// TYPE: result0.npy: has elements of type i32, expected f32
// MISSING: missing.npy: No such file or directory
// FORMAT: files.mlir: not a .npy file
func.func @f(%x: tensor<?x5xf32>) -> (tensor<2xi32>, tensor<?x5xf32>) {
  %c = arith.constant dense<[1, 2]> : tensor<2xi32>
  return %c, %x : tensor<2xi32>, tensor<?x5xf32>
}
