// RUN: rm -rf %t && sparsek-opt %s -sparsek-gpu-pipeline="rows=128 keys=96 stages=4 ptx-folder=%t" -o %t.host --mlir-print-ir-after=sparsek-bufferize,tile-infer-layouts,tile-distribute,convert-tile-to-nvvm,sparsek-gpu-to-ptx 2>&1 | FileCheck %s
// RUN: FileCheck %s --check-prefix=HOST --input-file=%t.host
// RUN: FileCheck %s --check-prefix=PTX --input-file=%t/sparse_attention_kernels.ptx

// One attention call through every stage of the pipeline, on Hopper.

func.func @attention(%q: tensor<?x32x?x128xbf16>, %k: tensor<?x8x?x128xbf16>, %v: tensor<?x8x?x128xbf16>,
                     %end: tensor<?x8x?xi32>, %o: tensor<?x32x?x128xbf16>, %lse: tensor<?x32x?xf32>)
    -> (tensor<?x32x?x128xbf16>, tensor<?x32x?xf32>) {
  %0:2 = sparsek.sparse_attention
      ins(%q, %k, %v, %end : tensor<?x32x?x128xbf16>, tensor<?x8x?x128xbf16>, tensor<?x8x?x128xbf16>, tensor<?x8x?xi32>)
      outs(%o, %lse : tensor<?x32x?x128xbf16>, tensor<?x32x?xf32>) -> tensor<?x32x?x128xbf16>, tensor<?x32x?xf32>
  return %0#0, %0#1 : tensor<?x32x?x128xbf16>, tensor<?x32x?xf32>
}

// Any strides, the innermost 1.
// CHECK-LABEL: IR Dump After SparseKBufferize
// CHECK:         sparsek.sparse_attention ins({{.*}} : memref<?x32x?x128xbf16, strided<[?, ?, ?, 1], offset: ?>>

// Every vector of a tile's size has a layout.
// CHECK-LABEL: IR Dump After TileInferLayouts
// CHECK:         gpu.module @sparse_attention_kernels
// CHECK:         tile.role "producer"
// CHECK-DAG:       tile.iota {tile.layouts = [#tile.layout<copy, lanes = 16>]} : vector<96xi32>
// CHECK-DAG:       tile.iota {tile.layouts = [#tile.layout<linear>]} : vector<96xi32>
// CHECK:         tile.role "consumer"
// CHECK:           tile.iota {tile.layouts = [#tile.layout<row>]} : vector<64xi32>
// CHECK:           tile.load {{.*}} {tile.layouts = [#tile.layout<fragment>]} : {{.*}}, vector<64x128xbf16>
// CHECK:           tile.mma {{.*}} {tile.layouts = [#tile.layout<fragment>]} : {{.*}}, vector<64x96xf32>
// CHECK:           tile.load {{.*}} {tile.layouts = [#tile.layout<column>]} : !tile.shared<96xi32>, vector<96xi32>
// CHECK:           vector.multi_reduction <maxnumf>, {{.*}} {tile.layouts = [#tile.layout<row>]} [1] : vector<64x96xf32> to vector<64xf32>

// A thread has 48 of 64 x 96 elements, 2 of 64 rows. Rows are copied in pieces of
// 16 bytes: 16 threads a row, 12 rows a thread. Of the lanes of a quad, which
// share their rows, each has a quarter of the maximum.
// CHECK-LABEL: IR Dump After TileDistribute
// CHECK:         gpu.module @sparse_attention_kernels
// CHECK-NOT:     tile.layouts
// CHECK:         tile.role "producer"
// CHECK:           scf.for {{.*}} vector<12xi32>
// CHECK-COUNT-12:  nvvm.cp.async.shared.global {{.*}}, 16, cache = cg
// CHECK:         tile.role "consumer"
// CHECK-COUNT-8:   nvvm.ldmatrix
// CHECK:           tile.mma {{.*}} transpose_b overwrite : vector<64xbf16>, !tile.shared<96x128xbf16, swizzled>, vector<48xf32>
// CHECK:           nvvm.shfl.sync bfly %{{.*}}, %{{.*}}, %c1_i32{{.*}} : f32 -> f32
// CHECK:           nvvm.shfl.sync bfly %{{.*}}, %{{.*}}, %c2_i32{{.*}} : f32 -> f32
// CHECK:           nvvm.vote.sync any
// CHECK:           math.exp2 %{{.*}} : vector<48xf32>
// CHECK:           tile.mma {{.*}} accumulate({{.*}}) : vector<48xbf16>, !tile.shared<96x128xbf16, swizzled>, vector<64xf32>
// CHECK-NOT:     vector<{{[0-9]+x[0-9]+x}}

