// The kernel of attention-warp.mlir as the assembler sees it. 384 threads have 168
// registers each, which hold the fragments of 16 queries (32), scores (32),
// probabilities (16) and results (64) without a spill.

// REQUIRES: ptxas
// RUN: rm -rf %t && mkdir %t
// RUN: sparsek-opt %S/attention-warp.mlir -convert-tile-to-nvvm=chip=sm_80 -sparsek-gpu-pipeline="chip=sm_80 ptx-folder=%t" -o /dev/null
// RUN: FileCheck %s --check-prefixes=CHECK,SM80 --input-file=%t/kernels.ptx
// RUN: ptxas -arch=sm_80 -v %t/kernels.ptx -o /dev/null 2>&1 | FileCheck %s --check-prefix=PTXAS
// RUN: sparsek-opt %S/attention-warp.mlir -convert-tile-to-nvvm=chip=sm_90a -sparsek-gpu-pipeline="chip=sm_90a ptx-folder=%t" -o /dev/null
// RUN: FileCheck %s --check-prefixes=CHECK,SM90 --input-file=%t/kernels.ptx
// RUN: ptxas -arch=sm_90a -v %t/kernels.ptx -o /dev/null 2>&1 | FileCheck %s --check-prefix=PTXAS

// CHECK:     .maxntid 384
// SM80:      mbarrier.test_wait.parity
// SM90:      mbarrier.try_wait.parity
// CHECK:     cp.async.cg.shared.global
// CHECK:     cp.async.mbarrier.arrive.shared

// Constant offsets from four addresses.
// CHECK:     ldmatrix.sync.aligned.m8n8.x4.shared.b16
// CHECK:     ldmatrix.sync.aligned.m8n8.x4.shared.b16 {{.*}}+2048]
// CHECK:     ldmatrix.sync.aligned.m8n8.x4.shared.b16 {{.*}}+14336]
// CHECK:     mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32
// CHECK-NOT: fence.proxy
// CHECK:     ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {{.*}}+6144]
// CHECK:     mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32
// CHECK-NOT: .local

// PTXAS:     0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
