// REQUIRES: ptxas
// RUN: rm -rf %t && mkdir %t
// RUN: sparsek-opt %s -sparsek-gpu-pipeline="chip=sm_80 ptx-folder=%t" -o /dev/null
// RUN: ptxas -arch=sm_80 %t/rows.ptx -o /dev/null
// RUN: sparsek-opt %s -sparsek-gpu-pipeline="chip=sm_90a ptx-folder=%t" -o /dev/null
// RUN: ptxas -arch=sm_90a %t/rows.ptx -o /dev/null
// RUN: sparsek-opt %s -sparsek-gpu-pipeline="chip=sm_120 ptx-folder=%t" -o /dev/null
// RUN: ptxas -arch=sm_120 %t/rows.ptx -o /dev/null

// Loops, vectors, shared memory, a barrier and a shuffle: what the assembler
// must accept.

module attributes {gpu.container_module} {
  gpu.module @rows {
    gpu.func @sum(%x: memref<?x256xf32>, %y: memref<?xf32>)
        workgroup(%shared: memref<8xf32, #gpu.address_space<workgroup>>) kernel
        attributes {known_block_size = array<i32: 64, 1, 1>} {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c4 = arith.constant 4 : index
      %c32 = arith.constant 32 : index
      %one = arith.constant 1 : i32
      %width = arith.constant 32 : i32
      %row = gpu.block_id x
      %thread = gpu.thread_id x
      %column = arith.muli %thread, %c4 : index
      %v = vector.load %x[%row, %column] {alignment = 16} : memref<?x256xf32>, vector<4xf32>
      %s = vector.reduction <add>, %v : vector<4xf32> into f32
      %t, %valid = gpu.shuffle xor %s, %one, %width : f32
      %sum = arith.addf %s, %t : f32
      %warp = arith.divui %thread, %c32 : index
      memref.store %sum, %shared[%warp] : memref<8xf32, #gpu.address_space<workgroup>>
      gpu.barrier
      %zero = arith.constant 0.0 : f32
      %total = scf.for %i = %c0 to %c4 step %c1 iter_args(%acc = %zero) -> f32 {
        %e = memref.load %shared[%i] : memref<8xf32, #gpu.address_space<workgroup>>
        %n = arith.addf %acc, %e : f32
        scf.yield %n : f32
      }
      memref.store %total, %y[%row] : memref<?xf32>
      gpu.return
    }
  }
}
