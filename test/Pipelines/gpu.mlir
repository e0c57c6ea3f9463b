// RUN: rm -rf %t && split-file %s %t
// RUN: sparsek-opt %t/add.mlir -sparsek-gpu-pipeline="chip=sm_80 ptx-folder=%t/sm_80" | FileCheck %s --check-prefix=HOST
// RUN: sparsek-opt %t/add.mlir -sparsek-gpu-pipeline="chip=sm_90a ptx-folder=%t/sm_90a" -o /dev/null
// RUN: FileCheck %s --check-prefix=PTX --input-file=%t/sm_80/add_kernel.ptx
// RUN: FileCheck %s --check-prefix=PTX --input-file=%t/sm_90a/add_kernel.ptx
// RUN: not sparsek-opt %t/host.mlir -sparsek-gpu-pipeline 2>&1 | FileCheck %s --check-prefix=ERROR

// Tensors are bufferized around a kernel of the user, whose result is new
// memory that the caller gets.

// HOST-LABEL: llvm.func @add(
// HOST:       llvm.call @sparsek_gpu_alloc
// HOST:       llvm.call @sparsek_gpu_launch
// HOST-NOT:   sparsek_gpu_free
// HOST:       llvm.return
// HOST-LABEL: llvm.func @_mlir_ciface_add(
// HOST-NOT:   gpu.

// PTX:     .entry add_kernel(
// PTX:     .maxntid 128, 1, 1
// PTX-DAG: %ctaid.x
// PTX-DAG: %tid.x
// PTX:     ld.global
// PTX:     add.rn.f32
// PTX:     st.global

// ERROR: host.mlir:3:8: error: 'linalg.add' op has no GPU lowering yet: its operands lie in the GPU's memory, which host code cannot access

//--- add.mlir
func.func @add(%x: memref<?xf32>, %y: memref<?xf32>) -> memref<?xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c128 = arith.constant 128 : index
  %n = memref.dim %x, %c0 : memref<?xf32>
  %z = memref.alloc(%n) : memref<?xf32>
  %g = arith.ceildivui %n, %c128 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %g, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c128, %sy = %c1, %sz = %c1) {
    %b = arith.muli %bx, %c128 : index
    %i = arith.addi %b, %tx : index
    %in = arith.cmpi ult, %i, %n : index
    scf.if %in {
      %a = memref.load %x[%i] : memref<?xf32>
      %c = memref.load %y[%i] : memref<?xf32>
      %s = arith.addf %a, %c : f32
      memref.store %s, %z[%i] : memref<?xf32>
    }
    gpu.terminator
  }
  return %z : memref<?xf32>
}

//--- host.mlir
// On the GPU nothing adds tensors yet.
func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = linalg.add ins(%x, %x : tensor<4xf32>, tensor<4xf32>) outs(%x : tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}
