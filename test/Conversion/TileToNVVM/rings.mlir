// RUN: sparsek-opt %s -convert-tile-to-nvvm -canonicalize -cse | FileCheck %s --check-prefixes=CHECK,SM90
// RUN: sparsek-opt %s -convert-tile-to-nvvm=chip=sm_80 -canonicalize -cse | FileCheck %s --check-prefixes=CHECK,SM80

gpu.module @kernels {
  // Barriers of a ring of 4: full at 8 * stage, empty 32 bytes further.

  // CHECK-LABEL: gpu.func @producer
  // CHECK-SAME:    %[[STAGE:[a-z0-9]*]]: i32, %[[PHASE:[a-z0-9]*]]: i32
  // CHECK-DAG:   %[[C8:.*]] = arith.constant 8 : i32
  // CHECK-DAG:   %[[C32:.*]] = arith.constant 32 : i32
  // CHECK-DAG:   %[[ALL:.*]] = arith.constant -1 : i32
  // CHECK:       %[[BASE:.*]] = llvm.inline_asm
  // CHECK:       nvvm.barrier0
  // CHECK:       %[[OFFSET:.*]] = arith.muli %[[STAGE]], %[[C8]]
  // CHECK:       %[[FULL:.*]] = arith.addi %[[BASE]], %[[OFFSET]]
  // CHECK:       %[[EMPTY:.*]] = arith.addi %[[FULL]], %[[C32]]
  // SM90:        llvm.inline_asm has_side_effects {{.*}}mbarrier.try_wait.parity.shared.b64 P, [$0], $1;{{.*}}"r,r,~{memory}" %[[EMPTY]], %[[PHASE]]
  // SM80:        llvm.inline_asm has_side_effects {{.*}}mbarrier.test_wait.parity.shared.b64 P, [$0], $1;{{.*}}"r,r,~{memory}" %[[EMPTY]], %[[PHASE]]
  // CHECK:       %[[P:.*]] = llvm.inttoptr %[[FULL]] : i32 to !llvm.ptr<3>
  // CHECK:       nvvm.cp.async.mbarrier.arrive %[[P]] : !llvm.ptr<3>
  // CHECK:       nvvm.bar.warp.sync %[[ALL]]
  // CHECK:       %[[LANE:.*]] = arith.andi
  // CHECK:       %[[LANE0:.*]] = arith.cmpi eq, %[[LANE]]
  // CHECK:       scf.if %[[LANE0]] {
  // CHECK-NEXT:    nvvm.mbarrier.arrive %[[P]] : !llvm.ptr<3> -> i64
  // CHECK-NEXT:  }
  // CHECK-NOT:   nvvm.cp.async.mbarrier.arrive
  // CHECK:       nvvm.bar.warp.sync
  // CHECK:       nvvm.mbarrier.arrive
  gpu.func @producer(%stage: i32, %phase: i32) kernel {
    %ring = tile.ring producers(4) consumers(8) : !tile.ring<4>
    tile.roles {
      tile.role "producer" warps(4) groups_of(4) {
        tile.acquire %ring[%stage, %phase] : !tile.ring<4>
        tile.commit async %ring[%stage] : !tile.ring<4>
        tile.commit %ring[%stage] : !tile.ring<4>
      }
    }
    gpu.return
  }

  // CHECK-LABEL: gpu.func @consumer
  // CHECK-SAME:    %[[STAGE:[a-z0-9]*]]: i32, %[[PHASE:[a-z0-9]*]]: i32
  // CHECK:       nvvm.barrier0
  // CHECK:       %[[OFFSET:.*]] = arith.muli %[[STAGE]]
  // CHECK:       %[[FULL:.*]] = arith.addi %{{.*}}, %[[OFFSET]]
  // CHECK:       %[[P:.*]] = llvm.inttoptr %[[FULL]]
  // CHECK:       %[[READY:.*]] = nvvm.mbarrier.test.wait %[[P]], %[[PHASE]] : !llvm.ptr<3>, i32 -> i1
  // CHECK:       memref.store %[[READY]]
  // SM90:        mbarrier.try_wait{{.*}} %[[FULL]], %[[PHASE]]
  // SM80:        mbarrier.test_wait{{.*}} %[[FULL]], %[[PHASE]]
  // SM90-NEXT:   nvvm.fence.proxy {kind = #nvvm.proxy_kind<async.shared>, space = #nvvm.shared_space<cta>}
  // SM90-NEXT:   nvvm.fence.proxy
  // SM80-NOT:    nvvm.fence.proxy
  // SM90-NEXT:   mbarrier.try_wait
  // CHECK-NOT:   nvvm.fence.proxy
  // CHECK:       %[[EMPTY:.*]] = arith.addi %[[FULL]], %{{.*}}
  // CHECK:       nvvm.bar.warp.sync
  // CHECK:       scf.if
  // CHECK:         %[[E:.*]] = llvm.inttoptr %[[EMPTY]]
  // CHECK:         nvvm.mbarrier.arrive %[[E]]
  gpu.func @consumer(%stage: i32, %phase: i32, %out: memref<i1>) kernel {
    %ring = tile.ring producers(4) consumers(8) : !tile.ring<4>
    tile.roles {
      tile.role "consumer" warps(8) groups_of(4) {
        %ready = tile.test %ring[%stage, %phase] : !tile.ring<4>
        memref.store %ready, %out[] : memref<i1>
        tile.wait fence %ring[%stage, %phase] : !tile.ring<4>
        tile.fence
        tile.wait %ring[%stage, %phase] : !tile.ring<4>
        tile.release %ring[%stage] : !tile.ring<4>
      }
    }
    gpu.return
  }

  // CHECK-LABEL: gpu.func @advance
  // CHECK-SAME:    %[[STAGE:[a-z0-9]*]]: i32, %[[PHASE:[a-z0-9]*]]: i32
  // CHECK-DAG:   %[[C0:.*]] = arith.constant 0 : i32
  // CHECK-DAG:   %[[C1:.*]] = arith.constant 1 : i32
  // CHECK-DAG:   %[[C3:.*]] = arith.constant 3 : i32
  // CHECK:       %[[NEXT:.*]] = arith.addi %[[STAGE]], %[[C1]]
  // CHECK:       %[[WRAP:.*]] = arith.cmpi eq, %[[NEXT]], %[[C3]]
  // CHECK:       %[[S:.*]] = arith.select %[[WRAP]], %[[C0]], %[[NEXT]]
  // CHECK:       %[[FLIP:.*]] = arith.extui %[[WRAP]] : i1 to i32
  // CHECK:       %[[P:.*]] = arith.xori %[[PHASE]], %[[FLIP]]
  // CHECK:       memref.store %[[S]]
  // CHECK:       memref.store %[[P]]
  gpu.func @advance(%stage: i32, %phase: i32, %out: memref<i32>) kernel {
    %ring = tile.ring producers(4) consumers(8) : !tile.ring<3>
    tile.roles {
      tile.role "consumer" warps(8) groups_of(4) {
        %s, %p = tile.advance %ring[%stage, %phase] : !tile.ring<3>
        memref.store %s, %out[] : memref<i32>
        memref.store %p, %out[] : memref<i32>
      }
    }
    gpu.return
  }
}
