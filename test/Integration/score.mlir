// RUN: sparsek-opt %s --sparsek-reference-pipeline | %run_host | FileCheck %s

func.func private @printMemrefF32(tensor<*xf32>)

func.func @main() {
  %x = arith.constant dense<[[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]]>
      : tensor<1x3x2xbf16>
  %w = arith.constant dense<[[1.0, 1.0], [2.0, -1.0]]> : tensor<2x2xbf16>
  %b = arith.constant dense<[0.0, 10.0]> : tensor<2xf32>
  %s = arith.constant dense<[0.5, -1.0]> : tensor<2xf32>
  %u0 = tensor.empty() : tensor<1x2x3xf32>
  %u = sparsek.score
      ins(%x, %w, %b, %s : tensor<1x3x2xbf16>, tensor<2x2xbf16>, tensor<2xf32>,
          tensor<2xf32>)
      outs(%u0 : tensor<1x2x3xf32>) -> tensor<1x2x3xf32>
  %uu = tensor.cast %u : tensor<1x2x3xf32> to tensor<*xf32>
  // 3, 7 + 0.5, 11 + 1; 0 + 10, 2 + 10 - 1, 4 + 10 - 2.
  // CHECK: sizes = [1, 2, 3]
  // CHECK-NEXT: {{\[}}{{\[}}[3, 7.5, 12],
  // CHECK-NEXT: [10, 11, 12]]]
  call @printMemrefF32(%uu) : (tensor<*xf32>) -> ()
  return
}
