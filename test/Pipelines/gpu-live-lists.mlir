// REQUIRES: ptxas
// RUN: rm -rf %t && mkdir %t
// RUN: sparsek-opt %s --sparsek-gpu-pipeline="chip=sm_80 ptx-folder=%t" -o /dev/null
// RUN: ptxas -arch=sm_80 -v %t/sparsek_live_lists.ptx -o /dev/null 2>&1 | FileCheck %s
// RUN: sparsek-opt %s --sparsek-gpu-pipeline="chip=sm_90a ptx-folder=%t" -o /dev/null
// RUN: ptxas -arch=sm_90a -v %t/sparsek_live_lists.ptx -o /dev/null 2>&1 | FileCheck %s

// No registers in memory, and four blocks fit a multiprocessor.
// CHECK:     entry function 'list'
// CHECK:     0 bytes spill stores, 0 bytes spill loads
// CHECK:     Used {{[3-6][0-9]}} registers
// CHECK:     entry function 'summarize'
// CHECK:     0 bytes spill stores, 0 bytes spill loads
// CHECK:     Used {{[1-3][0-9]}} registers
func.func @live_lists(%end: memref<?x?x?xi32>, %queries: memref<?xi32>,
                      %start: memref<?x?x?xi32>, %count: memref<?x?x?xi32>,
                      %list: memref<?x?x?x?xi32>) {
  %c0 = arith.constant 0 : index
  %nq = memref.dim %queries, %c0 : memref<?xi32>
  sparsek.live_lists tile(32) ins(%end : memref<?x?x?xi32>) queries(%nq)
      outs(%start, %count, %list
           : memref<?x?x?xi32>, memref<?x?x?xi32>, memref<?x?x?x?xi32>)
  return
}
