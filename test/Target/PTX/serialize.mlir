// RUN: sparsek-opt %s -split-input-file -sparsek-gpu-to-ptx="chip=sm_80" | FileCheck %s

// The binary takes the module's place; functions beside it stay.

// CHECK-LABEL: gpu.binary @square
// CHECK-SAME:  #gpu.object<#nvvm.target<O = 3, chip = "sm_80">, assembly = "
// CHECK-SAME:  .target sm_80
// CHECK-SAME:  .visible .entry f(
// CHECK-SAME:  .maxntid 128, 1, 1
// CHECK-SAME:  mul.rn.f32
// CHECK-NOT:   gpu.module
// CHECK:       func.func @host
module attributes {gpu.container_module} {
  gpu.module @square {
    llvm.func @f(%p: !llvm.ptr) attributes {gpu.kernel, nvvm.kernel, nvvm.maxntid = array<i32: 128, 1, 1>} {
      %x = llvm.load %p : !llvm.ptr -> f32
      %y = llvm.fmul %x, %x : f32
      llvm.store %y, %p : f32, !llvm.ptr
      llvm.return
    }
  }
  func.func @host() {
    return
  }
}

// -----

// A barrier in inline assembly is convergent: it is not copied into the sides
// of the branches around it, which threads its block otherwise.

// CHECK-LABEL: gpu.binary @barrier
// CHECK-SAME:  .entry f(
// CHECK-SAME:  bar.sync 1, 64;
// CHECK-NOT:   bar.sync
// CHECK-SAME:  ret;
gpu.module @barrier {
  llvm.func @f(%p: !llvm.ptr, %c: i1) attributes {gpu.kernel, nvvm.kernel} {
    %one = llvm.mlir.constant(1 : i32) : i32
    llvm.cond_br %c, ^then, ^join
  ^then:
    llvm.store volatile %one, %p : i32, !llvm.ptr
    llvm.br ^join
  ^join:
    llvm.inline_asm has_side_effects "bar.sync 1, 64;", "~{memory}" : () -> ()
    llvm.cond_br %c, ^again, ^end
  ^again:
    llvm.store volatile %one, %p : i32, !llvm.ptr
    llvm.br ^end
  ^end:
    llvm.return
  }
}

// -----

// A wide vector becomes scalars, and a pair of bf16 stays one register.

// CHECK-LABEL: gpu.binary @vectors
// CHECK-SAME:  .entry wide(
// CHECK-SAME:  ld.global.v4.b32
// CHECK-SAME:  add.rn.f32
// CHECK-SAME:  st.global.v4.b32
// CHECK-SAME:  .entry pair(
// CHECK-SAME:  fma.rn.bf16x2
gpu.module @vectors {
  llvm.func @wide(%p: !llvm.ptr) attributes {gpu.kernel, nvvm.kernel} {
    %x = llvm.load %p {alignment = 16 : i64} : !llvm.ptr -> vector<4xf32>
    %y = llvm.fadd %x, %x : vector<4xf32>
    llvm.store %y, %p {alignment = 16 : i64} : vector<4xf32>, !llvm.ptr
    llvm.return
  }
  llvm.func @pair(%p: !llvm.ptr) attributes {gpu.kernel, nvvm.kernel} {
    %x = llvm.load %p {alignment = 16 : i64} : !llvm.ptr -> vector<8xbf16>
    %y = llvm.intr.fma(%x, %x, %x) : (vector<8xbf16>, vector<8xbf16>, vector<8xbf16>) -> vector<8xbf16>
    llvm.store %y, %p {alignment = 16 : i64} : vector<8xbf16>, !llvm.ptr
    llvm.return
  }
}

// -----

// Functions that no kernel calls are dropped, others are local.

// CHECK-LABEL: gpu.binary @functions
// CHECK-NOT:   unused
// CHECK-NOT:   .visible .func
// CHECK-SAME:  .entry f(
gpu.module @functions {
  llvm.func @unused() {
    llvm.return
  }
  llvm.func @callee(%p: !llvm.ptr) attributes {no_inline} {
    llvm.inline_asm has_side_effects "bar.sync 1, 64;", "~{memory}" : () -> ()
    llvm.return
  }
  llvm.func @f(%p: !llvm.ptr) attributes {gpu.kernel, nvvm.kernel} {
    llvm.call @callee(%p) : (!llvm.ptr) -> ()
    llvm.return
  }
}
