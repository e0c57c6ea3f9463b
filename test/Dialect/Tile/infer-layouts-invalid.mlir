// RUN: sparsek-opt %s -split-input-file -verify-diagnostics -tile-infer-layouts

gpu.module @m {
  gpu.func @one_value_two_layouts(%key: memref<?x64xbf16>, %i: vector<64xi32>, %b: i1) kernel {
    %keys = tile.alloc : !tile.shared<64x64xbf16, swizzled>
    %w = tile.alloc : !tile.shared<64xi32>
    tile.roles {
      tile.role "producer" warps(4) groups_of(4) {
        %zero = arith.constant dense<0> : vector<64xi32>
        %rows = scf.if %b -> vector<64xi32> {
          scf.yield %zero : vector<64xi32>
        } else {
          scf.yield %zero : vector<64xi32>
        }
        // expected-note @+1 {{used in layout #tile.layout<linear> here}}
        tile.store %rows to %w : vector<64xi32>, !tile.shared<64xi32>
        // expected-error @+1 {{'tile.gather' op expected an operand in #tile.layout<copy, lanes = 8>, got one in #tile.layout<linear>}}
        tile.gather %key[%rows] to %keys : memref<?x64xbf16>, !tile.shared<64x64xbf16, swizzled>, vector<64xi32>
      }
    }
    gpu.return
  }
}

// -----

gpu.module @m {
  gpu.func @two_values_tied(%key: memref<?x64xbf16>, %b: i1) kernel {
    %keys = tile.alloc : !tile.shared<64x64xbf16, swizzled>
    %w = tile.alloc : !tile.shared<64xi32>
    tile.roles {
      tile.role "producer" warps(4) groups_of(4) {
        %zero = arith.constant dense<0> : vector<64xi32>
        %x:2 = scf.if %b -> (vector<64xi32>, vector<64xi32>) {
          scf.yield %zero, %zero : vector<64xi32>, vector<64xi32>
        } else {
          scf.yield %zero, %zero : vector<64xi32>, vector<64xi32>
        }
        // expected-note @+1 {{used in layout #tile.layout<linear> here}}
        tile.store %x#0 to %w : vector<64xi32>, !tile.shared<64xi32>
        // expected-note @+1 {{used in layout #tile.layout<copy, lanes = 8> here}}
        tile.gather %key[%x#1] to %keys : memref<?x64xbf16>, !tile.shared<64x64xbf16, swizzled>, vector<64xi32>
        // expected-error @+1 {{'arith.addi' op expected values in one layout, got #tile.layout<copy, lanes = 8> and #tile.layout<linear>}}
        %sum = arith.addi %x#0, %x#1 : vector<64xi32>
      }
    }
    gpu.return
  }
}

// -----

gpu.module @m {
  gpu.func @from_outside(%x: vector<32xi32>) kernel {
    %w = tile.alloc : !tile.shared<32xi32>
    tile.roles {
      tile.role "producer" warps(1) groups_of(1) {
        // expected-error @+1 {{'tile.store' op expected vectors that are made in its role}}
        tile.store %x to %w : vector<32xi32>, !tile.shared<32xi32>
      }
    }
    gpu.return
  }
}
