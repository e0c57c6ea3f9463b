// RUN: sparsek-opt %s --convert-sparsek-to-linalg --canonicalize --cse \
// RUN:   --split-input-file | FileCheck %s

// CHECK-LABEL: func @topk_mask
// CHECK-SAME: (%[[Z:.*]]: tensor<4x?xbf16>, %[[P:.*]]: tensor<4x?xbf16>, %[[T:.*]]: tensor<4xf32>)
// NaN to -inf, in f32:
// CHECK: %[[SCORES:.*]] = linalg.generic {{.*}} ins(%[[Z]] :
// CHECK: arith.cmpf ord
// CHECK: %[[FIXED:.*]] = linalg.generic {{.*}} ins(%[[SCORES]] : {{.*}}) outs(%{{.*}} : tensor<4x?xi384>)
// CHECK: arith.bitcast
// CHECK: arith.shli %{{.*}}, %{{.*}} : i384
// Bisection between the keys of -inf and of the largest float:
// CHECK: %[[LOW:.*]] = linalg.fill ins(%c-2139095041_i64 : i64)
// CHECK: %[[HIGH:.*]] = linalg.fill ins(%c2139095039_i64 : i64)
// CHECK: %[[KEYS:.*]]:2 = scf.for %{{.*}} = %c0 to %c32 step %c1 iter_args(%{{.*}} = %[[LOW]], %{{.*}} = %[[HIGH]])
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel"]
// CHECK: arith.shli %{{.*}}, %{{.*}} : i384
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "reduction"]} ins(%[[FIXED]], %{{.*}} : tensor<4x?xi384>, tensor<4xi384>)
// CHECK: arith.subi
// CHECK: arith.maxsi
// CHECK: arith.minsi
// CHECK-NOT: linalg.index
// CHECK: arith.addi
// CHECK: linalg.generic
// CHECK: arith.cmpi sle, %{{.*}} : i384
// CHECK: scf.yield
// Rounding, by the sum in the middle of the last interval:
// CHECK: linalg.generic {{.*}} ins(%[[KEYS]]#1 :
// CHECK: arith.shrsi %{{.*}}, %c1_i384
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "reduction"]} ins(%[[FIXED]],
// CHECK: %[[TAU:.*]] = linalg.generic {{.*}} ins(%[[KEYS]]#1, {{.*}} outs(%[[T]] :
// CHECK: arith.cmpi slt, %{{.*}} : i384
// CHECK: arith.cmpi eq, %{{.*}} : i384
// CHECK: %[[MASK:.*]] = linalg.generic {{.*}} ins(%[[SCORES]], %[[TAU]] : {{.*}}) outs(%[[P]] :
// CHECK: arith.subf %{{.*}}, %{{.*}} : f32
// CHECK: arith.truncf %{{.*}} : f32 to bf16
// CHECK: return %[[MASK]], %[[TAU]]
func.func @topk_mask(%z: tensor<4x?xbf16>, %p: tensor<4x?xbf16>,
                     %t: tensor<4xf32>) -> (tensor<4x?xbf16>, tensor<4xf32>) {
  %0:2 = sparsek.topk_mask topk(3) ins(%z : tensor<4x?xbf16>)
      outs(%p, %t : tensor<4x?xbf16>, tensor<4xf32>)
      -> tensor<4x?xbf16>, tensor<4xf32>
  return %0#0, %0#1 : tensor<4x?xbf16>, tensor<4xf32>
}

// -----

// CHECK-LABEL: func @causal_topk_mask
// CHECK-SAME: (%[[U:.*]]: tensor<2x3x?xf32>, %[[E:.*]]: tensor<2x3x?xi32>, %[[T:.*]]: tensor<2x3x?xf32>, %[[F:.*]]: tensor<2x3x?xi32>)
// CHECK: %[[N:.*]] = tensor.dim %[[U]], %c2
// CHECK: %[[SCORES:.*]] = linalg.generic {{.*}} ins(%[[U]] :
// CHECK: %[[FIXED:.*]] = linalg.generic {{.*}} ins(%[[SCORES]] :
// CHECK: %[[NOEND:.*]] = arith.index_cast %[[N]] : index to i32
// CHECK: %[[COUNT0:.*]] = linalg.fill ins(%c0_i64
// CHECK: %[[END0:.*]] = linalg.fill ins(%[[NOEND]] : i32) outs(%[[E]] :
// CHECK: %[[DIFF:.*]] = arith.subi %[[N]], %c5 : index
// CHECK: %[[STEPS:.*]] = arith.maxsi %[[DIFF]], %c0
// CHECK: %[[LOOP:.*]]:2 = scf.for %[[TIME:.*]] = %c0 to %[[STEPS]] step %c1 iter_args(%[[COUNT:.*]] = %[[COUNT0]], %[[END:.*]] = %[[END0]])
// CHECK: %[[JOINING:.*]] = tensor.extract_slice %[[SCORES]][0, 0, %[[TIME]]] [2, 3, 1]
// CHECK: linalg.generic {{.*}} ins(%[[SCORES]], %[[JOINING]] : {{.*}}) outs(%[[COUNT]], %[[END]] :
// CHECK: %[[KEY:.*]] = linalg.index 2
// CHECK: arith.cmpf ogt
// CHECK: arith.cmpf oeq
// CHECK: arith.cmpi slt, %[[TIME]], %[[KEY]]
// CHECK: arith.cmpi sge, %{{.*}}, %c4_i64
// CHECK: arith.cmpi sle, %[[KEY]], %[[TIME]]
// CHECK: %[[QUERY:.*]] = arith.addi %[[TIME]], %c5
// CHECK: %[[KEYS:.*]]:2 = scf.for
// Only the candidates j <= i - window count:
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%[[FIXED]],
// CHECK: %[[I:.*]] = linalg.index 2
// CHECK: %[[LAST:.*]] = arith.subi %[[I]], %c5
// CHECK: %[[J:.*]] = linalg.index 3
// CHECK: arith.cmpi sle, %[[J]], %[[LAST]]
// CHECK: %[[TAU:.*]] = linalg.generic {{.*}} outs(%[[T]] :
// CHECK: %[[ZEROS:.*]] = linalg.fill ins(%c0_i32 : i32) outs(%[[F]] :
// CHECK: %[[FREE:.*]] = linalg.generic {{.*}} ins(%[[SCORES]], %[[TAU]] : {{.*}}) outs(%[[ZEROS]] :
// CHECK: arith.subf %{{.*}}, %{{.*}} : f32
// CHECK: return %[[LOOP]]#1, %[[TAU]], %[[FREE]]
func.func @causal_topk_mask(%u: tensor<2x3x?xf32>, %e: tensor<2x3x?xi32>,
                            %t: tensor<2x3x?xf32>, %f: tensor<2x3x?xi32>)
    -> (tensor<2x3x?xi32>, tensor<2x3x?xf32>, tensor<2x3x?xi32>) {
  %0:3 = sparsek.causal_topk_mask topk(4) window(5) ins(%u : tensor<2x3x?xf32>)
      outs(%e, %t, %f : tensor<2x3x?xi32>, tensor<2x3x?xf32>, tensor<2x3x?xi32>)
      -> tensor<2x3x?xi32>, tensor<2x3x?xf32>, tensor<2x3x?xi32>
  return %0#0, %0#1, %0#2
      : tensor<2x3x?xi32>, tensor<2x3x?xf32>, tensor<2x3x?xi32>
}
