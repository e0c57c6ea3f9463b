//===- SparseKOps.td - Operations of the sparsek dialect ----*- tablegen -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEK_DIALECT_SPARSEK_IR_SPARSEKOPS_TD
#define SPARSEK_DIALECT_SPARSEK_IR_SPARSEKOPS_TD

include "sparsek/Dialect/SparseK/IR/SparseKDialect.td"
include "mlir/Interfaces/DestinationStyleOpInterface.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "mlir/IR/OpBase.td"

// f32 or a 16-bit float: everything is accumulated in f32.
def SparseK_Float : AnyTypeOf<[F32, F16, BF16], "f32, f16 or bf16">;
def SparseK_FloatShaped : AnyTypeOf<[TensorOf<[SparseK_Float]>, MemRefOf<[SparseK_Float]>],
    "tensor or memref of f32, f16 or bf16", "::mlir::ShapedType">;
def SparseK_F32Shaped : AnyTypeOf<[TensorOf<[F32]>, MemRefOf<[F32]>],
    "tensor or memref of f32", "::mlir::ShapedType">;
def SparseK_I32Shaped : AnyTypeOf<[TensorOf<[I32]>, MemRefOf<[I32]>],
    "tensor or memref of i32", "::mlir::ShapedType">;

class SparseK_Op<string mnemonic, list<Trait> traits = []> :
    Op<SparseK_Dialect, mnemonic, !listconcat(traits, [
      DestinationStyleOpInterface,
      DeclareOpInterfaceMethods<ConditionallySpeculatable>,
      DeclareOpInterfaceMethods<MemoryEffectsOpInterface>,
      DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface,
          ["reifyResultShapes"]>,
    ])> {
  let hasVerifier = 1;
  // Result types are those of the tensor destinations; none on memrefs.
  let results = (outs Variadic<AnyRankedTensor>:$results);
}

//===----------------------------------------------------------------------===//
// topk_mask
//===----------------------------------------------------------------------===//

def SparseK_TopkMaskOp : SparseK_Op<"topk_mask"> {
  let summary = "the SPARSEK operator: projection of a row onto the capped simplex";
  let description = [{
    For every row `z` of `n` scores computes the SPARSEK mask

    ```
    p   = argmin ||p - z||^2  over  0 <= p <= 1, sum p = topk
        = clamp(z - tau, 0, 1)
    tau = inf { x : sum clamp(z - x, 0, 1) <= topk }
    ```

    `tau` is the smallest solution, correctly rounded to f32. It is `-inf`
    exactly when at most `topk` entries are finite, and then `p` is 1 for every
    entry. A NaN score counts as `-inf`. (Paper: section 3, the SPARSEK
    operator; the choice of the smallest solution is ours.)

    Operands:
    - `scores [..., n]`, f32, f16 or bf16,
    - `mask [..., n]`, of the element type of `scores` (destination),
    - `tau [...]`, f32 (destination).

    Constraints:
    - (C1) `topk >= 1`.
    - (C2) `scores` has rank at least 1.
    - (C3) `mask` has the shape and the element type of `scores`.
    - (C4) `tau` has the shape of `scores` without its last dimension.
    - (C5) operands are all tensors or all memrefs; results match the tensor
      destinations.

    Example:

    ```mlir
    %p, %t = sparsek.topk_mask topk(8)
        ins(%z : tensor<4x?xf32>)
        outs(%p0, %t0 : tensor<4x?xf32>, tensor<4xf32>)
        -> tensor<4x?xf32>, tensor<4xf32>
    ```
  }];
  let arguments = (ins
    SparseK_FloatShaped:$scores,
    SparseK_FloatShaped:$mask,
    SparseK_F32Shaped:$tau,
    I64Attr:$topk);
  let assemblyFormat = [{
    `topk` `(` $topk `)` `ins` `(` $scores `:` type($scores) `)`
    `outs` `(` $mask `,` $tau `:` type($mask) `,` type($tau) `)`
    attr-dict (`->` type($results)^)?
  }];
  let hasCanonicalizer = 1;
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() {
      return ::mlir::MutableOperandRange(*this, /*start=*/1, /*length=*/2);
    }
  }];
}

//===----------------------------------------------------------------------===//
// causal_topk_mask
//===----------------------------------------------------------------------===//

