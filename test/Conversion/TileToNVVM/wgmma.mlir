// RUN: sparsek-opt %s -split-input-file -convert-tile-to-nvvm -canonicalize -cse | FileCheck %s

// Operand A in registers, B with its depth along the rows (N x K): the
// descriptor moves by 32 bytes, after 64 columns to the next panel of 16 rows
// (2048 bytes). The first step overwrites.

// CHECK-LABEL: gpu.func @registers
// CHECK-DAG:   %[[C4:.*]] = arith.constant 4 : i32
// CHECK-DAG:   %[[LBO:.*]] = arith.constant 65536 : i32
// CHECK-DAG:   %[[C2:.*]] = arith.constant 2 : i32
// CHECK-DAG:   %[[C6:.*]] = arith.constant 6 : i32
// CHECK-DAG:   %[[PANEL:.*]] = arith.constant 128 : i32
// CHECK-DAG:   %[[PANEL2:.*]] = arith.constant 130 : i32
// CHECK:       %[[BASE:.*]] = llvm.inline_asm
// CHECK:       %[[A:.*]] = vector.bitcast %{{.*}} : vector<48xbf16> to vector<24xi32>
// CHECK:       %[[UNITS:.*]] = arith.shrui %[[BASE]], %[[C4]]
// CHECK:       %[[LOW:.*]] = arith.ori %[[UNITS]], %[[LBO]]
// CHECK:       %[[A0:.*]] = vector.extract %[[A]][0]
// CHECK:       %[[A1:.*]] = vector.extract %[[A]][1]
// CHECK:       %[[A2:.*]] = vector.extract %[[A]][2]
// CHECK:       %[[A3:.*]] = vector.extract %[[A]][3]
// CHECK:       %[[A4:.*]] = vector.extract %[[A]][4]
// CHECK:       %[[PIN:.*]] = llvm.inline_asm has_side_effects {{.*}} "", "=f,=f,=f,=f,=f,=f,=f,=f,0,1,2,3,4,5,6,7,~{memory}"
// CHECK:       %[[P0:.*]] = llvm.extractvalue %[[PIN]][0]
// CHECK:       nvvm.wgmma.fence.aligned
// CHECK:       %[[R:.*]] = llvm.inline_asm has_side_effects asm_dialect = att
// CHECK-SAME:    {\0A.reg .pred p;\0A.reg .b64 db;\0Amov.b64 db, {$20, 1073741888};\0Asetp.ne.b32 p, 0, 0;\0A
// CHECK-SAME:    wgmma.mma_async.sync.aligned.m64n16k16.f32.bf16.bf16
// CHECK-SAME:    {$0, $1, $2, $3, $4, $5, $6, $7}, {$16, $17, $18, $19}, db, p, 1, 1, 0;\0A}
// CHECK-SAME:    "=f,=f,=f,=f,=f,=f,=f,=f,0,1,2,3,4,5,6,7,r,r,r,r,r,~{memory}" %[[P0]]
// CHECK-SAME:    %[[A0]], %[[A1]], %[[A2]], %[[A3]], %[[LOW]]
// CHECK:       %[[R0:.*]] = llvm.extractvalue %[[R]][0]
// CHECK:       %[[LOW1:.*]] = arith.addi %[[LOW]], %[[C2]]
// CHECK:       llvm.inline_asm {{.*}}setp.ne.b32 p, 1, 0{{.*}} %[[R0]]{{.*}} %[[A4]], {{.*}} %[[LOW1]]
// CHECK:       arith.addi %[[LOW]], %[[C4]]
// CHECK:       llvm.inline_asm {{.*}}wgmma.mma_async
// CHECK:       arith.addi %[[LOW]], %[[C6]]
// CHECK:       llvm.inline_asm {{.*}}wgmma.mma_async
// CHECK:       %[[LOW4:.*]] = arith.addi %[[LOW]], %[[PANEL]]
// CHECK:       llvm.inline_asm {{.*}}wgmma.mma_async{{.*}} %[[LOW4]]
// CHECK:       arith.addi %[[LOW]], %[[PANEL2]]
// CHECK:       %[[LAST:.*]] = llvm.inline_asm {{.*}}wgmma.mma_async
// CHECK:       nvvm.wgmma.commit.group.sync.aligned
// CHECK:       %[[DONE:.*]] = llvm.inline_asm has_side_effects {{.*}} "wgmma.wait_group.sync.aligned 0;", "=f,=f,=f,=f,=f,=f,=f,=f,0,1,2,3,4,5,6,7,~{memory}"
// CHECK:       %[[D0:.*]] = llvm.extractvalue %[[DONE]][0]
// CHECK:       %[[RESULT:.*]] = vector.from_elements %[[D0]]
// CHECK:       memref.store %[[RESULT]]
gpu.module @kernels {
  gpu.func @registers(%a: memref<vector<48xbf16>>, %out: memref<vector<8xf32>>) kernel {
    %b = tile.alloc : !tile.shared<16x96xbf16, swizzled>
    tile.roles {
      tile.role "all" warps(4) groups_of(4) {
        %0 = memref.load %a[] : memref<vector<48xbf16>>
        %acc = memref.load %out[] : memref<vector<8xf32>>
        %1 = tile.mma %0, %b, %acc transpose_b overwrite : vector<48xbf16>, !tile.shared<16x96xbf16, swizzled>, vector<8xf32>
        %2 = tile.mma_wait 0, %1 : vector<8xf32>
        memref.store %2, %out[] : memref<vector<8xf32>>
      }
    }
    gpu.return
  }
}

