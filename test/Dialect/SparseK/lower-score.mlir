// RUN: sparsek-opt %s --sparsek-lower-score | FileCheck %s

// CHECK-LABEL: func @score
// CHECK-SAME:    %[[X:[a-z0-9]+]]: tensor<1x?x256xbf16>, %[[W:[a-z0-9]+]]: tensor<2x256xbf16>, %[[B:[a-z0-9]+]]: tensor<2xf32>, %[[S:[a-z0-9]+]]: tensor<2xf32>
// CHECK:         %[[START:.+]] = linalg.generic {{.*}} ins(%[[B]], %[[S]] : tensor<2xf32>, tensor<2xf32>)
// CHECK:           linalg.index 2
// CHECK:         linalg.generic {{.*}} iterator_types = ["parallel", "parallel", "parallel", "reduction"]{{.*}} ins(%[[X]], %[[W]] : tensor<1x?x256xbf16>, tensor<2x256xbf16>) outs(%[[START]]
// CHECK:           arith.extf {{.*}} : bf16 to f32
// CHECK-NOT:     sparsek.score
func.func @score(%x: tensor<1x?x256xbf16>, %w: tensor<2x256xbf16>, %b: tensor<2xf32>, %s: tensor<2xf32>, %u: tensor<1x2x?xf32>) -> tensor<1x2x?xf32> {
  %0 = sparsek.score ins(%x, %w, %b, %s : tensor<1x?x256xbf16>, tensor<2x256xbf16>, tensor<2xf32>, tensor<2xf32>)
      outs(%u : tensor<1x2x?xf32>) -> tensor<1x2x?xf32>
  return %0 : tensor<1x2x?xf32>
}
