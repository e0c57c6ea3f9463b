// No register of a kernel goes to memory: shapes whose schedule leaves
// enough of them.

// REQUIRES: ptxas
// RUN: rm -rf %t && mkdir %t
// DEFINE: %{type} = bf16
// DEFINE: %{dim} = 64
// DEFINE: %{chip} = sm_80
// DEFINE: %{check} = sed -e 's/TYPE/%{type}/g' -e 's/DIM/%{dim}/g' %s | sparsek-opt -sparsek-gpu-pipeline="chip=%{chip} ptx-folder=%t" -o /dev/null && ptxas -arch=%{chip} -v %t/sparse_attention_kernels.ptx -o /dev/null 2>&1 | FileCheck %s

// REDEFINE: %{type} = bf16
// REDEFINE: %{dim} = 64
// REDEFINE: %{chip} = sm_80
// RUN: %{check}
// REDEFINE: %{type} = bf16
// REDEFINE: %{dim} = 64
// REDEFINE: %{chip} = sm_90a
// RUN: %{check}
// REDEFINE: %{type} = bf16
// REDEFINE: %{dim} = 96
// REDEFINE: %{chip} = sm_80
// RUN: %{check}
// REDEFINE: %{type} = bf16
// REDEFINE: %{dim} = 96
// REDEFINE: %{chip} = sm_90a
// RUN: %{check}
// REDEFINE: %{type} = bf16
// REDEFINE: %{dim} = 128
// REDEFINE: %{chip} = sm_80
// RUN: %{check}
// REDEFINE: %{type} = bf16
// REDEFINE: %{dim} = 256
// REDEFINE: %{chip} = sm_80
// RUN: %{check}
// REDEFINE: %{type} = f16
// REDEFINE: %{dim} = 64
// REDEFINE: %{chip} = sm_80
// RUN: %{check}
// REDEFINE: %{type} = f16
// REDEFINE: %{dim} = 64
// REDEFINE: %{chip} = sm_90a
// RUN: %{check}
// REDEFINE: %{type} = f16
// REDEFINE: %{dim} = 96
// REDEFINE: %{chip} = sm_80
// RUN: %{check}
// REDEFINE: %{type} = f16
// REDEFINE: %{dim} = 96
// REDEFINE: %{chip} = sm_90a
// RUN: %{check}
// REDEFINE: %{type} = f16
// REDEFINE: %{dim} = 128
// REDEFINE: %{chip} = sm_80
// RUN: %{check}
// REDEFINE: %{type} = f16
// REDEFINE: %{dim} = 256
// REDEFINE: %{chip} = sm_80
// RUN: %{check}
// REDEFINE: %{type} = f32
// REDEFINE: %{dim} = 64
// REDEFINE: %{chip} = sm_80
// RUN: %{check}
// REDEFINE: %{type} = f32
// REDEFINE: %{dim} = 128
// REDEFINE: %{chip} = sm_80
// RUN: %{check}

// CHECK: {{(^|[^0-9])}}0 bytes spill stores, 0 bytes spill loads

func.func @sparse_attention(%q_memref: memref<?x?x?xDIMxTYPE, strided<[?, ?, ?, 1], offset: ?>>, %k_memref: memref<?x?x?xDIMxTYPE, strided<[?, ?, ?, 1], offset: ?>>, %v_memref: memref<?x?x?xDIMxTYPE, strided<[?, ?, ?, 1], offset: ?>>, %end_memref: memref<?x?x?xi32, strided<[?, ?, 1], offset: ?>>, %o_memref: memref<?x?x?xDIMxTYPE, strided<[?, ?, ?, 1], offset: ?>>, %lse_memref: memref<?x?x?xf32, strided<[?, ?, 1], offset: ?>>) {
  %q = bufferization.to_tensor %q_memref restrict : memref<?x?x?xDIMxTYPE, strided<[?, ?, ?, 1], offset: ?>> to tensor<?x?x?xDIMxTYPE>
  %k = bufferization.to_tensor %k_memref restrict : memref<?x?x?xDIMxTYPE, strided<[?, ?, ?, 1], offset: ?>> to tensor<?x?x?xDIMxTYPE>
  %v = bufferization.to_tensor %v_memref restrict : memref<?x?x?xDIMxTYPE, strided<[?, ?, ?, 1], offset: ?>> to tensor<?x?x?xDIMxTYPE>
  %end = bufferization.to_tensor %end_memref restrict : memref<?x?x?xi32, strided<[?, ?, 1], offset: ?>> to tensor<?x?x?xi32>
  %o_init = bufferization.to_tensor %o_memref restrict writable : memref<?x?x?xDIMxTYPE, strided<[?, ?, ?, 1], offset: ?>> to tensor<?x?x?xDIMxTYPE>
  %lse_init = bufferization.to_tensor %lse_memref restrict writable : memref<?x?x?xf32, strided<[?, ?, 1], offset: ?>> to tensor<?x?x?xf32>
  %o, %lse = sparsek.sparse_attention gate(none) window(0) group(4) ins(%q, %k, %v, %end : tensor<?x?x?xDIMxTYPE>, tensor<?x?x?xDIMxTYPE>, tensor<?x?x?xDIMxTYPE>, tensor<?x?x?xi32>) outs(%o_init, %lse_init : tensor<?x?x?xDIMxTYPE>, tensor<?x?x?xf32>) -> tensor<?x?x?xDIMxTYPE>, tensor<?x?x?xf32>
  bufferization.materialize_in_destination %o in restrict writable %o_memref : (tensor<?x?x?xDIMxTYPE>, memref<?x?x?xDIMxTYPE, strided<[?, ?, ?, 1], offset: ?>>) -> ()
  bufferization.materialize_in_destination %lse in restrict writable %lse_memref : (tensor<?x?x?xf32>, memref<?x?x?xf32, strided<[?, ?, 1], offset: ?>>) -> ()
  return
}
