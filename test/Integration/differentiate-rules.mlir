// RUN: sparsek-opt %s --sparsek-differentiate="functions=loss" | %run_host | FileCheck %s

// The rules of arith, math, tensor and linalg: every component of the gradient
// of a composition of them against a central difference.

func.func private @printMemrefF32(tensor<*xf32>)

#ij = affine_map<(i, j) -> (i, j)>
#ji = affine_map<(i, j) -> (j, i)>
#j = affine_map<(i, j) -> (j)>
#i = affine_map<(i, j) -> (i)>

func.func @loss(%p: tensor<12xf32>) -> tensor<f32> attributes {no_inline} {
  %zero = arith.constant 0.0 : f32
  %a = tensor.extract_slice %p[0] [6] [2] : tensor<12xf32> to tensor<6xf32>
  %b = tensor.extract_slice %p[1] [6] [2] : tensor<12xf32> to tensor<6xf32>

  // exp(a / b) - log(b) sqrt(a) + -rsqrt(b), of whole tensors.
  %0 = arith.divf %a, %b : tensor<6xf32>
  %1 = math.exp %0 : tensor<6xf32>
  %2 = math.log %b : tensor<6xf32>
  %3 = math.sqrt %a : tensor<6xf32>
  %4 = arith.mulf %2, %3 : tensor<6xf32>
  %5 = arith.subf %1, %4 : tensor<6xf32>
  %6 = math.rsqrt %b : tensor<6xf32>
  %7 = arith.negf %6 : tensor<6xf32>
  %8 = arith.addf %5, %7 : tensor<6xf32>

  // The second row is replaced, so that parameters 6 to 9 lose their influence;
  // then the matrix times its transpose.
  %m0 = tensor.expand_shape %8 [[0, 1]] output_shape [2, 3]
      : tensor<6xf32> into tensor<2x3xf32>
  %row = tensor.extract_slice %p[3] [3] [1] : tensor<12xf32> to tensor<3xf32>
  %m = tensor.insert_slice %row into %m0[1, 0] [1, 3] [1, 1]
      : tensor<3xf32> into tensor<2x3xf32>
  %t0 = tensor.empty() : tensor<3x2xf32>
  %t = linalg.transpose ins(%m : tensor<2x3xf32>) outs(%t0 : tensor<3x2xf32>)
      permutation = [1, 0]
  %s0 = tensor.empty() : tensor<2x2xf32>
  %s1 = linalg.fill ins(%zero : f32) outs(%s0 : tensor<2x2xf32>)
      -> tensor<2x2xf32>
  %s = linalg.matmul ins(%m, %t : tensor<2x3xf32>, tensor<3x2xf32>)
      outs(%s1 : tensor<2x2xf32>) -> tensor<2x2xf32>

  // A matrix times a vector that starts from a parameter.
  %v0 = tensor.extract_slice %p[10] [2] [1] : tensor<12xf32> to tensor<2xf32>
  %v = linalg.matvec ins(%s, %v0 : tensor<2x2xf32>, tensor<2xf32>)
      outs(%v0 : tensor<2xf32>) -> tensor<2xf32>

  // A body: relu(s[i, j] - v[j]) / (v[i] + tanh(s[j, i])).
  %w0 = tensor.empty() : tensor<2x2xf32>
  %w = linalg.generic {indexing_maps = [#ij, #ji, #j, #i, #ij],
                       iterator_types = ["parallel", "parallel"]}
      ins(%s, %s, %v, %v : tensor<2x2xf32>, tensor<2x2xf32>, tensor<2xf32>,
          tensor<2xf32>)
      outs(%w0 : tensor<2x2xf32>) {
  ^bb0(%sij: f32, %sji: f32, %vj: f32, %vi: f32, %out: f32):
    %10 = arith.subf %sij, %vj : f32
    %11 = arith.cmpf ogt, %10, %zero : f32
    %12 = arith.select %11, %10, %zero : f32
    %13 = math.tanh %sji : f32
    %14 = arith.addf %vi, %13 : f32
    %15 = arith.divf %12, %14 : f32
    linalg.yield %15 : f32
  } -> tensor<2x2xf32>

  // Row sums on top of a broadcast, then everything.
  %x0 = tensor.empty() : tensor<2x2xf32>
  %x = linalg.broadcast ins(%v : tensor<2xf32>) outs(%x0 : tensor<2x2xf32>)
      dimensions = [1]
  %y = linalg.add ins(%w, %x : tensor<2x2xf32>, tensor<2x2xf32>)
      outs(%x0 : tensor<2x2xf32>) -> tensor<2x2xf32>
  %flat = tensor.collapse_shape %y [[0, 1]] : tensor<2x2xf32> into tensor<4xf32>
  %z0 = tensor.empty() : tensor<f32>
  %z1 = linalg.fill ins(%zero : f32) outs(%z0 : tensor<f32>) -> tensor<f32>
  %z = linalg.dot ins(%flat, %flat : tensor<4xf32>, tensor<4xf32>)
      outs(%z1 : tensor<f32>) -> tensor<f32>
  return %z : tensor<f32>
}

// What --sparsek-differentiate defines.
func.func private @loss_grad(tensor<12xf32>, tensor<f32>) -> tensor<12xf32>

// The loss with one parameter moved.
func.func @moved(%p: tensor<12xf32>, %i: index, %step: f32) -> f32
    attributes {no_inline} {
  %old = tensor.extract %p[%i] : tensor<12xf32>
  %new = arith.addf %old, %step : f32
  %q = tensor.insert %new into %p[%i] : tensor<12xf32>
  %0 = call @loss(%q) : (tensor<12xf32>) -> tensor<f32>
  %1 = tensor.extract %0[] : tensor<f32>
  return %1 : f32
}

func.func @main() {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c12 = arith.constant 12 : index
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %tolerance = arith.constant 1.0e-3 : f32
  %step = arith.constant 0.00390625 : f32
  %back = arith.constant -0.00390625 : f32
  %twice = arith.constant 0.0078125 : f32
  %ones = arith.constant dense<1.0> : tensor<f32>
  %p = arith.constant dense<[0.7, 1.3, 0.9, 1.1, 0.6, 1.6, 0.8, 1.9, 0.5, 1.2,
                             0.3, 0.2]> : tensor<12xf32>
  %g = call @loss_grad(%p, %ones)
      : (tensor<12xf32>, tensor<f32>) -> tensor<12xf32>
  // How many components are not zero, and how many miss the difference.
  %nonzero, %wrong = scf.for %i = %c0 to %c12 step %c1
      iter_args(%n = %zero, %m = %zero) -> (f32, f32) {
    %hi = func.call @moved(%p, %i, %step) : (tensor<12xf32>, index, f32) -> f32
    %lo = func.call @moved(%p, %i, %back) : (tensor<12xf32>, index, f32) -> f32
    %rise = arith.subf %hi, %lo : f32
    %expected = arith.divf %rise, %twice : f32
    %got = tensor.extract %g[%i] : tensor<12xf32>
    %error = arith.subf %got, %expected : f32
    %size = math.absf %error : f32
    %scale = math.absf %got : f32
    %bound = arith.mulf %tolerance, %scale : f32
    %missed = arith.cmpf ugt, %size, %bound : f32
    %m1 = arith.addf %m, %one : f32
    %m2 = arith.select %missed, %m1, %m : f32
    %moves = arith.cmpf une, %got, %zero : f32
    %n1 = arith.addf %n, %one : f32
    %n2 = arith.select %moves, %n1, %n : f32
    scf.yield %n2, %m2 : f32, f32
  }
  %counts = tensor.from_elements %nonzero, %wrong : tensor<2xf32>
  %unranked = tensor.cast %counts : tensor<2xf32> to tensor<*xf32>
  // CHECK: [8, 0]
  call @printMemrefF32(%unranked) : (tensor<*xf32>) -> ()
  return
}
