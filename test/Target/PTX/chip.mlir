// RUN: not sparsek-opt %s -sparsek-gpu-to-ptx="chip=sm_75" 2>&1 | FileCheck %s --check-prefix=OLD
// RUN: not sparsek-opt %s -sparsek-gpu-to-ptx="chip=gfx90a" 2>&1 | FileCheck %s --check-prefix=OTHER
// RUN: not sparsek-opt %s -sparsek-gpu-to-ptx="chip=sm_999" 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// RUN: sparsek-opt %s -sparsek-gpu-to-ptx="chip=sm_90a features=+ptx84" | FileCheck %s --check-prefix=FEATURES
// RUN: sparsek-opt %s -sparsek-gpu-to-ptx="chip=sm_80" | FileCheck %s --check-prefix=PARITY
// RUN: rm -rf %t && sparsek-opt %s -sparsek-gpu-to-ptx="chip=sm_90a ptx-folder=%t/made" -o /dev/null
// RUN: FileCheck %s --check-prefix=FILE --input-file=%t/made/m.ptx
// RUN: not sparsek-opt %s -sparsek-gpu-to-ptx="ptx-folder=%s" 2>&1 | FileCheck %s --check-prefix=FOLDER

// OLD: 'gpu.module' op chip is 'sm_75', expected an NVIDIA GPU from sm_80 on that LLVM knows, such as 'sm_80' or 'sm_90a'
// OTHER: chip is 'gfx90a', expected
// UNKNOWN: chip is 'sm_999', expected
// FEATURES: chip = "sm_90a", features = "+ptx84"
// FEATURES-SAME: .version 8.4
// PARITY: .version 7.1
// FILE: .version 8.0
// FILE: .target sm_90a
// FILE: .entry f()
// FOLDER: 'gpu.module' op cannot write {{.*}}chip.mlir
gpu.module @m {
  llvm.func @f() attributes {gpu.kernel, nvvm.kernel} {
    llvm.return
  }
}
