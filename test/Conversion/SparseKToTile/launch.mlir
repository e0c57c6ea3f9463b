// RUN: sparsek-opt %s -convert-sparsek-attention-to-tile=chip=sm_90a -canonicalize -cse | FileCheck %s

!q = memref<?x8x?x128xbf16, strided<[?, ?, 128, 1], offset: ?>>
!kv = memref<?x2x?x128xbf16>
!end = memref<?x2x?xi32>
!lse = memref<?x8x?xf32>

// Kernels run only where there is a query and a key, and offsets of 32 bits
// reach what a tile reads; else the results are filled, through contiguous
// memory.
// CHECK-DAG:     llvm.mlir.global internal constant @[[QTEXT:.*]]("{{.*}} op operand 'query' has rows that one tile reads $0 bytes apart
// CHECK-DAG:     llvm.mlir.global internal constant @[[KTEXT:.*]]("{{.*}} op operand 'key' has rows
// CHECK-DAG:     llvm.mlir.global internal constant @[[VTEXT:.*]]("{{.*}} op operand 'value' has rows
// CHECK-LABEL: func.func @attention
// CHECK-SAME:    (%[[Q:.*]]: memref<?x8x?x128xbf16, strided<[?, ?, 128, 1], offset: ?>>, %[[K:.*]]: memref<?x2x?x128xbf16>, %[[V:.*]]: memref<?x2x?x128xbf16>, %[[E:.*]]: memref<?x2x?xi32>, %[[O:.*]]: memref<?x8x?x128xbf16, strided<[?, ?, 128, 1], offset: ?>>, %[[L:.*]]: memref<?x8x?xf32>)
// CHECK-DAG:     %[[ZERO:.*]] = arith.constant 0.000000e+00 : bf16
// CHECK-DAG:     %[[MINUS:.*]] = arith.constant 0xFF800000 : f32
// CHECK-DAG:     %[[QADDRESS:.*]] = llvm.mlir.addressof @[[QTEXT]]
// CHECK-DAG:     %[[KADDRESS:.*]] = llvm.mlir.addressof @[[KTEXT]]
// CHECK-DAG:     %[[VADDRESS:.*]] = llvm.mlir.addressof @[[VTEXT]]
// CHECK-DAG:     %[[MOST:.*]] = arith.constant 4294967295 : i64
// CHECK:         %[[GOT:.*]] = arith.index_cast %{{.*}} : index to i64
// CHECK:         %[[EXPECTED:.*]] = arith.minsi %[[GOT]], %[[MOST]] : i64
// CHECK:         llvm.call @sparsek_check_equal(%[[QADDRESS]], %[[GOT]], %[[EXPECTED]])
// CHECK:         llvm.call @sparsek_check_equal(%[[KADDRESS]],
// CHECK:         llvm.call @sparsek_check_equal(%[[VADDRESS]],
// CHECK:         %[[SOME:.*]] = arith.cmpi ne, %{{.*}}, %{{.*}} : index
// CHECK:         %[[RUNS:.*]] = arith.andi %[[SOME]], %{{.*}} : i1
// CHECK:         scf.if %[[RUNS]] {
// CHECK:           sparsek.live_lists
// CHECK:           gpu.launch_func @sparse_attention_kernels::@sparse_attention
// CHECK:         } else {
// CHECK:           %[[DENSE:.*]] = memref.alloc({{.*}}) : memref<?x8x?x128xbf16>
// CHECK-NEXT:      gpu.memset %[[DENSE]], %[[ZERO]] : memref<?x8x?x128xbf16>, bf16
// CHECK-NEXT:      memref.copy %[[DENSE]], %[[O]]
// CHECK-NEXT:      memref.dealloc %[[DENSE]]
// CHECK:           gpu.memset %{{.*}}, %[[MINUS]] : memref<?x8x?xf32>, f32
// CHECK-NEXT:      memref.copy %{{.*}}, %[[L]]
func.func @attention(%q: !q, %k: !kv, %v: !kv, %e: !end, %o: !q, %l: !lse) {
  sparsek.sparse_attention ins(%q, %k, %v, %e : !q, !kv, !kv, !end) outs(%o, %l : !q, !lse)
  return
}
