// RUN: sparsek-opt %s --sparsek-reference-pipeline | %run_host | FileCheck %s

func.func private @printMemrefF32(tensor<*xf32>)

func.func @print(%o: tensor<1x2x?x1xf32>, %l: tensor<1x2x?xf32>)
    attributes {no_inline} {
  %ou = tensor.cast %o : tensor<1x2x?x1xf32> to tensor<*xf32>
  %lu = tensor.cast %l : tensor<1x2x?xf32> to tensor<*xf32>
  call @printMemrefF32(%ou) : (tensor<*xf32>) -> ()
  call @printMemrefF32(%lu) : (tensor<*xf32>) -> ()
  return
}

// Two query heads read one kv head. Key 0 dies at 2, key 1 at 4, key 2 lives
// at 2 alone, key 3 never does and holds NaN. Every logit is ln 3 times the
// query, or 0.
func.func @run(%q: tensor<1x2x?x2xf32>, %o0: tensor<1x2x?x1xf32>,
               %l0: tensor<1x2x?xf32>, %nan: tensor<1x1x4x1xf32>)
    attributes {no_inline} {
  %k = arith.constant dense<[[[[1.0986123, 0.0], [0.0, 0.0], [1.0986123, 0.0],
                               [0x7FC00000, 0.0]]]]> : tensor<1x1x4x2xf32>
  %e = arith.constant dense<[[[2, 4, 3, 0]]]> : tensor<1x1x4xi32>
  %u = arith.constant dense<[[[2.0, 0.5, 0x7FC00000, 0.0]]]>
      : tensor<1x1x4xf32>
  %t = arith.constant dense<[[[0xFF800000, 1.75, 0.25, 0.0]]]>
      : tensor<1x1x4xf32>

  %o1, %l1 = sparsek.sparse_attention scale(1.0)
      ins(%q, %k, %nan, %e : tensor<1x2x?x2xf32>, tensor<1x1x4x2xf32>,
          tensor<1x1x4x1xf32>, tensor<1x1x4xi32>)
      outs(%o0, %l0 : tensor<1x2x?x1xf32>, tensor<1x2x?xf32>)
      -> tensor<1x2x?x1xf32>, tensor<1x2x?xf32>
  call @print(%o1, %l1) : (tensor<1x2x?x1xf32>, tensor<1x2x?xf32>) -> ()

  %o2, %l2 = sparsek.sparse_attention gate(value) window(1) scale(1.0)
      ins(%q, %k, %nan, %e : tensor<1x2x?x2xf32>, tensor<1x1x4x2xf32>,
          tensor<1x1x4x1xf32>, tensor<1x1x4xi32>)
      gating(%u, %t : tensor<1x1x4xf32>, tensor<1x1x4xf32>)
      outs(%o0, %l0 : tensor<1x2x?x1xf32>, tensor<1x2x?xf32>)
      -> tensor<1x2x?x1xf32>, tensor<1x2x?xf32>
  call @print(%o2, %l2) : (tensor<1x2x?x1xf32>, tensor<1x2x?xf32>) -> ()

  %o3, %l3 = sparsek.sparse_attention gate(key_value) window(0) scale(1.0)
      ins(%q, %k, %nan, %e : tensor<1x2x?x2xf32>, tensor<1x1x4x2xf32>,
          tensor<1x1x4x1xf32>, tensor<1x1x4xi32>)
      gating(%u, %t : tensor<1x1x4xf32>, tensor<1x1x4xf32>)
      outs(%o0, %l0 : tensor<1x2x?x1xf32>, tensor<1x2x?xf32>)
      -> tensor<1x2x?x1xf32>, tensor<1x2x?xf32>
  call @print(%o3, %l3) : (tensor<1x2x?x1xf32>, tensor<1x2x?xf32>) -> ()
  return
}

