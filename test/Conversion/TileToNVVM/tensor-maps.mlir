// RUN: sparsek-opt %s -convert-tile-to-nvvm -canonicalize -cse | FileCheck %s
// RUN: sparsek-opt %s -pass-pipeline='builtin.module(convert-tile-to-nvvm,gpu.module(convert-scf-to-cf,convert-gpu-to-nvvm,tile-finalize-kernels))' | FileCheck %s --check-prefix=FINAL

module attributes {gpu.container_module} {
  gpu.module @kernels {
    // The map is argument 0, and 6 after a memref of 5 words. One copy per panel
    // of 64 columns; the last panel is copied in full.

    // CHECK-LABEL: gpu.func @copy
    // CHECK-SAME:    (%[[MAP:.*]]: !llvm.ptr, %{{.*}}: memref<?xf32>, %[[OTHER:.*]]: !llvm.ptr, %[[X:.*]]: i32, %[[Y:.*]]: i32)
    // CHECK-SAME:    tile.tensor_map_args = array<i64: 0, 6>
    // CHECK-DAG:   %[[C64:.*]] = arith.constant 64 : i32
    // CHECK-DAG:   %[[BYTES:.*]] = arith.constant 4096 : i32
    // CHECK-DAG:   %[[PANEL:.*]] = arith.constant 2048 : i32
    // CHECK:       %[[BASE:.*]] = llvm.inline_asm
    // CHECK:       nvvm.barrier0
    // CHECK:       %[[THREAD:.*]] = arith.andi
    // CHECK:       %[[FIRST:.*]] = arith.cmpi eq, %[[THREAD]]
    // CHECK:       scf.if %[[FIRST]] {
    // CHECK-DAG:     nvvm.mbarrier.expect_tx %[[BAR:.*]], %[[BYTES]] : !llvm.ptr<3>, i32
    // CHECK-DAG:     %[[D0:.*]] = llvm.inttoptr %[[BASE]]
    // CHECK:         %[[CLUSTER:.*]] = llvm.addrspacecast %[[D0]] : !llvm.ptr<3> to !llvm.ptr<7>
    // CHECK:         nvvm.cp.async.bulk.tensor.shared.cluster.global %[[CLUSTER]], %[[OTHER]], %[[BAR]], box[%[[X]], %[[Y]]]
    // CHECK-DAG:     %[[A1:.*]] = arith.addi %[[BASE]], %[[PANEL]]
    // CHECK-DAG:     %[[X1:.*]] = arith.addi %[[X]], %[[C64]]
    // CHECK:         nvvm.cp.async.bulk.tensor.shared.cluster.global %{{.*}}, %[[OTHER]], %[[BAR]], box[%[[X1]], %[[Y]]]
    // CHECK-NOT:     nvvm.cp.async.bulk.tensor

    // FINAL: llvm.func @copy(%{{[^:]*}}: !llvm.ptr {llvm.align = 64 : i64, llvm.byval = !llvm.array<128 x i8>, nvvm.grid_constant}, %{{[^:]*}}: !llvm.ptr, %{{[^:]*}}: !llvm.ptr, %{{[^:]*}}: i64, %{{[^:]*}}: i64, %{{[^:]*}}: i64, %{{[^:]*}}: !llvm.ptr {llvm.align = 64 : i64, llvm.byval = !llvm.array<128 x i8>, nvvm.grid_constant}, %{{[^:]*}}: i32, %{{[^:]*}}: i32)
    // FINAL-SAME: nvvm.maxntid = array<i32: 128, 1, 1>, nvvm.minctasm = 1 : i32
    // FINAL-NOT:  tile.tensor_map_args
    gpu.func @copy(%map: !tile.tensor_map, %unused: memref<?xf32>, %other: !tile.tensor_map, %x: i32, %y: i32) kernel {
      %c0 = arith.constant 0 : i32
      %slot = tile.alloc : !tile.shared<16x96xbf16, swizzled>
      %ring = tile.ring producers(4) consumers(8) : !tile.ring<1>
      tile.roles {
        tile.role "producer" warps(4) groups_of(4) {
          tile.bulk_copy %other[%x, %y] to %slot signal %ring[%c0] : !tile.shared<16x96xbf16, swizzled>, !tile.ring<1>
        }
      }
      gpu.return
    }

    // CHECK-LABEL: gpu.func @plain()
    gpu.func @plain() kernel {
      gpu.return
    }
  }

  // The launch passes what the kernel now takes, and the shared memory it needs.

  // CHECK-LABEL: func.func @host
  // CHECK-SAME:    %[[M:.*]]: !tile.tensor_map, %[[B:.*]]: memref<?xf32>
  // CHECK:       %[[CAST:.*]] = builtin.unrealized_conversion_cast %[[M]] : !tile.tensor_map to !llvm.ptr
  // CHECK:       gpu.launch_func @kernels::@copy {{.*}} dynamic_shared_memory_size %c4112_i32 args(%[[CAST]] : !llvm.ptr, %[[B]] : memref<?xf32>, %[[CAST]] : !llvm.ptr, %{{.*}} : i32, %{{.*}} : i32)
  // CHECK:       gpu.launch_func @kernels::@plain
  // CHECK-NOT:   dynamic_shared_memory_size
  func.func @host(%map: !tile.tensor_map, %buffer: memref<?xf32>, %x: i32) {
    %c1 = arith.constant 1 : index
    %c128 = arith.constant 128 : index
    gpu.launch_func @kernels::@copy blocks in (%c1, %c1, %c1) threads in (%c128, %c1, %c1)
        args(%map : !tile.tensor_map, %buffer : memref<?xf32>, %map : !tile.tensor_map, %x : i32, %x : i32)
    gpu.launch_func @kernels::@plain blocks in (%c1, %c1, %c1) threads in (%c128, %c1, %c1)
    return
  }
}
