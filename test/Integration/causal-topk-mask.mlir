// RUN: sparsek-opt %s --sparsek-reference-pipeline | %run_host | FileCheck %s

func.func private @printMemrefF32(tensor<*xf32>)
func.func private @printMemrefI32(tensor<*xi32>)

func.func @select(%u: tensor<?x?x?xf32>, %e0: tensor<?x?x?xi32>,
                  %t0: tensor<?x?x?xf32>, %f0: tensor<?x?x?xi32>)
    attributes {no_inline} {
  %e, %t, %f = sparsek.causal_topk_mask topk(2) window(1)
      ins(%u : tensor<?x?x?xf32>)
      outs(%e0, %t0, %f0
           : tensor<?x?x?xi32>, tensor<?x?x?xf32>, tensor<?x?x?xi32>)
      -> tensor<?x?x?xi32>, tensor<?x?x?xf32>, tensor<?x?x?xi32>
  %eu = tensor.cast %e : tensor<?x?x?xi32> to tensor<*xi32>
  %tu = tensor.cast %t : tensor<?x?x?xf32> to tensor<*xf32>
  %fu = tensor.cast %f : tensor<?x?x?xi32> to tensor<*xi32>
  call @printMemrefI32(%eu) : (tensor<*xi32>) -> ()
  call @printMemrefF32(%tu) : (tensor<*xf32>) -> ()
  call @printMemrefI32(%fu) : (tensor<*xi32>) -> ()
  return
}

func.func @main() {
  // The candidates of query i are the keys before it.
  // Head 0: query 3 drops key 1 (1 < 2 < 3), query 4 drops key 2, query 5 key 4;
  //         key 5 ties with key 3 and would be dropped at 6, which is the end.
  //         tau[4]: 2.5 - x and 2 - x share what key 0 leaves: x = 1.75.
  // Head 1: the earlier of equal scores stays; three of them share 2.
  // Head 2: NaN and -inf come last, in order of position; two finite scores
  //         and fewer give -inf.
  %u = arith.constant dense<[[
    [3.0, 1.0, 2.0, 2.5, 0.0, 2.5],
    [1.0, 1.0, 1.0, 1.0, 1.0, 1.0],
    [0xFF800000, 0x7FC00000, 4.0, 0xFF800000, -0.0, 0.0]]]>
    : tensor<1x3x6xf32>
  %e0 = tensor.empty() : tensor<1x3x6xi32>
  %t0 = tensor.empty() : tensor<1x3x6xf32>
  %f0 = arith.constant dense<7> : tensor<1x3x6xi32>
  %u1 = tensor.cast %u : tensor<1x3x6xf32> to tensor<?x?x?xf32>
  %e1 = tensor.cast %e0 : tensor<1x3x6xi32> to tensor<?x?x?xi32>
  %t1 = tensor.cast %t0 : tensor<1x3x6xf32> to tensor<?x?x?xf32>
  %f1 = tensor.cast %f0 : tensor<1x3x6xi32> to tensor<?x?x?xi32>
  // CHECK: sizes = [1, 3, 6]
  // CHECK-NEXT: {{\[}}{{\[}}[6, 3, 4, 6, 5, 6],
  // CHECK-NEXT: [6, 6, 3, 4, 5, 6],
  // CHECK-NEXT: [5, 3, 6, 4, 6, 6]]]
  // CHECK: sizes = [1, 3, 6]
  // CHECK-NEXT: {{\[}}{{\[}}[-inf, -inf, -inf, 1, 1.75, 1.75],
  // CHECK-NEXT: [-inf, -inf, -inf, 0.333333, 0.5, 0.6],
  // CHECK-NEXT: [-inf, -inf, -inf, -inf, -inf, -inf]]]
  // CHECK: sizes = [1, 3, 6]
  // CHECK-NEXT: {{\[}}{{\[}}[0, 0, 0, 0, 2, 2],
  // CHECK-NEXT: [0, 0, 0, 3, 4, 5],
  // CHECK-NEXT: [0, 0, 0, 0, 0, 0]]]
  call @select(%u1, %e1, %t1, %f1)
      : (tensor<?x?x?xf32>, tensor<?x?x?xi32>, tensor<?x?x?xf32>,
         tensor<?x?x?xi32>) -> ()
  return
}
