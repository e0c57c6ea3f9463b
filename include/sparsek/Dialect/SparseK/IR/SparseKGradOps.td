//===- SparseKGradOps.td - Gradients of the sparsek ops -----*- tablegen -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Included by SparseKOps.td, which holds the forward ops and their base class.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEK_DIALECT_SPARSEK_IR_SPARSEKGRADOPS_TD
#define SPARSEK_DIALECT_SPARSEK_IR_SPARSEKGRADOPS_TD

//===----------------------------------------------------------------------===//
// topk_mask_grad
//===----------------------------------------------------------------------===//

def SparseK_TopkMaskGradOp : SparseK_Op<"topk_mask_grad"> {
  let summary = "gradient of sparsek.topk_mask";
  let description = [{
    From the gradients of `mask` and, optionally, of `tau`, the gradient of the
    scores. With `s_j = [0 < fl32(scores_j - tau) < 1]`, the entries that follow
    tau:

    ```
    grad_scores_j = s_j (grad_mask_j + (grad_tau - sum(s grad_mask)) / sum(s))
    ```

    zero where `s` is empty. (`grad_tau` counts as 0 where it is missing.) Sums
    are f32 or wider.

    Operands:
    - `scores [..., n]`, f32, f16 or bf16, and `tau [...]`, f32: operand and
      result of the forward op,
    - `grad_mask [..., n]`, of the element type of `scores`,
    - `grad_tau [...]`, f32, optional,
    - `grad_scores [..., n]`, of the element type of `scores` (destination).

    Constraints:
    - (C1) `scores` has rank at least 1.
    - (C2) `grad_mask` and `grad_scores` have the shape and the element type of
      `scores`.
    - (C3) `tau` and `grad_tau` have the shape of `scores` without its last
      dimension.
    - (C4) operands are all tensors or all memrefs; results match the tensor
      destinations.

    Example:

    ```mlir
    %dz = sparsek.topk_mask_grad
        ins(%z, %t, %dp : tensor<4x?xf32>, tensor<4xf32>, tensor<4x?xf32>)
        outs(%dz0 : tensor<4x?xf32>) -> tensor<4x?xf32>
    ```
  }];
  let arguments = (ins
    SparseK_FloatShaped:$scores,
    SparseK_F32Shaped:$tau,
    SparseK_FloatShaped:$grad_mask,
    Optional<SparseK_F32Shaped>:$grad_tau,
    SparseK_FloatShaped:$grad_scores);
  let assemblyFormat = [{
    `ins` `(` $scores `,` $tau `,` $grad_mask `:`
              type($scores) `,` type($tau) `,` type($grad_mask) `)`
    (`grad_tau` `(` $grad_tau^ `:` type($grad_tau) `)`)?
    `outs` `(` $grad_scores `:` type($grad_scores) `)`
    attr-dict (`->` type($results)^)?
  }];
  let hasCanonicalizer = 1;
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() {
      return getGradScoresMutable();
    }
  }];
}

//===----------------------------------------------------------------------===//
// causal_topk_mask_grad
//===----------------------------------------------------------------------===//

def SparseK_CausalTopkMaskGradOp : SparseK_Op<"causal_topk_mask_grad"> {
  let summary = "gradient of the thresholds of sparsek.causal_topk_mask";
  let description = [{
    `end` and `free` carry no gradient; that of `tau` reaches every score that
    its threshold follows:

    ```
    grad_scores[j] = sum over i with j <= i - window and
                     0 < fl32(scores[j] - tau[i]) < 1 of grad_tau[i] / free[i]
    ```

    For one key those `i` form one interval, since `tau` never falls: prefix
    sums (f64) of `grad_tau / free` and two binary searches per key, O(N log N).

    Operands, all [B, Hkv, N]: `scores` f32, `tau` f32 and `free` i32 of the
    forward op, `grad_tau` f32, `grad_scores` f32 (destination).

    Constraints:
    - (C1) `window >= 0`.
    - (C2) `scores` has rank 3.
    - (C3) `tau`, `free`, `grad_tau` and `grad_scores` have the shape of `scores`.
    - (C4) operands are all tensors or all memrefs; results match the tensor
      destinations.

    Example:

    ```mlir
    %du = sparsek.causal_topk_mask_grad window(512)
        ins(%u, %tau, %free, %dtau : tensor<1x2x?xf32>, tensor<1x2x?xf32>,
            tensor<1x2x?xi32>, tensor<1x2x?xf32>)
        outs(%du0 : tensor<1x2x?xf32>) -> tensor<1x2x?xf32>
    ```
  }];
  let arguments = (ins
    SparseK_F32Shaped:$scores,
    SparseK_F32Shaped:$tau,
    SparseK_I32Shaped:$free,
    SparseK_F32Shaped:$grad_tau,
    SparseK_F32Shaped:$grad_scores,
    I64Attr:$window);
  let assemblyFormat = [{
    `window` `(` $window `)`
    `ins` `(` $scores `,` $tau `,` $free `,` $grad_tau `:` type($scores) `,`
              type($tau) `,` type($free) `,` type($grad_tau) `)`
    `outs` `(` $grad_scores `:` type($grad_scores) `)`
    attr-dict (`->` type($results)^)?
  }];
  let hasCanonicalizer = 1;
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() {
      return getGradScoresMutable();
    }
  }];
}

//===----------------------------------------------------------------------===//
// sparse_attention_grad
//===----------------------------------------------------------------------===//

