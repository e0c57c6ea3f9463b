// RUN: sparsek-opt %s -split-input-file -sparsek-gpu-host-to-llvm -canonicalize | FileCheck %s

// The image and the kernel become globals, once; each launch passes the kernel,
// the grid, the block, the shared memory and the addresses of the arguments.

// CHECK-LABEL: module {
// CHECK:       llvm.mlir.global internal constant @sparsek_gpu_image_m("PTX\00")
// CHECK:       llvm.mlir.global internal constant @sparsek_gpu_name_m_f("f\00")
// CHECK:       llvm.mlir.global internal @sparsek_gpu_kernel_m_f() {{.*}} : !llvm.struct<(ptr, i64, ptr, ptr)>
// CHECK-DAG:     %[[IMAGE:.*]] = llvm.mlir.addressof @sparsek_gpu_image_m
// CHECK-DAG:     %[[BYTES:.*]] = llvm.mlir.constant(3 : i64)
// CHECK-DAG:     %[[NAME:.*]] = llvm.mlir.addressof @sparsek_gpu_name_m_f
// CHECK-DAG:     %[[NULL:.*]] = llvm.mlir.zero
// CHECK:         llvm.insertvalue %[[IMAGE]], %{{.*}}[0]
// CHECK:         llvm.insertvalue %[[BYTES]], %{{.*}}[1]
// CHECK:         llvm.insertvalue %[[NAME]], %{{.*}}[2]
// CHECK:         llvm.insertvalue %[[NULL]], %{{.*}}[3]
// CHECK-NOT:   gpu.binary
// CHECK-LABEL: func.func @launch
// CHECK-SAME:  %[[GRID:.*]]: index, %[[X:.*]]: f32, %[[M:.*]]: memref<4xf32>
// CHECK-DAG:   %[[G:.*]] = builtin.unrealized_conversion_cast %[[GRID]] : index to i64
// CHECK-DAG:   %[[KERNEL:.*]] = llvm.mlir.addressof @sparsek_gpu_kernel_m_f
// CHECK-DAG:   %[[D:.*]] = builtin.unrealized_conversion_cast %[[M]]
// CHECK-DAG:   %[[LAST:.*]] = llvm.extractvalue %[[D]][4, 0]
// CHECK-DAG:   %[[PARAMETERS:.*]] = llvm.alloca %{{.*}} x !llvm.array<6 x ptr>
// CHECK-DAG:   %[[SLOT:.*]] = llvm.alloca %{{.*}} x f32
// CHECK-DAG:   llvm.store %[[X]], %[[SLOT]] : f32, !llvm.ptr
// CHECK:       llvm.store %[[SLOT]], %[[PARAMETERS]] : !llvm.ptr, !llvm.ptr
// CHECK:       llvm.getelementptr %[[PARAMETERS]][5]
// CHECK:       llvm.call @sparsek_gpu_launch(%[[KERNEL]], %[[G]], %[[ONE:.*]], %[[ONE]], %{{.*}}, %[[ONE]], %[[ONE]], %{{.*}}, %[[PARAMETERS]]) : (!llvm.ptr, i64, i64, i64, i64, i64, i64, i32, !llvm.ptr) -> ()
// CHECK-LABEL: func.func @again
// CHECK:       llvm.call @sparsek_gpu_launch(%[[KERNEL:.*]], %
module attributes {gpu.container_module} {
  gpu.binary @m [#gpu.object<#nvvm.target, assembly = "PTX">]
  func.func @launch(%grid: index, %x: f32, %m: memref<4xf32>) {
    %c1 = arith.constant 1 : index
    %c128 = arith.constant 128 : index
    %shared = arith.constant 1024 : i32
    gpu.launch_func @m::@f blocks in (%grid, %c1, %c1) threads in (%c128, %c1, %c1)
        dynamic_shared_memory_size %shared args(%x : f32, %m : memref<4xf32>)
    return
  }
  func.func @again(%grid: index) {
    gpu.launch_func @m::@f blocks in (%grid, %grid, %grid) threads in (%grid, %grid, %grid)
    return
  }
}

// -----

// Sizes of an i32 launch are widened; the stack grows once, not in the loop.

// CHECK-LABEL: func.func @loop
// CHECK:       llvm.alloca %{{.*}} x i32
// CHECK:       scf.for
// CHECK-NOT:   llvm.alloca
// CHECK:       %[[G:.*]] = llvm.sext %{{.*}} : i32 to i64
// CHECK:       llvm.call @sparsek_gpu_launch(%{{.*}}, %[[G]],
module attributes {gpu.container_module} {
  gpu.binary @m [#gpu.object<#nvvm.target, assembly = "PTX">]
  func.func @loop(%grid: i32, %n: index) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %one = arith.constant 1 : i32
    scf.for %i = %c0 to %n step %c1 {
      gpu.launch_func @m::@f blocks in (%grid, %one, %one) threads in (%one, %one, %one) : i32
          args(%grid : i32)
    }
    return
  }
}

// -----

// CHECK-LABEL: func.func @memory
// CHECK-SAME:  %[[N:.*]]: index
// CHECK:       %[[P:.*]] = llvm.call @sparsek_gpu_alloc(%{{.*}}) : (i64) -> !llvm.ptr
// CHECK:       llvm.call @sparsek_gpu_fill(%[[P]], %{{.*}}, %{{.*}}, %{{.*}}) : (!llvm.ptr, i64, i64, i32) -> ()
// CHECK:       llvm.call @sparsek_gpu_copy(%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}) : (i64, i64, !llvm.ptr, !llvm.ptr) -> ()
// CHECK:       llvm.call @sparsek_gpu_copy
// CHECK:       llvm.call @sparsek_gpu_free(%[[P]]) : (!llvm.ptr) -> ()
func.func @memory(%n: index, %to: memref<?x4xf32, strided<[8, 1]>>) {
  %zero = arith.constant 0.0 : f32
  %m = memref.alloc(%n) : memref<?x4xf32>
  gpu.memset %m, %zero : memref<?x4xf32>, f32
  memref.copy %m, %to : memref<?x4xf32> to memref<?x4xf32, strided<[8, 1]>>
  gpu.memcpy %to, %m : memref<?x4xf32, strided<[8, 1]>>, memref<?x4xf32>
  memref.dealloc %m : memref<?x4xf32>
  return
}

// -----

// A tensor map is 128 bytes on the stack, which the launch passes as they are,
// also where the map is a pointer for the kernel already.

// CHECK-LABEL: func.func @map
// CHECK-DAG:   %[[MAP:.*]] = llvm.alloca %{{.*}} x !llvm.array<128 x i8> {alignment = 64 : i64}
// CHECK-DAG:   %[[PARAMETERS:.*]] = llvm.alloca %{{.*}} x !llvm.array<2 x ptr>
// CHECK:       llvm.call @sparsek_gpu_encode(%[[MAP]], %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}) : (!llvm.ptr, i64, i64, !llvm.ptr, i64) -> ()
// CHECK:       llvm.store %[[MAP]], %[[PARAMETERS]] : !llvm.ptr, !llvm.ptr
// CHECK:       %[[SECOND:.*]] = llvm.getelementptr %[[PARAMETERS]][1]
// CHECK:       llvm.store %[[MAP]], %[[SECOND]] : !llvm.ptr, !llvm.ptr
module attributes {gpu.container_module} {
  gpu.binary @m [#gpu.object<#nvvm.target, assembly = "PTX">]
  func.func @map(%c: index, %x: memref<2x?x128xbf16, strided<[?, 256, 1]>>) {
    %map = tile.encode_tensor_map %x rows(64) : memref<2x?x128xbf16, strided<[?, 256, 1]>>
    %p = builtin.unrealized_conversion_cast %map : !tile.tensor_map to !llvm.ptr
    gpu.launch_func @m::@f blocks in (%c, %c, %c) threads in (%c, %c, %c)
        args(%map : !tile.tensor_map, %p : !llvm.ptr)
    return
  }
}

// -----

// A value of fewer bits is a pattern of 32.

// CHECK-LABEL: func.func @fill
// CHECK:       %[[BITS:.*]] = llvm.bitcast %{{.*}} : bf16 to i16
// CHECK:       %[[WIDE:.*]] = llvm.zext %[[BITS]] : i16 to i32
// CHECK:       llvm.call @sparsek_gpu_fill(%{{.*}}, %{{.*}}, %{{.*}}, %[[WIDE]])
func.func @fill(%m: memref<4xbf16>, %x: bf16) {
  gpu.memset %m, %x : memref<4xbf16>, bf16
  return
}
