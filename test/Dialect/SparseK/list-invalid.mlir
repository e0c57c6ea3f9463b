// RUN: sparsek-opt %s --split-input-file --verify-diagnostics

// Every case breaks the constraint that the comment names.

// C1
func.func @tile_0(
    %end: memref<1x2x9xi32>, %nq: index, %start: memref<1x2x3xi32>,
    %count: memref<1x2x3xi32>, %list: memref<1x2x3x8xi32>) {
  // expected-error @+1 {{'sparsek.live_lists' op attribute 'tile' is 0, expected at least 1 (C1)}}
  sparsek.live_lists tile(0) ins(%end : memref<1x2x9xi32>) queries(%nq)
      outs(%start, %count, %list
           : memref<1x2x3xi32>, memref<1x2x3xi32>, memref<1x2x3x8xi32>)
  return
}

// -----

// C1
func.func @tile_wide(
    %end: memref<1x2x9xi32>, %nq: index, %start: memref<1x2x3xi32>,
    %count: memref<1x2x3xi32>, %list: memref<1x2x3x8xi32>) {
  // expected-error @+1 {{'sparsek.live_lists' op attribute 'tile' is 2147483648, expected a number that fits i32 (C1)}}
  sparsek.live_lists tile(2147483648) ins(%end : memref<1x2x9xi32>) queries(%nq)
      outs(%start, %count, %list
           : memref<1x2x3xi32>, memref<1x2x3xi32>, memref<1x2x3x8xi32>)
  return
}

// -----

// C2
func.func @end_rank(
    %end: memref<2x9xi32>, %nq: index, %start: memref<1x2x3xi32>,
    %count: memref<1x2x3xi32>, %list: memref<1x2x3x8xi32>) {
  // expected-error @+1 {{'sparsek.live_lists' op operand 'end' has type 'memref<2x9xi32>', expected rank 3 (C2)}}
  sparsek.live_lists tile(4) ins(%end : memref<2x9xi32>) queries(%nq)
      outs(%start, %count, %list
           : memref<1x2x3xi32>, memref<1x2x3xi32>, memref<1x2x3x8xi32>)
  return
}

// -----

// C2
func.func @start_rank(
    %end: memref<1x2x9xi32>, %nq: index, %start: memref<2x3xi32>,
    %count: memref<1x2x3xi32>, %list: memref<1x2x3x8xi32>) {
  // expected-error @+1 {{'sparsek.live_lists' op operand 'start' has type 'memref<2x3xi32>', expected rank 3 (C2)}}
  sparsek.live_lists tile(4) ins(%end : memref<1x2x9xi32>) queries(%nq)
      outs(%start, %count, %list
           : memref<2x3xi32>, memref<1x2x3xi32>, memref<1x2x3x8xi32>)
  return
}

// -----

// C2
func.func @count_rank(
    %end: memref<1x2x9xi32>, %nq: index, %start: memref<1x2x3xi32>,
    %count: memref<2x3xi32>, %list: memref<1x2x3x8xi32>) {
  // expected-error @+1 {{'sparsek.live_lists' op operand 'count' has type 'memref<2x3xi32>', expected rank 3 (C2)}}
  sparsek.live_lists tile(4) ins(%end : memref<1x2x9xi32>) queries(%nq)
      outs(%start, %count, %list
           : memref<1x2x3xi32>, memref<2x3xi32>, memref<1x2x3x8xi32>)
  return
}

// -----

// C2
func.func @list_rank(
    %end: memref<1x2x9xi32>, %nq: index, %start: memref<1x2x3xi32>,
    %count: memref<1x2x3xi32>, %list: memref<1x2x3xi32>) {
  // expected-error @+1 {{'sparsek.live_lists' op operand 'list' has type 'memref<1x2x3xi32>', expected rank 4 (C2)}}
  sparsek.live_lists tile(4) ins(%end : memref<1x2x9xi32>) queries(%nq)
      outs(%start, %count, %list
           : memref<1x2x3xi32>, memref<1x2x3xi32>, memref<1x2x3xi32>)
  return
}

// -----

// C3
func.func @keys_wide(
    %end: memref<1x2x2147483648xi32>, %nq: index, %start: memref<1x2x3xi32>,
    %count: memref<1x2x3xi32>, %list: memref<1x2x3x8xi32>) {
  // expected-error @+1 {{'sparsek.live_lists' op operand 'end' has 2147483648 keys, expected a number that fits i32 (C3)}}
  sparsek.live_lists tile(4) ins(%end : memref<1x2x2147483648xi32>) queries(%nq)
      outs(%start, %count, %list
           : memref<1x2x3xi32>, memref<1x2x3xi32>, memref<1x2x3x8xi32>)
  return
}

// -----

