// RUN: sparsek-opt %s -split-input-file -sparsek-gpu-host-to-llvm -verify-diagnostics

module attributes {gpu.container_module} {
  gpu.binary @m [#gpu.object<#nvvm.target, assembly = "PTX">]
  func.func @token(%c: index) {
    %t = gpu.wait async
    // expected-error @below {{'gpu.launch_func' op has a token or a stream, expected the form without: launches go to the stream of the call, in order}}
    %u = gpu.launch_func async [%t] @m::@f blocks in (%c, %c, %c) threads in (%c, %c, %c)
    return
  }
}

// -----

module attributes {gpu.container_module} {
  gpu.binary @m [#gpu.object<#nvvm.target, assembly = "PTX">]
  func.func @clusters(%c: index) {
    // expected-error @below {{'gpu.launch_func' op has cluster sizes, expected none: the kernel's attribute nvvm.cluster_dim holds them}}
    gpu.launch_func @m::@f clusters in (%c, %c, %c) blocks in (%c, %c, %c) threads in (%c, %c, %c)
    return
  }
}

// -----

module attributes {gpu.container_module} {
  gpu.module @m {
    gpu.func @f() kernel {
      gpu.return
    }
  }
  func.func @module(%c: index) {
    // expected-error @below {{'gpu.launch_func' op launches @m::@f, expected a kernel in a gpu.binary with PTX}}
    gpu.launch_func @m::@f blocks in (%c, %c, %c) threads in (%c, %c, %c)
    return
  }
}

// -----

func.func @wide(%m: memref<4xf64>, %x: f64) {
  // expected-error @below {{'gpu.memset' op has a value of type 'f64', expected an integer or float of at most 32 bits}}
  gpu.memset %m, %x : memref<4xf64>, f64
  return
}
