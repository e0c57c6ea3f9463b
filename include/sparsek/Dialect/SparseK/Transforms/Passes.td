//===- Passes.td - Passes of the sparsek dialect ------------*- tablegen -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEK_DIALECT_SPARSEK_TRANSFORMS_PASSES_TD
#define SPARSEK_DIALECT_SPARSEK_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def SparseKCheckShapes : Pass<"sparsek-check-shapes", "::mlir::ModuleOp"> {
  let summary = "check at run time that the sizes of operands agree";
  let description = [{
    The verifiers compare static sizes. This pass compares the dynamic ones that
    an op's constraints tie together, before the op runs:

    ```mlir
    %ok = llvm.call @sparsek_check_equal(%message, %got, %expected)
            : (!llvm.ptr, i64, i64) -> i1
    %r = scf.if %ok -> (tensor<4x?xf32>) {
      %0 = sparsek.topk_mask ... outs(%init, ...)
      scf.yield %0 : tensor<4x?xf32>
    } else {
      scf.yield %init : tensor<4x?xf32>
    }
    ```

    `sparsek_check_equal`, which the runtime library provides, compares and
    records the first message of a call, with `$0` and `$1` replaced by the two
    sizes. What the other branch yields is for nobody to read: the destination,
    or new memory where that is an argument of the function. After a failed check the later ops of the block are skipped, too, so
    that none reads beyond its operands. A size that is known to equal another
    one, or was checked before, is not checked.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::LLVM::LLVMDialect",
                           "::mlir::memref::MemRefDialect",
                           "::mlir::scf::SCFDialect",
                           "::mlir::tensor::TensorDialect"];
}

