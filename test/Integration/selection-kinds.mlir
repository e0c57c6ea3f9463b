// The selection as loops against the reference lowering, bit for bit, on kinds
// of scores that a random draw does not hit: one per head.

// RUN: sparsek-opt %s --sparsek-reference-pipeline | %run_host | grep -v base@ > %t.reference
// RUN: sparsek-opt %s | %run_host | grep -v base@ > %t.loops
// RUN: FileCheck %s --input-file=%t.loops
// RUN: diff %t.reference %t.loops

// Constant scores: the first five stay, any other leaves when it joins.
// CHECK: {{\[\[\[}}131, 131, 131, 131, 131, 8, 9, 10,

func.func private @printMemrefI32(tensor<*xi32>)

// A multiple of 1/1024 in [-4, 4) from the position, so that sums are exact in
// any order, and from it the score of a kind.
func.func @scores(%init: tensor<1x8x131xf32>) -> tensor<1x8x131xf32> {
  %u = linalg.generic {
      indexing_maps = [affine_map<(b, h, n) -> (b, h, n)>],
      iterator_types = ["parallel", "parallel", "parallel"]}
      outs(%init : tensor<1x8x131xf32>) {
  ^bb0(%out: f32):
    %h = linalg.index 1 : index
    %n = linalg.index 2 : index
    %factor = arith.constant 2654435 : index
    %offset = arith.constant 40503 : index
    %c7 = arith.constant 7 : index
    %range = arith.constant 8192 : index
    %product = arith.muli %n, %factor : index
    %mixed = arith.addi %product, %offset : index
    %shift = arith.shrui %mixed, %c7 : index
    %draw = arith.remui %shift, %range : index
    %half = arith.constant 4096 : index
    %signed = arith.subi %draw, %half : index
    %integer = arith.index_cast %signed : index to i32
    %wide = arith.sitofp %integer : i32 to f32
    %step = arith.constant 0.0009765625 : f32
    %r = arith.mulf %wide, %step : f32

    %position = arith.index_cast %n : index to i32
    %time = arith.sitofp %position : i32 to f32
    %zero = arith.constant 0.0 : f32
    %one = arith.constant 1.0 : f32
    %quarter = arith.constant 0.25 : f32
    %none = arith.constant 0xFF800000 : f32
    %nan = arith.constant 0x7FC00000 : f32
    %billion = arith.constant 1.0e9 : f32
    %padding = arith.constant -1.0e30 : f32
    %eight = arith.constant 8.0 : f32
    %floor = math.floor %r : f32
    %few = arith.addf %floor, %eight : f32
    %relu = arith.maximumf %r, %zero : f32
    %slope = arith.mulf %time, %quarter : f32
    %rising = arith.addf %slope, %r : f32
    %falling = arith.subf %r, %slope : f32
    %large = arith.mulf %few, %billion : f32
    %isLarge = arith.cmpf ogt, %r, %one : f32
    %mixture = arith.select %isLarge, %large, %r : f32
    %isPadded = arith.cmpf olt, %r, %one : f32
    %padded = arith.select %isPadded, %padding, %r : f32
    %isAbsent = arith.cmpf olt, %r, %zero : f32
    %absent = arith.select %isAbsent, %none, %r : f32
    %isNaN = arith.cmpf ogt, %absent, %one : f32
    %holes = arith.select %isNaN, %nan, %absent : f32

    %k1 = arith.constant 1 : index
    %is1 = arith.cmpi eq, %h, %k1 : index
    %s1 = arith.select %is1, %few, %zero : f32
    %k2 = arith.constant 2 : index
    %is2 = arith.cmpi eq, %h, %k2 : index
    %s2 = arith.select %is2, %relu, %s1 : f32
    %k3 = arith.constant 3 : index
    %is3 = arith.cmpi eq, %h, %k3 : index
    %s3 = arith.select %is3, %rising, %s2 : f32
    %k4 = arith.constant 4 : index
    %is4 = arith.cmpi eq, %h, %k4 : index
    %s4 = arith.select %is4, %falling, %s3 : f32
    %k5 = arith.constant 5 : index
    %is5 = arith.cmpi eq, %h, %k5 : index
    %s5 = arith.select %is5, %mixture, %s4 : f32
    %k6 = arith.constant 6 : index
    %is6 = arith.cmpi eq, %h, %k6 : index
    %s6 = arith.select %is6, %padded, %s5 : f32
    %k7 = arith.constant 7 : index
    %is7 = arith.cmpi eq, %h, %k7 : index
    %s7 = arith.select %is7, %holes, %s6 : f32
    linalg.yield %s7 : f32
  } -> tensor<1x8x131xf32>
  return %u : tensor<1x8x131xf32>
}

func.func @print(%end: tensor<1x8x131xi32>, %tau: tensor<1x8x131xf32>,
                 %free: tensor<1x8x131xi32>) {
  %bits = arith.bitcast %tau : tensor<1x8x131xf32> to tensor<1x8x131xi32>
  %0 = tensor.cast %end : tensor<1x8x131xi32> to tensor<*xi32>
  %1 = tensor.cast %bits : tensor<1x8x131xi32> to tensor<*xi32>
  %2 = tensor.cast %free : tensor<1x8x131xi32> to tensor<*xi32>
  call @printMemrefI32(%0) : (tensor<*xi32>) -> ()
  call @printMemrefI32(%1) : (tensor<*xi32>) -> ()
  call @printMemrefI32(%2) : (tensor<*xi32>) -> ()
  return
}

