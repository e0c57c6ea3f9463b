// RUN: sparsek-opt %s -tile-infer-layouts -tile-distribute -canonicalize -cse | FileCheck %s

// Every kind of vector, and elementwise ops on it.
// CHECK-LABEL: gpu.func @elementwise
// CHECK-DAG:     %[[OFFSETS:.*]] = arith.constant dense<[0, 8]> : vector<2xi32>
// CHECK-DAG:     %[[ONE:.*]] = arith.constant dense<1.000000e+00> : vector<48xf32>
// CHECK:         tile.role "consumer" warps(8) groups_of(4)
// CHECK:           %[[THREAD:.*]] = tile.thread_id
// CHECK:           %[[LANE:.*]] = arith.andi %[[THREAD]], %c31_i32
// CHECK:           %[[WARP:.*]] = arith.shrui %[[THREAD]], %c5_i32
// CHECK:           %[[QUAD:.*]] = arith.shrui %[[LANE]], %c2_i32
// CHECK:           %[[WARP_ROW:.*]] = arith.shli %[[WARP]], %c4_i32
// CHECK:           %[[BASE:.*]] = arith.addi %[[WARP_ROW]], %[[QUAD]]
// CHECK:           %[[S:.*]] = tile.mma_wait 0, %{{.*}} : vector<48xf32>
// CHECK:           %[[SUM:.*]] = arith.addf %[[S]], %[[ONE]] : vector<48xf32>
// CHECK:           arith.truncf %[[SUM]] : vector<48xf32> to vector<48xbf16>
// CHECK:           %[[BASES:.*]] = vector.broadcast %[[BASE]] : i32 to vector<2xi32>
// CHECK:           %[[ROW:.*]] = arith.addi %[[BASES]], %[[OFFSETS]] : vector<2xi32>
// CHECK:           vector.shuffle %{{.*}}, %{{.*}} [0, 0, 1, 1, 0, 0, 1, 1,
// CHECK:           tile.mma %{{.*}}, %{{.*}}, %{{.*}} : vector<48xbf16>, !tile.shared<96x128xbf16, swizzled>, vector<64xf32>
gpu.module @elementwise {
  gpu.func @elementwise(%n: i32) kernel {
    %q = tile.alloc : !tile.shared<128x128xbf16, swizzled>
    %k = tile.alloc : !tile.shared<96x128xbf16, swizzled>
    tile.roles {
      tile.role "consumer" warps(8) groups_of(4) {
        %zero = arith.constant dense<0.0> : vector<64x96xf32>
        %s0 = tile.mma %q, %k, %zero transpose_b overwrite : !tile.shared<128x128xbf16, swizzled>, !tile.shared<96x128xbf16, swizzled>, vector<64x96xf32>
        %s = tile.mma_wait 0, %s0 : vector<64x96xf32>
        %one = arith.constant dense<1.0> : vector<64x96xf32>
        %sum = arith.addf %s, %one : vector<64x96xf32>
        %p = arith.truncf %sum : vector<64x96xf32> to vector<64x96xbf16>
        %row = tile.iota : vector<64xi32>
        %rows = vector.shape_cast %row : vector<64xi32> to vector<64x1xi32>
        %ri = vector.broadcast %rows : vector<64x1xi32> to vector<64x96xi32>
        %limit = vector.broadcast %n : i32 to vector<64x96xi32>
        %in = arith.cmpi slt, %ri, %limit : vector<64x96xi32>
        %pz = arith.constant dense<0.0> : vector<64x96xbf16>
        %pm = arith.select %in, %p, %pz : vector<64x96xi1>, vector<64x96xbf16>
        %oz = arith.constant dense<0.0> : vector<64x128xf32>
        %o = tile.mma %pm, %k, %oz : vector<64x96xbf16>, !tile.shared<96x128xbf16, swizzled>, vector<64x128xf32>
        %o1 = tile.mma_wait 0, %o : vector<64x128xf32>
      }
    }
    gpu.return
  }
}

