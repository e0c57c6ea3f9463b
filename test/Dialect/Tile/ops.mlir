// RUN: sparsek-opt %s | sparsek-opt | FileCheck %s

// CHECK-LABEL: gpu.func @kernel
gpu.module @m {
  gpu.func @kernel(%key: memref<?x128xbf16, strided<[?, 1], offset: ?>>,
                   %out: memref<?x?x128xbf16, strided<[?, ?, 1], offset: ?>>,
                   %map: !tile.tensor_map) kernel {
    %c0 = arith.constant 0 : i32
    %c1 = arith.constant 1 : i32
    %true = arith.constant true
    // CHECK: tile.alloc : !tile.shared<4x96x128xbf16, swizzled>
    %k = tile.alloc : !tile.shared<4x96x128xbf16, swizzled>
    %q = tile.alloc : !tile.shared<128x128xbf16, swizzled>
    %w = tile.alloc : !tile.shared<4x96xi32>
    %f = tile.alloc : !tile.shared<4x4xi8>
    // CHECK: tile.ring producers(4) consumers(8) : !tile.ring<4>
    %ring = tile.ring producers(4) consumers(8) : !tile.ring<4>
    tile.roles {
      // CHECK: tile.role "producer" warps(4) groups_of(4) registers(88) {
      tile.role "producer" warps(4) groups_of(4) registers(88) {
        %t = tile.thread_id
        tile.acquire %ring[%c0, %c1] : !tile.ring<4>
        %slot = tile.slot %k[%c0] : !tile.shared<4x96x128xbf16, swizzled>
        %rows = tile.iota : vector<96xi32>
        tile.gather %key[%rows] to %slot : memref<?x128xbf16, strided<[?, 1], offset: ?>>, !tile.shared<96x128xbf16, swizzled>, vector<96xi32>
        // CHECK: tile.bulk_copy %{{.*}}[%{{.*}}, %{{.*}}] to %{{.*}} signal
        tile.bulk_copy %map[%c0, %c1] to %slot signal %ring[%c0] : !tile.shared<96x128xbf16, swizzled>, !tile.ring<4>
        %ws = tile.slot %w[%c0] : !tile.shared<4x96xi32>
        tile.store %rows to %ws : vector<96xi32>, !tile.shared<96xi32>
        %fs = tile.slot %f[%c0] : !tile.shared<4x4xi8>
        %z = arith.constant dense<0> : vector<96xi32>
        %m = arith.cmpi sgt, %rows, %z : vector<96xi32>
        tile.set_flag %m to %fs : vector<96xi1>, !tile.shared<4xi8>
        tile.commit async %ring[%c0] : !tile.ring<4>
        %s, %p = tile.advance %ring[%c0, %c1] : !tile.ring<4>
      }
      tile.role "consumer" warps(8) groups_of(4) registers(208) {
        %g = tile.group_id
        // CHECK: tile.wait fence
        tile.wait fence %ring[%c0, %c0] : !tile.ring<4>
        %r = tile.test %ring[%c0, %c0] : !tile.ring<4>
        %slot = tile.slot %k[%c0] : !tile.shared<4x96x128xbf16, swizzled>
        %a = tile.load %q rows(%c0) : !tile.shared<128x128xbf16, swizzled>, vector<64x128xbf16>
        %zero = arith.constant dense<0.0> : vector<64x96xf32>
        // CHECK: tile.mma %{{.*}}, %{{.*}}, %{{.*}} transpose_b overwrite :
        %s0 = tile.mma %a, %slot, %zero transpose_b overwrite : vector<64x128xbf16>, !tile.shared<96x128xbf16, swizzled>, vector<64x96xf32>
        %s1 = tile.mma_wait 0, %s0 : vector<64x96xf32>
        %p = arith.truncf %s1 : vector<64x96xf32> to vector<64x96xbf16>
        %zo = arith.constant dense<0.0> : vector<64x128xf32>
        %o = tile.mma %p, %slot, %zo accumulate(%true) : vector<64x96xbf16>, !tile.shared<96x128xbf16, swizzled>, vector<64x128xf32>
        %o1 = tile.mma_wait 0, %o : vector<64x128xf32>
        tile.release %ring[%c0] : !tile.ring<4>
        %o2 = arith.truncf %o1 : vector<64x128xf32> to vector<64x128xbf16>
        %heads = arith.constant dense<0> : vector<64xi32>
        %queries = tile.iota : vector<64xi32>
        %ok = arith.constant dense<true> : vector<64xi1>
        tile.scatter %o2 to %out[%heads, %queries] mask %ok : vector<64x128xbf16>, memref<?x?x128xbf16, strided<[?, ?, 1], offset: ?>>, vector<64xi1>, vector<64xi32>, vector<64xi32>
      }
    }
    gpu.return
  }
}
