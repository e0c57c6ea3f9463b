// RUN: sparsek-opt %s --sparsek-differentiate="functions=f" --split-input-file | FileCheck %s

// What is added to passes the gradient on; f16 is summed in f32.
// CHECK-DAG: #[[Y:.*]] = affine_map<(d0, d1, d2) -> (d0, d1)>
// CHECK-DAG: #[[B:.*]] = affine_map<(d0, d1, d2) -> (d2, d1)>
// CHECK-DAG: #[[A:.*]] = affine_map<(d0, d1, d2) -> (d0, d2)>
// CHECK-LABEL: func @f_grad(
// CHECK-SAME: %[[X:.*]]: tensor<4x?xf16>, %[[W:.*]]: tensor<?x3xf16>, %{{.*}}: tensor<4x3xf32>, %[[DY:.*]]: tensor<4x3xf32>)
// CHECK-NOT: linalg.matmul
// CHECK: %[[DX32:.*]] = linalg.contract indexing_maps = [#[[Y]], #[[B]], #[[A]]] ins(%[[DY]], %[[W]] : {{.*}}) outs(%{{.*}} : tensor<4x?xf32>)
// CHECK: %[[DX:.*]] = arith.truncf %[[DX32]]
// CHECK: %[[DW32:.*]] = linalg.contract indexing_maps = [#[[Y]], #[[A]], #[[B]]] ins(%[[DY]], %[[X]] : {{.*}}) outs(%{{.*}} : tensor<?x3xf32>)
// CHECK: %[[DW:.*]] = arith.truncf %[[DW32]]
// CHECK: return %[[DX]], %[[DW]], %[[DY]]
func.func @f(%a: tensor<4x?xf16>, %b: tensor<?x3xf16>, %c: tensor<4x3xf32>)
    -> tensor<4x3xf32> {
  %0 = linalg.matmul ins(%a, %b : tensor<4x?xf16>, tensor<?x3xf16>)
      outs(%c : tensor<4x3xf32>) -> tensor<4x3xf32>
  return %0 : tensor<4x3xf32>
}

// -----