// Two elements of each row per block of 8 columns, then the quad.
// CHECK-LABEL: gpu.func @reduce
// CHECK:           %[[E01:.*]]:2 = vector.to_elements %{{.*}} : vector<2xf32>
// CHECK:           %[[E23:.*]]:2 = vector.to_elements %{{.*}} : vector<2xf32>
// CHECK:           %[[I0:.*]] = vector.to_elements %{{.*}} : vector<1xf32>
// CHECK:           %[[I1:.*]] = vector.to_elements %{{.*}} : vector<1xf32>
// CHECK:           %[[X:.*]] = arith.maxnumf %[[E01]]#0, %[[E01]]#1
// CHECK:           %[[X1:.*]] = nvvm.shfl.sync bfly %c-1_i32, %[[X]], %c1_i32, %c31_i32
// CHECK:           %[[X2:.*]] = arith.maxnumf %[[X]], %[[X1]]
// CHECK:           %[[X3:.*]] = nvvm.shfl.sync bfly %c-1_i32, %[[X2]], %c2_i32, %c31_i32
// CHECK:           %[[X4:.*]] = arith.maxnumf %[[X2]], %[[X3]]
// CHECK:           %[[R0:.*]] = arith.maxnumf %[[I0]], %[[X4]]
// CHECK:           arith.maxnumf %[[E23]]#0, %[[E23]]#1
// CHECK:           %[[R1:.*]] = arith.maxnumf %[[I1]]
// CHECK:           %[[R:.*]] = vector.from_elements %[[R0]], %[[R1]] : vector<2xf32>
// CHECK:           %[[CMP:.*]] = arith.cmpf ogt, %[[R]]
// CHECK:           %[[C:.*]]:2 = vector.to_elements %[[CMP]] : vector<2xi1>
// CHECK:           %[[OR:.*]] = arith.ori %[[C]]#0, %[[C]]#1
// CHECK:           %[[ANY:.*]] = nvvm.vote.sync any %c-1_i32, %[[OR]] -> i1
// CHECK:           scf.if %[[ANY]] {
gpu.module @reduce {
  gpu.func @reduce(%m: memref<?xf32>, %c: f32) kernel {
    %s = tile.alloc : !tile.shared<64x8xf32, swizzled>
    %f = tile.alloc : !tile.shared<64xf32>
    %c0 = arith.constant 0 : index
    tile.roles {
      tile.role "consumer" warps(4) groups_of(4) {
        %x = tile.load %s : !tile.shared<64x8xf32, swizzled>, vector<64x8xf32>
        %i = tile.load %f : !tile.shared<64xf32>, vector<64xf32>
        %r = vector.multi_reduction <maxnumf>, %x, %i [1] : vector<64x8xf32> to vector<64xf32>
        %l = vector.broadcast %c : f32 to vector<64xf32>
        %gt = arith.cmpf ogt, %r, %l : vector<64xf32>
        %any = tile.any %gt : vector<64xi1>
        scf.if %any {
          memref.store %c, %m[%c0] : memref<?xf32>
        }
      }
    }
    gpu.return
  }
}

