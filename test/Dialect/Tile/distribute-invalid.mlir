// RUN: sparsek-opt %s -split-input-file -verify-diagnostics -tile-infer-layouts -tile-distribute

gpu.module @m {
  gpu.func @no_rule() kernel {
    %s = tile.alloc : !tile.shared<64x64xf32, swizzled>
    tile.roles {
      tile.role "consumer" warps(4) groups_of(4) {
        %x = tile.load %s : !tile.shared<64x64xf32, swizzled>, vector<64x64xf32>
        // expected-error @+1 {{'vector.transpose' op has no rule to distribute its vectors}}
        %t = vector.transpose %x, [1, 0] : vector<64x64xf32> to vector<64x64xf32>
      }
    }
    gpu.return
  }
}

// -----

gpu.module @m {
  gpu.func @constant() kernel {
    tile.roles {
      tile.role "consumer" warps(4) groups_of(4) {
        // expected-error @+1 {{'arith.constant' op expected all elements equal, got dense<[1, 2]> : vector<2xi32>}}
        %c = arith.constant dense<[1, 2]> : vector<2xi32>
      }
    }
    gpu.return
  }
}

// -----

gpu.module @m {
  gpu.func @several_blocks() kernel {
    tile.roles {
      tile.role "consumer" warps(4) groups_of(4) {
        // expected-error @+1 {{'scf.execute_region' op expected regions of one block}}
        scf.execute_region {
          cf.br ^end
        ^end:
          scf.yield
        }
      }
    }
    gpu.return
  }
}

// -----

gpu.module @m {
  gpu.func @rows() kernel {
    %s = tile.alloc : !tile.shared<64x64xf32, swizzled>
    tile.roles {
      tile.role "consumer" warps(4) groups_of(4) {
        // expected-error @+1 {{'tile.load' op expected 64 rows for a group of 128 threads in #tile.layout<fragment>, got 'vector<32x64xf32>'}}
        %x = tile.load %s : !tile.shared<64x64xf32, swizzled>, vector<32x64xf32>
      }
    }
    gpu.return
  }
}

// -----

gpu.module @m {
  gpu.func @linear(%list: memref<?xi32>, %i: index) kernel {
    %w = tile.alloc : !tile.shared<96xi32>
    tile.roles {
      tile.role "producer" warps(1) groups_of(1) {
        // expected-error @+1 {{'vector.load' op expected at most 32 elements in #tile.layout<linear>, got 'vector<96xi32>'}}
        %x = vector.load %list[%i] : memref<?xi32>, vector<96xi32>
        tile.store %x to %w : vector<96xi32>, !tile.shared<96xi32>
      }
    }
    gpu.return
  }
}

// -----

gpu.module @m {
  gpu.func @broadcast() kernel {
    %w = tile.alloc : !tile.shared<8xi32>
    tile.roles {
      tile.role "producer" warps(4) groups_of(4) {
        %x = arith.constant dense<1> : vector<1xi32>
        // expected-error @+1 {{'vector.broadcast' op expected a broadcast of a scalar, or to rank 2}}
        %b = vector.broadcast %x : vector<1xi32> to vector<8xi32>
        tile.store %b to %w : vector<8xi32>, !tile.shared<8xi32>
      }
    }
    gpu.return
  }
}

// -----

gpu.module @m {
  gpu.func @slice() kernel {
    %s = tile.alloc : !tile.shared<64x64xf32, swizzled>
    tile.roles {
      tile.role "consumer" warps(4) groups_of(4) {
        %x = tile.load %s : !tile.shared<64x64xf32, swizzled>, vector<64x64xf32>
        // expected-error @+1 {{'vector.extract_strided_slice' op expected all rows and columns from a multiple of 8 on of a vector of rank 2}}
        %y = vector.extract_strided_slice %x {offsets = [0, 4], sizes = [64, 8], strides = [1, 1]} : vector<64x64xf32> to vector<64x8xf32>
      }
    }
    gpu.return
  }
}

// -----

gpu.module @m {
  gpu.func @reduction() kernel {
    %s = tile.alloc : !tile.shared<64x64xf32, swizzled>
    tile.roles {
      tile.role "consumer" warps(4) groups_of(4) {
        %x = tile.load %s : !tile.shared<64x64xf32, swizzled>, vector<64x64xf32>
        %init = arith.constant dense<0.0> : vector<64xf32>
        // expected-error @+1 {{'vector.multi_reduction' op expected a reduction over the columns of a vector of rank 2}}
        %y = vector.multi_reduction <add>, %x, %init [0] : vector<64x64xf32> to vector<64xf32>
      }
    }
    gpu.return
  }
}