// The gradient of the matrix is an outer product: linalg.contract has none.
// CHECK-LABEL: func @f_grad(
// CHECK-SAME: %[[A:.*]]: tensor<4x8xf32>, %[[X:.*]]: tensor<8xf32>, %{{.*}}: tensor<4xf32>, %[[DY:.*]]: tensor<4xf32>)
// CHECK: %[[DA:.*]] = linalg.generic {{.*}}iterator_types = ["parallel", "parallel"]} ins(%[[X]], %[[DY]] :
// CHECK: %[[DX:.*]] = linalg.contract {{.*}} ins(%[[DY]], %[[A]] :
// CHECK: return %[[DA]], %[[DX]], %[[DY]]
func.func @f(%a: tensor<4x8xf32>, %x: tensor<8xf32>, %y: tensor<4xf32>)
    -> tensor<4xf32> {
  %0 = linalg.matvec ins(%a, %x : tensor<4x8xf32>, tensor<8xf32>)
      outs(%y : tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

// Nor does it multiply elements: no dimension is summed.
// CHECK-LABEL: func @f_grad(
// CHECK-NOT: linalg.contract
// CHECK: return
func.func @f(%a: tensor<4xf32>, %b: tensor<4xf32>, %y: tensor<f32>)
    -> tensor<f32> {
  %0 = linalg.dot ins(%a, %b : tensor<4xf32>, tensor<4xf32>)
      outs(%y : tensor<f32>) -> tensor<f32>
  return %0 : tensor<f32>
}

// -----

// A product with the own transpose.
// CHECK-LABEL: func @f_grad(
// CHECK-SAME: %[[X:[a-z0-9]*]]: tensor<2x4x5xf32>, %{{.*}}: tensor<2x5x4xf32>, %{{.*}}: tensor<2x4x4xf32>, %[[DY:.*]]: tensor<2x4x4xf32>) -> tensor<2x4x5xf32> {
// CHECK: %[[XT:.*]] = linalg.transpose ins(%[[X]] :
// CHECK: %[[DX:.*]] = linalg.contract {{.*}} ins(%[[DY]], %[[XT]] :
// CHECK: %[[DT:.*]] = linalg.contract {{.*}} ins(%[[DY]], %[[X]] :
// CHECK: %[[DX1:.*]] = linalg.transpose ins(%[[DT]] : tensor<2x5x4xf32>) outs(%{{.*}} : tensor<2x4x5xf32>) permutation = [0, 2, 1]
// CHECK: %[[SUM:.*]] = arith.addf %[[DX]], %[[DX1]]
// CHECK: return %[[SUM]]
func.func @f(%a: tensor<2x4x5xf32>, %t0: tensor<2x5x4xf32>,
             %c0: tensor<2x4x4xf32>) -> tensor<2x4x4xf32> {
  %t = linalg.transpose ins(%a : tensor<2x4x5xf32>)
      outs(%t0 : tensor<2x5x4xf32>) permutation = [0, 2, 1]
  %zero = arith.constant 0.0 : f32
  %c = linalg.fill ins(%zero : f32) outs(%c0 : tensor<2x4x4xf32>)
      -> tensor<2x4x4xf32>
  %0 = linalg.batch_matmul ins(%a, %t : tensor<2x4x5xf32>, tensor<2x5x4xf32>)
      outs(%c : tensor<2x4x4xf32>) -> tensor<2x4x4xf32>
  return %0 : tensor<2x4x4xf32>
}

// -----

// A permutation that is not its own inverse.
// CHECK-LABEL: func @f_grad(
// CHECK: linalg.transpose ins(%{{.*}} : tensor<4x2x3xf32>) outs(%{{.*}} : tensor<2x3x4xf32>) permutation = [1, 2, 0]
func.func @f(%a: tensor<2x3x4xf32>, %t0: tensor<4x2x3xf32>)
    -> tensor<4x2x3xf32> {
  %t = linalg.transpose ins(%a : tensor<2x3x4xf32>)
      outs(%t0 : tensor<4x2x3xf32>) permutation = [2, 0, 1]
  return %t : tensor<4x2x3xf32>
}

// -----

// Scalars are constants; quotients, and functions of the result.
// CHECK-LABEL: func @f_grad(
// CHECK-SAME: %[[A:.*]]: tensor<?xf32>, %[[B:.*]]: tensor<?xf32>, %{{.*}}: f32, %[[D:.*]]: tensor<?xf32>) -> (tensor<?xf32>, tensor<?xf32>) {
// CHECK-NEXT: %[[DIFF:.*]] = arith.subf %[[A]], %[[B]]
// CHECK-NEXT: %[[QUOT:.*]] = arith.divf %[[DIFF]], %[[B]]
// CHECK-NEXT: %[[Y:.*]] = math.tanh %[[QUOT]]
// CHECK-NEXT: %[[DY:.*]] = arith.mulf %[[D]], %[[Y]]
// CHECK-NEXT: %[[DYY:.*]] = arith.mulf %[[DY]], %[[Y]]
// CHECK-NEXT: %[[DQUOT:.*]] = arith.subf %[[D]], %[[DYY]]
// CHECK-NEXT: %[[DDIFF:.*]] = arith.divf %[[DQUOT]], %[[B]]
// CHECK-NEXT: %[[P:.*]] = arith.mulf %[[DDIFF]], %[[QUOT]]
// CHECK-NEXT: %[[DB1:.*]] = arith.negf %[[P]]
// CHECK-NEXT: %[[DB2:.*]] = arith.negf %[[DDIFF]]
// CHECK-NEXT: %[[DB:.*]] = arith.addf %[[DB1]], %[[DB2]]
// CHECK-NEXT: return %[[DDIFF]], %[[DB]]
func.func @f(%a: tensor<?xf32>, %b: tensor<?xf32>, %s: f32) -> tensor<?xf32> {
  %0 = arith.subf %a, %b : tensor<?xf32>
  %1 = arith.divf %0, %b : tensor<?xf32>
  %2 = math.tanh %1 : tensor<?xf32>
  return %2 : tensor<?xf32>
}

// -----

// A broadcast sums, a sum broadcasts, and inputs that are not read are dropped.
// CHECK-DAG: #[[ROW:.*]] = affine_map<(d0, d1) -> (d0)>
// CHECK-DAG: #[[ID:.*]] = affine_map<(d0, d1) -> (d0, d1)>
// CHECK-LABEL: func @f_grad(
// CHECK-SAME: %[[A:.*]]: tensor<4x?xf16>, %[[B:.*]]: tensor<4xf16>, %{{.*}}: tensor<4x?xf16>, %[[DY0:.*]]: tensor<4x?xf16>, %[[DY1:.*]]: tensor<4xf16>) -> (tensor<4x?xf16>, tensor<4xf16>) {
// CHECK: %[[BB:.*]] = linalg.broadcast ins(%[[B]]
// CHECK: %[[DM:.*]] = linalg.generic {indexing_maps = [#[[ROW]], #[[ID]]], iterator_types = ["parallel", "parallel"]} ins(%[[DY1]] :
// CHECK: %[[DA:.*]] = linalg.generic {indexing_maps = [#[[ID]], #[[ID]], #[[ID]]], {{.*}}} ins(%[[BB]], %[[DM]] :
// CHECK: %[[DBB:.*]] = linalg.generic {indexing_maps = [#[[ID]], #[[ID]], #[[ID]]], {{.*}}} ins(%[[A]], %[[DM]] :
// CHECK: %[[DBB1:.*]] = arith.addf %[[DY0]], %[[DBB]]
// CHECK: linalg.generic {indexing_maps = [#[[ID]], #[[ROW]]], iterator_types = ["parallel", "reduction"]} ins(%[[DBB1]] : tensor<4x?xf16>) outs(%{{.*}} : tensor<4xf32>) {
// CHECK: ^bb0(%[[IN:.*]]: f16, %[[OUT:.*]]: f32):
// CHECK: %[[WIDE:.*]] = arith.extf %[[IN]]
// CHECK: arith.addf %[[OUT]], %[[WIDE]] : f32
// CHECK: %[[DB0:.*]] = arith.truncf
// CHECK: %[[DB:.*]] = arith.addf %[[DY1]], %[[DB0]]
// CHECK: return %[[DA]], %[[DB]]
func.func @f(%a: tensor<4x?xf16>, %b: tensor<4xf16>, %o0: tensor<4x?xf16>)
    -> (tensor<4x?xf16>, tensor<4xf16>) {
  %0 = linalg.broadcast ins(%b : tensor<4xf16>) outs(%o0 : tensor<4x?xf16>)
      dimensions = [1]
  %1 = linalg.mul ins(%a, %0 : tensor<4x?xf16>, tensor<4x?xf16>)
      outs(%o0 : tensor<4x?xf16>) -> tensor<4x?xf16>
  %2 = linalg.reduce { arith.addf } ins(%1 : tensor<4x?xf16>)
      outs(%b : tensor<4xf16>) dimensions = [1]
  return %0, %2 : tensor<4x?xf16>, tensor<4xf16>
}

// -----

// A body of its own: relu(a w[i]) s, whose derivative repeats what it needs.
#id = affine_map<(i, j) -> (i, j)>
#row = affine_map<(i, j) -> (i)>
#scalar = affine_map<(i, j) -> ()>
// CHECK-LABEL: func @f_grad(
// CHECK: %[[DA:.*]] = linalg.generic {{.*}}iterator_types = ["parallel", "parallel"]
// CHECK: ^bb0(%[[A:[a-z0-9_]*]]: f32, %[[W:[a-z0-9_]*]]: f32, %[[S:[a-z0-9_]*]]: f32, %[[DY:[a-z0-9_]*]]: f32, %{{.*}}: f32):
// CHECK-NEXT: %[[AW:.*]] = arith.mulf %[[A]], %[[W]]
// CHECK-NEXT: %[[C:.*]] = arith.cmpf ogt, %[[AW]], %{{.*}}
// CHECK-NEXT: %[[DR:.*]] = arith.mulf %[[DY]], %[[S]]
// CHECK-NEXT: %[[DAW:.*]] = arith.select %[[C]], %[[DR]], %{{.*}}
// CHECK-NEXT: %[[R:.*]] = arith.mulf %[[DAW]], %[[W]]
// CHECK-NEXT: linalg.yield %[[R]]
// CHECK: %[[DW:.*]] = linalg.generic {{.*}}iterator_types = ["parallel", "reduction"]
// CHECK: ^bb0({{.*}}, %[[OUT:[a-z0-9_]*]]: f32):
// CHECK: %[[SUM:.*]] = arith.addf %[[OUT]], %{{.*}}
// CHECK-NEXT: linalg.yield %[[SUM]]
// CHECK: return %[[DA]], %[[DW]]
func.func @f(%a: tensor<?x8xf32>, %w: tensor<?xf32>, %s: f32,
             %o0: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %zero = arith.constant 0.0 : f32
  %0 = linalg.generic {indexing_maps = [#id, #row, #scalar, #id],
                       iterator_types = ["parallel", "parallel"]}
      ins(%a, %w, %s : tensor<?x8xf32>, tensor<?xf32>, f32)
      outs(%o0 : tensor<?x8xf32>) {
  ^bb0(%x: f32, %y: f32, %c: f32, %o: f32):
    %1 = arith.mulf %x, %y : f32
    %2 = arith.cmpf ogt, %1, %zero : f32
    %3 = arith.select %2, %1, %zero : f32
    %4 = arith.mulf %3, %c : f32
    linalg.yield %4 : f32
  } -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}

// -----

// A destination that the body reads is an operand like any other.
#id = affine_map<(i) -> (i)>
// CHECK-LABEL: func @f_grad(
// CHECK-SAME: %[[A:.*]]: tensor<8xf32>, %[[B:.*]]: tensor<8xf32>, %[[DY:.*]]: tensor<8xf32>) -> (tensor<8xf32>, tensor<8xf32>) {
// CHECK: %[[DA:.*]] = linalg.generic {{.*}} ins(%[[B]], %[[DY]] :
// CHECK: %[[DB:.*]] = linalg.generic {{.*}} ins(%[[A]], %[[DY]] :
// CHECK: return %[[DA]], %[[DB]]
func.func @f(%a: tensor<8xf32>, %b: tensor<8xf32>) -> tensor<8xf32> {
  %0 = linalg.generic {indexing_maps = [#id, #id],
                       iterator_types = ["parallel"]}
      ins(%a : tensor<8xf32>) outs(%b : tensor<8xf32>) {
  ^bb0(%x: f32, %o: f32):
    %1 = arith.mulf %x, %o : f32
    linalg.yield %1 : f32
  } -> tensor<8xf32>
  return %0 : tensor<8xf32>
}

// -----

// Not a product of the operands themselves, so not a contraction.
#id = affine_map<(i, j) -> (i, j)>
#col = affine_map<(i, j) -> (j)>
#row = affine_map<(i, j) -> (i)>
// CHECK-LABEL: func @f_grad(
// CHECK-NOT: linalg.contract
// CHECK: linalg.generic {{.*}}iterator_types = ["parallel", "parallel"]
// CHECK: %[[E:.*]] = math.exp
// CHECK: %[[D:.*]] = arith.mulf
// CHECK: arith.mulf %[[D]], %[[E]]
func.func @f(%a: tensor<4x8xf32>, %b: tensor<8xf32>, %c: tensor<4xf32>)
    -> tensor<4xf32> {
  %0 = linalg.generic {indexing_maps = [#id, #col, #row],
                       iterator_types = ["parallel", "reduction"]}
      ins(%a, %b : tensor<4x8xf32>, tensor<8xf32>) outs(%c : tensor<4xf32>) {
  ^bb0(%x: f32, %y: f32, %o: f32):
    %1 = math.exp %x : f32
    %2 = arith.mulf %1, %y : f32
    %3 = arith.addf %o, %2 : f32
    linalg.yield %3 : f32
  } -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

// CHECK-LABEL: func @f_grad(
// CHECK-SAME: %[[A:.*]]: tensor<?x6xf32>, %{{.*}}: tensor<2x3xf32>, %[[DY:.*]]: tensor<?x3xf32>)
// CHECK: %[[N:.*]] = tensor.dim %[[A]],
// CHECK: %[[DC:.*]] = tensor.insert_slice %[[DY]] into %{{.*}}[0, 0] [%[[N]], 3] [2, 1]
// CHECK: %[[DI:.*]] = tensor.expand_shape %[[DC]] {{\[}}[0, 1], [2]] output_shape [%{{.*}}, 2, 3]
// CHECK: %[[DB:.*]] = tensor.extract_slice %[[DI]][1, 0, 0] [1, 2, 3] [1, 1, 1] : tensor<?x2x3xf32> to tensor<2x3xf32>
// CHECK: %[[ZEROS:.*]] = linalg.fill {{.*}} -> tensor<2x3xf32>
// CHECK: %[[DE:.*]] = tensor.insert_slice %[[ZEROS]] into %[[DI]][1, 0, 0] [1, 2, 3] [1, 1, 1]
// CHECK: %[[DA:.*]] = tensor.collapse_shape %[[DE]] {{\[}}[0], [1, 2]]
// CHECK: return %[[DA]], %[[DB]]
func.func @f(%a: tensor<?x6xf32>, %b: tensor<2x3xf32>) -> (tensor<?x3xf32>) {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %a, %c0 : tensor<?x6xf32>
  %e = tensor.expand_shape %a [[0], [1, 2]] output_shape [%n, 2, 3]
      : tensor<?x6xf32> into tensor<?x2x3xf32>
  %i = tensor.insert_slice %b into %e[1, 0, 0] [1, 2, 3] [1, 1, 1]
      : tensor<2x3xf32> into tensor<?x2x3xf32>
  %c = tensor.collapse_shape %i [[0, 1], [2]]
      : tensor<?x2x3xf32> into tensor<?x3xf32>
  %s = tensor.extract_slice %c[0, 0] [%n, 3] [2, 1]
      : tensor<?x3xf32> to tensor<?x3xf32>
  return %s : tensor<?x3xf32>
}

// -----

// An argument without influence gets zeros; an op without influence stays, if
// it has effects.
func.func private @print(tensor<2xi32>)
// CHECK-LABEL: func @f_grad(
// CHECK-SAME: %{{.*}}: tensor<3x6xf32>, %{{.*}}: tensor<6xf64>, %[[I:.*]]: tensor<2xi32>, %[[DC:.*]]: tensor<?xf32>, %[[DA0:.*]]: tensor<3x6xf32>)
// CHECK: call @print(%[[I]])
// CHECK-NOT: linalg.softmax
// CHECK: %[[DS:.*]] = tensor.cast %[[DC]] : tensor<?xf32> to tensor<6xf32>
// CHECK: %[[DA1:.*]] = tensor.insert_slice %[[DS]] into %{{.*}}[1, 0] [1, 6] [1, 1] : tensor<6xf32> into tensor<3x6xf32>
// CHECK: %[[DA:.*]] = arith.addf %[[DA0]], %[[DA1]]
// CHECK: %[[ZEROS:.*]] = linalg.fill {{.*}} -> tensor<6xf64>
// CHECK: return %[[DA]], %[[ZEROS]] : tensor<3x6xf32>, tensor<6xf64>
func.func @f(%a: tensor<3x6xf32>, %b: tensor<6xf64>, %i: tensor<2xi32>)
    -> (tensor<?xf32>, tensor<3x6xf32>, tensor<2xi32>) {
  call @print(%i) : (tensor<2xi32>) -> ()
  %s = tensor.extract_slice %a[1, 0] [1, 6] [1, 1]
      : tensor<3x6xf32> to tensor<6xf32>
  %c = tensor.cast %s : tensor<6xf32> to tensor<?xf32>
  %e = tensor.empty() : tensor<3x6xf32>
  %unused = linalg.softmax dimension(1) ins(%a : tensor<3x6xf32>)
      outs(%e : tensor<3x6xf32>) -> tensor<3x6xf32>
  return %c, %a, %i : tensor<?xf32>, tensor<3x6xf32>, tensor<2xi32>
}
