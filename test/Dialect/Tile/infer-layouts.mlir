// RUN: sparsek-opt %s -tile-infer-layouts | FileCheck %s

!keys = !tile.shared<96x64xbf16, swizzled>

// An iota adapts: one copy for each layout that its uses ask for, none for
// uses that any layout is good for.
// CHECK-LABEL: gpu.func @adapt
// CHECK-DAG:     %[[LINEAR:.*]] = tile.iota {tile.layouts = [#tile.layout<linear>]}
// CHECK-DAG:     %[[COPY:.*]] = tile.iota {tile.layouts = [#tile.layout<copy, lanes = 8>]}
// CHECK-NOT:     tile.iota
// CHECK:         arith.cmpi sgt, %[[LINEAR]], %{{.*}} {tile.layouts = [#tile.layout<linear>]}
// CHECK:         tile.store %[[LINEAR]]
// CHECK:         tile.gather %{{.*}}[%[[COPY]]]
gpu.module @adapt {
  gpu.func @adapt(%key: memref<?x64xbf16>) kernel {
    %keys = tile.alloc : !keys
    %w = tile.alloc : !tile.shared<96xi32>
    tile.roles {
      tile.role "producer" warps(4) groups_of(4) {
        %i = tile.iota : vector<96xi32>
        %z = arith.constant dense<0> : vector<96xi32>
        %m = arith.cmpi sgt, %i, %z : vector<96xi32>
        %any = tile.any %m : vector<96xi1>
        tile.store %i to %w : vector<96xi32>, !tile.shared<96xi32>
        tile.gather %key[%i] to %keys : memref<?x64xbf16>, !keys, vector<96xi32>
      }
    }
    gpu.return
  }
}

// Loads and arithmetic on adaptable operands adapt as a whole.
// CHECK-LABEL: gpu.func @chain
// CHECK-DAG:     vector.maskedload {{.*}} {tile.layouts = [#tile.layout<linear>]}
// CHECK-DAG:     vector.maskedload {{.*}} {tile.layouts = [#tile.layout<copy, lanes = 8>]}
// CHECK-DAG:     vector.gather {{.*}} {tile.layouts = [#tile.layout<linear>]}
// CHECK-DAG:     vector.gather {{.*}} {tile.layouts = [#tile.layout<copy, lanes = 8>]}
// CHECK:         tile.store
gpu.module @chain {
  gpu.func @chain(%key: memref<?x64xbf16>, %list: memref<?xi32>, %i: index,
                  %n: i32) kernel {
    %keys = tile.alloc : !keys
    %w = tile.alloc : !tile.shared<96xi32>
    tile.roles {
      tile.role "producer" warps(4) groups_of(4) {
        %iota = tile.iota : vector<96xi32>
        %limit = vector.broadcast %n : i32 to vector<96xi32>
        %m = arith.cmpi slt, %iota, %limit : vector<96xi32>
        %rows = vector.maskedload %list[%i], %m, %iota : memref<?xi32>, vector<96xi1>, vector<96xi32> into vector<96xi32>
        %end = vector.gather %list[%i] [%rows], %m, %rows : memref<?xi32>, vector<96xi32>, vector<96xi1>, vector<96xi32> into vector<96xi32>
        tile.store %end to %w : vector<96xi32>, !tile.shared<96xi32>
        tile.gather %key[%end] to %keys : memref<?x64xbf16>, !keys, vector<96xi32>
      }
    }
    gpu.return
  }
}

// Constants of the kernel's body are copied into the roles.
// CHECK-LABEL: gpu.func @constants
// CHECK:         %[[OUTSIDE:.*]] = arith.constant dense<1> : vector<32xi32>
// CHECK:         tile.role "a"
// CHECK:           %[[A:.*]] = arith.constant {tile.layouts = [#tile.layout<linear>]} dense<1> : vector<32xi32>
// CHECK:           tile.store %[[A]]
// CHECK:         tile.role "b"
// CHECK:           %[[B:.*]] = arith.constant {tile.layouts = [#tile.layout<linear>]} dense<1> : vector<32xi32>
// CHECK:           tile.store %[[B]]
gpu.module @constants {
  gpu.func @constants() kernel {
    %w = tile.alloc : !tile.shared<32xi32>
    %c = arith.constant dense<1> : vector<32xi32>
    tile.roles {
      tile.role "a" warps(1) groups_of(1) {
        tile.store %c to %w : vector<32xi32>, !tile.shared<32xi32>
      }
      tile.role "b" warps(1) groups_of(1) {
        tile.store %c to %w : vector<32xi32>, !tile.shared<32xi32>
      }
    }
    gpu.return
  }
}