def SparseKLowerScore : Pass<"sparsek-lower-score"> {
  let summary = "lower sparsek.score to dot products in vectors, or to linalg";
  let description = [{
    Rewrites `sparsek.score` on tensors. With a static number of channels, at
    least 32, into a parallel loop over the rows of `x` with a dot product per
    head: 32 partial sums, which `sparsek-vectorize-tiles` keeps in vectors.
    Otherwise into linalg that starts from `bias[h] + slope[h] * n` and
    accumulates `x[b, n, c] * weight[h, c]`.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::linalg::LinalgDialect",
                           "::mlir::scf::SCFDialect",
                           "::mlir::tensor::TensorDialect"];
}

def SparseKMemRefToTensor : Pass<"sparsek-memref-to-tensor"> {
  let summary = "rewrite sparsek ops on memrefs to ops on tensors";
  let description = [{
    Wraps every `sparsek` op on memrefs in `bufferization.to_tensor` and
    `bufferization.materialize_in_destination`, so that every lowering starts
    from tensors. The destinations are wrapped as writable: where the lowering
    writes its results in place, bufferization leaves no copy.

    A destination that shares its memory visibly with an operand that is read
    (one memref, or views of one) is computed apart and copied. Memrefs that
    overlap without the IR showing it are the caller's mistake, as they are for
    the ops themselves.
  }];
  let dependentDialects = ["::mlir::bufferization::BufferizationDialect",
                           "::mlir::memref::MemRefDialect",
                           "::mlir::tensor::TensorDialect"];
}

def SparseKTileAttention : Pass<"sparsek-tile-attention"> {
  let summary = "tile sparse attention and its gradient into linalg on tiles";
  let description = [{
    Rewrites `sparsek.sparse_attention` on tensors into a parallel loop over
    (batch, kv head, chunk of query tiles), a loop over the tiles of a chunk that
    keeps the ascending list of live keys, and a loop over blocks of that list.
    The body gathers a block of keys and values into tile-sized tensors and takes
    one step of the online softmax per query head of the group, all in linalg on
    tensors of static shape. Keys run along rows and queries along columns, so
    that every reduction of the softmax is over rows. A list's last keys, where
    they fill less than three quarters of a block, go in blocks of 16.

    `sparsek.sparse_attention_grad` becomes a parallel loop over (batch, kv head)
    over the same tiles and blocks; the body has the five products of the
    backward, and adds the gradients of keys and values to their rows in order of
    position, so that the bits do not depend on the number of threads.

    `queries` is the number of query positions per tile (0: by group size),
    `keys` the number of keys per block.
  }];
  let options = [
    Option<"vectorBits", "vector-bits", "int64_t", /*default=*/"512",
           "width of the target's vector registers: 128, 256, 512">,
    Option<"queries", "queries", "int64_t", /*default=*/"0",
           "query positions per tile; 0 chooses by group size">,
    Option<"keys", "keys", "int64_t", /*default=*/"96", "keys per block">,
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::linalg::LinalgDialect",
                           "::mlir::math::MathDialect",
                           "::mlir::scf::SCFDialect",
                           "::mlir::tensor::TensorDialect"];
}

def SparseKVectorizeTiles : Pass<"sparsek-vectorize-tiles", "::mlir::func::FuncOp"> {
  let summary = "tile static linalg ops to registers and vectorize them";
  let description = [{
    Every linalg op on tensors of static shape is tiled on tensors to the size
    of a register tile and vectorized; what a loop reads and writes at a fixed
    place (the accumulators of a product, the running maximum) is hoisted into
    vectors carried by the loop. Contractions become `vector.contract` on
    rows x (2 vectors) x 1 tiles; elementwise ops and reductions over rows work
    on a few rows of the same width. Ops of dynamic shape stay as they are.

    `vector-bits` is the width of the target's vector registers.
  }];
  let options = [
    Option<"vectorBits", "vector-bits", "int64_t", /*default=*/"512",
           "width of the target's vector registers: 128, 256, 512">,
  ];
  let dependentDialects = ["::mlir::affine::AffineDialect",
                           "::mlir::arith::ArithDialect",
                           "::mlir::scf::SCFDialect",
                           "::mlir::tensor::TensorDialect",
                           "::mlir::vector::VectorDialect"];
}

def SparseKBufferize : Pass<"sparsek-bufferize", "::mlir::ModuleOp"> {
  let summary = "one-shot bufferization with the project's calling convention";
  let description = [{
    One-shot bufferization of a module. Tensors at function boundaries become
    memrefs with dynamic offset and strides whose innermost stride is 1
    (`strided<[?, ..., ?, 1], offset: ?>`), so that a caller's strided views need
    no copy and rows still load as vectors.
  }];
  let dependentDialects = ["::mlir::bufferization::BufferizationDialect",
                           "::mlir::memref::MemRefDialect"];
}

def SparseKLowerVectors : Pass<"sparsek-lower-vectors"> {
  let summary = "lower vector ops to what LLVM maps to registers";
  let description = [{
    Contractions become outer products, multi-reductions over rows elementwise
    ops, transposes 16x16 shuffles, transfers plain loads and stores.
  }];
  let dependentDialects = ["::mlir::affine::AffineDialect",
                           "::mlir::arith::ArithDialect",
                           "::mlir::memref::MemRefDialect",
                           "::mlir::scf::SCFDialect",
                           "::mlir::vector::VectorDialect"];
}

def SparseKApproximateMath : Pass<"sparsek-approximate-math"> {
  let summary = "expand f32 exp2 and log2 into arithmetic";
  let description = [{
    `math.exp2` on f32 becomes range reduction, a degree-6 polynomial and an
    exponent built in integer arithmetic: within 1 ulp, except that results up
    to 2^-125.5 are exactly 0 (masked logits of -inf vanish); `math.log2`
    becomes upstream's polynomial. Neither calls a library, so both stay in
    vector registers.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::math::MathDialect",
                           "::mlir::vector::VectorDialect"];
}

def SparseKLowerCopies : Pass<"sparsek-lower-copies"> {
  let summary = "lower memref.copy to vectors or linalg.copy";
  let description = [{
    A copy of one short row of static length becomes one vector read and write,
    every other copy a `linalg.copy`, so that strided copies need no call into
    a runtime library.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::linalg::LinalgDialect",
                           "::mlir::vector::VectorDialect"];
}

def SparseKDifferentiate : Pass<"sparsek-differentiate", "::mlir::ModuleOp"> {
  let summary = "append the backward functions of functions on tensors";
  let description = [{
    Appends to a function `@f` its backward function `@f_grad`. It takes the
    arguments of `@f` and, for every float tensor that `@f` returns, the gradient
    of the loss with respect to it; it computes `@f` again and returns the
    gradients of the loss with respect to the float tensor arguments of `@f`, in
    their order:

    ```mlir
    func.func @f(%z: tensor<4x9xf32>, %w: tensor<4x9xf32>) -> tensor<4x9xf32> {
      %p0 = tensor.empty() : tensor<4x9xf32>
      %t0 = tensor.empty() : tensor<4xf32>
      %p, %t = sparsek.topk_mask topk(2) ins(%z : tensor<4x9xf32>)
          outs(%p0, %t0 : tensor<4x9xf32>, tensor<4xf32>)
          -> tensor<4x9xf32>, tensor<4xf32>
      %y = arith.mulf %p, %w : tensor<4x9xf32>
      return %y : tensor<4x9xf32>
    }
    ```

    gets, after it,

    ```mlir
    func.func @f_grad(%z: tensor<4x9xf32>, %w: tensor<4x9xf32>,
                      %dy: tensor<4x9xf32>)
        -> (tensor<4x9xf32>, tensor<4x9xf32>) {
      %p0 = tensor.empty() : tensor<4x9xf32>
      %t0 = tensor.empty() : tensor<4xf32>
      %p, %t = sparsek.topk_mask topk(2) ins(%z : tensor<4x9xf32>)
          outs(%p0, %t0 : tensor<4x9xf32>, tensor<4xf32>)
          -> tensor<4x9xf32>, tensor<4xf32>
      %dp = arith.mulf %dy, %w : tensor<4x9xf32>
      %dw = arith.mulf %dy, %p : tensor<4x9xf32>
      %dz0 = tensor.empty() : tensor<4x9xf32>
      %dz = sparsek.topk_mask_grad
          ins(%z, %t, %dp : tensor<4x9xf32>, tensor<4xf32>, tensor<4x9xf32>)
          outs(%dz0 : tensor<4x9xf32>) -> tensor<4x9xf32>
      return %dz, %dw : tensor<4x9xf32>, tensor<4x9xf32>
    }
    ```

    An argument is a destination, without a gradient, if ops overwrite it whole
    and nothing reads its elements: the `outs` of a sparsek op, of `linalg.fill`
    and of other linalg ops whose body does not read it. Integers and scalar
    arguments are constants. The gradient of an argument on which no result
    depends is zero.

    There are rules for

    - the sparsek ops, through `sparsek.topk_mask_grad`,
      `sparsek.causal_topk_mask_grad` and `sparsek.sparse_attention_grad`,
      `sparsek.score` through contractions,
    - linalg ops whose iterators are parallel or reductions that add and whose
      indexing maps are projected permutations, if their bodies have rules:
      contractions (`linalg.contract`, `linalg.matmul` and its relatives),
      transposes, broadcasts, sums, elementwise ops, `linalg.generic`,
    - on tensors and in those bodies `arith.addf`, `subf`, `mulf`, `divf`,
      `negf`, `extf`, `truncf`, `select`, `math.exp`, `log`, `sqrt`, `rsqrt`,
      `tanh`,
    - `tensor.cast`, `expand_shape`, `collapse_shape`, `extract_slice` and
      `insert_slice`.

    Sums are f32 or wider. Any other op between an argument and a result is an
    error at its location, and so are functions on memrefs, functions with
    several blocks, and ops with side effects that read what depends on an
    argument. Ops on which no gradient depends are kept as they are.

    `functions` names the functions; by default they are the public ones with a
    sparsek op in them that take and return float tensors. A declaration of
    `@f_grad`, through which the same module can call it, is replaced.
  }];
  let options = [
    ListOption<"functions", "functions", "std::string",
               "the functions to differentiate; by default the public ones with "
               "a sparsek op">,
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::linalg::LinalgDialect",
                           "::mlir::tensor::TensorDialect"];
}

#endif // SPARSEK_DIALECT_SPARSEK_TRANSFORMS_PASSES_TD
