// RUN: sparsek-opt %s -convert-sparsek-attention-to-tile="chip=sm_80 rows=64 keys=32 stages=3" -canonicalize -cse | FileCheck %s
// RUN: sparsek-opt %s -convert-sparsek-attention-to-tile="chip=sm_90a rows=64 keys=32 stages=3" -canonicalize -cse | FileCheck %s --check-prefixes=HOPPER

// Without wgmma each consumer warp has 16 rows to itself, and all rows are
// gathered. The registers are shared out equally.

// CHECK-LABEL: gpu.module @sparse_attention_kernels {
// CHECK:         tile.alloc : !tile.shared<64x128xbf16, swizzled>
// CHECK-NEXT:    tile.alloc : !tile.shared<3x32x128xbf16, swizzled>
// CHECK:         tile.ring producers(4) consumers(4) : !tile.ring<1>
// CHECK-NEXT:    tile.ring producers(4) consumers(4) : !tile.ring<3>
// CHECK:         tile.role "producer" warps(4) groups_of(4) {
// CHECK-NOT:       tile.bulk_copy
// CHECK:           tile.gather {{.*}} to %{{.*}} : memref<?x128xbf16, {{.*}}>, !tile.shared<32x128xbf16, swizzled>, vector<32xi32>
// CHECK:         tile.role "consumer" warps(4) groups_of(1) {
// CHECK:           tile.mma {{.*}} transpose_b overwrite : vector<16x128xbf16>, !tile.shared<32x128xbf16, swizzled>, vector<16x32xf32>
// CHECK:           tile.mma {{.*}} accumulate({{.*}}) : vector<16x32xbf16>, !tile.shared<32x128xbf16, swizzled>, vector<16x128xf32>

// HOPPER-LABEL: gpu.module @sparse_attention_kernels {
// HOPPER:         tile.role "consumer" warps(4) groups_of(4) registers({{[0-9]+}}) {
func.func @bf16(%q: memref<?x32x?x128xbf16>, %k: memref<?x8x?x128xbf16>, %v: memref<?x8x?x128xbf16>,
                %e: memref<?x8x?xi32>, %o: memref<?x32x?x128xbf16>, %l: memref<?x32x?xf32>) {
  sparsek.sparse_attention window(512)
      ins(%q, %k, %v, %e : memref<?x32x?x128xbf16>, memref<?x8x?x128xbf16>, memref<?x8x?x128xbf16>, memref<?x8x?xi32>)
      outs(%o, %l : memref<?x32x?x128xbf16>, memref<?x32x?xf32>)
  return
}

// f32 has no wgmma on any chip. The queries stay in shared memory: split in two
// parts each, they would take all registers. Nothing is rounded to 16 bits.

// CHECK-LABEL:  gpu.module @sparse_attention_kernels_0 {
// HOPPER-LABEL: gpu.module @sparse_attention_kernels_0 {
// CHECK:          %[[QUERIES:.*]] = tile.alloc : !tile.shared<64x128xf32, swizzled>
// CHECK:          tile.role "consumer" warps(4) groups_of(1) {
// HOPPER:         tile.role "consumer" warps(4) groups_of(1) {
// CHECK-NOT:        arith.truncf
// CHECK:            tile.mma %[[QUERIES]], {{.*}} rows(%{{.*}}) transpose_b overwrite : !tile.shared<64x128xf32, swizzled>, !tile.shared<32x128xf32, swizzled>, vector<16x32xf32>
// CHECK-NOT:        arith.truncf
// CHECK:            tile.mma {{.*}} accumulate({{.*}}) : vector<16x32xf32>, !tile.shared<32x128xf32, swizzled>, vector<16x128xf32>
// CHECK-NOT:        arith.truncf
// CHECK:            tile.scatter {{.*}} : vector<16x128xf32>, memref<32x?x128xf32
func.func @f32(%q: memref<?x32x?x128xf32>, %k: memref<?x8x?x128xf32>, %v: memref<?x8x?x128xf32>,
               %e: memref<?x8x?xi32>, %o: memref<?x32x?x128xf32>, %l: memref<?x32x?xf32>) {
  sparsek.sparse_attention window(512)
      ins(%q, %k, %v, %e : memref<?x32x?x128xf32>, memref<?x8x?x128xf32>, memref<?x8x?x128xf32>, memref<?x8x?xi32>)
      outs(%o, %l : memref<?x32x?x128xf32>, memref<?x32x?xf32>)
  return
}
