// RUN: sparsek-opt %s -split-input-file -convert-sparsek-attention-to-tile=chip=sm_80 | FileCheck %s --check-prefixes=CHECK,SM80
// RUN: sparsek-opt %s -split-input-file -convert-sparsek-attention-to-tile=chip=sm_90a | FileCheck %s --check-prefixes=CHECK,SM90
// RUN: sparsek-opt %s -split-input-file -convert-sparsek-attention-to-tile=chip=sm_89 | FileCheck %s --check-prefixes=CHECK,SM89

// What the schedule is made for: the query tile, the rings, the roles. sm_90a
// has wgmma and 227 KiB of shared memory, sm_80 163 KiB, sm_89 99 KiB.

// CHECK-LABEL: gpu.func @sparse_attention
// SM90:          tile.alloc : !tile.shared<128x128xbf16, swizzled>
// SM90:          tile.bulk_copy
// SM90:          tile.role "consumer" warps(8) groups_of(4)
// SM80:          tile.alloc : !tile.shared<128x128xbf16, swizzled>
// SM80:          tile.role "consumer" warps(8) groups_of(1)
// SM89:          tile.alloc : !tile.shared<128x128xbf16, swizzled>
// SM89:          tile.role "consumer" warps(8) groups_of(1)
func.func @bf16(%q: memref<?x32x?x128xbf16>, %k: memref<?x8x?x128xbf16>, %v: memref<?x8x?x128xbf16>,
                %e: memref<?x8x?xi32>, %o: memref<?x32x?x128xbf16>, %l: memref<?x32x?xf32>) {
  sparsek.sparse_attention window(512)
      ins(%q, %k, %v, %e : memref<?x32x?x128xbf16>, memref<?x8x?x128xbf16>, memref<?x8x?x128xbf16>, memref<?x8x?xi32>)
      outs(%o, %l : memref<?x32x?x128xbf16>, memref<?x32x?xf32>)
  return
}

// -----

// Rows of 32 bytes: warps everywhere.

// CHECK-LABEL: gpu.func @sparse_attention
// CHECK-NOT:     tile.bulk_copy
// CHECK:         tile.role "consumer" {{.*}} groups_of(1) {
func.func @short_rows(%q: memref<?x8x?x16xbf16>, %k: memref<?x2x?x16xbf16>, %v: memref<?x2x?x64xbf16>,
                      %e: memref<?x2x?xi32>, %o: memref<?x8x?x64xbf16>, %l: memref<?x8x?xf32>) {
  sparsek.sparse_attention window(512)
      ins(%q, %k, %v, %e : memref<?x8x?x16xbf16>, memref<?x2x?x16xbf16>, memref<?x2x?x64xbf16>, memref<?x2x?xi32>)
      outs(%o, %l : memref<?x8x?x64xbf16>, memref<?x8x?xf32>)
  return
}

// -----

// 40 query heads over one kv head: three chunks of 14 heads in tiles of 9
// queries.

// CHECK-LABEL: func.func @large_group
// CHECK:         sparsek.live_lists tile(9)
func.func @large_group(%q: memref<?x40x?x64xbf16>, %k: memref<?x1x?x64xbf16>, %v: memref<?x1x?x64xbf16>,
                       %e: memref<?x1x?xi32>, %o: memref<?x40x?x64xbf16>, %l: memref<?x40x?xf32>) {
  sparsek.sparse_attention window(512)
      ins(%q, %k, %v, %e : memref<?x40x?x64xbf16>, memref<?x1x?x64xbf16>, memref<?x1x?x64xbf16>, memref<?x1x?xi32>)
      outs(%o, %l : memref<?x40x?x64xbf16>, memref<?x40x?xf32>)
  return
}
