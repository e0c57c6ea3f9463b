// The assembler on the kernels of the main shapes. It says C75.. where it waits for
// every wgmma by itself: all overlap is gone then. The kernels of d 64 and of f32
// keep all their registers.

// REQUIRES: ptxas
// RUN: rm -rf %t && split-file %s %t

// RUN: sparsek-opt %t/bf16-128.mlir -sparsek-gpu-pipeline="chip=sm_90a ptx-folder=%t" -o /dev/null
// RUN: ptxas -arch=sm_90a -v %t/sparse_attention_kernels.ptx -o /dev/null 2>&1 | FileCheck %s --check-prefix=KERNEL
// RUN: sparsek-opt %t/bf16-64.mlir -sparsek-gpu-pipeline="chip=sm_90a ptx-folder=%t" -o /dev/null
// RUN: ptxas -arch=sm_90a -v %t/sparse_attention_kernels.ptx -o /dev/null 2>&1 | FileCheck %s --check-prefixes=KERNEL,WHOLE
// RUN: sparsek-opt %t/value.mlir -sparsek-gpu-pipeline="chip=sm_90a ptx-folder=%t" -o /dev/null
// RUN: ptxas -arch=sm_90a -v %t/sparse_attention_kernels.ptx -o /dev/null 2>&1 | FileCheck %s --check-prefix=KERNEL
// RUN: sparsek-opt %t/f32-128.mlir -sparsek-gpu-pipeline="chip=sm_90a ptx-folder=%t" -o /dev/null
// RUN: FileCheck %s --check-prefix=TF32 --input-file=%t/sparse_attention_kernels.ptx
// RUN: ptxas -arch=sm_90a -v %t/sparse_attention_kernels.ptx -o /dev/null 2>&1 | FileCheck %s --check-prefixes=KERNEL,WHOLE

// RUN: sparsek-opt %t/bf16-128.mlir -sparsek-gpu-pipeline="chip=sm_80 ptx-folder=%t" -o /dev/null
// RUN: FileCheck %s --check-prefix=SM80 --input-file=%t/sparse_attention_kernels.ptx
// RUN: ptxas -arch=sm_80 -v %t/sparse_attention_kernels.ptx -o /dev/null 2>&1 | FileCheck %s --check-prefix=KERNEL
// RUN: sparsek-opt %t/bf16-64.mlir -sparsek-gpu-pipeline="chip=sm_80 ptx-folder=%t" -o /dev/null
// RUN: ptxas -arch=sm_80 -v %t/sparse_attention_kernels.ptx -o /dev/null 2>&1 | FileCheck %s --check-prefixes=KERNEL,WHOLE
// RUN: sparsek-opt %t/f32-128.mlir -sparsek-gpu-pipeline="chip=sm_80 ptx-folder=%t" -o /dev/null
// RUN: ptxas -arch=sm_80 -v %t/sparse_attention_kernels.ptx -o /dev/null 2>&1 | FileCheck %s --check-prefixes=KERNEL,WHOLE

// KERNEL-NOT: C75
// KERNEL:     Compiling entry function 'sparse_attention'
// KERNEL-NOT: C75
// WHOLE:      0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
// KERNEL:     Used {{[0-9]+}} registers, used 1 barriers
// KERNEL-NOT: C75

// SM80:     .target sm_80
// SM80:     mbarrier.test_wait.parity.shared.b64
// SM80-NOT: cp.async.bulk
// SM80:     cp.async.cg.shared.global
// SM80:     cp.async.mbarrier.arrive.shared.b64
// SM80-NOT: fence.proxy
// SM80:     ldmatrix.sync.aligned.m8n8.x4.shared.b16
// SM80:     mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32
// SM80:     ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16
// SM80-NOT: wgmma

// TF32-NOT: wgmma
// TF32:     mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32
// TF32-NOT: wgmma

//--- bf16-128.mlir
func.func @attention(%q: memref<?x32x?x128xbf16>, %k: memref<?x8x?x128xbf16>, %v: memref<?x8x?x128xbf16>,
                     %e: memref<?x8x?xi32>, %o: memref<?x32x?x128xbf16>, %l: memref<?x32x?xf32>) {
  sparsek.sparse_attention window(512)
      ins(%q, %k, %v, %e : memref<?x32x?x128xbf16>, memref<?x8x?x128xbf16>, memref<?x8x?x128xbf16>, memref<?x8x?xi32>)
      outs(%o, %l : memref<?x32x?x128xbf16>, memref<?x32x?xf32>)
  return
}

//--- bf16-64.mlir
func.func @attention(%q: memref<?x32x?x64xbf16>, %k: memref<?x8x?x64xbf16>, %v: memref<?x8x?x64xbf16>,
                     %e: memref<?x8x?xi32>, %o: memref<?x32x?x64xbf16>, %l: memref<?x32x?xf32>) {
  sparsek.sparse_attention window(512)
      ins(%q, %k, %v, %e : memref<?x32x?x64xbf16>, memref<?x8x?x64xbf16>, memref<?x8x?x64xbf16>, memref<?x8x?xi32>)
      outs(%o, %l : memref<?x32x?x64xbf16>, memref<?x32x?xf32>)
  return
}

//--- value.mlir
func.func @attention(%q: memref<?x32x?x128xbf16>, %k: memref<?x8x?x128xbf16>, %v: memref<?x8x?x128xbf16>,
                     %e: memref<?x8x?xi32>, %s: memref<?x8x?xf32>, %t: memref<?x8x?xf32>, %o: memref<?x32x?x128xbf16>, %l: memref<?x32x?xf32>) {
  sparsek.sparse_attention gate(value) window(512)
      ins(%q, %k, %v, %e : memref<?x32x?x128xbf16>, memref<?x8x?x128xbf16>, memref<?x8x?x128xbf16>, memref<?x8x?xi32>)
      gating(%s, %t : memref<?x8x?xf32>, memref<?x8x?xf32>)
      outs(%o, %l : memref<?x32x?x128xbf16>, memref<?x32x?xf32>)
  return
}

//--- f32-128.mlir
func.func @attention(%q: memref<?x32x?x128xf32>, %k: memref<?x8x?x128xf32>, %v: memref<?x8x?x128xf32>,
                     %e: memref<?x8x?xi32>, %o: memref<?x32x?x128xf32>, %l: memref<?x32x?xf32>) {
  sparsek.sparse_attention window(512)
      ins(%q, %k, %v, %e : memref<?x32x?x128xf32>, memref<?x8x?x128xf32>, memref<?x8x?x128xf32>, memref<?x8x?xi32>)
      outs(%o, %l : memref<?x32x?x128xf32>, memref<?x32x?xf32>)
  return
}