// -----

// B with its depth down the rows (K x N): panels lie K * 128 = 4096 bytes apart,
// the next 16 rows 2048. Whether the first step adds is known at run time.

// CHECK-LABEL: gpu.func @down_the_rows
// CHECK-SAME:    %[[ADD:[a-z0-9]*]]: i1
// CHECK-DAG:   %[[LBO:.*]] = arith.constant 16777216 : i32
// CHECK-DAG:   %[[STEP:.*]] = arith.constant 128 : i32
// CHECK:       %[[LOW:.*]] = arith.ori %{{.*}}, %[[LBO]]
// CHECK:       nvvm.wgmma.fence.aligned
// CHECK:       %[[FLAG:.*]] = arith.extui %[[ADD]] : i1 to i32
// CHECK:       llvm.inline_asm
// CHECK-SAME:    setp.ne.b32 p, $[[#]], 0;\0A
// CHECK-SAME:    wgmma.mma_async.sync.aligned.m64n96k16.f32.f16.f16
// CHECK-SAME:    db, p, 1, 1, 1;
// CHECK-SAME:    %[[LOW]], %[[FLAG]]
// CHECK:       %[[LOW1:.*]] = arith.addi %[[LOW]], %[[STEP]]
// CHECK:       llvm.inline_asm {{.*}}setp.ne.b32 p, 1, 0{{.*}} %[[LOW1]]
// CHECK-NOT:   wgmma.mma_async
// CHECK:       nvvm.wgmma.commit.group.sync.aligned
gpu.module @kernels {
  gpu.func @down_the_rows(%add: i1, %a: memref<vector<16xf16>>, %out: memref<vector<48xf32>>) kernel {
    %b = tile.alloc : !tile.shared<32x96xf16, swizzled>
    tile.roles {
      tile.role "all" warps(4) groups_of(4) {
        %0 = memref.load %a[] : memref<vector<16xf16>>
        %acc = memref.load %out[] : memref<vector<48xf32>>
        %1 = tile.mma %0, %b, %acc accumulate(%add) : vector<16xf16>, !tile.shared<32x96xf16, swizzled>, vector<48xf32>
        %2 = tile.mma_wait 0, %1 : vector<48xf32>
        memref.store %2, %out[] : memref<vector<48xf32>>
      }
    }
    gpu.return
  }
}

