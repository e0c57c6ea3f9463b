// RUN: sparsek-opt %s -split-input-file -convert-tile-to-nvvm=chip=sm_80 -canonicalize -cse | FileCheck %s
// RUN: sparsek-opt %s -split-input-file -convert-tile-to-nvvm=chip=sm_90a -canonicalize -cse | FileCheck %s

// Operand A in registers, B with its depth along the rows (N x K): a lane reads
// elements 2t and 2t + 1 of row g, which A's layout has in the same lane, and
// gives them to the instruction as k = t and k = t + 4. A step of 8 flips bits 5
// and 6, columns 8 to 15 lie 1024 bytes on.

// CHECK-LABEL: gpu.func @registers
// CHECK-DAG:   %[[C1:.*]] = arith.constant 1 : i32
// CHECK-DAG:   %[[C2:.*]] = arith.constant 2 : i32
// CHECK-DAG:   %[[C8:.*]] = arith.constant 8 : i32
// CHECK-DAG:   %[[C32:.*]] = arith.constant 32 : i32
// CHECK-DAG:   %[[HALF:.*]] = arith.constant 4096 : i32
// CHECK-DAG:   %[[MASK:.*]] = arith.constant -8192 : i32
// CHECK-DAG:   %[[ZERO:.*]] = arith.constant 0.000000e+00 : f32
// CHECK:       %[[LANE:.*]] = arith.andi
// CHECK:       %[[ROW:.*]] = arith.shrui %[[LANE]], %[[C2]]
// CHECK:       %[[PAIR:.*]] = arith.shrui %[[LANE]], %[[C1]]
// CHECK:       %[[CHUNK:.*]] = arith.andi %[[PAIR]], %[[C1]]
// CHECK:       %[[ODD:.*]] = arith.andi %[[LANE]], %[[C1]]
// CHECK:       %[[BYTE:.*]] = arith.muli %[[ODD]], %[[C8]]
// CHECK:       arith.xori %[[CHUNK]], %[[ROW]]
// CHECK:       arith.addi %{{.*}}, %[[BYTE]]
// CHECK:       %[[A:.*]] = memref.load
// CHECK:       %[[ACC:.*]] = memref.load
// CHECK:       %[[ADDRESS:.*]] = arith.addi
// CHECK-DAG:   %[[ACC0:.*]] = vector.extract %[[ACC]][0]
// CHECK-DAG:   %[[A0:.*]] = vector.extract %[[A]][0]
// CHECK-DAG:   %[[A1:.*]] = vector.extract %[[A]][1]
// CHECK-DAG:   %[[A2:.*]] = vector.extract %[[A]][2]
// CHECK-DAG:   %[[A3:.*]] = vector.extract %[[A]][3]

// Parts of A, rows g and g + 8 of 2t, then of 2t + 1.
// CHECK:       %[[BITS0:.*]] = llvm.bitcast %[[A0]] : f32 to i32
// CHECK:       %[[UP0:.*]] = arith.addi %[[BITS0]], %[[HALF]]
// CHECK:       %[[BIG0:.*]] = arith.andi %[[UP0]], %[[MASK]]
// CHECK:       %[[FLOAT0:.*]] = llvm.bitcast %[[BIG0]] : i32 to f32
// CHECK:       %[[REST0:.*]] = arith.subf %[[A0]], %[[FLOAT0]]
// CHECK:       %[[SMALL0:.*]] = llvm.bitcast %[[REST0]] : f32 to i32
// CHECK:       llvm.bitcast %[[A2]] : f32 to i32
// CHECK:       %[[BIG2:.*]] = arith.andi
// CHECK:       llvm.bitcast %[[A1]] : f32 to i32
// CHECK:       %[[BIG1:.*]] = arith.andi
// CHECK:       llvm.bitcast %[[A3]] : f32 to i32
// CHECK:       %[[BIG3:.*]] = arith.andi

