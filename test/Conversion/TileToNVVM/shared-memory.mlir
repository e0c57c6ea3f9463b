// RUN: sparsek-opt %s -split-input-file -convert-tile-to-nvvm -canonicalize -cse | FileCheck %s
// RUN: sparsek-opt %s -split-input-file -convert-tile-to-nvvm=chip=sm_80 -canonicalize -cse | FileCheck %s --check-prefix=SM80

// Swizzled buffers first, then the others, then barriers; barriers are
// initialized by thread 0.

// CHECK-LABEL: gpu.module @plan
// CHECK:       llvm.mlir.global external @tile_shared() {addr_space = 3 : i32, alignment = 1024 : i64} : !llvm.array<0 x i8>
// CHECK-LABEL: gpu.func @plan
// CHECK-SAME:    known_block_size = array<i32: 32, 1, 1>
// CHECK-SAME:    nvvm.minctasm = 1 : i32
// CHECK-SAME:    tile.shared_bytes = 6200 : i32
// CHECK-DAG:   %[[SMALL:.*]] = arith.constant 6144 : i32
// CHECK-DAG:   %[[RING:.*]] = arith.constant 6168 : i32
// CHECK-DAG:   %[[EMPTY:.*]] = arith.constant 6184 : i32
// CHECK-DAG:   %[[SECOND:.*]] = arith.constant 4096 : i32
// CHECK-DAG:   %[[ZERO:.*]] = arith.constant 0 : i32
// CHECK-DAG:   %[[TWO:.*]] = arith.constant 2 : i32
// CHECK-DAG:   %[[THREE:.*]] = arith.constant 3 : i32
// CHECK:       %[[SYMBOL:.*]] = llvm.mlir.addressof @tile_shared : !llvm.ptr<3>
// CHECK:       %[[ADDRESS:.*]] = llvm.ptrtoint %[[SYMBOL]] : !llvm.ptr<3> to i32
// CHECK:       %[[BASE:.*]] = llvm.inline_asm {{.*}} "", "=r,0,~{memory}" %[[ADDRESS]]
// CHECK-DAG:   %[[A:.*]] = arith.addi %[[BASE]], %[[SMALL]]
// CHECK-DAG:   %[[C:.*]] = arith.addi %[[BASE]], %[[SECOND]]
// CHECK:       %[[TID:.*]] = nvvm.read.ptx.sreg.tid.x : i32
// CHECK:       %[[FIRST:.*]] = arith.cmpi eq, %[[TID]], %[[ZERO]]
// CHECK:       scf.if %[[FIRST]]
// CHECK-COUNT-2: nvvm.mbarrier.init %{{.*}}, %[[TWO]]
// CHECK-COUNT-2: nvvm.mbarrier.init %{{.*}}, %[[THREE]]
// CHECK:         nvvm.fence.mbarrier.init
// CHECK:       nvvm.barrier0
// SM80-LABEL:  gpu.func @plan
// SM80-NOT:    nvvm.fence.mbarrier.init
// CHECK:       memref.store %[[A]],
// CHECK:       memref.store %[[BASE]],
// CHECK:       memref.store %[[C]],
gpu.module @plan {
  gpu.func @plan(%out: memref<3xi32>) kernel {
    %a = tile.alloc : !tile.shared<6xi32>
    %b = tile.alloc : !tile.shared<2x8x128xbf16, swizzled>
    %c = tile.alloc : !tile.shared<16x48xbf16, swizzled>
    %ring = tile.ring producers(2) consumers(3) : !tile.ring<2>
    tile.roles {
      tile.role "all" warps(1) groups_of(1) {
        %c0 = arith.constant 0 : index
        %c1 = arith.constant 1 : index
        %c2 = arith.constant 2 : index
        %0 = tile.address %a : !tile.shared<6xi32>
        %1 = tile.address %b : !tile.shared<2x8x128xbf16, swizzled>
        %2 = tile.address %c : !tile.shared<16x48xbf16, swizzled>
        memref.store %0, %out[%c0] : memref<3xi32>
        memref.store %1, %out[%c1] : memref<3xi32>
        memref.store %2, %out[%c2] : memref<3xi32>
      }
    }
    gpu.return
  }
}

// -----

// A slot of 8 x 128 16-bit elements has 2 panels of 1024 bytes.

// CHECK-LABEL: gpu.func @slot
// CHECK-SAME:    %[[I:[a-z0-9]*]]: i32, %[[OUT:[a-z0-9]*]]: memref<i32>
// CHECK-DAG:   %[[BYTES:.*]] = arith.constant 2048 : i32
// CHECK:       %[[BASE:.*]] = llvm.inline_asm
// CHECK-NOT:   nvvm.barrier0
// CHECK:       %[[OFFSET:.*]] = arith.muli %[[I]], %[[BYTES]]
// CHECK:       %[[SLOT:.*]] = arith.addi %[[BASE]], %[[OFFSET]]
// CHECK:       memref.store %[[SLOT]], %[[OUT]]
gpu.module @slots {
  gpu.func @slot(%i: i32, %out: memref<i32>) kernel {
    %b = tile.alloc : !tile.shared<2x8x128xbf16, swizzled>
    tile.roles {
      tile.role "all" warps(4) groups_of(4) {
        %slot = tile.slot %b[%i] : !tile.shared<2x8x128xbf16, swizzled>
        %0 = tile.address %slot : !tile.shared<8x128xbf16, swizzled>
        memref.store %0, %out[] : memref<i32>
      }
    }
    gpu.return
  }
}

// -----

// CHECK-LABEL: gpu.func @flags
// CHECK:       %[[WORD:.*]] = llvm.load %{{.*}} {alignment = 4 : i64} : !llvm.ptr<3> -> i32
// CHECK:       %[[FOUR:.*]] = arith.cmpi ne, %[[WORD]], %{{.*}} : i32
// CHECK:       %[[BYTE:.*]] = llvm.load %{{.*}} {alignment = 1 : i64} : !llvm.ptr<3> -> i8
// CHECK:       %[[ONE:.*]] = arith.cmpi ne, %[[BYTE]], %{{.*}} : i8
// CHECK:       memref.store %[[FOUR]]
// CHECK:       memref.store %[[ONE]]
gpu.module @flags {
  gpu.func @flags(%i: i32, %out: memref<i1>) kernel {
    %four = tile.alloc : !tile.shared<4xi8>
    %one = tile.alloc : !tile.shared<1xi8>
    tile.roles {
      tile.role "all" warps(4) groups_of(4) {
        %0 = tile.test_flag %four : !tile.shared<4xi8>
        %1 = tile.test_flag %one : !tile.shared<1xi8>
        memref.store %0, %out[] : memref<i1>
        memref.store %1, %out[] : memref<i1>
      }
    }
    gpu.return
  }
}