// Rings are barriers at fixed places of shared memory, roles a branch, products
// instructions: 8 steps of 16 along d, 6 along the keys.
// CHECK-LABEL: IR Dump After ConvertTileToNVVM
// CHECK:         dynamic_shared_memory_size %c231072_i32
// CHECK:         gpu.module @sparse_attention_kernels
// CHECK:           known_block_size = array<i32: 384, 1, 1>
// CHECK-COUNT-18:    nvvm.mbarrier.init
// CHECK:             nvvm.fence.mbarrier.init
// CHECK:             nvvm.barrier
// CHECK:             scf.if
// CHECK:               nvvm.setmaxregister decrease
// CHECK:               mbarrier.try_wait.parity.shared.b64
// CHECK:               nvvm.cp.async.mbarrier.arrive
// CHECK:               nvvm.mbarrier.expect_tx {{.*}}, %c24576_i32
// CHECK:               nvvm.cp.async.bulk.tensor.shared.cluster.global
// CHECK:             } else {
// CHECK:               nvvm.setmaxregister increase
// CHECK:               nvvm.fence.proxy {kind = #nvvm.proxy_kind<async.shared>, space = #nvvm.shared_space<cta>}
// CHECK:               nvvm.wgmma.fence.aligned
// CHECK-COUNT-8:       wgmma.mma_async.sync.aligned.m64n96k16.f32.bf16.bf16
// CHECK:               nvvm.wgmma.commit.group.sync.aligned
// CHECK-COUNT-6:       wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16
// CHECK:               wgmma.wait_group.sync.aligned 1;
// CHECK:               llvm.nvvm.ex2.approx.ftz.f
// CHECK:               wgmma.wait_group.sync.aligned 0;
// CHECK-NOT:         tile.{{(role|ring|acquire|commit|wait|release|mma|alloc|slot|pin|test)}}

// CHECK-LABEL: IR Dump After SparseKGPUToPTX
// CHECK-DAG:     gpu.binary @sparse_attention_kernels [#gpu.object<#nvvm.target<O = 3, chip = "sm_90a">
// CHECK-DAG:     gpu.binary @sparsek_live_lists [#gpu.object<#nvvm.target<O = 3, chip = "sm_90a">

// Three launches; what the lists need is allocated and freed on the stream.
// HOST-DAG:   llvm.mlir.global internal constant @sparsek_gpu_image_sparse_attention_kernels(
// HOST-DAG:   llvm.mlir.global internal constant @sparsek_gpu_image_sparsek_live_lists(
// HOST-LABEL: llvm.func @attention(
// HOST-COUNT-4: llvm.call @sparsek_gpu_alloc
// HOST:         llvm.call @sparsek_gpu_launch
// HOST:         llvm.call @sparsek_gpu_launch
// HOST:         llvm.call @sparsek_gpu_free
// HOST:         llvm.call @sparsek_gpu_encode
// HOST:         llvm.call @sparsek_gpu_encode
// HOST:         llvm.call @sparsek_gpu_num_multiprocessors
// HOST:         llvm.call @sparsek_gpu_launch
// HOST-COUNT-3: llvm.call @sparsek_gpu_free
// HOST-NOT:     sparsek_gpu_launch
// HOST:         llvm.return
// HOST-NOT:   gpu.binary

// PTX:          .target sm_90a
// PTX:          .entry sparse_attention(
// PTX:          .align 64 .b8 sparse_attention_param_{{[0-9]+}}[128]
// PTX:          .maxntid 384
// PTX:          .minnctapersm 1
// PTX:          mbarrier.init.shared.b64
// PTX:          setmaxnreg.dec.sync.aligned.u32
// PTX:          cp.async.cg.shared.global
// PTX:          cp.async.bulk.tensor.4d.shared::cluster.global.tile.mbarrier::complete_tx::bytes
// PTX:          setmaxnreg.inc.sync.aligned.u32
// PTX:          fence.proxy.async.shared::cta
// PTX:          wgmma.mma_async.sync.aligned.m64n96k16.f32.bf16.bf16
// PTX:          wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16
// PTX:          st.global.v4.b32
