// RUN: sparsek-opt %s -verify-diagnostics -convert-tile-to-nvvm=chip=sm_80

gpu.module @kernels {
  gpu.func @warpgroup(%a: vector<32xbf16>, %acc: vector<4xf32>) kernel {
    %b = tile.alloc : !tile.shared<8x64xbf16, swizzled>
    tile.roles {
      tile.role "all" warps(4) groups_of(4) {
        // expected-error @+1 {{expected groups of 1 warp: only sm_90a has products of warpgroups}}
        %0 = tile.mma %a, %b, %acc transpose_b : vector<32xbf16>, !tile.shared<8x64xbf16, swizzled>, vector<4xf32>
      }
    }
    gpu.return
  }
}
