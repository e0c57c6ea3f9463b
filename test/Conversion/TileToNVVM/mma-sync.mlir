// RUN: sparsek-opt %s -split-input-file -convert-tile-to-nvvm=chip=sm_80 -canonicalize -cse | FileCheck %s
// RUN: sparsek-opt %s -split-input-file -convert-tile-to-nvvm=chip=sm_90a -canonicalize -cse | FileCheck %s

// Operand A in registers, B with its depth along the rows (N x K). The lane's
// offset is computed once: row (lane % 8) + (lane / 2 & 8), chunk (lane / 8 & 1)
// swizzled by the row. Columns 0 to 15 share a load, 16 to 23 have one (2048
// bytes on); a step of 16 flips bits 5 and 6, the second panel lies 24 * 128 =
// 3072 bytes on. A wait is nothing.

// CHECK-LABEL: gpu.func @registers
// CHECK-DAG:   %[[C1:.*]] = arith.constant 1 : i32
// CHECK-DAG:   %[[C3:.*]] = arith.constant 3 : i32
// CHECK-DAG:   %[[C7:.*]] = arith.constant 7 : i32
// CHECK-DAG:   %[[C8:.*]] = arith.constant 8 : i32
// CHECK-DAG:   %[[C16:.*]] = arith.constant 16 : i32
// CHECK-DAG:   %[[C31:.*]] = arith.constant 31 : i32
// CHECK-DAG:   %[[C32:.*]] = arith.constant 32 : i32
// CHECK-DAG:   %[[C64:.*]] = arith.constant 64 : i32
// CHECK-DAG:   %[[C96:.*]] = arith.constant 96 : i32
// CHECK-DAG:   %[[C128:.*]] = arith.constant 128 : i32
// CHECK-DAG:   %[[ZERO:.*]] = arith.constant 0.000000e+00 : f32
// CHECK:       %[[BASE:.*]] = llvm.inline_asm
// CHECK:       %[[THREAD:.*]] = nvvm.read.ptx.sreg.tid.x
// CHECK:       %[[LANE:.*]] = arith.andi %[[THREAD]], %[[C31]]
// CHECK:       %[[LOW:.*]] = arith.andi %[[LANE]], %[[C7]]
// CHECK:       %[[HALF:.*]] = arith.shrui %[[LANE]], %[[C1]]
// CHECK:       %[[HIGH:.*]] = arith.andi %[[HALF]], %[[C8]]
// CHECK:       %[[ROW:.*]] = arith.addi %[[LOW]], %[[HIGH]]
// CHECK:       %[[MATRIX:.*]] = arith.shrui %[[LANE]], %[[C3]]
// CHECK:       %[[CHUNK:.*]] = arith.andi %[[MATRIX]], %[[C1]]
// CHECK:       %[[XOR:.*]] = arith.xori %[[CHUNK]], %[[ROW]]
// CHECK:       %[[SWIZZLED:.*]] = arith.andi %[[XOR]], %[[C7]]
// CHECK:       %[[ROWBYTES:.*]] = arith.muli %[[ROW]], %[[C128]]
// CHECK:       %[[CHUNKBYTES:.*]] = arith.muli %[[SWIZZLED]], %[[C16]]
// CHECK:       %[[OFFSET:.*]] = arith.addi %[[ROWBYTES]], %[[CHUNKBYTES]]
// CHECK:       %[[A:.*]] = vector.bitcast %{{.*}} : vector<48xbf16> to vector<24xi32>
// CHECK:       %[[ADDRESS:.*]] = arith.addi %[[BASE]], %[[OFFSET]]
// CHECK:       %[[A0:.*]] = vector.extract %[[A]][0]
// CHECK:       %[[A1:.*]] = vector.extract %[[A]][1]
// CHECK:       %[[A2:.*]] = vector.extract %[[A]][2]
// CHECK:       %[[A3:.*]] = vector.extract %[[A]][3]
// CHECK:       %[[A4:.*]] = vector.extract %[[A]][4]
// CHECK:       %[[P0:.*]] = llvm.inttoptr %[[ADDRESS]] : i32 to !llvm.ptr<3>
// CHECK:       %[[M:.*]] = nvvm.ldmatrix %[[P0]] {{.*}}layout = #nvvm.mma_layout<row>, num = 4
// CHECK:       %[[M0:.*]] = llvm.extractvalue %[[M]][0]
// CHECK:       %[[M1:.*]] = llvm.extractvalue %[[M]][1]
// CHECK:       %[[M2:.*]] = llvm.extractvalue %[[M]][2]
// CHECK:       %[[M3:.*]] = llvm.extractvalue %[[M]][3]
// CHECK:       %[[D0:.*]] = nvvm.mma.sync A[%[[A0]], %[[A1]], %[[A2]], %[[A3]]] B[%[[M0]], %[[M1]]] C[%[[ZERO]], %[[ZERO]], %[[ZERO]], %[[ZERO]]]
// CHECK-SAME:    multiplicandAPtxType = #nvvm.mma_type<bf16>
// CHECK-SAME:    shape = #nvvm.shape<m = 16, n = 8, k = 16>
// CHECK:       %[[D00:.*]] = llvm.extractvalue %[[D0]][0]
// CHECK:       nvvm.mma.sync A[%[[A0]], %[[A1]], %[[A2]], %[[A3]]] B[%[[M2]], %[[M3]]] C[%[[ZERO]], %[[ZERO]], %[[ZERO]], %[[ZERO]]]
// CHECK:       %[[P0N:.*]] = llvm.getelementptr %[[P0]][2048]
// CHECK:       nvvm.ldmatrix %[[P0N]] {{.*}}num = 2
// CHECK:       nvvm.mma.sync
// CHECK:       %[[ADDRESS1:.*]] = arith.xori %[[ADDRESS]], %[[C32]]
// CHECK:       %[[P1:.*]] = llvm.inttoptr %[[ADDRESS1]]
// CHECK:       nvvm.ldmatrix %[[P1]] {{.*}}num = 4
// CHECK:       nvvm.mma.sync A[%[[A4]], {{.*}} C[%[[D00]],
// CHECK:       arith.xori %[[ADDRESS]], %[[C64]]
// CHECK:       arith.xori %[[ADDRESS]], %[[C96]]
// CHECK-NOT:   arith.xori
// CHECK:       %[[P4:.*]] = llvm.getelementptr %[[P0]][3072]
// CHECK:       nvvm.ldmatrix %[[P4]] {{.*}}num = 4
// CHECK:       %[[P4N:.*]] = llvm.getelementptr %[[P0]][5120]
// CHECK:       nvvm.ldmatrix %[[P4N]] {{.*}}num = 2
// CHECK:       %[[P5:.*]] = llvm.getelementptr %[[P1]][3072]
// CHECK:       nvvm.ldmatrix %[[P5]] {{.*}}num = 4
// CHECK:       %[[LAST:.*]] = nvvm.mma.sync
// CHECK:       %[[R:.*]] = vector.from_elements
// CHECK-NEXT:  memref.store %[[R]]
gpu.module @kernels {
  gpu.func @registers(%a: memref<vector<48xbf16>>, %out: memref<vector<12xf32>>) kernel {
    %b = tile.alloc : !tile.shared<24x96xbf16, swizzled>
    tile.roles {
      tile.role "all" warps(2) groups_of(1) {
        %0 = memref.load %a[] : memref<vector<48xbf16>>
        %acc = memref.load %out[] : memref<vector<12xf32>>
        %1 = tile.mma %0, %b, %acc transpose_b overwrite : vector<48xbf16>, !tile.shared<24x96xbf16, swizzled>, vector<12xf32>
        %2 = tile.mma_wait 0, %1 : vector<12xf32>
        memref.store %2, %out[] : memref<vector<12xf32>>
      }
    }
    gpu.return
  }
}