// CHECK:       %[[P0:.*]] = llvm.inttoptr %[[ADDRESS]]
// CHECK:       %[[B:.*]] = llvm.load %[[P0]] {alignment = 8 : i64} : !llvm.ptr<3> -> vector<2xf32>
// CHECK:       %[[B0:.*]] = vector.extract %[[B]][0]
// CHECK:       %[[B1:.*]] = vector.extract %[[B]][1]
// CHECK:       llvm.bitcast %[[B0]]
// CHECK:       %[[BBIG0:.*]] = arith.andi
// CHECK:       %[[BSMALL0:.*]] = llvm.bitcast %{{.*}} : f32 to i32
// CHECK:       llvm.bitcast %[[B1]]
// CHECK:       %[[BBIG1:.*]] = arith.andi
// CHECK:       arith.subf
// CHECK:       %[[BSMALL1:.*]] = llvm.bitcast %{{.*}} : f32 to i32

// CHECK:       %[[S0:.*]] = nvvm.mma.sync A[%[[SMALL0]], {{.*}}] B[%[[BBIG0]], %[[BBIG1]]] C[%[[ZERO]], %[[ZERO]], %[[ZERO]], %[[ZERO]]]
// CHECK-SAME:    multiplicandAPtxType = #nvvm.mma_type<tf32>
// CHECK-SAME:    shape = #nvvm.shape<m = 16, n = 8, k = 8>
// CHECK:       %[[S00:.*]] = llvm.extractvalue %[[S0]][0]
// CHECK:       %[[S1:.*]] = nvvm.mma.sync A[%[[BIG0]], %[[BIG2]], %[[BIG1]], %[[BIG3]]] B[%[[BSMALL0]], %[[BSMALL1]]] C[%[[S00]],
// CHECK:       nvvm.mma.sync A[%[[BIG0]], %[[BIG2]], %[[BIG1]], %[[BIG3]]] B[%[[BBIG0]], %[[BBIG1]]] C[%[[ACC0]],
// CHECK:       llvm.getelementptr %[[P0]][1024]
// CHECK-COUNT-3: nvvm.mma.sync
// CHECK:       %[[ADDRESS1:.*]] = arith.xori %[[ADDRESS]], %[[C32]]
// CHECK:       %[[P1:.*]] = llvm.inttoptr %[[ADDRESS1]]
// CHECK:       llvm.load %[[P1]]
// CHECK-COUNT-6: nvvm.mma.sync
// CHECK-NOT:   nvvm.mma.sync
// CHECK-COUNT-8: arith.addf
// CHECK-NOT:   arith.addf
gpu.module @kernels {
  gpu.func @registers(%a: memref<vector<8xf32>>, %out: memref<vector<8xf32>>) kernel {
    %b = tile.alloc : !tile.shared<16x16xf32, swizzled>
    tile.roles {
      tile.role "all" warps(1) groups_of(1) {
        %0 = memref.load %a[] : memref<vector<8xf32>>
        %acc = memref.load %out[] : memref<vector<8xf32>>
        %1 = tile.mma %0, %b, %acc transpose_b : vector<8xf32>, !tile.shared<16x16xf32, swizzled>, vector<8xf32>
        memref.store %1, %out[] : memref<vector<8xf32>>
      }
    }
    gpu.return
  }
}

// -----

// B with its depth down the rows (K x N): rows 2t and 2t + 1, column g. The next
// row is 128 bytes on, with bit 4 flipped. Columns 32 and on lie in the second
// panel, 8 * 128 bytes on; columns from 64 on are a part of their own, which
// splits A again.