def SparseK_CausalTopkMaskOp : SparseK_Op<"causal_topk_mask"> {
  let summary = "the SPARSEK operator over every prefix at once, as lifetimes";
  let description = [{
    For the query position `i` the candidates are
    `C_i = { j : 0 <= j <= i - window }`. Larger scores come first, equal scores
    in order of position. `S_i` is the first `min(topk, |C_i|)` candidates.

    ```
    end[j]  = the first i >= j + window with j not in S_i, or N
    tau[i]  = the threshold of topk_mask over { scores[j] : j in C_i }
    free[i] = #{ j in C_i : 0 < fl32(scores[j] - tau[i]) < 1 }
    ```

    `C_i` only grows, so an evicted key never returns: key `j` is visible exactly
    to the queries `j <= i < end[j]`. `tau` never falls as `i` grows and is
    correctly rounded to f32; `-inf` means that every gate is 1. A NaN score
    counts as `-inf`; `+inf` is outside the contract. `end` and `free` carry no
    gradient; `free` is what the gradient of `tau` divides by.

    Operands:
    - `scores [B, Hkv, N]`, f32,
    - `end [B, Hkv, N]`, i32 (destination),
    - `tau [B, Hkv, N]`, f32 (destination),
    - `free [B, Hkv, N]`, i32 (destination).

    Constraints:
    - (C1) `topk >= 1`.
    - (C2) `window >= 0`.
    - (C3) `scores` has rank 3, and its `N` fits i32.
    - (C4) `end`, `tau` and `free` have the shape of `scores`.
    - (C5) operands are all tensors or all memrefs; results match the tensor
      destinations.

    Example:

    ```mlir
    %end, %tau, %free = sparsek.causal_topk_mask topk(512) window(512)
        ins(%u : tensor<1x2x?xf32>)
        outs(%e0, %t0, %f0
             : tensor<1x2x?xi32>, tensor<1x2x?xf32>, tensor<1x2x?xi32>)
        -> tensor<1x2x?xi32>, tensor<1x2x?xf32>, tensor<1x2x?xi32>
    ```
  }];
  let arguments = (ins
    SparseK_F32Shaped:$scores,
    SparseK_I32Shaped:$end,
    SparseK_F32Shaped:$tau,
    SparseK_I32Shaped:$free,
    I64Attr:$topk,
    I64Attr:$window);
  let assemblyFormat = [{
    `topk` `(` $topk `)` `window` `(` $window `)`
    `ins` `(` $scores `:` type($scores) `)`
    `outs` `(` $end `,` $tau `,` $free `:`
               type($end) `,` type($tau) `,` type($free) `)`
    attr-dict (`->` type($results)^)?
  }];
  let hasCanonicalizer = 1;
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() {
      return ::mlir::MutableOperandRange(*this, /*start=*/1, /*length=*/3);
    }
  }];
}

//===----------------------------------------------------------------------===//
// sparse_attention
//===----------------------------------------------------------------------===//

def SparseK_SparseAttentionOp : SparseK_Op<"sparse_attention",
    [AttrSizedOperandSegments]> {
  let summary = "attention over keys with lifetimes, optionally gated";
  let description = [{
    The visible set of the query at position `i = r + (Nk - Nq)` is
    `V_i = { j : j <= i < end[j] }`. With the gate
    `g_ij = 1 if i - j < window else clamp(scores[j] - tau[i], 0, 1)`:

    ```
    logit_ij = scale * q_i . k_j                 (key_value: times g_ij)
    A_i      = softmax of logit_i over V_i
    lse_i    = log sum exp of logit_i over V_i   (natural logarithm)
    o_i      = sum over V_i of A_ij g_ij v_j     (none: without g_ij)
    ```

    Where `V_i` is empty, `o_i = 0` and `lse_i = -inf`. `end` can come from any
    eviction policy: `sparsek.causal_topk_mask`, a sliding window
    (`end[j] = j + w`), attention sinks, document boundaries. The work is
    O(sum of lifetimes * d), never O(Nq * Nk).

    Operands:
    - `query [B, Hq, Nq, d]`, `key [B, Hkv, Nk, d]`, `value [B, Hkv, Nk, dv]`,
      f32, f16 or bf16,
    - `end [B, Hkv, Nk]`, i32,
    - `scores [B, Hkv, Nk]`, `tau [B, Hkv, Nk]`, f32, only when gated,
    - `output [B, Hq, Nq, dv]`, of the element type of `query` (destination),
    - `lse [B, Hq, Nq]`, f32 (destination).

    `scale` defaults to `1/sqrt(d)`, `window` to 0, `gate` to `none`.

    Constraints:
    - (C1) `window >= 0`.
    - (C2) `query`, `key`, `value` and `output` have rank 4; `end`, `scores`,
      `tau` and `lse` have rank 3.
    - (C3) `query`, `key`, `value` and `output` have one element type.
    - (C4) `d` and `dv` are static and positive; `query` and `key` agree on `d`,
      `value` and `output` on `dv`.
    - (C5) all operands agree on `B`; `key`, `value`, `end`, `scores` and `tau`
      agree on `Hkv` and `Nk`; `query`, `output` and `lse` on `Hq` and `Nq`.
    - (C6) `Hkv` divides `Hq`. The group size `G = Hq / Hkv` is static: both are
      static, or `group` gives it.
    - (C7) `scores` and `tau` come together; a gate other than `none` needs them.
    - (C8) `scale` is finite.
    - (C9) operands are all tensors or all memrefs; results match the tensor
      destinations.

    Example:

    ```mlir
    %o, %lse = sparsek.sparse_attention gate(value) window(512)
        ins(%q, %k, %v, %end : tensor<1x8x?x128xf32>, tensor<1x2x?x128xf32>,
            tensor<1x2x?x128xf32>, tensor<1x2x?xi32>)
        gating(%u, %tau : tensor<1x2x?xf32>, tensor<1x2x?xf32>)
        outs(%o0, %l0 : tensor<1x8x?x128xf32>, tensor<1x8x?xf32>)
        -> tensor<1x8x?x128xf32>, tensor<1x8x?xf32>
    ```
  }];
  let arguments = (ins
    SparseK_FloatShaped:$query,
    SparseK_FloatShaped:$key,
    SparseK_FloatShaped:$value,
    SparseK_I32Shaped:$end,
    Optional<SparseK_F32Shaped>:$scores,
    Optional<SparseK_F32Shaped>:$tau,
    SparseK_FloatShaped:$output,
    SparseK_F32Shaped:$lse,
    DefaultValuedAttr<SparseK_GateAttr, "::mlir::sparsek::Gate::none">:$gate,
    DefaultValuedAttr<I64Attr, "0">:$window,
    OptionalAttr<F64Attr>:$scale,
    OptionalAttr<I64Attr>:$group);
  let assemblyFormat = [{
    (`gate` `(` custom<Gate>($gate)^ `)`)? (`window` `(` $window^ `)`)? (`scale` `(` $scale^ `)`)?
    (`group` `(` $group^ `)`)?
    `ins` `(` $query `,` $key `,` $value `,` $end `:`
              type($query) `,` type($key) `,` type($value) `,` type($end) `)`
    (`gating` `(` $scores^ `,` $tau `:` type($scores) `,` type($tau) `)`)?
    `outs` `(` $output `,` $lse `:` type($output) `,` type($lse) `)`
    attr-dict (`->` type($results)^)?
  }];
  let hasCanonicalizer = 1;
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() {
      return ::mlir::MutableOperandRange(
          *this, getOutputMutable().getOperandNumber(), /*length=*/2);
    }
    /// The group size G = Hq / Hkv.
    int64_t getGroupSize();
    /// The scale of the logits, `1/sqrt(d)` unless given.
    double getScaleValue();
    /// Head dimension of query and key.
    int64_t getHeadDim() {
      return ::mlir::cast<::mlir::ShapedType>(getQuery().getType()).getDimSize(3);
    }
    /// Head dimension of value and output.
    int64_t getValueDim() {
      return ::mlir::cast<::mlir::ShapedType>(getValue().getType()).getDimSize(3);
    }
    bool isGated() { return getGate() != Gate::none; }
  }];
}

