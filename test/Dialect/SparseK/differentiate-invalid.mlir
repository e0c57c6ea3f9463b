// RUN: sparsek-opt %s --sparsek-differentiate="functions=f" --split-input-file --verify-diagnostics

// expected-error @below {{option 'functions' names 'f', expected the name of a function of the module}}
module {
  func.func @g(%a: tensor<4xf32>) -> tensor<4xf32> {
    return %a : tensor<4xf32>
  }
}

// -----

// expected-error @below {{cannot differentiate function 'f': it has no body}}
func.func private @f(tensor<4xf32>) -> tensor<4xf32>

// -----

// expected-error @below {{cannot differentiate function 'f': it has 2 blocks, expected one}}
func.func @f(%a: tensor<4xf32>) -> tensor<4xf32> {
  cf.br ^bb1
^bb1:
  return %a : tensor<4xf32>
}

// -----

// expected-error @below {{cannot differentiate function 'f': argument #1 has type 'memref<4xf32>', expected ranked tensors or scalars}}
func.func @f(%a: tensor<4xf32>, %m: memref<4xf32>) -> tensor<4xf32> {
  return %a : tensor<4xf32>
}

// -----

// expected-error @below {{cannot differentiate function 'f': it returns no ranked tensor of floats}}
func.func @f(%a: tensor<4xf32>) -> i32 {
  %c0 = arith.constant 0 : i32
  return %c0 : i32
}

// -----

// expected-error @below {{cannot differentiate function 'f': 'f_grad' exists}}
func.func @f(%a: tensor<4xf32>) -> tensor<4xf32> {
  return %a : tensor<4xf32>
}
func.func @f_grad(%a: tensor<4xf32>, %b: tensor<4xf32>) -> tensor<4xf32> {
  return %b : tensor<4xf32>
}

// -----

func.func @f(%a: tensor<4xf32>) -> tensor<4xf32> {
  return %a : tensor<4xf32>
}
// expected-error @below {{'f_grad' is declared with type '(tensor<4xf32>) -> tensor<4xf32>', expected '(tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>'}}
func.func private @f_grad(tensor<4xf32>) -> tensor<4xf32>

// -----

func.func @f(%a: tensor<4xf32>) -> (tensor<4xf32>, f32) {
  %c0 = arith.constant 0 : index
  %0 = tensor.extract %a[%c0] : tensor<4xf32>
  // expected-error @below {{cannot differentiate 'func.return': result #1 has type 'f32' and depends on an argument, expected a ranked tensor of floats}}
  return %a, %0 : tensor<4xf32>, f32
}

// -----

func.func @f(%a: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @below {{cannot differentiate 'math.sin'}}
  %0 = math.sin %a : tensor<4xf32>
  %1 = arith.addf %0, %a : tensor<4xf32>
  return %1 : tensor<4xf32>
}

// -----

func.func @f(%a: tensor<4x4xf32>, %o: tensor<4x4xf32>) -> tensor<4x4xf32> {
  // expected-error @below {{cannot differentiate 'linalg.softmax'}}
  %0 = linalg.softmax dimension(1) ins(%a : tensor<4x4xf32>)
      outs(%o : tensor<4x4xf32>) -> tensor<4x4xf32>
  return %0 : tensor<4x4xf32>
}

// -----

func.func @f(%a: tensor<4xf32>) -> tensor<6xf32> {
  %zero = arith.constant 0.0 : f32
  // expected-error @below {{cannot differentiate 'tensor.pad'}}
  %0 = tensor.pad %a low[1] high[1] {
  ^bb0(%i: index):
    tensor.yield %zero : f32
  } : tensor<4xf32> to tensor<6xf32>
  return %0 : tensor<6xf32>
}

// -----

func.func @f(%a: tensor<4xf32>, %n: index) -> tensor<4xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // expected-error @below {{cannot differentiate 'scf.for'}}
  %0 = scf.for %i = %c0 to %n step %c1 iter_args(%x = %a) -> tensor<4xf32> {
    %1 = arith.addf %x, %x : tensor<4xf32>
    scf.yield %1 : tensor<4xf32>
  }
  return %0 : tensor<4xf32>
}

// -----

// The value reaches the loop as a capture.
func.func @f(%a: tensor<4xf32>, %c: i1) -> tensor<4xf32> {
  %zeros = arith.constant dense<0.0> : tensor<4xf32>
  // expected-error @below {{cannot differentiate 'scf.if'}}
  %0 = scf.if %c -> tensor<4xf32> {
    scf.yield %a : tensor<4xf32>
  } else {
    scf.yield %zeros : tensor<4xf32>
  }
  return %0 : tensor<4xf32>
}