// CHECK-LABEL: gpu.func @down_the_rows
// CHECK-DAG:   %[[C2:.*]] = arith.constant 2 : i32
// CHECK-DAG:   %[[C3:.*]] = arith.constant 3 : i32
// CHECK-DAG:   %[[C4:.*]] = arith.constant 4 : i32
// CHECK-DAG:   %[[C12:.*]] = arith.constant 12 : i32
// CHECK-DAG:   %[[C16:.*]] = arith.constant 16 : i32
// CHECK-DAG:   %[[C31:.*]] = arith.constant 31 : i32
// CHECK-DAG:   %[[C32:.*]] = arith.constant 32 : i32
// CHECK-DAG:   %[[C48:.*]] = arith.constant 48 : i32
// CHECK:       %[[LANE:.*]] = arith.andi %{{.*}}, %[[C31]]
// CHECK:       %[[T:.*]] = arith.andi %[[LANE]], %[[C3]]
// CHECK:       %[[ROW:.*]] = arith.muli %[[T]], %[[C2]]
// CHECK:       %[[CHUNK:.*]] = arith.shrui %[[LANE]], %[[C4]]
// CHECK:       %[[BYTE:.*]] = arith.andi %[[LANE]], %[[C12]]
// CHECK:       arith.xori %[[CHUNK]], %[[ROW]]
// CHECK:       %[[ADDRESS:.*]] = arith.addi %{{.*}}, %{{.*}}
// CHECK:       %[[P0:.*]] = llvm.inttoptr
// CHECK:       llvm.load %[[P0]] {alignment = 4 : i64} : !llvm.ptr<3> -> f32
// CHECK:       %[[FLIPPED:.*]] = arith.xori %{{.*}}, %[[C16]]
// CHECK:       %[[P1:.*]] = llvm.inttoptr %[[FLIPPED]]
// CHECK:       %[[NEXT:.*]] = llvm.getelementptr %[[P1]][128]
// CHECK:       llvm.load %[[NEXT]]
// CHECK-COUNT-3: nvvm.mma.sync
// CHECK:       arith.xori %{{.*}}, %[[C32]]
// CHECK:       arith.xori %{{.*}}, %[[C48]]
// CHECK:       llvm.getelementptr %[[P0]][1024]
// CHECK:       llvm.getelementptr %[[P1]][1152]
// CHECK-COUNT-32: arith.addf
// CHECK:       llvm.getelementptr %[[P0]][2048]
// CHECK-COUNT-4: arith.addf
// CHECK-NOT:   arith.addf
gpu.module @kernels {
  gpu.func @down_the_rows(%a: memref<vector<4xf32>>, %out: memref<vector<36xf32>>) kernel {
    %b = tile.alloc : !tile.shared<8x72xf32, swizzled>
    tile.roles {
      tile.role "all" warps(1) groups_of(1) {
        %0 = memref.load %a[] : memref<vector<4xf32>>
        %acc = memref.load %out[] : memref<vector<36xf32>>
        %1 = tile.mma %0, %b, %acc overwrite : vector<4xf32>, !tile.shared<8x72xf32, swizzled>, vector<36xf32>
        memref.store %1, %out[] : memref<vector<36xf32>>
      }
    }
    gpu.return
  }
}

// -----

// Operand A in shared memory: rows g and g + 8, 1024 bytes on.

// CHECK-LABEL: gpu.func @shared
// CHECK-SAME:    %[[ROW:[a-z0-9]*]]: i32
// CHECK-DAG:   %[[C128:.*]] = arith.constant 128 : i32
// CHECK:       %[[OFFSET:.*]] = arith.muli %[[ROW]], %[[C128]]
// CHECK:       %[[AROW:.*]] = arith.addi %{{.*}}, %[[OFFSET]]
// CHECK:       %[[ADDRESS:.*]] = arith.addi %[[AROW]]
// CHECK:       %[[P:.*]] = llvm.inttoptr %[[ADDRESS]]
// CHECK:       %[[A:.*]] = llvm.load %[[P]] {alignment = 8 : i64} : !llvm.ptr<3> -> vector<2xf32>
// CHECK:       %[[A0:.*]] = vector.extract %[[A]][0]
// CHECK:       %[[P8:.*]] = llvm.getelementptr %[[P]][1024]
// CHECK:       %[[A8:.*]] = llvm.load %[[P8]]
// CHECK:       %[[A2:.*]] = vector.extract %[[A8]][0]
// CHECK:       llvm.bitcast %[[A0]] : f32 to i32
// CHECK:       llvm.bitcast %[[A2]] : f32 to i32
// CHECK-COUNT-3: nvvm.mma.sync
// CHECK-NOT:   nvvm.mma.sync
gpu.module @kernels {
  gpu.func @shared(%row: i32, %out: memref<vector<4xf32>>) kernel {
    %a = tile.alloc : !tile.shared<64x8xf32, swizzled>
    %b = tile.alloc : !tile.shared<8x8xf32, swizzled>
    tile.roles {
      tile.role "all" warps(1) groups_of(1) {
        %acc = memref.load %out[] : memref<vector<4xf32>>
        %1 = tile.mma %a, %b, %acc rows(%row) transpose_b : !tile.shared<64x8xf32, swizzled>, !tile.shared<8x8xf32, swizzled>, vector<4xf32>
        memref.store %1, %out[] : memref<vector<4xf32>>
      }
    }
    gpu.return
  }
}