// Addresses before the wait, in registers of their own, shared by a second
// gather up to the base; 12 rows per thread, swizzled by exclusive or.
// CHECK-LABEL: gpu.func @gather
// CHECK:           %[[THREAD:.*]] = tile.thread_id
// CHECK-DAG:       %[[PARTY:.*]] = arith.shrui %[[THREAD]], %c4_i32
// CHECK-DAG:       %[[CHUNK:.*]] = arith.andi %[[THREAD]], %c15_i32
// CHECK-DAG:       arith.muli %[[PARTY]], %c12_i32
// CHECK:           %[[BASE:.*]] = llvm.inline_asm has_side_effects asm_dialect = att "", "=l,0" %{{.*}} : (i64) -> i64
// CHECK:           %[[OFFSET:.*]] = arith.shli %{{.*}}, %c8_i32
// CHECK:           %[[HIDDEN:.*]] = llvm.inline_asm has_side_effects asm_dialect = att "", "=r,0" %[[OFFSET]]
// CHECK:           %[[WIDE:.*]] = arith.extui %[[HIDDEN]] : i32 to i64
// CHECK-COUNT-11:  "=r,0"
// CHECK:           %[[SOURCE:.*]] = arith.addi %[[BASE]], %[[WIDE]] : i64
// CHECK:           %[[ADDRESS:.*]] = llvm.inline_asm has_side_effects asm_dialect = att "", "=l,0" %[[SOURCE]]
// CHECK-COUNT-11:  "=l,0"
// CHECK:           tile.acquire
// CHECK:           %[[SLOT:.*]] = tile.address
// CHECK:           %[[FIRST:.*]] = arith.addi %[[SLOT]], %{{.*}} : i32
// CHECK:           %[[DEST:.*]] = llvm.inttoptr %[[FIRST]] : i32 to !llvm.ptr<3>
// CHECK:           %[[POINTER:.*]] = llvm.inttoptr %[[ADDRESS]] : i64 to !llvm.ptr<1>
// CHECK:           nvvm.cp.async.shared.global %[[DEST]], %[[POINTER]], 16, cache = cg
// CHECK:           %[[SECOND:.*]] = arith.xori %[[FIRST]], %c16_i32
// CHECK:           arith.addi %[[SECOND]], %c128_i32
// CHECK-COUNT-11:  nvvm.cp.async
// CHECK:           tile.commit async
// CHECK-NOT:       "=r,0"
// CHECK:           arith.addi %{{.*}}, %[[WIDE]] : i64
// CHECK-COUNT-12:  "=l,0"
// CHECK:           tile.acquire
// CHECK-COUNT-12:  nvvm.cp.async
gpu.module @gather {
  gpu.func @gather(%key: memref<?x128xbf16>, %value: memref<?x128xbf16>) kernel {
    %c0 = arith.constant 0 : i32
    %k = tile.alloc : !tile.shared<96x128xbf16, swizzled>
    %ring = tile.ring producers(4) consumers(8) : !tile.ring<2>
    tile.roles {
      tile.role "producer" warps(4) groups_of(4) {
        %rows = tile.iota : vector<96xi32>
        tile.acquire %ring[%c0, %c0] : !tile.ring<2>
        tile.gather %key[%rows] to %k : memref<?x128xbf16>, !tile.shared<96x128xbf16, swizzled>, vector<96xi32>
        tile.commit async %ring[%c0] : !tile.ring<2>
        tile.acquire %ring[%c0, %c0] : !tile.ring<2>
        tile.gather %value[%rows] to %k : memref<?x128xbf16>, !tile.shared<96x128xbf16, swizzled>, vector<96xi32>
        tile.commit async %ring[%c0] : !tile.ring<2>
      }
    }
    gpu.return
  }
}

// 12 of 16 lanes move a row of 192 bytes.
// CHECK-LABEL: gpu.func @gather_96
// CHECK:           %[[CHUNK:.*]] = arith.andi %{{.*}}, %c15_i32
// CHECK:           %[[HAS:.*]] = arith.cmpi ult, %[[CHUNK]], %c12_i32
// CHECK:           scf.if %[[HAS]] {
// CHECK-COUNT-8:     nvvm.cp.async
// CHECK-NOT:         nvvm.cp.async
// Dynamic strides, two indices, and rows of 1024 bytes in two rounds.
// CHECK-LABEL: gpu.func @gather_wide
// CHECK:           %{{.*}}, %{{.*}}, %{{.*}}:3, %[[STRIDES:.*]]:3 = memref.extract_strided_metadata
// CHECK:           arith.index_cast %[[STRIDES]]#0 : index to i32
// CHECK-COUNT-4:   "=r,0"
// CHECK-COUNT-8:   nvvm.cp.async
// CHECK-NOT:       nvvm.cp.async
gpu.module @gathers {
  gpu.func @gather_96(%key: memref<?x96xbf16>) kernel {
    %k = tile.alloc : !tile.shared<64x96xbf16, swizzled>
    tile.roles {
      tile.role "producer" warps(4) groups_of(4) {
        %rows = tile.iota : vector<64xi32>
        tile.gather %key[%rows] to %k : memref<?x96xbf16>, !tile.shared<64x96xbf16, swizzled>, vector<64xi32>
      }
    }
    gpu.return
  }
  gpu.func @gather_wide(%key: memref<?x?x256xf32, strided<[?, ?, 1], offset: ?>>) kernel {
    %k = tile.alloc : !tile.shared<16x256xf32, swizzled>
    tile.roles {
      tile.role "producer" warps(4) groups_of(4) {
        %rows = tile.iota : vector<16xi32>
        tile.gather %key[%rows, %rows] to %k : memref<?x?x256xf32, strided<[?, ?, 1], offset: ?>>, !tile.shared<16x256xf32, swizzled>, vector<16xi32>, vector<16xi32>
      }
    }
    gpu.return
  }
}