// -----

gpu.module @m {
  gpu.func @reduction_type() kernel {
    %s = tile.alloc : !tile.shared<64x64xf16, swizzled>
    tile.roles {
      tile.role "consumer" warps(4) groups_of(4) {
        %x = tile.load %s : !tile.shared<64x64xf16, swizzled>, vector<64x64xf16>
        %init = arith.constant dense<0.0> : vector<64xf16>
        // expected-error @+1 {{'vector.multi_reduction' op expected elements of type f32 or i32, got 'f16'}}
        %y = vector.multi_reduction <add>, %x, %init [1] : vector<64x64xf16> to vector<64xf16>
      }
    }
    gpu.return
  }
}

// -----

gpu.module @m {
  gpu.func @load_columns() kernel {
    %s = tile.alloc : !tile.shared<64x24xf16, swizzled>
    tile.roles {
      tile.role "consumer" warps(4) groups_of(4) {
        // expected-error @+1 {{'tile.load' op expected a multiple of 16 columns, got 'vector<64x24xf16>'}}
        %x = tile.load %s : !tile.shared<64x24xf16, swizzled>, vector<64x24xf16>
      }
    }
    gpu.return
  }
}

// -----

gpu.module @m {
  gpu.func @load_matrix() kernel {
    %s = tile.alloc : !tile.shared<64x64xf32>
    tile.roles {
      tile.role "consumer" warps(4) groups_of(4) {
        // expected-error @+1 {{'tile.load' op expected a swizzled matrix, got '!tile.shared<64x64xf32>'}}
        %x = tile.load %s : !tile.shared<64x64xf32>, vector<64x64xf32>
      }
    }
    gpu.return
  }
}

// -----

gpu.module @m {
  gpu.func @load_bytes() kernel {
    %s = tile.alloc : !tile.shared<64x64xi8, swizzled>
    tile.roles {
      tile.role "consumer" warps(4) groups_of(4) {
        // expected-error @+1 {{'tile.load' op expected elements of 16 or 32 bits, got '!tile.shared<64x64xi8, swizzled>'}}
        %x = tile.load %s : !tile.shared<64x64xi8, swizzled>, vector<64x64xi8>
      }
    }
    gpu.return
  }
}

// -----

gpu.module @m {
  gpu.func @load_vector() kernel {
    %s = tile.alloc : !tile.shared<64x64xf32, swizzled>
    tile.roles {
      tile.role "consumer" warps(4) groups_of(4) {
        // expected-error @+1 {{'tile.load' op expected a buffer of rank 1 without swizzle, got '!tile.shared<64x64xf32, swizzled>'}}
        %x = tile.load %s : !tile.shared<64x64xf32, swizzled>, vector<64xf32>
      }
    }
    gpu.return
  }
}

// -----

gpu.module @m {
  gpu.func @store() kernel {
    %w = tile.alloc : !tile.shared<8x8xi32>
    tile.roles {
      tile.role "producer" warps(4) groups_of(4) {
        %x = tile.iota : vector<64xi32>
        // expected-error @+1 {{'tile.store' op expected a vector of rank 1 and a buffer without swizzle, got 'vector<64xi32>' and '!tile.shared<8x8xi32>'}}
        tile.store %x to %w : vector<64xi32>, !tile.shared<8x8xi32>
      }
    }
    gpu.return
  }
}

// -----

gpu.module @m {
  gpu.func @gather_rows(%key: memref<?x64xbf16>) kernel {
    %k = tile.alloc : !tile.shared<8x64xbf16, swizzled>
    tile.roles {
      tile.role "producer" warps(4) groups_of(4) {
        // expected-error @+1 {{'tile.iota' op expected a multiple of 16 elements in #tile.layout<copy, lanes = 8>, got 'vector<8xi32>'}}
        %rows = tile.iota : vector<8xi32>
        tile.gather %key[%rows] to %k : memref<?x64xbf16>, !tile.shared<8x64xbf16, swizzled>, vector<8xi32>
      }
    }
    gpu.return
  }
}

// -----