// A gradient per position, a multiple of 1/8, and 4 in place of every free count
// but 0: the sums over them are exact in any order.
func.func @gradients(%free: tensor<1x8x131xi32>)
    -> (tensor<1x8x131xf32>, tensor<1x8x131xi32>) {
  %init = tensor.empty() : tensor<1x8x131xf32>
  %r:2 = linalg.generic {
      indexing_maps = [affine_map<(b, h, n) -> (b, h, n)>,
                       affine_map<(b, h, n) -> (b, h, n)>],
      iterator_types = ["parallel", "parallel", "parallel"]}
      outs(%init, %free : tensor<1x8x131xf32>, tensor<1x8x131xi32>) {
  ^bb0(%out: f32, %count: i32):
    %n = linalg.index 2 : index
    %factor = arith.constant 37 : index
    %range = arith.constant 64 : index
    %half = arith.constant 32 : index
    %product = arith.muli %n, %factor : index
    %draw = arith.remui %product, %range : index
    %signed = arith.subi %draw, %half : index
    %integer = arith.index_cast %signed : index to i32
    %wide = arith.sitofp %integer : i32 to f32
    %step = arith.constant 0.125 : f32
    %gradient = arith.mulf %wide, %step : f32
    %none = arith.constant 0 : i32
    %four = arith.constant 4 : i32
    %isNone = arith.cmpi eq, %count, %none : i32
    %free4 = arith.select %isNone, %none, %four : i32
    linalg.yield %gradient, %free4 : f32, i32
  } -> (tensor<1x8x131xf32>, tensor<1x8x131xi32>)
  return %r#0, %r#1 : tensor<1x8x131xf32>, tensor<1x8x131xi32>
}

func.func @printBits(%x: tensor<1x8x131xf32>) {
  %bits = arith.bitcast %x : tensor<1x8x131xf32> to tensor<1x8x131xi32>
  %0 = tensor.cast %bits : tensor<1x8x131xi32> to tensor<*xi32>
  call @printMemrefI32(%0) : (tensor<*xi32>) -> ()
  return
}

func.func @main() {
  %init = tensor.empty() : tensor<1x8x131xf32>
  %u = call @scores(%init) : (tensor<1x8x131xf32>) -> tensor<1x8x131xf32>
  %e = tensor.empty() : tensor<1x8x131xi32>
  %t = tensor.empty() : tensor<1x8x131xf32>
  %f = tensor.empty() : tensor<1x8x131xi32>
  %r:3 = sparsek.causal_topk_mask topk(5) window(3)
      ins(%u : tensor<1x8x131xf32>)
      outs(%e, %t, %f
           : tensor<1x8x131xi32>, tensor<1x8x131xf32>, tensor<1x8x131xi32>)
      -> tensor<1x8x131xi32>, tensor<1x8x131xf32>, tensor<1x8x131xi32>
  call @print(%r#0, %r#1, %r#2)
      : (tensor<1x8x131xi32>, tensor<1x8x131xf32>, tensor<1x8x131xi32>) -> ()
  %s:3 = sparsek.causal_topk_mask topk(1) window(0)
      ins(%u : tensor<1x8x131xf32>)
      outs(%e, %t, %f
           : tensor<1x8x131xi32>, tensor<1x8x131xf32>, tensor<1x8x131xi32>)
      -> tensor<1x8x131xi32>, tensor<1x8x131xf32>, tensor<1x8x131xi32>
  call @print(%s#0, %s#1, %s#2)
      : (tensor<1x8x131xi32>, tensor<1x8x131xf32>, tensor<1x8x131xi32>) -> ()
  %p = tensor.empty() : tensor<1x8x131xf32>
  %rows = tensor.empty() : tensor<1x8xf32>
  %m:2 = sparsek.topk_mask topk(7) ins(%u : tensor<1x8x131xf32>)
      outs(%p, %rows : tensor<1x8x131xf32>, tensor<1x8xf32>)
      -> tensor<1x8x131xf32>, tensor<1x8xf32>
  %mask = arith.bitcast %m#0 : tensor<1x8x131xf32> to tensor<1x8x131xi32>
  %taus = arith.bitcast %m#1 : tensor<1x8xf32> to tensor<1x8xi32>
  %2 = tensor.cast %mask : tensor<1x8x131xi32> to tensor<*xi32>
  %3 = tensor.cast %taus : tensor<1x8xi32> to tensor<*xi32>
  call @printMemrefI32(%2) : (tensor<*xi32>) -> ()
  call @printMemrefI32(%3) : (tensor<*xi32>) -> ()

  // The gradients, of every kind of scores.
  %g, %free4 = call @gradients(%r#2)
      : (tensor<1x8x131xi32>) -> (tensor<1x8x131xf32>, tensor<1x8x131xi32>)
  %du = sparsek.causal_topk_mask_grad window(3)
      ins(%u, %r#1, %free4, %g : tensor<1x8x131xf32>, tensor<1x8x131xf32>,
          tensor<1x8x131xi32>, tensor<1x8x131xf32>)
      outs(%p : tensor<1x8x131xf32>) -> tensor<1x8x131xf32>
  call @printBits(%du) : (tensor<1x8x131xf32>) -> ()
  %dz = sparsek.topk_mask_grad
      ins(%u, %m#1, %g : tensor<1x8x131xf32>, tensor<1x8xf32>,
          tensor<1x8x131xf32>)
      outs(%p : tensor<1x8x131xf32>) -> tensor<1x8x131xf32>
  call @printBits(%dz) : (tensor<1x8x131xf32>) -> ()
  return
}