// CHECK-LABEL: gpu.func @loads
// CHECK:           %[[HOLDS:.*]] = arith.cmpi ult, %{{.*}}, %c96_i32
// CHECK:           %[[FIRST:.*]] = arith.cmpi eq, %{{.*}}, %c0_i32
// CHECK-COUNT-3:   vector.load %arg1[%{{.*}}] {alignment = 16 : i64} : memref<?xi32>, vector<4xi32>
// CHECK:           %[[BOTH:.*]] = arith.andi %{{.*}}, %[[HOLDS]] : i1
// CHECK:           %[[LOADED:.*]] = scf.if %[[BOTH]] -> (i32) {
// CHECK:             memref.load %arg1
// CHECK:           %[[GATHERED:.*]] = scf.if %[[BOTH]] -> (i32) {
// CHECK:             memref.load %arg1
// CHECK:           scf.if %[[HOLDS]] {
// CHECK:             llvm.store %[[GATHERED]], %{{.*}} {alignment = 4 : i64} : i32, !llvm.ptr<3>
// CHECK:           %[[ANY:.*]] = nvvm.vote.sync any %c-1_i32, %[[BOTH]] -> i1
// CHECK:           %[[BYTE:.*]] = arith.extui %[[ANY]] : i1 to i8
// CHECK:           scf.if %[[FIRST]] {
// CHECK:             llvm.store %[[BYTE]], %{{.*}} {alignment = 1 : i64} : i8, !llvm.ptr<3>
// CHECK:           nvvm.bar.warp.sync %c-1_i32
gpu.module @loads {
  gpu.func @loads(%key: memref<?x128xbf16>, %list: memref<?xi32>, %i: index, %n: i32) kernel {
    %k = tile.alloc : !tile.shared<96x128xbf16, swizzled>
    %w = tile.alloc : !tile.shared<96xi32>
    %f = tile.alloc : !tile.shared<4xi8>
    tile.roles {
      tile.role "producer" warps(4) groups_of(4) {
        %rows = vector.load %list[%i] {alignment = 16} : memref<?xi32>, vector<96xi32>
        tile.gather %key[%rows] to %k : memref<?x128xbf16>, !tile.shared<96x128xbf16, swizzled>, vector<96xi32>
        %iota = tile.iota : vector<96xi32>
        %limit = vector.broadcast %n : i32 to vector<96xi32>
        %m = arith.cmpi slt, %iota, %limit : vector<96xi32>
        %j = vector.maskedload %list[%i], %m, %iota : memref<?xi32>, vector<96xi1>, vector<96xi32> into vector<96xi32>
        %e = vector.gather %list[%i] [%j], %m, %iota : memref<?xi32>, vector<96xi32>, vector<96xi1>, vector<96xi32> into vector<96xi32>
        tile.store %e to %w : vector<96xi32>, !tile.shared<96xi32>
        tile.set_flag %m to %f : vector<96xi1>, !tile.shared<4xi8>
      }
    }
    gpu.return
  }
}

// Fragments from shared memory.
// CHECK-LABEL: gpu.func @fragments
// CHECK:           %[[POINTER:.*]] = llvm.inttoptr %[[ADDRESS:.*]] : i32 to !llvm.ptr<3>
// CHECK:           nvvm.ldmatrix %[[POINTER]] {{.*}}num = 4
// CHECK:           %[[NEXT:.*]] = arith.xori %[[ADDRESS]], %c32_i32
// CHECK:           nvvm.ldmatrix
// CHECK-COUNT-2:   nvvm.ldmatrix
// CHECK:           %[[PANEL:.*]] = arith.addi %[[ADDRESS]], %c16384_i32
// CHECK:           llvm.inttoptr %[[PANEL]]
// CHECK-COUNT-4:   nvvm.ldmatrix
// CHECK:           vector.bitcast %{{.*}} : vector<32xi32> to vector<64xbf16>
// CHECK-COUNT-4:   llvm.load %{{.*}} {alignment = 8 : i64} : !llvm.ptr<3> -> vector<2xf32>
// CHECK:           llvm.load %{{.*}} {alignment = 8 : i64} : !llvm.ptr<3> -> vector<2xi32>
// CHECK:           vector.shuffle %{{.*}}, %{{.*}} [0, 1, 0, 1, 2, 3, 2, 3]
gpu.module @fragments {
  gpu.func @fragments(%out: memref<?x16xf32>, %out2: memref<?x16xi32>) kernel {
    %c0 = arith.constant 0 : i32
    %q = tile.alloc : !tile.shared<128x128xbf16, swizzled>
    %k = tile.alloc : !tile.shared<16x128xbf16, swizzled>
    %x = tile.alloc : !tile.shared<64x16xf32, swizzled>
    %w = tile.alloc : !tile.shared<16xi32>
    tile.roles {
      tile.role "consumer" warps(8) groups_of(4) {
        %a = tile.load %q rows(%c0) : !tile.shared<128x128xbf16, swizzled>, vector<64x128xbf16>
        %b = tile.load %x : !tile.shared<64x16xf32, swizzled>, vector<64x16xf32>
        %s0 = tile.mma %a, %k, %b transpose_b : vector<64x128xbf16>, !tile.shared<16x128xbf16, swizzled>, vector<64x16xf32>
        %s = tile.mma_wait 0, %s0 : vector<64x16xf32>
        %words = tile.load %w : !tile.shared<16xi32>, vector<16xi32>
        %wb = vector.broadcast %words : vector<16xi32> to vector<64x16xi32>
        %i = tile.iota : vector<64xi32>
        %ok = arith.constant dense<true> : vector<64xi1>
        tile.scatter %wb to %out2[%i] mask %ok : vector<64x16xi32>, memref<?x16xi32>, vector<64xi1>, vector<64xi32>
        tile.scatter %s to %out[%i] mask %ok : vector<64x16xf32>, memref<?x16xf32>, vector<64xi1>, vector<64xi32>
      }
    }
    gpu.return
  }
}

