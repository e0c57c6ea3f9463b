// RUN: sparsek-opt %s --sparsek-approximate-math | FileCheck %s

// CHECK-LABEL: func @exp2
// CHECK-SAME:    %[[X:.+]]: vector<16xf32>
// CHECK-DAG:     %[[LOW:.+]] = arith.constant dense<-1.260000e+02> : vector<16xf32>
// CHECK-DAG:     %[[BIAS:.+]] = arith.constant dense<126> : vector<16xi32>
// CHECK-DAG:     %[[SHIFT:.+]] = arith.constant dense<23> : vector<16xi32>
// CHECK:         arith.cmpf olt, %[[X]], %[[LOW]]
// CHECK:         %[[N:.+]] = math.roundeven
// CHECK:         arith.subf %{{.+}}, %[[N]]
// CHECK-COUNT-6: math.fma
// CHECK:         %[[I:.+]] = arith.fptosi %[[N]] : vector<16xf32> to vector<16xi32>
// CHECK:         %[[B:.+]] = arith.addi %[[I]], %[[BIAS]]
// CHECK:         %[[S:.+]] = arith.shli %[[B]], %[[SHIFT]]
// CHECK:         arith.bitcast %[[S]] : vector<16xi32> to vector<16xf32>
// CHECK-NOT:     math.exp2
func.func @exp2(%x: vector<16xf32>) -> vector<16xf32> {
  %0 = math.exp2 %x : vector<16xf32>
  return %0 : vector<16xf32>
}

// CHECK-LABEL: func @log2
// CHECK-NOT:     math.log2
func.func @log2(%x: vector<16xf32>) -> vector<16xf32> {
  %0 = math.log2 %x : vector<16xf32>
  return %0 : vector<16xf32>
}

// f64 goes to the math library.

// CHECK-LABEL: func @double
// CHECK:         math.exp2
// CHECK:         math.log2
func.func @double(%x: f64) -> f64 {
  %0 = math.exp2 %x : f64
  %1 = math.log2 %0 : f64
  return %1 : f64
}
