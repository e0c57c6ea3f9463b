# Part of the sparsek project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""SparseK attention, compiled by MLIR: linear-time attention that keeps the keys with the best scores.

`attention` is the everyday call; `causal_topk_mask`, `sparse_attention`, `topk_mask` and `score` are its parts;
`compile` takes any MLIR module of the dialect. Arrays are numpy's, torch's or of any library with DLPack, and results
come back as the same kind. Calls on torch tensors on the CPU have gradients; `sparsek.torch` has a layer. On CUDA GPUs
`sparse_attention` runs, forward, and so does what `compile` compiles for them.

Calls release the GIL and may come from several threads. A process that has made a call must not fork and go on calling
in the child: the worker threads do not survive a fork (use "spawn").
"""

from typing import Any

from sparsek._compile import CompileError, Function, Module, compile, targets, version  # noqa: A004
from sparsek._ops import attention, causal_topk_mask, score, sparse_attention, topk_mask

__all__ = [
    "CompileError",
    "Function",
    "Module",
    "attention",
    "causal_topk_mask",
    "compile",
    "score",
    "sparse_attention",
    "targets",
    "topk_mask",
    "version",
]


def __getattr__(name: str) -> Any:
    """``sparsek.torch``, imported when it is first named: the package works without torch."""
    if name == "torch":
        import importlib

        return importlib.import_module("sparsek.torch")
    raise AttributeError(f"module 'sparsek' has no attribute {name!r}")