// -----

// B with its depth down the rows (K x N): transposed loads, 16 columns flip bits
// 5 and 6, columns 64 and on lie 32 * 128 = 4096 bytes on, a step 2048. Whether
// the product adds is known at run time.

// CHECK-LABEL: gpu.func @down_the_rows
// CHECK-SAME:    %[[ADD:[a-z0-9]*]]: i1
// CHECK-DAG:   %[[C4:.*]] = arith.constant 4 : i32
// CHECK-DAG:   %[[C15:.*]] = arith.constant 15 : i32
// CHECK-DAG:   %[[C31:.*]] = arith.constant 31 : i32
// CHECK-DAG:   %[[C32:.*]] = arith.constant 32 : i32
// CHECK-DAG:   %[[ZERO:.*]] = arith.constant 0.000000e+00 : f32
// CHECK:       %[[LANE:.*]] = arith.andi %{{.*}}, %[[C31]]
// CHECK:       %[[ROW:.*]] = arith.andi %[[LANE]], %[[C15]]
// CHECK:       %[[MATRIX:.*]] = arith.shrui %[[LANE]], %[[C4]]
// CHECK:       %[[ADDRESS:.*]] = arith.addi
// CHECK:       %[[ACC:.*]]:48 = scf.if %[[ADD]]
// CHECK:       } else {
// CHECK:         llvm.inline_asm {{.*}} %[[ZERO]], %[[ZERO]]
// CHECK:       %[[P0:.*]] = llvm.inttoptr
// CHECK:       %[[M:.*]] = nvvm.ldmatrix %[[P0]] {{.*}}layout = #nvvm.mma_layout<col>, num = 4
// CHECK:       %[[M0:.*]] = llvm.extractvalue %[[M]][0]
// CHECK:       %[[B0:.*]] = llvm.bitcast %[[M0]] : i32 to vector<2xf16>
// CHECK:       nvvm.mma.sync {{.*}} B[%[[B0]], {{.*}} C[%[[ACC]]#0, %[[ACC]]#1, %[[ACC]]#2, %[[ACC]]#3]
// CHECK:       nvvm.mma.sync {{.*}} C[%[[ACC]]#4,
// CHECK:       %[[ADDRESS1:.*]] = arith.xori %{{.*}}, %[[C32]]
// CHECK:       %[[P1:.*]] = llvm.inttoptr %[[ADDRESS1]]
// CHECK:       nvvm.ldmatrix %[[P1]]
// CHECK:       %[[P4:.*]] = llvm.getelementptr %[[P0]][4096]
// CHECK:       nvvm.ldmatrix %[[P4]]
// CHECK:       %[[PS:.*]] = llvm.getelementptr %[[P0]][2048]
// CHECK:       nvvm.ldmatrix %[[PS]]
// CHECK:       llvm.getelementptr %[[P0]][6144]
gpu.module @kernels {
  gpu.func @down_the_rows(%add: i1, %a: memref<vector<16xf16>>, %out: memref<vector<48xf32>>) kernel {
    %b = tile.alloc : !tile.shared<32x96xf16, swizzled>
    tile.roles {
      tile.role "all" warps(4) groups_of(1) {
        %0 = memref.load %a[] : memref<vector<16xf16>>
        %acc = memref.load %out[] : memref<vector<48xf32>>
        %1 = tile.mma %0, %b, %acc accumulate(%add) : vector<16xf16>, !tile.shared<32x96xf16, swizzled>, vector<48xf32>
        memref.store %1, %out[] : memref<vector<48xf32>>
      }
    }
    gpu.return
  }
}

