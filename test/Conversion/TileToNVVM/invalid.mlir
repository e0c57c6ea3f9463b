// RUN: sparsek-opt %s -split-input-file -verify-diagnostics -convert-tile-to-nvvm

gpu.module @kernels {
  gpu.func @outside(%out: memref<i32>) kernel {
    // expected-error @+1 {{'tile.thread_id' op expected to be in a 'tile.role'}}
    %t = tile.thread_id
    memref.store %t, %out[] : memref<i32>
    gpu.return
  }
}

// -----

gpu.module @kernels {
  gpu.func @unaligned() kernel {
    tile.roles {
      tile.role "producer" warps(1) groups_of(1) {
      }
      // expected-error @+1 {{expected its first warp to be a multiple of 4, got 1}}
      tile.role "consumer" warps(4) groups_of(4) {
      }
    }
    gpu.return
  }
}

// -----

gpu.module @kernels {
  gpu.func @flags(%out: memref<i1>) kernel {
    %f = tile.alloc : !tile.shared<3xi8>
    tile.roles {
      tile.role "all" warps(4) groups_of(4) {
        // expected-error @+2 {{expected flags of 1 or 4 bytes, got 3}}
        // expected-error @+1 {{failed to legalize operation 'tile.test_flag'}}
        %0 = tile.test_flag %f : !tile.shared<3xi8>
        memref.store %0, %out[] : memref<i1>
      }
    }
    gpu.return
  }
}

// -----

gpu.module @kernels {
  gpu.func @element(%a: vector<32xf32>, %acc: vector<4xf32>) kernel {
    %b = tile.alloc : !tile.shared<8x64xf32, swizzled>
    tile.roles {
      tile.role "all" warps(4) groups_of(4) {
        // expected-error @+1 {{expected b of a warpgroup's product to be f16 or bf16, got 'f32'}}
        %0 = tile.mma %a, %b, %acc transpose_b : vector<32xf32>, !tile.shared<8x64xf32, swizzled>, vector<4xf32>
      }
    }
    gpu.return
  }
}

// -----

gpu.module @kernels {
  gpu.func @columns(%a: vector<32xbf16>, %acc: vector<132xf32>) kernel {
    %b = tile.alloc : !tile.shared<264x64xbf16, swizzled>
    tile.roles {
      tile.role "all" warps(4) groups_of(4) {
        // expected-error @+1 {{expected a multiple of 8 columns, at most 256, got 264}}
        %0 = tile.mma %a, %b, %acc transpose_b : vector<32xbf16>, !tile.shared<264x64xbf16, swizzled>, vector<132xf32>
      }
    }
    gpu.return
  }
}

// -----

gpu.module @kernels {
  gpu.func @depth(%a: vector<4xbf16>, %acc: vector<32xf32>) kernel {
    %b = tile.alloc : !tile.shared<8x64xbf16, swizzled>
    tile.roles {
      tile.role "all" warps(4) groups_of(4) {
        // expected-error @+1 {{expected a depth of a multiple of 16, got 8}}
        %0 = tile.mma %a, %b, %acc : vector<4xbf16>, !tile.shared<8x64xbf16, swizzled>, vector<32xf32>
      }
    }
    gpu.return
  }
}

// -----

gpu.module @kernels {
  gpu.func @elements(%a: vector<16xbf16>, %acc: vector<4xf32>) kernel {
    %b = tile.alloc : !tile.shared<8x64xbf16, swizzled>
    tile.roles {
      tile.role "all" warps(4) groups_of(4) {
        // expected-error @+1 {{expected a to have 32 elements per thread, got 'vector<16xbf16>'}}
        %0 = tile.mma %a, %b, %acc transpose_b : vector<16xbf16>, !tile.shared<8x64xbf16, swizzled>, vector<4xf32>
      }
    }
    gpu.return
  }
}

// -----

gpu.module @kernels {
  gpu.func @warp_element(%a: vector<32xf64>, %acc: vector<4xf32>) kernel {
    %b = tile.alloc : !tile.shared<8x64xf64, swizzled>
    tile.roles {
      tile.role "all" warps(1) groups_of(1) {
        // expected-error @+1 {{expected b to be f16, bf16 or f32, got 'f64'}}
        %0 = tile.mma %a, %b, %acc transpose_b : vector<32xf64>, !tile.shared<8x64xf64, swizzled>, vector<4xf32>
      }
    }
    gpu.return
  }
}

// -----

gpu.module @kernels {
  gpu.func @warp_columns(%a: vector<4xf32>, %acc: vector<6xf32>) kernel {
    %b = tile.alloc : !tile.shared<8x12xf32, swizzled>
    tile.roles {
      tile.role "all" warps(1) groups_of(1) {
        // expected-error @+1 {{expected a multiple of 8 columns, got 12}}
        %0 = tile.mma %a, %b, %acc : vector<4xf32>, !tile.shared<8x12xf32, swizzled>, vector<6xf32>
      }
    }
    gpu.return
  }
}

// -----

gpu.module @kernels {
  gpu.func @warp_depth(%a: vector<6xf32>, %acc: vector<4xf32>) kernel {
    %b = tile.alloc : !tile.shared<8x12xf32, swizzled>
    tile.roles {
      tile.role "all" warps(1) groups_of(1) {
        // expected-error @+1 {{expected a depth of a multiple of 8, got 12}}
        %0 = tile.mma %a, %b, %acc transpose_b : vector<6xf32>, !tile.shared<8x12xf32, swizzled>, vector<4xf32>
      }
    }
    gpu.return
  }
}