//===----------------------------------------------------------------------===//
// score
//===----------------------------------------------------------------------===//

def SparseK_ScoreOp : SparseK_Op<"score"> {
  let summary = "the scoring network: one linear score per key/value head";
  let description = [{
    ```
    scores[b, h, n] = sum_c x[b, n, c] * weight[h, c] + bias[h] + slope[h] * n
    ```

    in f32: a linear score per kv head plus a slope linear in the position.

    Operands:
    - `x [B, N, c]`, f32, f16 or bf16,
    - `weight [Hkv, c]`, of the element type of `x`,
    - `bias [Hkv]` and `slope [Hkv]`, f32,
    - `scores [B, Hkv, N]`, f32 (destination).

    Constraints:
    - (C1) `x` and `scores` have rank 3, `weight` rank 2, `bias` and `slope`
      rank 1.
    - (C2) `x` and `weight` have one element type.
    - (C3) the operands agree on `B`, `N`, `c` and `Hkv`.
    - (C4) operands are all tensors or all memrefs; results match the tensor
      destinations.

    Example:

    ```mlir
    %u = sparsek.score
        ins(%x, %w, %b, %s : tensor<1x?x1024xf32>, tensor<2x1024xf32>,
            tensor<2xf32>, tensor<2xf32>)
        outs(%u0 : tensor<1x2x?xf32>) -> tensor<1x2x?xf32>
    ```
  }];
  let arguments = (ins
    SparseK_FloatShaped:$x,
    SparseK_FloatShaped:$weight,
    SparseK_F32Shaped:$bias,
    SparseK_F32Shaped:$slope,
    SparseK_F32Shaped:$scores);
  let assemblyFormat = [{
    `ins` `(` $x `,` $weight `,` $bias `,` $slope `:`
              type($x) `,` type($weight) `,` type($bias) `,` type($slope) `)`
    `outs` `(` $scores `:` type($scores) `)`
    attr-dict (`->` type($results)^)?
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() {
      return ::mlir::MutableOperandRange(*this, /*start=*/4, /*length=*/1);
    }
  }];
}

include "sparsek/Dialect/SparseK/IR/SparseKGradOps.td"
include "sparsek/Dialect/SparseK/IR/SparseKListOps.td"

#endif // SPARSEK_DIALECT_SPARSEK_IR_SPARSEKOPS_TD