// C4
func.func @start_batch(
    %end: memref<1x2x9xi32>, %nq: index, %start: memref<2x2x3xi32>,
    %count: memref<1x2x3xi32>, %list: memref<1x2x3x8xi32>) {
  // expected-error @+1 {{'sparsek.live_lists' op operand 'start' has size 2 in dimension 0, expected 1 as dimension 0 of operand 'end' (C4)}}
  sparsek.live_lists tile(4) ins(%end : memref<1x2x9xi32>) queries(%nq)
      outs(%start, %count, %list
           : memref<2x2x3xi32>, memref<1x2x3xi32>, memref<1x2x3x8xi32>)
  return
}

// -----

// C4
func.func @start_heads(
    %end: memref<1x2x9xi32>, %nq: index, %start: memref<1x3x3xi32>,
    %count: memref<1x2x3xi32>, %list: memref<1x2x3x8xi32>) {
  // expected-error @+1 {{'sparsek.live_lists' op operand 'start' has size 3 in dimension 1, expected 2 as dimension 1 of operand 'end' (C4)}}
  sparsek.live_lists tile(4) ins(%end : memref<1x2x9xi32>) queries(%nq)
      outs(%start, %count, %list
           : memref<1x3x3xi32>, memref<1x2x3xi32>, memref<1x2x3x8xi32>)
  return
}

// -----

// C4
func.func @count_tiles(
    %end: memref<1x2x9xi32>, %nq: index, %start: memref<1x2x3xi32>,
    %count: memref<1x2x4xi32>, %list: memref<1x2x3x8xi32>) {
  // expected-error @+1 {{'sparsek.live_lists' op operand 'count' has size 4 in dimension 2, expected 3 as dimension 2 of operand 'start' (C4)}}
  sparsek.live_lists tile(4) ins(%end : memref<1x2x9xi32>) queries(%nq)
      outs(%start, %count, %list
           : memref<1x2x3xi32>, memref<1x2x4xi32>, memref<1x2x3x8xi32>)
  return
}

// -----

// C4
func.func @list_heads(
    %end: memref<1x2x9xi32>, %nq: index, %start: memref<1x2x3xi32>,
    %count: memref<1x2x3xi32>, %list: memref<1x3x3x8xi32>) {
  // expected-error @+1 {{'sparsek.live_lists' op operand 'list' has size 3 in dimension 1, expected 2 as dimension 1 of operand 'start' (C4)}}
  sparsek.live_lists tile(4) ins(%end : memref<1x2x9xi32>) queries(%nq)
      outs(%start, %count, %list
           : memref<1x2x3xi32>, memref<1x2x3xi32>, memref<1x3x3x8xi32>)
  return
}

// -----

// C4
func.func @list_tiles(
    %end: memref<1x2x9xi32>, %nq: index, %start: memref<1x2x3xi32>,
    %count: memref<1x2x3xi32>, %list: memref<1x2x4x8xi32>) {
  // expected-error @+1 {{'sparsek.live_lists' op operand 'list' has size 4 in dimension 2, expected 3 as dimension 2 of operand 'start' (C4)}}
  sparsek.live_lists tile(4) ins(%end : memref<1x2x9xi32>) queries(%nq)
      outs(%start, %count, %list
           : memref<1x2x3xi32>, memref<1x2x3xi32>, memref<1x2x4x8xi32>)
  return
}

// -----

// C5
func.func @list_capacity(
    %end: memref<1x2x9xi32>, %nq: index, %start: memref<1x2x3xi32>,
    %count: memref<1x2x3xi32>, %list: memref<1x2x3x6xi32>) {
  // expected-error @+1 {{'sparsek.live_lists' op operand 'list' has size 6 in dimension 3, expected a multiple of 4 (C5)}}
  sparsek.live_lists tile(4) ins(%end : memref<1x2x9xi32>) queries(%nq)
      outs(%start, %count, %list
           : memref<1x2x3xi32>, memref<1x2x3xi32>, memref<1x2x3x6xi32>)
  return
}

// -----

// C6
func.func @mixed(
    %end: tensor<1x2x9xi32>, %nq: index, %start: memref<1x2x3xi32>,
    %count: memref<1x2x3xi32>, %list: memref<1x2x3x8xi32>) {
  // expected-error @+1 {{'sparsek.live_lists' op expected all operands to be tensors or all to be memrefs (C6)}}
  sparsek.live_lists tile(4) ins(%end : tensor<1x2x9xi32>) queries(%nq)
      outs(%start, %count, %list
           : memref<1x2x3xi32>, memref<1x2x3xi32>, memref<1x2x3x8xi32>)
  return
}

// -----

// C6
func.func @results_on_memrefs(
    %end: memref<1x2x9xi32>, %nq: index, %start: memref<1x2x3xi32>,
    %count: memref<1x2x3xi32>, %list: memref<1x2x3x8xi32>) {
  // expected-error @+1 {{'sparsek.live_lists' op has 1 results, expected 0 (C6)}}
  %0 = sparsek.live_lists tile(4) ins(%end : memref<1x2x9xi32>) queries(%nq)
      outs(%start, %count, %list
           : memref<1x2x3xi32>, memref<1x2x3xi32>, memref<1x2x3x8xi32>)
      -> tensor<1x2x3xi32>
  return
}
