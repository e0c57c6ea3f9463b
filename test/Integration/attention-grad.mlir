// The gradients of small attentions, worked out by hand.

// RUN: sparsek-opt %s --sparsek-reference-pipeline | %run_host | FileCheck %s

func.func private @printMemrefF32(tensor<*xf32>)

func.func @print3(%dq: tensor<1x2x2x1xf32>, %dk: tensor<1x1x3x1xf32>,
                  %dv: tensor<1x1x3x1xf32>) {
  %0 = tensor.collapse_shape %dq [[0], [1], [2, 3]]
      : tensor<1x2x2x1xf32> into tensor<1x2x2xf32>
  %1 = tensor.collapse_shape %dk [[0, 1, 2, 3]]
      : tensor<1x1x3x1xf32> into tensor<3xf32>
  %2 = tensor.collapse_shape %dv [[0, 1, 2, 3]]
      : tensor<1x1x3x1xf32> into tensor<3xf32>
  %3 = tensor.cast %0 : tensor<1x2x2xf32> to tensor<*xf32>
  %4 = tensor.cast %1 : tensor<3xf32> to tensor<*xf32>
  %5 = tensor.cast %2 : tensor<3xf32> to tensor<*xf32>
  call @printMemrefF32(%3) : (tensor<*xf32>) -> ()
  call @printMemrefF32(%4) : (tensor<*xf32>) -> ()
  call @printMemrefF32(%5) : (tensor<*xf32>) -> ()
  return
}

func.func @print2(%du: tensor<1x1x3xf32>, %dtau: tensor<1x1x3xf32>) {
  %0 = tensor.collapse_shape %du [[0, 1, 2]]
      : tensor<1x1x3xf32> into tensor<3xf32>
  %1 = tensor.collapse_shape %dtau [[0, 1, 2]]
      : tensor<1x1x3xf32> into tensor<3xf32>
  %2 = tensor.cast %0 : tensor<3xf32> to tensor<*xf32>
  %3 = tensor.cast %1 : tensor<3xf32> to tensor<*xf32>
  call @printMemrefF32(%2) : (tensor<*xf32>) -> ()
  call @printMemrefF32(%3) : (tensor<*xf32>) -> ()
  return
}