gpu.module @m {
  gpu.func @gather_indices(%key: memref<?x64xbf16>) kernel {
    %k = tile.alloc : !tile.shared<64x64xbf16, swizzled>
    tile.roles {
      tile.role "producer" warps(4) groups_of(4) {
        %rows = tile.iota : vector<32xi32>
        // expected-error @+1 {{'tile.gather' op expected 64 indices for '!tile.shared<64x64xbf16, swizzled>', got 'vector<32xi32>'}}
        tile.gather %key[%rows] to %k : memref<?x64xbf16>, !tile.shared<64x64xbf16, swizzled>, vector<32xi32>
      }
    }
    gpu.return
  }
}

// -----

gpu.module @m {
  gpu.func @load_rank(%m: memref<?x8xf32>, %i: index) kernel {
    %c0 = arith.constant 0 : index
    tile.roles {
      tile.role "consumer" warps(4) groups_of(4) {
        // expected-error @+1 {{'vector.load' op expected a vector of rank 1, got 'vector<64x8xf32>'}}
        %x = vector.load %m[%i, %c0] : memref<?x8xf32>, vector<64x8xf32>
      }
    }
    gpu.return
  }
}

// -----

gpu.module @m {
  gpu.func @gather_rank(%m: memref<?xi32>, %i: index) kernel {
    tile.roles {
      tile.role "consumer" warps(4) groups_of(4) {
        %x = arith.constant dense<1> : vector<64x8xi32>
        %ok = arith.constant dense<true> : vector<64x8xi1>
        // expected-error @+1 {{'vector.gather' op expected a vector of rank 1 from a memref}}
        %y = vector.gather %m[%i] [%x], %ok, %x : memref<?xi32>, vector<64x8xi32>, vector<64x8xi1>, vector<64x8xi32> into vector<64x8xi32>
      }
    }
    gpu.return
  }
}

// -----

gpu.module @m {
  gpu.func @scatter_rank(%out: memref<?x?x64xf32>) kernel {
    %s = tile.alloc : !tile.shared<64x64xf32, swizzled>
    tile.roles {
      tile.role "consumer" warps(4) groups_of(4) {
        %x = tile.load %s : !tile.shared<64x64xf32, swizzled>, vector<64x64xf32>
        %i = tile.iota : vector<64xi32>
        %ok = arith.constant dense<true> : vector<64xi1>
        // expected-error @+1 {{'tile.scatter' op expected dest of rank 2, got 'memref<?x?x64xf32>'}}
        tile.scatter %x to %out[%i] mask %ok : vector<64x64xf32>, memref<?x?x64xf32>, vector<64xi1>, vector<64xi32>
      }
    }
    gpu.return
  }
}

// -----

gpu.module @m {
  gpu.func @scatter_columns(%out: memref<?x128xf32>) kernel {
    %s = tile.alloc : !tile.shared<64x64xf32, swizzled>
    tile.roles {
      tile.role "consumer" warps(4) groups_of(4) {
        %x = tile.load %s : !tile.shared<64x64xf32, swizzled>, vector<64x64xf32>
        %i = tile.iota : vector<64xi32>
        %ok = arith.constant dense<true> : vector<64xi1>
        // expected-error @+1 {{'tile.scatter' op expected dest with contiguous rows of 64 elements, got 'memref<?x128xf32>'}}
        tile.scatter %x to %out[%i] mask %ok : vector<64x64xf32>, memref<?x128xf32>, vector<64xi1>, vector<64xi32>
      }
    }
    gpu.return
  }
}

// -----

gpu.module @m {
  gpu.func @scatter_type(%out: memref<?x64xf64>) kernel {
    %s = tile.alloc : !tile.shared<64x64xf32, swizzled>
    tile.roles {
      tile.role "consumer" warps(4) groups_of(4) {
        %x = tile.load %s : !tile.shared<64x64xf32, swizzled>, vector<64x64xf32>
        %y = arith.extf %x : vector<64x64xf32> to vector<64x64xf64>
        %i = tile.iota : vector<64xi32>
        %ok = arith.constant dense<true> : vector<64xi1>
        // expected-error @+1 {{'tile.scatter' op expected elements of 16 or 32 bits, got 'memref<?x64xf64>'}}
        tile.scatter %y to %out[%i] mask %ok : vector<64x64xf64>, memref<?x64xf64>, vector<64xi1>, vector<64xi32>
      }
    }
    gpu.return
  }
}