// -----

func.func private @g(tensor<4xf32>) -> tensor<4xf32>
func.func @f(%a: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @below {{cannot differentiate 'func.call': it may have side effects and reads a value that depends on an argument}}
  %0 = call @g(%a) : (tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

// Memory would carry the value out of sight.
func.func @f(%a: tensor<f32>) -> tensor<f32> {
  %0 = tensor.extract %a[] : tensor<f32>
  %m = memref.alloc() : memref<f32>
  // expected-error @below {{cannot differentiate 'memref.store': it may have side effects and reads a value that depends on an argument}}
  memref.store %0, %m[] : memref<f32>
  %1 = bufferization.to_tensor %m restrict : memref<f32> to tensor<f32>
  return %1 : tensor<f32>
}

// -----

func.func @f(%a: tensor<f32>, %o: tensor<4xf32>) -> tensor<4xf32> {
  %0 = tensor.extract %a[] : tensor<f32>
  // expected-error @below {{cannot differentiate 'linalg.fill': operand #0 has type 'f32' and depends on an argument, expected a ranked tensor of floats}}
  %1 = linalg.fill ins(%0 : f32) outs(%o : tensor<4xf32>) -> tensor<4xf32>
  return %1 : tensor<4xf32>
}

// -----

#id = affine_map<(i) -> (i)>
func.func @f(%a: tensor<4xf32>, %b: tensor<f32>) -> tensor<4xf32> {
  %0 = tensor.extract %b[] : tensor<f32>
  // expected-error @below {{cannot differentiate 'linalg.generic': its body captures a value that depends on an argument}}
  %1 = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel"]}
      outs(%a : tensor<4xf32>) {
  ^bb0(%o: f32):
    %2 = arith.mulf %o, %0 : f32
    linalg.yield %2 : f32
  } -> tensor<4xf32>
  return %1 : tensor<4xf32>
}

// -----

func.func @f(%a: tensor<1x1x8xf32>, %k: tensor<1x1x3xf32>,
             %o: tensor<1x1x6xf32>) -> tensor<1x1x6xf32> {
  // expected-error @below {{cannot differentiate 'linalg.conv_1d_ncw_fcw': operand #0 has indexing map affine_map<(d0, d1, d2, d3, d4) -> (d0, d3, d2 + d4)>, expected a projected permutation}}
  %0 = linalg.conv_1d_ncw_fcw
      ins(%a, %k : tensor<1x1x8xf32>, tensor<1x1x3xf32>)
      outs(%o : tensor<1x1x6xf32>) -> tensor<1x1x6xf32>
  return %0 : tensor<1x1x6xf32>
}

// -----

func.func @f(%a: tensor<4x8xf32>, %o: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @below {{cannot differentiate 'linalg.reduce'}}
  // expected-note @below {{its reduction does not add to the destination}}
  %0 = linalg.reduce { arith.maximumf } ins(%a : tensor<4x8xf32>)
      outs(%o : tensor<4xf32>) dimensions = [1]
  return %0 : tensor<4xf32>
}

// -----

#id = affine_map<(i) -> (i)>
func.func @f(%a: tensor<4xf32>, %o: tensor<4xf32>) -> tensor<4xf32> {
  // expected-note @below {{in the body of 'linalg.generic'}}
  %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%a : tensor<4xf32>) outs(%o : tensor<4xf32>) {
  ^bb0(%x: f32, %y: f32):
    // expected-error @below {{cannot differentiate 'math.sin'}}
    %1 = math.sin %x : f32
    linalg.yield %1 : f32
  } -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

func.func @f(%a: tensor<4xf32>) -> tensor<4xf32> {
  %0 = tensor.cast %a : tensor<4xf32> to tensor<*xf32>
  // expected-error @below {{cannot differentiate 'tensor.cast' from 'tensor<*xf32>' to 'tensor<4xf32>', expected ranked tensors}}
  %1 = tensor.cast %0 : tensor<*xf32> to tensor<4xf32>
  return %1 : tensor<4xf32>
}

// -----

// Once is enough.
func.func @f(%z: tensor<4xf32>, %t: tensor<f32>, %d: tensor<4xf32>,
             %o: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @below {{cannot differentiate 'sparsek.topk_mask_grad'}}
  %0 = sparsek.topk_mask_grad
      ins(%z, %t, %d : tensor<4xf32>, tensor<f32>, tensor<4xf32>)
      outs(%o : tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}
