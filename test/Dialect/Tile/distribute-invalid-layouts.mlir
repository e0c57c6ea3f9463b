// RUN: sparsek-opt %s -split-input-file -verify-diagnostics -tile-distribute

gpu.module @m {
  gpu.func @no_layouts() kernel {
    tile.roles {
      tile.role "producer" warps(4) groups_of(4) {
        // expected-error @+1 {{'tile.iota' op expected 1 layouts in attribute 'tile.layouts' (see -tile-infer-layouts)}}
        %i = tile.iota : vector<64xi32>
      }
    }
    gpu.return
  }
}

// -----

gpu.module @m {
  gpu.func @no_argument_layouts(%b: i1) kernel {
    tile.roles {
      tile.role "producer" warps(4) groups_of(4) {
        %i = tile.iota {tile.layouts = [#tile.layout<linear>]} : vector<64xi32>
        // expected-error @+1 {{'scf.while' op expected 1 layouts in attribute 'tile.argument_layouts' (see -tile-infer-layouts)}}
        scf.while (%x = %i) : (vector<64xi32>) -> () {
          scf.condition(%b)
        } do {
          scf.yield %i : vector<64xi32>
        }
      }
    }
    gpu.return
  }
}

// -----

gpu.module @m {
  gpu.func @from_outside(%x: vector<64xi32>) kernel {
    tile.roles {
      tile.role "producer" warps(4) groups_of(4) {
        // expected-error @+1 {{'arith.addi' op expected vectors that are made in its role}}
        %y = arith.addi %x, %x {tile.layouts = [#tile.layout<linear>]} : vector<64xi32>
      }
    }
    gpu.return
  }
}

// -----

gpu.module @m {
  gpu.func @rank() kernel {
    tile.roles {
      tile.role "producer" warps(4) groups_of(4) {
        // expected-error @+1 {{'tile.iota' op expected a vector of rank 2 in #tile.layout<fragment>, got 'vector<64xi32>'}}
        %i = tile.iota {tile.layouts = [#tile.layout<fragment>]} : vector<64xi32>
      }
    }
    gpu.return
  }
}

// -----

gpu.module @m {
  gpu.func @lanes() kernel {
    tile.roles {
      tile.role "producer" warps(4) groups_of(4) {
        // expected-error @+1 {{'tile.iota' op expected lanes to divide the 128 threads of the group, got #tile.layout<copy, lanes = 48>}}
        %i = tile.iota {tile.layouts = [#tile.layout<copy, lanes = 48>]} : vector<64xi32>
      }
    }
    gpu.return
  }
}

// -----

gpu.module @m {
  gpu.func @shape_cast() kernel {
    tile.roles {
      tile.role "consumer" warps(4) groups_of(4) {
        %i = tile.iota {tile.layouts = [#tile.layout<linear>]} : vector<64xi32>
        // expected-error @+1 {{'vector.shape_cast' op expected operand and result in one layout, got #tile.layout<linear> and #tile.layout<row>}}
        %j = vector.shape_cast %i {tile.layouts = [#tile.layout<row>]} : vector<64xi32> to vector<64x1xi32>
      }
    }
    gpu.return
  }
}

// -----

gpu.module @m {
  gpu.func @broadcast() kernel {
    tile.roles {
      tile.role "consumer" warps(4) groups_of(4) {
        %i = tile.iota {tile.layouts = [#tile.layout<linear>]} : vector<64xi32>
        // expected-error @+1 {{'vector.broadcast' op expected a broadcast of a row or a column, got #tile.layout<linear>}}
        %j = vector.broadcast %i {tile.layouts = [#tile.layout<fragment>]} : vector<64xi32> to vector<64x64xi32>
      }
    }
    gpu.return
  }
}
