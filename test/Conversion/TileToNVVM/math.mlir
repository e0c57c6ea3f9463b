// RUN: sparsek-opt %s -convert-tile-to-nvvm | FileCheck %s

// Nothing may be left that convert-gpu-to-nvvm turns into a call of libdevice.

// RUN: sparsek-opt %s -pass-pipeline='builtin.module(convert-tile-to-nvvm,gpu.module(convert-vector-to-llvm,convert-gpu-to-nvvm))' | FileCheck %s --check-prefix=CALLS
// CALLS-NOT: __nv_

gpu.module @kernels {
  // CHECK-LABEL: gpu.func @scalars
  // CHECK-SAME:    %[[X:.*]]: f32, %[[OUT:.*]]: memref<f32>
  // CHECK:       %[[A:.*]] = llvm.call_intrinsic "llvm.nvvm.ex2.approx.ftz.f"(%[[X]]) : (f32) -> f32
  // CHECK:       %[[B:.*]] = llvm.call_intrinsic "llvm.nvvm.lg2.approx.ftz.f"(%[[A]]) : (f32) -> f32
  // CHECK:       %[[C:.*]] = llvm.intr.maxnum(%[[A]], %[[B]]) : (f32, f32) -> f32
  // CHECK:       %[[D:.*]] = llvm.intr.minnum(%[[C]], %[[B]]) : (f32, f32) -> f32
  // CHECK:       %[[E:.*]] = llvm.intr.fma(%[[D]], %[[C]], %[[B]]) : (f32, f32, f32) -> f32
  // CHECK:       memref.store %[[E]], %[[OUT]]
  gpu.func @scalars(%x: f32, %out: memref<f32>) kernel {
    %a = math.exp2 %x : f32
    %b = math.log2 %a : f32
    %c = arith.maxnumf %a, %b : f32
    %d = arith.minnumf %c, %b : f32
    %e = math.fma %d, %c, %b : f32
    memref.store %e, %out[] : memref<f32>
    gpu.return
  }

  // CHECK-LABEL: gpu.func @vectors
  // CHECK-SAME:    %[[X:.*]]: vector<2xf32>
  // CHECK:       %[[X0:.*]] = vector.extract %[[X]][0]
  // CHECK:       %[[X1:.*]] = vector.extract %[[X]][1]
  // CHECK:       %[[E0:.*]] = llvm.call_intrinsic "llvm.nvvm.ex2.approx.ftz.f"(%[[X0]])
  // CHECK:       %[[E1:.*]] = llvm.call_intrinsic "llvm.nvvm.ex2.approx.ftz.f"(%[[X1]])
  // CHECK:       %[[E:.*]] = vector.from_elements %[[E0]], %[[E1]] : vector<2xf32>
  // CHECK:       llvm.intr.fma(%[[E]], %[[X]], %[[X]]) : (vector<2xf32>, vector<2xf32>, vector<2xf32>) -> vector<2xf32>
  gpu.func @vectors(%x: vector<2xf32>, %out: memref<vector<2xf32>>) kernel {
    %a = math.exp2 %x : vector<2xf32>
    %b = math.fma %a, %x, %x : vector<2xf32>
    memref.store %b, %out[] : memref<vector<2xf32>>
    gpu.return
  }

  // The second element is the high half.

  // CHECK-LABEL: gpu.func @pairs
  // CHECK-SAME:    %[[X:.*]]: vector<4xf32>
  // CHECK:       %[[X0:.*]] = vector.extract %[[X]][0]
  // CHECK:       %[[X1:.*]] = vector.extract %[[X]][1]
  // CHECK:       %[[X2:.*]] = vector.extract %[[X]][2]
  // CHECK:       %[[X3:.*]] = vector.extract %[[X]][3]
  // CHECK:       %[[L:.*]] = nvvm.convert.f32x2.to.bf16x2 %[[X1]], %[[X0]] {rnd = #nvvm.fp_rnd_mode<rn>} : vector<2xbf16>
  // CHECK:       %[[LI:.*]] = llvm.bitcast %[[L]] : vector<2xbf16> to i32
  // CHECK:       %[[H:.*]] = nvvm.convert.f32x2.to.bf16x2 %[[X3]], %[[X2]]
  // CHECK:       %[[HI:.*]] = llvm.bitcast %[[H]]
  // CHECK:       %[[V:.*]] = vector.from_elements %[[LI]], %[[HI]] : vector<2xi32>
  // CHECK:       vector.bitcast %[[V]] : vector<2xi32> to vector<4xbf16>
  // CHECK-COUNT-2: nvvm.convert.f32x2.to.f16x2
  gpu.func @pairs(%x: vector<4xf32>, %out: memref<vector<4xbf16>>, %half: memref<vector<4xf16>>) kernel {
    %a = arith.truncf %x : vector<4xf32> to vector<4xbf16>
    memref.store %a, %out[] : memref<vector<4xbf16>>
    %b = arith.truncf %x : vector<4xf32> to vector<4xf16>
    memref.store %b, %half[] : memref<vector<4xf16>>
    gpu.return
  }

  // One element has no pair.

  // CHECK-LABEL: gpu.func @others
  // CHECK:       arith.truncf %{{.*}} : f32 to bf16
  gpu.func @others(%x: f32, %out: memref<bf16>) kernel {
    %a = arith.truncf %x : f32 to bf16
    memref.store %a, %out[] : memref<bf16>
    gpu.return
  }
}
