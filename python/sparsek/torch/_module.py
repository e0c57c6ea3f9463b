# Part of the sparsek project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The attention layer."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from sparsek import _checks as check
from sparsek import _ops as ops

PositionEncoding = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


class SparseKAttention(nn.Module):
    """Causal self-attention whose queries see the latest keys and, of the older ones, those with the best scores.

    Projects x to queries, keys and values, scores every key with a linear network, and calls `sparsek.attention`.
    Through the gate the scores learn with everything else.

    Args:
        embed_dim: channels of the input and the output.
        num_heads: query heads.
        topk: how many keys older than the window a query sees, at least 1.
        window: the number of most recent keys that are always visible, at least 0.
        num_kv_heads: key/value heads, a divisor of num_heads; num_heads if None. Each has scores of its own.
        head_dim: channels of a head, embed_dim // num_heads if None.
        gate: "value", "key_value", or "none", with which the scores select but never learn.
        bias: whether the projections have biases.
        scale: factor of the logits, 1/sqrt(head_dim) if None.
        dropout: 0. Weights of attention are never stored, so none can be dropped; put nn.Dropout after the layer.
        device, dtype: of the parameters. The scores' bias and slope are computed with in float32 whatever their dtype.

    Parameters (names and shapes are stable): q_proj, k_proj, v_proj, o_proj as in nn.Linear; score_weight
    [num_kv_heads, embed_dim], score_bias [num_kv_heads], score_slope [num_kv_heads].

    Raises:
        TypeError, ValueError: as `sparsek.attention`; head counts that do not divide; dropout other than 0.
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        *,
        topk: int,
        window: int,
        num_kv_heads: int | None = None,
        head_dim: int | None = None,
        gate: str = "value",
        bias: bool = False,
        scale: float | None = None,
        dropout: float = 0.0,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.embed_dim = check.count("embed_dim", embed_dim, 1)
        self.num_heads = check.count("num_heads", num_heads, 1)
        self.num_kv_heads = self.num_heads if num_kv_heads is None else check.count("num_kv_heads", num_kv_heads, 1)
        if self.num_heads % self.num_kv_heads:
            raise ValueError(f"num_kv_heads: got {num_kv_heads}, needs a divisor of num_heads = {num_heads}")
        if head_dim is None and self.embed_dim % self.num_heads:
            raise ValueError(f"num_heads: got {num_heads}, needs a divisor of embed_dim = {embed_dim}, or a head_dim")
        self.head_dim = embed_dim // num_heads if head_dim is None else check.count("head_dim", head_dim, 1)
        if dropout != 0:
            raise ValueError(
                f"dropout: got {dropout}, needs 0: weights of attention are never stored, so none can be "
                "dropped; put nn.Dropout after the layer"
            )
        self.topk = check.count("topk", topk, 1)
        self.window = check.count("window", window, 0)
        self.gate = check.gate_name(gate)
        self.scale = check.finite("scale", scale)
        width, kv_width = self.num_heads * self.head_dim, self.num_kv_heads * self.head_dim

        def linear(inputs: int, outputs: int) -> nn.Linear:
            return nn.Linear(inputs, outputs, bias=bias, device=device, dtype=dtype)

        self.q_proj, self.o_proj = linear(embed_dim, width), linear(width, embed_dim)
        self.k_proj, self.v_proj = linear(embed_dim, kv_width), linear(embed_dim, kv_width)
        self.score_weight = nn.Parameter(torch.empty(self.num_kv_heads, embed_dim, device=device, dtype=dtype))
        self.score_bias = nn.Parameter(torch.empty(self.num_kv_heads, device=device, dtype=dtype))
        self.score_slope = nn.Parameter(torch.empty(self.num_kv_heads, device=device, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """The projections as nn.Linear; scores of unit variance for inputs of unit variance, blind to the position."""
        for projection in (self.q_proj, self.k_proj, self.v_proj, self.o_proj):
            projection.reset_parameters()
        nn.init.normal_(self.score_weight, std=1 / math.sqrt(self.embed_dim))
        nn.init.zeros_(self.score_bias)
        nn.init.zeros_(self.score_slope)

    def scores(self, x: Tensor) -> Tensor:
        """One score per key [B, num_kv_heads, N], float32, of the input [B, N, embed_dim]."""
        result: Tensor = ops.score(x, self.score_weight.to(x.dtype), self.score_bias.float(), self.score_slope.float())
        return result

    def forward(self, x: Tensor, position_encoding: PositionEncoding | None = None) -> Tensor:
        """The output [B, N, embed_dim] for x [B, N, embed_dim].

        `position_encoding` takes and returns q [B, num_heads, N, head_dim] and k [B, num_kv_heads, N, head_dim];
        without it the layer does not know positions, but for the slope of the scores.
        """
        if x.dim() != 3 or x.shape[-1] != self.embed_dim:
            raise ValueError(f"x: got shape {list(x.shape)}, needs 3 dimensions [B, N, {self.embed_dim}]")

        def heads(projected: Tensor) -> Tensor:
            return projected.view(*x.shape[:2], -1, self.head_dim).transpose(1, 2)

        q, k, v = heads(self.q_proj(x)), heads(self.k_proj(x)), heads(self.v_proj(x))
        if position_encoding is not None:
            q, k = position_encoding(q, k)
        result: Tensor = self.o_proj(self.attend(q, k, v, x).transpose(1, 2).flatten(2))
        return result

    def attend(self, q: Tensor, k: Tensor, v: Tensor, x: Tensor) -> Tensor:
        """The heads' outputs [B, num_heads, N, head_dim]; a subclass may put another kind of attention here."""
        result: Tensor = ops.attention(
            q, k, v, self.scores(x), topk=self.topk, window=self.window, gate=self.gate, scale=self.scale
        )
        return result

    def extra_repr(self) -> str:
        return (
            f"embed_dim={self.embed_dim}, num_heads={self.num_heads}, num_kv_heads={self.num_kv_heads}, "
            f"topk={self.topk}, window={self.window}, gate={self.gate!r}"
        )
