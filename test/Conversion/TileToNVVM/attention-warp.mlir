// The loop of an attention kernel in groups of one warp: 16 queries, 64 keys of
// 128 elements at a time, copied by four warps and used by eight.

// RUN: sparsek-opt %s -convert-tile-to-nvvm=chip=sm_80 | FileCheck %s

// CHECK:     gpu.func @attention
// CHECK-SAME: known_block_size = array<i32: 384, 1, 1>
// CHECK-NOT: nvvm.setmaxregister
// CHECK:     scf.for {{.*}} -> (vector<64xf32>, vector<2xf32>, i32, i32, i32)
// 8 steps of 4 loads and 8 products, then 4 steps of 8 loads and 16 products.
// CHECK-COUNT-64: nvvm.mma.sync
// CHECK-NOT: nvvm.mma.sync
// CHECK-COUNT-32: ex2.approx
// CHECK-COUNT-16: convert.f32x2.to.bf16x2
// CHECK-COUNT-64: nvvm.mma.sync
// CHECK-NOT: nvvm.mma.sync
// CHECK-NOT: tile.{{[a-z]}}

module attributes {gpu.container_module} {
  gpu.module @kernels {
    gpu.func @attention(%query: memref<?xvector<64xbf16>>,
                        %key: memref<?x128xbf16>, %value: memref<?x128xbf16>,
                        %scale: f32, %blocks: i32,
                        %out: memref<?xvector<64xf32>>) kernel {
      %c0 = arith.constant 0 : i32
      %c1 = arith.constant 1 : i32
      %c16 = arith.constant 16 : i32
      %c64 = arith.constant 64 : i32
      %k = tile.alloc : !tile.shared<2x64x128xbf16, swizzled>
      %v = tile.alloc : !tile.shared<2x64x128xbf16, swizzled>
      %kr = tile.ring producers(4) consumers(8) : !tile.ring<2>
      %vr = tile.ring producers(4) consumers(8) : !tile.ring<2>
      tile.roles {
        tile.role "producer" warps(4) groups_of(1) {
          %lane = tile.thread_id
          %warp = tile.group_id
          %thread0 = arith.muli %warp, %c16 : i32
          %thread = arith.addi %thread0, %lane : i32
          %row = arith.index_cast %thread : i32 to index
          %column = arith.constant 0 : index
          %zero = arith.constant 0 : i64
          %r:2 = scf.for %i = %c0 to %blocks step %c1 iter_args(%s = %c0, %p = %c1) -> (i32, i32) : i32 {
            tile.acquire %kr[%s, %p] : !tile.ring<2>
            %ks = tile.slot %k[%s] : !tile.shared<2x64x128xbf16, swizzled>
            %ka = tile.address %ks : !tile.shared<64x128xbf16, swizzled>
            %kd = llvm.inttoptr %ka : i32 to !llvm.ptr<3>
            %k0 = memref.extract_aligned_pointer_as_index %key : memref<?x128xbf16> -> index
            %k1 = arith.addi %k0, %row : index
            %k2 = arith.index_cast %k1 : index to i64
            %k3 = llvm.inttoptr %k2 : i64 to !llvm.ptr<1>
            nvvm.cp.async.shared.global %kd, %k3, 16, cache = cg : !llvm.ptr<3>, !llvm.ptr<1>
            tile.commit async %kr[%s] : !tile.ring<2>
            tile.acquire %vr[%s, %p] : !tile.ring<2>
            %vs = tile.slot %v[%s] : !tile.shared<2x64x128xbf16, swizzled>
            %va = tile.address %vs : !tile.shared<64x128xbf16, swizzled>
            %vd = llvm.inttoptr %va : i32 to !llvm.ptr<3>
            %v0 = memref.extract_aligned_pointer_as_index %value : memref<?x128xbf16> -> index
            %v1 = arith.addi %v0, %row : index
            %v2 = arith.index_cast %v1 : index to i64
            %v3 = llvm.inttoptr %v2 : i64 to !llvm.ptr<1>
            nvvm.cp.async.shared.global %vd, %v3, 16, cache = cg : !llvm.ptr<3>, !llvm.ptr<1>
            tile.commit async %vr[%s] : !tile.ring<2>
            %s1, %p1 = tile.advance %kr[%s, %p] : !tile.ring<2>
            scf.yield %s1, %p1 : i32, i32
          }
        }
        tile.role "consumer" warps(8) groups_of(1) {
          %lane = tile.thread_id
          %index = arith.index_cast %lane : i32 to index
          %q = memref.load %query[%index] : memref<?xvector<64xbf16>>
          %zs = arith.constant dense<0.0> : vector<32xf32>
          %zo = arith.constant dense<0.0> : vector<64xf32>
          %l0 = arith.constant dense<0.0> : vector<2xf32>
          %c = vector.broadcast %scale : f32 to vector<32xf32>
          %m = arith.constant dense<-1.0> : vector<32xf32>
          %loop:5 = scf.for %i = %c0 to %blocks step %c1
              iter_args(%o = %zo, %l = %l0, %st = %c0, %ph = %c0, %more = %c0)
              -> (vector<64xf32>, vector<2xf32>, i32, i32, i32) : i32 {
            tile.wait fence %kr[%st, %ph] : !tile.ring<2>
            %ks = tile.slot %k[%st] : !tile.shared<2x64x128xbf16, swizzled>
            %s0 = tile.mma %q, %ks, %zs transpose_b overwrite : vector<64xbf16>, !tile.shared<64x128xbf16, swizzled>, vector<32xf32>
            %s1 = tile.mma_wait 0, %s0 : vector<32xf32>
            tile.release %kr[%st] : !tile.ring<2>
            %x = math.fma %s1, %c, %m : vector<32xf32>
            %e = math.exp2 %x : vector<32xf32>
            %p = arith.truncf %e : vector<32xf32> to vector<32xbf16>
            %sum = vector.reduction <add>, %e : vector<32xf32> into f32
            %sums = vector.broadcast %sum : f32 to vector<2xf32>
            %l1 = arith.addf %l, %sums : vector<2xf32>
            tile.wait fence %vr[%st, %ph] : !tile.ring<2>
            %vs = tile.slot %v[%st] : !tile.shared<2x64x128xbf16, swizzled>
            %acc = arith.cmpi ne, %more, %c0 : i32
            %o0 = tile.mma %p, %vs, %o accumulate(%acc) : vector<32xbf16>, !tile.shared<64x128xbf16, swizzled>, vector<64xf32>
            %o1 = tile.mma_wait 0, %o0 : vector<64xf32>
            tile.release %vr[%st] : !tile.ring<2>
            %st1, %ph1 = tile.advance %kr[%st, %ph] : !tile.ring<2>
            scf.yield %o1, %l1, %st1, %ph1, %c1 : vector<64xf32>, vector<2xf32>, i32, i32, i32
          }
          %ln = vector.extract %loop#1[0] : f32 from vector<2xf32>
          %ls = vector.broadcast %ln : f32 to vector<64xf32>
          %on = arith.mulf %loop#0, %ls : vector<64xf32>
          memref.store %on, %out[%index] : memref<?xvector<64xf32>>
        }
      }
      gpu.return
    }
  }
}