// -----

// Operand A in shared memory, from row %row on: two descriptors. Without
// `accumulate` or `overwrite` the first step adds.

// CHECK-LABEL: gpu.func @shared
// CHECK-SAME:    %[[ROW:[a-z0-9]*]]: i32
// CHECK-DAG:   %[[C128:.*]] = arith.constant 128 : i32
// CHECK-DAG:   %[[C2:.*]] = arith.constant 2 : i32
// CHECK:       %[[BASE:.*]] = llvm.inline_asm
// CHECK:       %[[BLOW:.*]] = arith.ori
// CHECK:       %[[OFFSET:.*]] = arith.muli %[[ROW]], %[[C128]]
// CHECK:       %[[ADDRESS:.*]] = arith.addi %[[BASE]], %[[OFFSET]]
// CHECK:       %[[UNITS:.*]] = arith.shrui %[[ADDRESS]]
// CHECK:       %[[ALOW:.*]] = arith.ori %[[UNITS]]
// CHECK:       nvvm.wgmma.fence.aligned
// CHECK:       llvm.inline_asm
// CHECK-SAME:    .reg .b64 da;\0Amov.b64 da, {$8, 1073741888};
// CHECK-SAME:    .reg .b64 db;\0Amov.b64 db, {$9, 1073741888};
// CHECK-SAME:    setp.ne.b32 p, 1, 0;
// CHECK-SAME:    wgmma.mma_async.sync.aligned.m64n8k16.f32.bf16.bf16 {$0, $1, $2, $3}, da, db, p, 1, 1, 0, 0;
// CHECK-SAME:    %[[ALOW]], %[[BLOW]]
// CHECK-DAG:   %[[ALOW1:.*]] = arith.addi %[[ALOW]], %[[C2]]
// CHECK-DAG:   %[[BLOW1:.*]] = arith.addi %[[BLOW]], %[[C2]]
// CHECK:       llvm.inline_asm {{.*}} %[[ALOW1]], %[[BLOW1]]
gpu.module @kernels {
  gpu.func @shared(%row: i32, %out: memref<vector<4xf32>>) kernel {
    %a = tile.alloc : !tile.shared<128x32xbf16, swizzled>
    %b = tile.alloc : !tile.shared<8x32xbf16, swizzled>
    tile.roles {
      tile.role "all" warps(4) groups_of(4) {
        %acc = memref.load %out[] : memref<vector<4xf32>>
        %1 = tile.mma %a, %b, %acc rows(%row) transpose_b : !tile.shared<128x32xbf16, swizzled>, !tile.shared<8x32xbf16, swizzled>, vector<4xf32>
        %2 = tile.mma_wait 0, %1 : vector<4xf32>
        memref.store %2, %out[] : memref<vector<4xf32>>
      }
    }
    gpu.return
  }
}

// -----

// A wait ties all elements of its values, packed ones as pairs, and may have
// none.

// CHECK-LABEL: gpu.func @waits
// CHECK:       llvm.inline_asm {{.*}} "wgmma.wait_group.sync.aligned 1;", "=f,=f,=r,0,1,2,~{memory}"
// CHECK:       llvm.inline_asm {{.*}} "wgmma.wait_group.sync.aligned 0;", "~{memory}"
gpu.module @kernels {
  gpu.func @waits(%x: memref<vector<2xf32>>, %y: memref<vector<2xbf16>>) kernel {
    tile.roles {
      tile.role "all" warps(4) groups_of(4) {
        %0 = memref.load %x[] : memref<vector<2xf32>>
        %1 = memref.load %y[] : memref<vector<2xbf16>>
        %2, %3 = tile.mma_wait 1, %0, %1 : vector<2xf32>, vector<2xbf16>
        memref.store %2, %x[] : memref<vector<2xf32>>
        memref.store %3, %y[] : memref<vector<2xbf16>>
        tile.mma_wait 0
      }
    }
    gpu.return
  }
}
