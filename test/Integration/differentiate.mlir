// RUN: sparsek-opt %s --sparsek-differentiate --sparsek-reference-pipeline | %run_host | FileCheck %s
// RUN: sparsek-opt %s --sparsek-differentiate --sparsek-lower-score --sparsek-tile-attention | %run_host | FileCheck %s

// The gradient of a loss through a whole layer, every component of it against a
// central difference, with the reference lowering and with tiles. All parameters, the input among them, lie in one tensor.

func.func private @printMemrefF32(tensor<*xf32>)

#x = affine_map<(b, h, n, e, c) -> (b, n, c)>
#w = affine_map<(b, h, n, e, c) -> (h, e, c)>
#y = affine_map<(b, h, n, e, c) -> (b, h, n, e)>
#o = affine_map<(b, h, n, e) -> (b, h, n, e)>
#v = affine_map<(b, h, n, e) -> (h, e)>
#r = affine_map<(b, h, n, e) -> ()>

func.func @loss(%p: tensor<82xf32>) -> tensor<f32> attributes {no_inline} {
  %zero = arith.constant 0.0 : f32

  // 9 tokens of 4 channels, 2 query heads of 2 channels, one key/value head.
  %x0 = tensor.extract_slice %p[0] [36] [1] : tensor<82xf32> to tensor<36xf32>
  %x = tensor.expand_shape %x0 [[0, 1, 2]] output_shape [1, 9, 4]
      : tensor<36xf32> into tensor<1x9x4xf32>
  %wq0 = tensor.extract_slice %p[36] [16] [1]
      : tensor<82xf32> to tensor<16xf32>
  %wq = tensor.expand_shape %wq0 [[0, 1, 2]] output_shape [2, 2, 4]
      : tensor<16xf32> into tensor<2x2x4xf32>
  %wkv = tensor.extract_slice %p[52] [16] [1]
      : tensor<82xf32> to tensor<16xf32>
  %wkv1 = tensor.expand_shape %wkv [[0, 1, 2]] output_shape [2, 2, 4]
      : tensor<16xf32> into tensor<2x2x4xf32>
  %wk = tensor.extract_slice %wkv1[0, 0, 0] [1, 2, 4] [1, 1, 1]
      : tensor<2x2x4xf32> to tensor<1x2x4xf32>
  %wv = tensor.extract_slice %wkv1[1, 0, 0] [1, 2, 4] [1, 1, 1]
      : tensor<2x2x4xf32> to tensor<1x2x4xf32>
  %wu0 = tensor.extract_slice %p[68] [4] [1] : tensor<82xf32> to tensor<4xf32>
  %wu = tensor.expand_shape %wu0 [[0, 1]] output_shape [1, 4]
      : tensor<4xf32> into tensor<1x4xf32>
  %bias = tensor.extract_slice %p[72] [1] [1]
      : tensor<82xf32> to tensor<1xf32>
  %slope = tensor.extract_slice %p[73] [1] [1]
      : tensor<82xf32> to tensor<1xf32>
  %wl0 = tensor.extract_slice %p[74] [4] [1] : tensor<82xf32> to tensor<4xf32>
  %wl = tensor.expand_shape %wl0 [[0, 1]] output_shape [2, 2]
      : tensor<4xf32> into tensor<2x2xf32>
  %wo0 = tensor.extract_slice %p[78] [4] [1] : tensor<82xf32> to tensor<4xf32>
  %wo = tensor.expand_shape %wo0 [[0, 1]] output_shape [2, 2]
      : tensor<4xf32> into tensor<2x2xf32>

  %q0 = tensor.empty() : tensor<1x2x9x2xf32>
  %q1 = linalg.fill ins(%zero : f32) outs(%q0 : tensor<1x2x9x2xf32>)
      -> tensor<1x2x9x2xf32>
  %q = linalg.contract indexing_maps = [#x, #w, #y]
      ins(%x, %wq : tensor<1x9x4xf32>, tensor<2x2x4xf32>)
      outs(%q1 : tensor<1x2x9x2xf32>) -> tensor<1x2x9x2xf32>
  %k0 = tensor.empty() : tensor<1x1x9x2xf32>
  %k1 = linalg.fill ins(%zero : f32) outs(%k0 : tensor<1x1x9x2xf32>)
      -> tensor<1x1x9x2xf32>
  %k = linalg.contract indexing_maps = [#x, #w, #y]
      ins(%x, %wk : tensor<1x9x4xf32>, tensor<1x2x4xf32>)
      outs(%k1 : tensor<1x1x9x2xf32>) -> tensor<1x1x9x2xf32>
  %v = linalg.contract indexing_maps = [#x, #w, #y]
      ins(%x, %wv : tensor<1x9x4xf32>, tensor<1x2x4xf32>)
      outs(%k1 : tensor<1x1x9x2xf32>) -> tensor<1x1x9x2xf32>

  %u0 = tensor.empty() : tensor<1x1x9xf32>
  %u = sparsek.score
      ins(%x, %wu, %bias, %slope : tensor<1x9x4xf32>, tensor<1x4xf32>,
          tensor<1xf32>, tensor<1xf32>)
      outs(%u0 : tensor<1x1x9xf32>) -> tensor<1x1x9xf32>
  %e0 = tensor.empty() : tensor<1x1x9xi32>
  %end, %tau, %free = sparsek.causal_topk_mask topk(2) window(2)
      ins(%u : tensor<1x1x9xf32>)
      outs(%e0, %u0, %e0
           : tensor<1x1x9xi32>, tensor<1x1x9xf32>, tensor<1x1x9xi32>)
      -> tensor<1x1x9xi32>, tensor<1x1x9xf32>, tensor<1x1x9xi32>
  %l0 = tensor.empty() : tensor<1x2x9xf32>
  %a, %lse = sparsek.sparse_attention gate(key_value) window(2)
      ins(%q, %k, %v, %end : tensor<1x2x9x2xf32>, tensor<1x1x9x2xf32>,
          tensor<1x1x9x2xf32>, tensor<1x1x9xi32>)
      gating(%u, %tau : tensor<1x1x9xf32>, tensor<1x1x9xf32>)
      outs(%q0, %l0 : tensor<1x2x9x2xf32>, tensor<1x2x9xf32>)
      -> tensor<1x2x9x2xf32>, tensor<1x2x9xf32>

  // The sum of tanh(a * wl) * (q + wo) and of (lse - 1.25)^2.
  %mean = arith.constant dense<1.25> : tensor<1x2x9xf32>
  %rest = arith.subf %lse, %mean : tensor<1x2x9xf32>
  %lse2 = arith.mulf %rest, %rest : tensor<1x2x9xf32>
  %s0 = tensor.empty() : tensor<f32>
  %s1 = linalg.fill ins(%zero : f32) outs(%s0 : tensor<f32>) -> tensor<f32>
  %s2 = linalg.reduce { arith.addf } ins(%lse2 : tensor<1x2x9xf32>)
      outs(%s1 : tensor<f32>) dimensions = [0, 1, 2]
  %s3 = linalg.generic {indexing_maps = [#o, #v, #o, #v, #r],
                        iterator_types = ["reduction", "reduction",
                                          "reduction", "reduction"]}
      ins(%a, %wl, %q, %wo : tensor<1x2x9x2xf32>, tensor<2x2xf32>,
          tensor<1x2x9x2xf32>, tensor<2x2xf32>)
      outs(%s2 : tensor<f32>) {
  ^bb0(%in: f32, %scale: f32, %query: f32, %offset: f32, %sum: f32):
    %0 = arith.mulf %in, %scale : f32
    %1 = math.tanh %0 : f32
    %2 = arith.addf %query, %offset : f32
    %3 = arith.mulf %1, %2 : f32
    %4 = arith.addf %sum, %3 : f32
    linalg.yield %4 : f32
  } -> tensor<f32>
  return %s3 : tensor<f32>
}

// What --sparsek-differentiate defines.
func.func private @loss_grad(tensor<82xf32>, tensor<f32>) -> tensor<82xf32>

// Values from -0.5 to 0.5, spread by a quadratic residue.
func.func @parameters() -> tensor<82xf32> {
  %p0 = tensor.empty() : tensor<82xf32>
  %p = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>],
                       iterator_types = ["parallel"]}
      outs(%p0 : tensor<82xf32>) {
  ^bb0(%out: f32):
    %c7 = arith.constant 7 : index
    %c83 = arith.constant 83 : index
    %range = arith.constant 83.0 : f32
    %half = arith.constant 0.5 : f32
    %i = linalg.index 0 : index
    %i7 = arith.addi %i, %c7 : index
    %square = arith.muli %i7, %i7 : index
    %residue = arith.remui %square, %c83 : index
    %integer = arith.index_cast %residue : index to i32
    %float = arith.sitofp %integer : i32 to f32
    %fraction = arith.divf %float, %range : f32
    %value = arith.subf %fraction, %half : f32
    linalg.yield %value : f32
  } -> tensor<82xf32>
  return %p : tensor<82xf32>
}

// The loss with one parameter moved.
func.func @moved(%i: index, %step: f32) -> f32 attributes {no_inline} {
  %p = call @parameters() : () -> tensor<82xf32>
  %old = tensor.extract %p[%i] : tensor<82xf32>
  %new = arith.addf %old, %step : f32
  %q = tensor.insert %new into %p[%i] : tensor<82xf32>
  %0 = call @loss(%q) : (tensor<82xf32>) -> tensor<f32>
  %1 = tensor.extract %0[] : tensor<f32>
  return %1 : f32
}

func.func @main() {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c82 = arith.constant 82 : index
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %least = arith.constant 1.0e-5 : f32
  %tolerance = arith.constant 3.0e-4 : f32
  %step = arith.constant 0.00390625 : f32
  %back = arith.constant -0.00390625 : f32
  %twice = arith.constant 0.0078125 : f32
  %ones = arith.constant dense<1.0> : tensor<f32>
  %p = call @parameters() : () -> tensor<82xf32>
  %g = call @loss_grad(%p, %ones)
      : (tensor<82xf32>, tensor<f32>) -> tensor<82xf32>

  // How many components are not zero, and how many miss the difference. The
  // bias is zero: it moves the thresholds as it moves the scores.
  %large, %wrong = scf.for %i = %c0 to %c82 step %c1
      iter_args(%n = %zero, %m = %zero) -> (f32, f32) {
    %hi = func.call @moved(%i, %step) : (index, f32) -> f32
    %lo = func.call @moved(%i, %back) : (index, f32) -> f32
    %rise = arith.subf %hi, %lo : f32
    %expected = arith.divf %rise, %twice : f32
    %got = tensor.extract %g[%i] : tensor<82xf32>
    %error = arith.subf %got, %expected : f32
    %size = math.absf %error : f32
    %missed = arith.cmpf uge, %size, %tolerance : f32
    %magnitude = math.absf %got : f32
    %notable = arith.cmpf ogt, %magnitude, %least : f32
    %m1 = arith.addf %m, %one : f32
    %m2 = arith.select %missed, %m1, %m : f32
    %n1 = arith.addf %n, %one : f32
    %n2 = arith.select %notable, %n1, %n : f32
    scf.yield %n2, %m2 : f32, f32
  }
  %counts = tensor.from_elements %large, %wrong : tensor<2xf32>
  %unranked = tensor.cast %counts : tensor<2xf32> to tensor<*xf32>
  // CHECK: [81, 0]
  call @printMemrefF32(%unranked) : (tensor<*xf32>) -> ()
  return
}
