//===- SparseKDialect.td - The sparsek dialect --------------*- tablegen -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEK_DIALECT_SPARSEK_IR_SPARSEKDIALECT_TD
#define SPARSEK_DIALECT_SPARSEK_IR_SPARSEKDIALECT_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/DialectBase.td"
include "mlir/IR/EnumAttr.td"

def SparseK_Dialect : Dialect {
  let name = "sparsek";
  let cppNamespace = "::mlir::sparsek";
  let summary = "SparseK attention: differentiable top-k selection of keys";
  let description = [{
    The operations of SparseK attention (Lou, Jia, Zheng, Tu, "Sparser is
    Faster and Less is More: Efficient Sparse Attention for Long-Range
    Transformers", arXiv 2406.16747).

    A scoring network (`sparsek.score`) gives every key one score. A causal
    top-k selection (`sparsek.causal_topk_mask`) turns scores into *lifetimes*:
    an evicted key never returns, so key `j` is visible exactly to the query
    positions `j <= i < end[j]`, and one integer per key holds the whole
    data-dependent mask. `sparsek.sparse_attention` consumes lifetimes, from
    this or from any other eviction policy, in time linear in their sum.

    Notation: `B` batch, `Hq` query heads, `Hkv` key/value heads, `G = Hq / Hkv`
    (query head `h` reads kv head `h / G`), `Nq` queries, `Nk` keys, `d` head
    dimension of query and key, `dv` head dimension of value. Query row `r`
    stands at position `i = r + (Nk - Nq)`, key `j` at position `j`.

    Every op is a destination-style op on tensors or on memrefs.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect",
    "::mlir::linalg::LinalgDialect",
    "::mlir::tensor::TensorDialect",
  ];
  let useDefaultAttributePrinterParser = 1;
  let hasConstantMaterializer = 1;
}

def SparseK_Gate : I32EnumAttr<
    "Gate", "how the selection mask weighs keys and values", [
      I32EnumAttrCase<"none", 0>,
      I32EnumAttrCase<"value", 1>,
      I32EnumAttrCase<"key_value", 2>,
    ]> {
  let cppNamespace = "::mlir::sparsek";
  let genSpecializedAttr = 0;
}

def SparseK_GateAttr : EnumAttr<SparseK_Dialect, SparseK_Gate, "gate"> {
  let summary = "how the selection mask weighs keys and values";
  let description = [{
    `none` weighs nothing; `value` multiplies each visible value by its gate;
    `key_value` multiplies the key too. The gate of a key inside the window is 1.
  }];
}

#endif // SPARSEK_DIALECT_SPARSEK_IR_SPARSEKDIALECT_TD