// What a loop carries has one layout, in all regions and results.
// CHECK-LABEL: gpu.func @loops
// CHECK:         %[[LIST:.*]] = vector.load {{.*}} {tile.layouts = [#tile.layout<copy, lanes = 8>]}
// CHECK:         scf.while
// CHECK:         scf.if
// CHECK:           arith.constant {tile.layouts = [#tile.layout<copy, lanes = 8>]} dense<0>
// CHECK:         } {tile.layouts = [#tile.layout<copy, lanes = 8>]}
// CHECK:         } attributes {tile.argument_layouts = [#tile.layout<copy, lanes = 8>], tile.layouts = [#tile.layout<copy, lanes = 8>]}
// CHECK:         scf.for
// CHECK:         } {tile.layouts = [#tile.layout<fragment>, #tile.layout<row>]}
gpu.module @loops {
  gpu.func @loops(%key: memref<?x64xbf16>, %list: memref<?xi32>, %i: index,
                  %n: i32, %b: i1) kernel {
    %c0 = arith.constant 0 : i32
    %c1 = arith.constant 1 : i32
    %keys = tile.alloc : !keys
    tile.roles {
      tile.role "producer" warps(4) groups_of(4) {
        %first = vector.load %list[%i] : memref<?xi32>, vector<96xi32>
        %r:2 = scf.while (%j = %c0, %rows = %first) : (i32, vector<96xi32>) -> (i32, vector<96xi32>) {
          %go = arith.cmpi slt, %j, %n : i32
          scf.condition(%go) %j, %rows : i32, vector<96xi32>
        } do {
        ^bb0(%j: i32, %rows: vector<96xi32>):
          tile.gather %key[%rows] to %keys : memref<?x64xbf16>, !keys, vector<96xi32>
          %next = scf.if %b -> vector<96xi32> {
            %zero = arith.constant dense<0> : vector<96xi32>
            scf.yield %zero : vector<96xi32>
          } else {
            scf.yield %rows : vector<96xi32>
          }
          %j1 = arith.addi %j, %c1 : i32
          scf.yield %j1, %next : i32, vector<96xi32>
        }
      }
      tile.role "consumer" warps(4) groups_of(4) {
        %s = arith.constant dense<1.0> : vector<64x96xf32>
        %m = arith.constant dense<0.0> : vector<64xf32>
        %r:2 = scf.for %j = %c0 to %n step %c1 iter_args(%x = %s, %y = %m) -> (vector<64x96xf32>, vector<64xf32>) : i32 {
          %max = vector.multi_reduction <maxnumf>, %x, %y [1] : vector<64x96xf32> to vector<64xf32>
          scf.yield %x, %max : vector<64x96xf32>, vector<64xf32>
        }
      }
    }
    gpu.return
  }
}

// CHECK-LABEL: gpu.func @anchors
// CHECK:         tile.load {{.*}} {tile.layouts = [#tile.layout<column>]}
// CHECK:         vector.broadcast {{.*}} {tile.layouts = [#tile.layout<fragment>]} : vector<96xi32>
// CHECK:         %[[ROW:.*]] = tile.iota {tile.layouts = [#tile.layout<row>]}
// CHECK:         vector.shape_cast %[[ROW]] {tile.layouts = [#tile.layout<row>]}
// CHECK:         vector.broadcast {{.*}} {tile.layouts = [#tile.layout<fragment>]} : vector<64x1xi32>
// CHECK:         arith.constant {tile.layouts = [#tile.layout<row>]} dense<true>
gpu.module @anchors {
  gpu.func @anchors(%out: memref<?x96xi32>) kernel {
    %w = tile.alloc : !tile.shared<96xi32>
    tile.roles {
      tile.role "consumer" warps(4) groups_of(4) {
        %words = tile.load %w : !tile.shared<96xi32>, vector<96xi32>
        %c = vector.broadcast %words : vector<96xi32> to vector<64x96xi32>
        %i = tile.iota : vector<64xi32>
        %i1 = vector.shape_cast %i : vector<64xi32> to vector<64x1xi32>
        %r = vector.broadcast %i1 : vector<64x1xi32> to vector<64x96xi32>
        %sum = arith.addi %c, %r : vector<64x96xi32>
        %ok = arith.constant dense<true> : vector<64xi1>
        tile.scatter %sum to %out[%i] mask %ok : vector<64x96xi32>, memref<?x96xi32>, vector<64xi1>, vector<64xi32>
      }
    }
    gpu.return
  }
}