def SparseK_SparseAttentionGradOp : SparseK_Op<"sparse_attention_grad",
    [AttrSizedOperandSegments]> {
  let summary = "gradients of sparsek.sparse_attention";
  let description = [{
    The chain rule through `sparsek.sparse_attention`, with the probabilities
    `A_ij` recomputed from `lse`. With `D_i = grad_output_i . output_i`,
    `P_ij = grad_output_i . value_j`, the gate `g_ij` (1 for `none`) and
    `s_ij = [i - j >= window and 0 < scores[j] - tau[i] < 1]`, over visible pairs:

    ```
    dS_ij        = A_ij (g_ij P_ij - D_i + grad_lse_i)
    grad_query_i = scale sum_j dS_ij key_j             (key_value: times g_ij)
    grad_key_j   = scale sum_i dS_ij query_i           (key_value: times g_ij)
    grad_value_j = sum_i A_ij g_ij grad_output_i
    dg_ij        = A_ij P_ij        (key_value: + scale dS_ij query_i . key_j)
    grad_scores_j = sum_i s_ij dg_ij
    grad_tau_i    = - sum_j s_ij dg_ij
    ```

    Sums over `i` run over the queries of every head of the group. Nothing flows
    to `end`. `grad_tau` is 0 at positions without a query. The gradient of the
    scores as a whole is `grad_scores` plus what `sparsek.causal_topk_mask_grad`
    makes of `grad_tau`. Results are the same bits on every run and for every
    number of threads.

    Operands:
    - `query`, `key`, `value`, `end` and, when gated, `scores` and `tau`: those
      of the forward op; `output` and `lse`: its results,
    - `grad_output`, of the type of `output`; `grad_lse [B, Hq, Nq]`, f32,
      optional,
    - destinations `grad_query`, `grad_key`, `grad_value`, of the types of
      `query`, `key`, `value`, and, when gated, `grad_scores` and `grad_tau`
      [B, Hkv, Nk], f32.

    Constraints: (C1) to (C8) as for `sparsek.sparse_attention`, and
    - (C9) `output` and `grad_output` have one shape and element type, `lse` and
      `grad_lse` one shape; `grad_query`, `grad_key` and `grad_value` have the
      shapes and element types of `query`, `key` and `value`.
    - (C10) `grad_scores` and `grad_tau` are there exactly when gated, with the
      shape of `end`.
    - (C11) operands are all tensors or all memrefs; results match the tensor
      destinations.

    Example:

    ```mlir
    %dq, %dk, %dv, %du, %dtau = sparsek.sparse_attention_grad
        gate(value) window(512)
        ins(%q, %k, %v, %end, %o, %lse, %do : tensor<1x8x?x128xf32>,
            tensor<1x2x?x128xf32>, tensor<1x2x?x128xf32>, tensor<1x2x?xi32>,
            tensor<1x8x?x128xf32>, tensor<1x8x?xf32>, tensor<1x8x?x128xf32>)
        gating(%u, %tau : tensor<1x2x?xf32>, tensor<1x2x?xf32>)
        outs(%dq0, %dk0, %dv0 : tensor<1x8x?x128xf32>, tensor<1x2x?x128xf32>,
             tensor<1x2x?x128xf32>)
        gating_outs(%du0, %dtau0 : tensor<1x2x?xf32>, tensor<1x2x?xf32>)
        -> tensor<1x8x?x128xf32>, tensor<1x2x?x128xf32>, tensor<1x2x?x128xf32>,
           tensor<1x2x?xf32>, tensor<1x2x?xf32>
    ```
  }];
  let arguments = (ins
    SparseK_FloatShaped:$query,
    SparseK_FloatShaped:$key,
    SparseK_FloatShaped:$value,
    SparseK_I32Shaped:$end,
    SparseK_FloatShaped:$output,
    SparseK_F32Shaped:$lse,
    SparseK_FloatShaped:$grad_output,
    Optional<SparseK_F32Shaped>:$grad_lse,
    Optional<SparseK_F32Shaped>:$scores,
    Optional<SparseK_F32Shaped>:$tau,
    SparseK_FloatShaped:$grad_query,
    SparseK_FloatShaped:$grad_key,
    SparseK_FloatShaped:$grad_value,
    Optional<SparseK_F32Shaped>:$grad_scores,
    Optional<SparseK_F32Shaped>:$grad_tau,
    DefaultValuedAttr<SparseK_GateAttr, "::mlir::sparsek::Gate::none">:$gate,
    DefaultValuedAttr<I64Attr, "0">:$window,
    OptionalAttr<F64Attr>:$scale,
    OptionalAttr<I64Attr>:$group);
  let assemblyFormat = [{
    (`gate` `(` custom<Gate>($gate)^ `)`)?
    (`window` `(` $window^ `)`)? (`scale` `(` $scale^ `)`)?
    (`group` `(` $group^ `)`)?
    `ins` `(` $query `,` $key `,` $value `,` $end `,` $output `,` $lse `,`
              $grad_output `:` type($query) `,` type($key) `,` type($value) `,`
              type($end) `,` type($output) `,` type($lse) `,`
              type($grad_output) `)`
    (`grad_lse` `(` $grad_lse^ `:` type($grad_lse) `)`)?
    (`gating` `(` $scores^ `,` $tau `:` type($scores) `,` type($tau) `)`)?
    `outs` `(` $grad_query `,` $grad_key `,` $grad_value `:`
               type($grad_query) `,` type($grad_key) `,` type($grad_value) `)`
    (`gating_outs` `(` $grad_scores^ `,` $grad_tau `:`
                       type($grad_scores) `,` type($grad_tau) `)`)?
    attr-dict (`->` type($results)^)?
  }];
  let hasCanonicalizer = 1;
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() {
      return ::mlir::MutableOperandRange(
          *this, getGradQueryMutable().getOperandNumber(),
          /*length=*/getGradScores() ? 5 : 3);
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

#endif // SPARSEK_DIALECT_SPARSEK_IR_SPARSEKGRADOPS_TD
