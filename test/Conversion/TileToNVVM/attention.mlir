// The consumer loop of an attention kernel on 64 x 96 tiles, in the order that
// lets products run under the exponentials.

// RUN: sparsek-opt %s -convert-tile-to-nvvm | FileCheck %s

// Every buffer of 98304 bytes, flags, two rings of 8 barriers.
// CHECK:      gpu.func @attention
// CHECK-SAME: known_block_size = array<i32: 384, 1, 1>
// CHECK-SAME: tile.shared_bytes = 196752 : i32
// CHECK-SAME: tile.tensor_map_args = array<i64: 0, 8>

// CHECK:     nvvm.setmaxregister decrease 88
// CHECK-COUNT-4: nvvm.cp.async.bulk.tensor

// CHECK:     nvvm.setmaxregister increase 208
// CHECK-COUNT-8: m64n96k16
// CHECK:     wgmma.wait_group.sync.aligned 0
// CHECK-COUNT-48: ex2.approx
// CHECK-COUNT-24: convert.f32x2.to.bf16x2

// Packed probabilities are carried as pairs.
// CHECK:     scf.for {{.*}} -> (vector<48xf32>, vector<24xi32>, vector<64xf32>,
// CHECK-COUNT-8: m64n96k16
// CHECK-COUNT-6: m64n128k16
// CHECK:     wgmma.wait_group.sync.aligned 1
// CHECK-COUNT-48: ex2.approx
// CHECK:     nvvm.vote.sync
// CHECK:     wgmma.wait_group.sync.aligned 0
// CHECK-COUNT-24: convert.f32x2.to.bf16x2
// CHECK-NOT: tile.{{[a-z]}}
gpu.module @kernels {
  gpu.func @attention(%map: !tile.tensor_map, %key: memref<?x128xbf16>,
                      %value_map: !tile.tensor_map, %scale: f32, %blocks: i32,
                      %out: memref<?xvector<64xf32>>) kernel {
    %c0 = arith.constant 0 : i32
    %c1 = arith.constant 1 : i32
    %c2 = arith.constant 2 : i32
    %c96 = arith.constant 96 : i32
    %k = tile.alloc : !tile.shared<4x96x128xbf16, swizzled>
    %v = tile.alloc : !tile.shared<4x96x128xbf16, swizzled>
    %flags = tile.alloc : !tile.shared<4x4xi8>
    %kr = tile.ring producers(4) consumers(8) : !tile.ring<4>
    %vr = tile.ring producers(4) consumers(8) : !tile.ring<4>
    tile.roles {
      tile.role "producer" warps(4) groups_of(4) registers(88) {
        %r:3 = scf.for %i = %c0 to %blocks step %c1 iter_args(%s = %c0, %p = %c1, %row = %c0) -> (i32, i32, i32) : i32 {
          tile.acquire %kr[%s, %p] : !tile.ring<4>
          %ks = tile.slot %k[%s] : !tile.shared<4x96x128xbf16, swizzled>
          tile.bulk_copy %map[%c0, %row] to %ks signal %kr[%s] : !tile.shared<96x128xbf16, swizzled>, !tile.ring<4>
          tile.commit %kr[%s] : !tile.ring<4>
          tile.acquire %vr[%s, %p] : !tile.ring<4>
          %vs = tile.slot %v[%s] : !tile.shared<4x96x128xbf16, swizzled>
          tile.bulk_copy %value_map[%c0, %row] to %vs signal %vr[%s] : !tile.shared<96x128xbf16, swizzled>, !tile.ring<4>
          tile.commit async %vr[%s] : !tile.ring<4>
          %s1, %p1 = tile.advance %kr[%s, %p] : !tile.ring<4>
          %row1 = arith.addi %row, %c96 : i32
          scf.yield %s1, %p1, %row1 : i32, i32, i32
        }
      }
      tile.role "consumer" warps(8) groups_of(4) registers(208) {
        %thread = tile.thread_id
        %group = tile.group_id
        %q = arith.constant dense<1.0> : vector<64xbf16>
        %all = arith.constant -1 : i32
        %limit = arith.constant 4096.0 : f32
        %zs = arith.constant dense<0.0> : vector<48xf32>
        %zo = arith.constant dense<0.0> : vector<64xf32>
        %c = vector.broadcast %scale : f32 to vector<48xf32>
        %m = arith.constant dense<-1.0> : vector<48xf32>
        tile.wait fence %kr[%c0, %c0] : !tile.ring<4>
        %k0 = tile.slot %k[%c0] : !tile.shared<4x96x128xbf16, swizzled>
        %s0 = tile.mma %q, %k0, %zs transpose_b overwrite : vector<64xbf16>, !tile.shared<96x128xbf16, swizzled>, vector<48xf32>
        %s1 = tile.mma_wait 0, %s0 : vector<48xf32>
        tile.release %kr[%c0] : !tile.ring<4>
        %x0 = math.fma %s1, %c, %m : vector<48xf32>
        %e0 = math.exp2 %x0 : vector<48xf32>
        %p0 = arith.truncf %e0 : vector<48xf32> to vector<48xbf16>
        %st0, %ph0 = tile.advance %kr[%c0, %c0] : !tile.ring<4>
        %loop:8 = scf.for %i = %c1 to %blocks step %c1
            iter_args(%s = %e0, %p = %p0, %o = %zo, %st = %st0, %ph = %ph0, %vst = %c0, %vph = %c0, %more = %c0)
            -> (vector<48xf32>, vector<48xbf16>, vector<64xf32>, i32, i32, i32, i32, i32) : i32 {
          %ready = tile.test %kr[%st, %ph] : !tile.ring<4>
          %true = arith.constant true
          %not = arith.xori %ready, %true : i1
          scf.if %not {
            tile.wait %kr[%st, %ph] : !tile.ring<4>
          }
          tile.fence
          %ks = tile.slot %k[%st] : !tile.shared<4x96x128xbf16, swizzled>
          %sa = tile.mma %q, %ks, %s transpose_b overwrite : vector<64xbf16>, !tile.shared<96x128xbf16, swizzled>, vector<48xf32>
          tile.wait fence %vr[%vst, %vph] : !tile.ring<4>
          %vs = tile.slot %v[%vst] : !tile.shared<4x96x128xbf16, swizzled>
          %acc = arith.cmpi ne, %more, %c0 : i32
          %oa = tile.mma %p, %vs, %o accumulate(%acc) : vector<48xbf16>, !tile.shared<96x128xbf16, swizzled>, vector<64xf32>
          %sb = tile.mma_wait 1, %sa : vector<48xf32>
          tile.release %kr[%st] : !tile.ring<4>
          %fs = tile.slot %flags[%st] : !tile.shared<4x4xi8>
          %any = tile.test_flag %fs : !tile.shared<4xi8>
          %sm = scf.if %any -> vector<48xf32> {
            %masked = arith.maxnumf %sb, %m : vector<48xf32>
            scf.yield %masked : vector<48xf32>
          } else {
            scf.yield %sb : vector<48xf32>
          }
          %x = math.fma %sm, %c, %m : vector<48xf32>
          %e = math.exp2 %x : vector<48xf32>
          %st1, %ph1 = tile.advance %kr[%st, %ph] : !tile.ring<4>
          // A branch before the wait keeps ptxas from moving it above the
          // exponentials.
          %sum = vector.reduction <add>, %e : vector<48xf32> into f32
          %large = arith.cmpf ogt, %sum, %limit : f32
          %rescale = nvvm.vote.sync any %all, %large -> i1
          %er = scf.if %rescale -> vector<48xf32> {
            %half = arith.mulf %e, %m : vector<48xf32>
            scf.yield %half : vector<48xf32>
          } else {
            scf.yield %e : vector<48xf32>
          }
          %ob, %ew = tile.mma_wait 0, %oa, %er : vector<64xf32>, vector<48xf32>
          tile.release %vr[%vst] : !tile.ring<4>
          %pn = arith.truncf %ew : vector<48xf32> to vector<48xbf16>
          scf.yield %ew, %pn, %ob, %st1, %ph1, %st, %ph, %c1 : vector<48xf32>, vector<48xbf16>, vector<64xf32>, i32, i32, i32, i32, i32
        }
        %index = arith.index_cast %thread : i32 to index
        memref.store %loop#2, %out[%index] : memref<?xvector<64xf32>>
      }
    }
    gpu.return
  }
}
