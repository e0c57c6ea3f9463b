// RUN: sparsek-opt %s -convert-tile-to-nvvm -canonicalize -cse | FileCheck %s
// RUN: sparsek-opt %s -convert-tile-to-nvvm=chip=sm_80 | FileCheck %s --check-prefix=SM80

// SM80-NOT: nvvm.setmaxregister

gpu.module @kernels {
  // A thread of 512 starts with 128 registers; numbers are relative to the role.

  // CHECK-LABEL: gpu.func @three_roles
  // CHECK-SAME:    known_block_size = array<i32: 512, 1, 1>
  // CHECK-DAG:   %[[C128:.*]] = arith.constant 128 : i32
  // CHECK-DAG:   %[[C256:.*]] = arith.constant 256 : i32
  // CHECK-DAG:   %[[C127:.*]] = arith.constant 127 : i32
  // CHECK-DAG:   %[[C31:.*]] = arith.constant 31 : i32
  // CHECK-DAG:   %[[C32:.*]] = arith.constant 32 : i32
  // CHECK-DAG:   %[[M8:.*]] = arith.constant -8 : i32
  // CHECK:       %[[TID:.*]] = nvvm.read.ptx.sreg.tid.x : i32
  // CHECK:       %[[A:.*]] = arith.cmpi ult, %[[TID]], %[[C128]]
  // CHECK:       scf.if %[[A]] {
  // CHECK:         nvvm.setmaxregister decrease 40
  // CHECK:         %[[THREAD:.*]] = arith.andi %[[TID]], %[[C127]]
  // CHECK:         memref.store %[[THREAD]]
  // CHECK:       } else {
  // CHECK:         %[[B:.*]] = arith.cmpi ult, %[[TID]], %[[C256]]
  // CHECK:         scf.if %[[B]] {
  // CHECK-NOT:       nvvm.setmaxregister
  // CHECK:         } else {
  // CHECK:           nvvm.setmaxregister increase 168
  // CHECK:           %[[LANE:.*]] = arith.andi %[[TID]], %[[C31]]
  // CHECK:           memref.store %[[LANE]]
  // CHECK:           %[[WARP:.*]] = arith.divui %[[TID]], %[[C32]]
  // CHECK:           %[[GROUP:.*]] = arith.addi %[[WARP]], %[[M8]]
  // CHECK:           memref.store %[[GROUP]]
  gpu.func @three_roles(%out: memref<i32>) kernel {
    tile.roles {
      tile.role "producer" warps(4) groups_of(4) registers(40) {
        %t = tile.thread_id
        memref.store %t, %out[] : memref<i32>
      }
      tile.role "helper" warps(4) groups_of(4) registers(128) {
        %g = tile.group_id
        memref.store %g, %out[] : memref<i32>
      }
      tile.role "consumer" warps(8) groups_of(1) registers(168) {
        %t = tile.thread_id
        memref.store %t, %out[] : memref<i32>
        %g = tile.group_id
        memref.store %g, %out[] : memref<i32>
      }
    }
    gpu.return
  }

  // One role needs no branch.

  // CHECK-LABEL: gpu.func @one_role
  // CHECK-NOT:   scf.if
  // CHECK:       memref.store
  gpu.func @one_role(%out: memref<i32>) kernel {
    tile.roles {
      tile.role "all" warps(4) groups_of(1) {
        %t = tile.thread_id
        memref.store %t, %out[] : memref<i32>
      }
    }
    gpu.return
  }
}
