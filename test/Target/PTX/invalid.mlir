// RUN: sparsek-opt %s -split-input-file -sparsek-gpu-to-ptx="chip=sm_90a" -verify-diagnostics

// expected-error @below {{'gpu.module' op calls @__nv_expf, which it does not define: no device library is linked}}
gpu.module @library {
  llvm.func @__nv_expf(f32) -> f32
  llvm.func @f(%p: !llvm.ptr) attributes {gpu.kernel, nvvm.kernel} {
    %x = llvm.load %p : !llvm.ptr -> f32
    %y = llvm.call @__nv_expf(%x) : (f32) -> f32
    llvm.store %y, %p : f32, !llvm.ptr
    llvm.return
  }
}

// -----

// expected-error @below {{'gpu.module' op cannot be translated to LLVM IR}}
gpu.module @unlowered {
  // expected-error @below {{unsupported GPU operation: gpu.func}}
  // expected-error @below {{LLVM Translation failed for operation: gpu.func}}
  gpu.func @f() kernel {
    gpu.return
  }
}