// 32 columns: a transposition of 4 x 4 words in each quad; then 16 and 8 columns.
// CHECK-LABEL: gpu.func @scatter
// CHECK:           %[[W:.*]]:14 = vector.to_elements %{{.*}} : vector<14xi32>
// CHECK:           %[[SENT:.*]] = arith.select %[[ODD:.*]], %[[W]]#0, %[[W]]#2 : i32
// CHECK:           %[[GOT:.*]] = nvvm.shfl.sync bfly %c-1_i32, %[[SENT]], %c1_i32, %c31_i32
// CHECK:           arith.select %[[ODD]], %[[GOT]], %[[W]]#0
// CHECK:           arith.select %[[ODD]], %[[W]]#2, %[[GOT]]
// CHECK-COUNT-4:   nvvm.shfl.sync
// CHECK-NOT:       nvvm.shfl.sync
// CHECK:           scf.if
// CHECK:             llvm.store %{{.*}} {alignment = 16 : i64} : vector<4xi32>, !llvm.ptr<1>
// CHECK:             llvm.store %{{.*}} {alignment = 8 : i64} : vector<2xi32>, !llvm.ptr<1>
// CHECK:             llvm.store %{{.*}} {alignment = 4 : i64} : vector<1xi32>, !llvm.ptr<1>
// CHECK-COUNT-5:   nvvm.shfl.sync
// CHECK-COUNT-3:   llvm.store
// CHECK:           %[[FIRST:.*]] = arith.cmpi eq, %{{.*}}, %c0_i32
// CHECK:           %[[BOTH:.*]] = arith.andi %[[FIRST]], %{{.*}}
// CHECK:           scf.if %[[BOTH]] {
// CHECK:             memref.store %{{.*}}, %arg1[%{{.*}}]
// CHECK:           memref.store %{{.*}}, %arg1[%{{.*}}]
gpu.module @scatter {
  gpu.func @scatter(%out: memref<?x56xbf16, strided<[?, 1], offset: ?>>, %lse: memref<?xf32>, %n: i32) kernel {
    %x = tile.alloc : !tile.shared<16x56xf32, swizzled>
    %y = tile.alloc : !tile.shared<16xf32>
    tile.roles {
      tile.role "consumer" warps(4) groups_of(1) {
        %o = tile.load %x : !tile.shared<16x56xf32, swizzled>, vector<16x56xf32>
        %o1 = arith.truncf %o : vector<16x56xf32> to vector<16x56xbf16>
        %l = tile.load %y : !tile.shared<16xf32>, vector<16xf32>
        %i = tile.iota : vector<16xi32>
        %limit = vector.broadcast %n : i32 to vector<16xi32>
        %ok = arith.cmpi slt, %i, %limit : vector<16xi32>
        tile.scatter %o1 to %out[%i] mask %ok : vector<16x56xbf16>, memref<?x56xbf16, strided<[?, 1], offset: ?>>, vector<16xi1>, vector<16xi32>
        tile.scatter %l to %lse[%i] mask %ok : vector<16xf32>, memref<?xf32>, vector<16xi1>, vector<16xi32>
      }
    }
    gpu.return
  }
}
