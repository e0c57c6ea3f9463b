// RUN: sparsek-opt %S/ops.mlir -tile-infer-layouts -tile-distribute | FileCheck %s

// No vector of rank 2 is left, nor what only groups have.
// CHECK-NOT: vector<{{[0-9]+}}x{{[0-9]+}}x
// CHECK-NOT: tile.layouts
// CHECK-NOT: tile.gather
// CHECK:     nvvm.cp.async.shared.global
// CHECK:     tile.bulk_copy
// CHECK-NOT: vector<{{[0-9]+}}x{{[0-9]+}}x
// CHECK:     tile.mma %{{.*}} transpose_b overwrite : vector<64xbf16>, !tile.shared<96x128xbf16, swizzled>, vector<48xf32>
// CHECK-NOT: vector<{{[0-9]+}}x{{[0-9]+}}x
// CHECK-NOT: tile.layouts
// CHECK-NOT: tile.scatter
