// The two products of an attention kernel with f32 operands: 16 queries in
// registers (64), 32 keys of 128 elements at a time, no spill in a block of 256
// threads.

// REQUIRES: ptxas
// RUN: rm -rf %t && mkdir %t
// RUN: sparsek-opt %s -convert-tile-to-nvvm=chip=sm_80 -sparsek-gpu-pipeline="chip=sm_80 ptx-folder=%t" -o /dev/null
// RUN: FileCheck %s --input-file=%t/kernels.ptx
// RUN: ptxas -arch=sm_80 -v %t/kernels.ptx -o /dev/null 2>&1 | FileCheck %s --check-prefix=PTXAS
// RUN: sparsek-opt %s -convert-tile-to-nvvm=chip=sm_90a -sparsek-gpu-pipeline="chip=sm_90a ptx-folder=%t" -o /dev/null
// RUN: FileCheck %s --input-file=%t/kernels.ptx
// RUN: ptxas -arch=sm_90a -v %t/kernels.ptx -o /dev/null 2>&1 | FileCheck %s --check-prefix=PTXAS

// CHECK:     .maxntid 256
// CHECK:     ld.shared.v2.b32
// CHECK:     mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32
// CHECK:     ld.shared.b32 {{.*}}+128]
// CHECK:     mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32
// CHECK-NOT: .local

// PTXAS:     0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads

module attributes {gpu.container_module} {
  gpu.module @kernels {
    gpu.func @attention(%query: memref<?xvector<64xf32>>, %blocks: i32,
                        %out: memref<?xvector<64xf32>>) kernel {
      %c0 = arith.constant 0 : i32
      %c1 = arith.constant 1 : i32
      %k = tile.alloc : !tile.shared<32x128xf32, swizzled>
      %v = tile.alloc : !tile.shared<32x128xf32, swizzled>
      %ring = tile.ring producers(8) consumers(8) : !tile.ring<1>
      tile.roles {
        tile.role "all" warps(8) groups_of(1) {
          %lane = tile.thread_id
          %index = arith.index_cast %lane : i32 to index
          %q = memref.load %query[%index] : memref<?xvector<64xf32>>
          %zs = arith.constant dense<0.0> : vector<16xf32>
          %zo = arith.constant dense<0.0> : vector<64xf32>
          %loop:2 = scf.for %i = %c0 to %blocks step %c1 iter_args(%o = %zo, %phase = %c0) -> (vector<64xf32>, i32) : i32 {
            tile.wait %ring[%c0, %phase] : !tile.ring<1>
            %s = tile.mma %q, %k, %zs transpose_b overwrite : vector<64xf32>, !tile.shared<32x128xf32, swizzled>, vector<16xf32>
            %e = math.exp2 %s : vector<16xf32>
            %o1 = tile.mma %e, %v, %o : vector<16xf32>, !tile.shared<32x128xf32, swizzled>, vector<64xf32>
            tile.release %ring[%c0] : !tile.ring<1>
            %next, %phase1 = tile.advance %ring[%c0, %phase] : !tile.ring<1>
            scf.yield %o1, %phase1 : vector<64xf32>, i32
          }
          memref.store %loop#0, %out[%index] : memref<?xvector<64xf32>>
        }
      }
      gpu.return
    }
  }
}