// -----

// Operand A in shared memory, from row %row on; its second panel lies 64 * 128
// bytes on. Without `accumulate` or `overwrite` the product adds.

// CHECK-LABEL: gpu.func @shared
// CHECK-SAME:    %[[ROW:[a-z0-9]*]]: i32
// CHECK-DAG:   %[[C128:.*]] = arith.constant 128 : i32
// CHECK:       %[[BASE:.*]] = llvm.inline_asm
// CHECK:       %[[ACC:.*]] = memref.load
// CHECK:       %[[ACC0:.*]] = vector.extract %[[ACC]][0]
// CHECK:       %[[OFFSET:.*]] = arith.muli %[[ROW]], %[[C128]]
// CHECK:       %[[AROW:.*]] = arith.addi %[[BASE]], %[[OFFSET]]
// CHECK:       %[[ALANE:.*]] = arith.addi %[[AROW]], %{{.*}}
// CHECK:       %[[AP:.*]] = llvm.inttoptr %[[ALANE]]
// CHECK:       %[[A:.*]] = nvvm.ldmatrix %[[AP]] {{.*}}layout = #nvvm.mma_layout<row>, num = 4
// CHECK:       %[[A0:.*]] = llvm.extractvalue %[[A]][0]
// CHECK:       nvvm.ldmatrix {{.*}}num = 2
// CHECK:       nvvm.mma.sync A[%[[A0]], {{.*}} C[%[[ACC0]],
// CHECK:       %[[AP4:.*]] = llvm.getelementptr %[[AP]][8192]
// CHECK:       nvvm.ldmatrix %[[AP4]]
// CHECK:       nvvm.mma.sync
// CHECK-NOT:   nvvm.mma.sync
gpu.module @kernels {
  gpu.func @shared(%row: i32, %out: memref<vector<4xf32>>) kernel {
    %a = tile.alloc : !tile.shared<64x80xbf16, swizzled>
    %b = tile.alloc : !tile.shared<8x80xbf16, swizzled>
    tile.roles {
      tile.role "all" warps(4) groups_of(1) {
        %acc = memref.load %out[] : memref<vector<4xf32>>
        %1 = tile.mma %a, %b, %acc rows(%row) transpose_b : !tile.shared<64x80xbf16, swizzled>, !tile.shared<8x80xbf16, swizzled>, vector<4xf32>
        memref.store %1, %out[] : memref<vector<4xf32>>
      }
    }
    gpu.return
  }
}

// -----

// Products of warps read through the generic proxy: nothing to fence.

// CHECK-LABEL: gpu.func @fence
// CHECK:       mbarrier.{{try|test}}_wait
// CHECK-NOT:   nvvm.fence.proxy
gpu.module @kernels {
  gpu.func @fence() kernel {
    %zero = arith.constant 0 : i32
    %ring = tile.ring producers(1) consumers(1) : !tile.ring<2>
    tile.roles {
      tile.role "all" warps(1) groups_of(1) {
        tile.wait fence %ring[%zero, %zero] : !tile.ring<2>
        tile.fence
      }
    }
    gpu.return
  }
}
