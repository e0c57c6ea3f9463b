// RUN: sparsek-opt %s --sparsek-lower-score | FileCheck %s

// Rows of 32 channels, and one by one what is left of them.

// CHECK-LABEL: func @static_channels
// CHECK-SAME:    %[[X:[a-z0-9]+]]: tensor<1x?x260xbf16>, %[[W:[a-z0-9]+]]: tensor<2x260xbf16>, %[[BIAS:[a-z0-9]+]]: tensor<2xf32>, %[[SLOPE:[a-z0-9]+]]: tensor<2xf32>
// CHECK-DAG:     %[[C256:.+]] = arith.constant 256 : index
// CHECK-DAG:     %[[C260:.+]] = arith.constant 260 : index
// CHECK:         scf.forall (%[[B:.+]], %[[N:.+]]) in
// CHECK:           scf.for %[[H:[a-z0-9]+]] =
// CHECK:             tensor.extract_slice %[[X]][%[[B]], %[[N]], 0] [1, 1, 256]
// CHECK:             tensor.extract_slice %[[W]][%[[H]], 0] [1, 256]
// CHECK:             linalg.generic {{.*}} iterator_types = ["reduction", "parallel"]{{.*}} ins(%{{.+}}, %{{.+}} : tensor<8x32xbf16>, tensor<8x32xbf16>) outs(%{{.+}} : tensor<32xf32>)
// CHECK:               arith.extf {{.*}} : bf16 to f32
// CHECK:             tensor.extract %[[BIAS]][%[[H]]]
// CHECK:             tensor.extract %[[SLOPE]][%[[H]]]
// CHECK:             scf.for %[[C:.+]] = %[[C256]] to %[[C260]]
// CHECK:               tensor.extract %[[X]][%[[B]], %[[N]], %[[C]]]
// CHECK-NOT:     sparsek.score
func.func @static_channels(%x: tensor<1x?x260xbf16>, %w: tensor<2x260xbf16>, %b: tensor<2xf32>, %s: tensor<2xf32>, %u: tensor<1x2x?xf32>) -> tensor<1x2x?xf32> {
  %0 = sparsek.score ins(%x, %w, %b, %s : tensor<1x?x260xbf16>, tensor<2x260xbf16>, tensor<2xf32>, tensor<2xf32>)
      outs(%u : tensor<1x2x?xf32>) -> tensor<1x2x?xf32>
  return %0 : tensor<1x2x?xf32>
}

// CHECK-LABEL: func @dynamic_channels
// CHECK-SAME:    %[[X:[a-z0-9]+]]: tensor<1x?x?xbf16>, %[[W:[a-z0-9]+]]: tensor<2x?xbf16>, %[[BIAS:[a-z0-9]+]]: tensor<2xf32>, %[[SLOPE:[a-z0-9]+]]: tensor<2xf32>
// CHECK:         %[[START:.+]] = linalg.generic {{.*}} ins(%[[BIAS]], %[[SLOPE]] : tensor<2xf32>, tensor<2xf32>)
// CHECK:           linalg.index 2
// CHECK:         linalg.generic {{.*}} iterator_types = ["parallel", "parallel", "parallel", "reduction"]{{.*}} ins(%[[X]], %[[W]] : tensor<1x?x?xbf16>, tensor<2x?xbf16>) outs(%[[START]]
// CHECK:           arith.extf {{.*}} : bf16 to f32
// CHECK-NOT:     sparsek.score
func.func @dynamic_channels(%x: tensor<1x?x?xbf16>, %w: tensor<2x?xbf16>, %b: tensor<2xf32>, %s: tensor<2xf32>, %u: tensor<1x2x?xf32>) -> tensor<1x2x?xf32> {
  %0 = sparsek.score ins(%x, %w, %b, %s : tensor<1x?x?xbf16>, tensor<2x?xbf16>, tensor<2xf32>, tensor<2xf32>)
      outs(%u : tensor<1x2x?xf32>) -> tensor<1x2x?xf32>
  return %0 : tensor<1x2x?xf32>
}
