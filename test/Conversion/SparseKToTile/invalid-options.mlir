// RUN: not sparsek-opt %s -convert-sparsek-attention-to-tile="chip=sm_90a rows=96" 2>&1 | FileCheck %s --check-prefix=ROWS64
// RUN: not sparsek-opt %s -convert-sparsek-attention-to-tile="chip=sm_90a rows=192" 2>&1 | FileCheck %s --check-prefix=ROWS192
// RUN: not sparsek-opt %s -convert-sparsek-attention-to-tile="chip=sm_80 rows=24" 2>&1 | FileCheck %s --check-prefix=ROWS16
// RUN: not sparsek-opt %s -convert-sparsek-attention-to-tile="chip=sm_90a keys=40" 2>&1 | FileCheck %s --check-prefix=KEYS40
// RUN: not sparsek-opt %s -convert-sparsek-attention-to-tile="chip=sm_90a keys=144" 2>&1 | FileCheck %s --check-prefix=KEYS144
// RUN: not sparsek-opt %s -convert-sparsek-attention-to-tile="chip=sm_90a producer-registers=96 consumer-registers=208" 2>&1 | FileCheck %s --check-prefix=REGISTERS

// ROWS64:  error: 'sparsek.sparse_attention' op expected option rows to be a multiple of 64 up to 128, got 96
// ROWS192: expected option rows to be a multiple of 64 up to 128, got 192
// ROWS16:  expected option rows to be a multiple of 16 up to 128, got 24
// KEYS40:  expected option keys to be a multiple of 16 up to 128, got 40
// KEYS144: expected option keys to be a multiple of 16 up to 128, got 144
// REGISTERS: expected options for at most 64512 registers of a thread block, got 65536
func.func @attention(%q: memref<1x4x9x64xbf16>, %k: memref<1x2x9x64xbf16>, %e: memref<1x2x9xi32>,
                     %o: memref<1x4x9x64xbf16>, %l: memref<1x4x9xf32>) {
  sparsek.sparse_attention ins(%q, %k, %k, %e : memref<1x4x9x64xbf16>, memref<1x2x9x64xbf16>, memref<1x2x9x64xbf16>, memref<1x2x9xi32>)
      outs(%o, %l : memref<1x4x9x64xbf16>, memref<1x4x9xf32>)
  return
}