func.func @main() {
  // Two queries of two heads at the positions 1 and 2; three keys, of which the
  // first is dead and holds NaN. Query 1 sees key 1, query 2 the keys 1 and 2.
  %q = arith.constant dense<[[[[0.0], [1.0]], [[0.0], [0.0]]]]>
      : tensor<1x2x2x1xf32>
  %v = arith.constant dense<[[[[0x7FC00000], [1.0], [3.0]]]]>
      : tensor<1x1x3x1xf32>
  %e = arith.constant dense<[[[0, 3, 3]]]> : tensor<1x1x3xi32>
  %do = arith.constant dense<[[[[4.0], [4.0]], [[2.0], [2.0]]]]>
      : tensor<1x2x2x1xf32>
  // The gate of query 2 and key 1 is 0.25. Key 0, NaN again, has none.
  %u = arith.constant dense<[[[0x7FC00000, 0.5, 0.0]]]> : tensor<1x1x3xf32>
  %t = arith.constant dense<[[[7.0, 0xFF800000, 0.25]]]> : tensor<1x1x3xf32>
  %dq = tensor.empty() : tensor<1x2x2x1xf32>
  %dk = tensor.empty() : tensor<1x1x3x1xf32>
  %dv = tensor.empty() : tensor<1x1x3x1xf32>
  %du = tensor.empty() : tensor<1x1x3xf32>
  %dt = tensor.empty() : tensor<1x1x3xf32>

  // No gate, k = 0, ln 3: query 2 has A = 1/4, 3/4 in head 0, and 1/2, 1/2.
  // dS = 1/4 (4 - 10), 3/4 (12 - 10), and 1/2 (2 - 4), 1/2 (6 - 4).
  %k = arith.constant dense<[[[[0x7FC00000], [0.0], [1.0986123]]]]>
      : tensor<1x1x3x1xf32>
  %o = arith.constant dense<[[[[1.0], [2.5]], [[1.0], [2.0]]]]>
      : tensor<1x2x2x1xf32>
  %l = arith.constant dense<[[[0.0, 1.3862944], [0.0, 0.6931472]]]>
      : tensor<1x2x2xf32>
  %a:3 = sparsek.sparse_attention_grad scale(1.0)
      ins(%q, %k, %v, %e, %o, %l, %do : tensor<1x2x2x1xf32>,
          tensor<1x1x3x1xf32>, tensor<1x1x3x1xf32>, tensor<1x1x3xi32>,
          tensor<1x2x2x1xf32>, tensor<1x2x2xf32>, tensor<1x2x2x1xf32>)
      outs(%dq, %dk, %dv : tensor<1x2x2x1xf32>, tensor<1x1x3x1xf32>,
           tensor<1x1x3x1xf32>)
      -> tensor<1x2x2x1xf32>, tensor<1x1x3x1xf32>, tensor<1x1x3x1xf32>
  // CHECK: sizes = [1, 2, 2]
  // CHECK-NEXT: {{\[\[}}[0, 1.64792],
  // CHECK-NEXT: [0, 1.09861]]]
  // CHECK: [0, -1.5, 1.5]
  // CHECK: [0, 8, 4]
  call @print3(%a#0, %a#1, %a#2)
      : (tensor<1x2x2x1xf32>, tensor<1x1x3x1xf32>, tensor<1x1x3x1xf32>) -> ()

  // The same with a gradient of lse, 8 for query 2 of head 0: dS gains
  // 8 (1/4, 3/4).
  %dl = arith.constant dense<[[[0.0, 8.0], [0.0, 0.0]]]> : tensor<1x2x2xf32>
  %b:3 = sparsek.sparse_attention_grad scale(1.0)
      ins(%q, %k, %v, %e, %o, %l, %do : tensor<1x2x2x1xf32>,
          tensor<1x1x3x1xf32>, tensor<1x1x3x1xf32>, tensor<1x1x3xi32>,
          tensor<1x2x2x1xf32>, tensor<1x2x2xf32>, tensor<1x2x2x1xf32>)
      grad_lse(%dl : tensor<1x2x2xf32>)
      outs(%dq, %dk, %dv : tensor<1x2x2x1xf32>, tensor<1x1x3x1xf32>,
           tensor<1x1x3x1xf32>)
      -> tensor<1x2x2x1xf32>, tensor<1x1x3x1xf32>, tensor<1x1x3x1xf32>
  // CHECK: sizes = [1, 2, 2]
  // CHECK-NEXT: {{\[\[}}[0, 8.23959],
  // CHECK-NEXT: [0, 1.09861]]]
  // CHECK: [0, 0.5, 7.5]
  // CHECK: [0, 8, 4]
  call @print3(%b#0, %b#1, %b#2)
      : (tensor<1x2x2x1xf32>, tensor<1x1x3x1xf32>, tensor<1x1x3x1xf32>) -> ()

  // Gated values: the gradient of the gate is A P, 1 from either head.
  %og = arith.constant dense<[[[[1.0], [2.3125]], [[1.0], [1.625]]]]>
      : tensor<1x2x2x1xf32>
  %c:5 = sparsek.sparse_attention_grad gate(value) window(1) scale(1.0)
      ins(%q, %k, %v, %e, %og, %l, %do : tensor<1x2x2x1xf32>,
          tensor<1x1x3x1xf32>, tensor<1x1x3x1xf32>, tensor<1x1x3xi32>,
          tensor<1x2x2x1xf32>, tensor<1x2x2xf32>, tensor<1x2x2x1xf32>)
      gating(%u, %t : tensor<1x1x3xf32>, tensor<1x1x3xf32>)
      outs(%dq, %dk, %dv : tensor<1x2x2x1xf32>, tensor<1x1x3x1xf32>,
           tensor<1x1x3x1xf32>)
      gating_outs(%du, %dt : tensor<1x1x3xf32>, tensor<1x1x3xf32>)
      -> tensor<1x2x2x1xf32>, tensor<1x1x3x1xf32>, tensor<1x1x3x1xf32>,
         tensor<1x1x3xf32>, tensor<1x1x3xf32>
  // CHECK: sizes = [1, 2, 2]
  // CHECK-NEXT: {{\[\[}}[0, 2.26589],
  // CHECK-NEXT: [0, 1.51059]]]
  // CHECK: [0, -2.0625, 2.0625]
  // CHECK: [0, 6.5, 4]
  call @print3(%c#0, %c#1, %c#2)
      : (tensor<1x2x2x1xf32>, tensor<1x1x3x1xf32>, tensor<1x1x3x1xf32>) -> ()
  // CHECK: [0, 2, 0]
  // CHECK: [0, 0, -2]
  call @print2(%c#3, %c#4) : (tensor<1x1x3xf32>, tensor<1x1x3xf32>) -> ()

  // Gated keys and values, k = 4 ln 3, 0: the gate makes the logit ln 3.
  // dg = 3/4 4 - 2.0625 4 ln 3 in head 0, 1/2 2 in head 1.
  %kg = arith.constant dense<[[[[0x7FC00000], [4.394449], [0.0]]]]>
      : tensor<1x1x3x1xf32>
  %ok = arith.constant dense<[[[[1.0], [0.9375]], [[1.0], [1.625]]]]>
      : tensor<1x2x2x1xf32>
  %d:5 = sparsek.sparse_attention_grad gate(key_value) window(1) scale(1.0)
      ins(%q, %kg, %v, %e, %ok, %l, %do : tensor<1x2x2x1xf32>,
          tensor<1x1x3x1xf32>, tensor<1x1x3x1xf32>, tensor<1x1x3xi32>,
          tensor<1x2x2x1xf32>, tensor<1x2x2xf32>, tensor<1x2x2x1xf32>)
      gating(%u, %t : tensor<1x1x3xf32>, tensor<1x1x3xf32>)
      outs(%dq, %dk, %dv : tensor<1x2x2x1xf32>, tensor<1x1x3x1xf32>,
           tensor<1x1x3x1xf32>)
      gating_outs(%du, %dt : tensor<1x1x3xf32>, tensor<1x1x3xf32>)
      -> tensor<1x2x2x1xf32>, tensor<1x1x3x1xf32>, tensor<1x1x3x1xf32>,
         tensor<1x1x3xf32>, tensor<1x1x3xf32>
  // CHECK: sizes = [1, 2, 2]
  // CHECK-NEXT: {{\[\[}}[0, -2.26589],
  // CHECK-NEXT: [0, -1.51059]]]
  // CHECK: [0, -0.515625, 2.0625]
  // CHECK: [0, 7, 2]
  call @print3(%d#0, %d#1, %d#2)
      : (tensor<1x2x2x1xf32>, tensor<1x1x3x1xf32>, tensor<1x1x3x1xf32>) -> ()
  // CHECK: [0, -5.06355, 0]
  // CHECK: [0, 0, 5.06355]
  call @print2(%d#3, %d#4) : (tensor<1x1x3xf32>, tensor<1x1x3xf32>) -> ()
  return
}