func.func @main() {
  %v = arith.constant dense<[[[[4.0], [8.0], [16.0], [0x7FC00000]]]]>
      : tensor<1x1x4x1xf32>
  %q4 = arith.constant dense<[[[[1.0, 5.0], [1.0, 5.0], [1.0, 5.0], [1.0, 5.0]],
                               [[0.0, 5.0], [0.0, 5.0], [0.0, 5.0], [0.0, 5.0]]]]>
      : tensor<1x2x4x2xf32>
  %o4 = arith.constant dense<7.0> : tensor<1x2x4x1xf32>
  %l4 = arith.constant dense<7.0> : tensor<1x2x4xf32>
  %q = tensor.cast %q4 : tensor<1x2x4x2xf32> to tensor<1x2x?x2xf32>
  %o = tensor.cast %o4 : tensor<1x2x4x1xf32> to tensor<1x2x?x1xf32>
  %l = tensor.cast %l4 : tensor<1x2x4xf32> to tensor<1x2x?xf32>
  // Visible: {0}, {0, 1}, {1, 2}, {1}. Head 0 weighs keys 0 and 2 three times.
  // No gate: 4, (3 * 4 + 8) / 4, (8 + 3 * 16) / 4, 8; then (4 + 8) / 2,
  // (8 + 16) / 2.
  // CHECK: sizes = [1, 2, 4, 1]
  // CHECK-NEXT: {{\[}}{{\[}}{{\[}}[4],
  // CHECK-NEXT: [5],
  // CHECK-NEXT: [14],
  // CHECK-NEXT: [8]],
  // CHECK-NEXT: {{\[}}[4],
  // CHECK-NEXT: [6],
  // CHECK-NEXT: [12],
  // CHECK-NEXT: [8]]]]
  // ln 3, ln 4, ln 4, 0; 0, ln 2, ln 2, 0.
  // CHECK: sizes = [1, 2, 4]
  // CHECK-NEXT: {{\[}}{{\[}}[1.09861, 1.38629, 1.38629, 0],
  // CHECK-NEXT: [0, 0.693147, 0.693147, 0]]]
  //
  // Gated values; a key has gate 1 at its own query. At query 1 key 0 has gate
  // 0.25; at 2 key 1 has 0.25; at 3 it has 0.5.
  // (3 * 1 + 8) / 4, (2 + 3 * 16) / 4, 4; then (1 + 8) / 2, (2 + 16) / 2, 4.
  // CHECK: sizes = [1, 2, 4, 1]
  // CHECK-NEXT: {{\[}}{{\[}}{{\[}}[4],
  // CHECK-NEXT: [2.75],
  // CHECK-NEXT: [12.5],
  // CHECK-NEXT: [4]],
  // CHECK-NEXT: {{\[}}[4],
  // CHECK-NEXT: [4.5],
  // CHECK-NEXT: [9],
  // CHECK-NEXT: [4]]]]
  // CHECK: sizes = [1, 2, 4]
  // CHECK-NEXT: {{\[}}{{\[}}[1.09861, 1.38629, 1.38629, 0],
  // CHECK-NEXT: [0, 0.693147, 0.693147, 0]]]
  //
  // Gated keys and values, no window. Query 0: tau is -inf, gate 1. Query 1:
  // gates 0.25 and 0 (0.5 - 1.75 < 0): logits ln 3 / 4 and 0, values 1 and 0:
  // 3^0.25 / (3^0.25 + 1). Query 2: gates 0.25 and, for NaN, 0: (2 + 0) / 2.
  // CHECK: sizes = [1, 2, 4, 1]
  // CHECK-NEXT: {{\[}}{{\[}}{{\[}}[4],
  // CHECK-NEXT: [0.568235],
  // CHECK-NEXT: [1],
  // CHECK-NEXT: [4]],
  // CHECK-NEXT: {{\[}}[4],
  // CHECK-NEXT: [0.5],
  // CHECK-NEXT: [1],
  // CHECK-NEXT: [4]]]]
  // CHECK: sizes = [1, 2, 4]
  // CHECK-NEXT: {{\[}}{{\[}}[1.09861, 0.839873, 0.693147, 0],
  // CHECK-NEXT: [0, 0.693147, 0.693147, 0]]]
  call @run(%q, %o, %l, %v)
      : (tensor<1x2x?x2xf32>, tensor<1x2x?x1xf32>, tensor<1x2x?xf32>,
         tensor<1x1x4x1xf32>) -> ()

  // Six queries over four keys: the first two stand before the first key.
  %q6 = arith.constant dense<0.0> : tensor<1x2x6x2xf32>
  %o6 = arith.constant dense<7.0> : tensor<1x2x6x1xf32>
  %l6 = arith.constant dense<7.0> : tensor<1x2x6xf32>
  %q5 = tensor.cast %q6 : tensor<1x2x6x2xf32> to tensor<1x2x?x2xf32>
  %o5 = tensor.cast %o6 : tensor<1x2x6x1xf32> to tensor<1x2x?x1xf32>
  %l5 = tensor.cast %l6 : tensor<1x2x6xf32> to tensor<1x2x?xf32>
  // CHECK: sizes = [1, 2, 6, 1]
  // CHECK-NEXT: {{\[}}{{\[}}{{\[}}[0],
  // CHECK-NEXT: [0],
  // CHECK-NEXT: [4],
  // CHECK-NEXT: [6],
  // CHECK-NEXT: [12],
  // CHECK-NEXT: [8]],
  // CHECK: sizes = [1, 2, 6]
  // CHECK-NEXT: {{\[}}{{\[}}[-inf, -inf, 0, 0.693147, 0.693147, 0],
  // Gated values:
  // CHECK: sizes = [1, 2, 6, 1]
  // CHECK-NEXT: {{\[}}{{\[}}{{\[}}[0],
  // CHECK-NEXT: [0],
  // CHECK-NEXT: [4],
  // CHECK-NEXT: [4.5],
  // CHECK-NEXT: [9],
  // CHECK-NEXT: [4]],
  call @run(%q5, %o5, %l5, %v)
      : (tensor<1x2x?x2xf32>, tensor<1x2x?x1xf32>, tensor<1x2x?xf32>,
         tensor<1x1x4x1xf32>) -> ()
  return
}
