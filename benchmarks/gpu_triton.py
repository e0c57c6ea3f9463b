# Part of the sparsek project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The peer of gpu.py: attention over keys with lifetimes in Triton, as a good user would write it by hand.

Queries go in blocks of one head. For each block a list holds the keys that any of its queries sees; the kernel gathers
their rows and masks what single queries do not see. The block sizes are the fastest of those tried on an H100.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl

BLOCK_QUERIES, BLOCK_KEYS, WARPS, STAGES = 64, 64, 4, 2


@triton.jit
def _attention(
    Q, K, V, END, KEYS, STARTS, OUT, scale, N, D: tl.constexpr, GROUP: tl.constexpr, BM: tl.constexpr, BN: tl.constexpr
):
    block, head = tl.program_id(0), tl.program_id(1).to(tl.int64)
    kv = head // GROUP
    row, column, slot = block * BM + tl.arange(0, BM), tl.arange(0, D), tl.arange(0, BN)
    tile = row[:, None] * D + column[None, :]
    inside = row[:, None] < N
    q = tl.load(Q + head * N * D + tile, mask=inside, other=0.0)
    top = tl.full([BM], -1e30, tl.float32)
    total = tl.zeros([BM], tl.float32)
    result = tl.zeros([BM, D], tl.float32)
    starts = STARTS + kv * (tl.num_programs(0) + 1) + block
    first, last = tl.load(starts), tl.load(starts + 1)
    for start in range(first, last, BN):
        valid = start + slot < last
        key = tl.load(KEYS + start + slot, mask=valid, other=0)
        end = tl.load(END + kv * N + key, mask=valid, other=0)
        rows = key[:, None] * D + column[None, :]
        k = tl.load(K + kv * N * D + rows)
        logits = tl.dot(q, tl.trans(k)) * scale
        seen = (key[None, :] <= row[:, None]) & (row[:, None] < end[None, :])
        logits = tl.where(seen, logits, -1e30)
        new_top = tl.maximum(top, tl.max(logits, 1))
        weights = tl.exp2(logits - new_top[:, None])
        factor = tl.exp2(top - new_top)
        total = total * factor + tl.sum(weights, 1)
        v = tl.load(V + kv * N * D + rows)
        result = tl.dot(weights.to(v.dtype), v, result * factor[:, None])
        top = new_top
    result = result / total[:, None]
    tl.store(OUT + head * N * D + tile, result.to(OUT.dtype.element_ty), mask=inside)


def live_keys(end: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """For lifetimes [Hkv, N]: the keys of every block of queries, all lists one after the other, and where each block's
    begins and ends [Hkv, blocks + 1], as int32."""
    heads, n = end.shape
    blocks = triton.cdiv(n, BLOCK_QUERIES)
    starts = torch.empty(heads, blocks + 1, dtype=torch.int64, device=end.device)
    lists, offset = [], 0
    key = torch.arange(n, device=end.device, dtype=torch.int32)
    for head in range(heads):
        first = key // BLOCK_QUERIES
        blocks_of_key = ((end[head] - 1) // BLOCK_QUERIES - first + 1).clamp(min=0)
        owner = torch.repeat_interleave(key, blocks_of_key)
        begin = blocks_of_key.cumsum(0) - blocks_of_key
        block = first[owner] + (torch.arange(len(owner), device=end.device) - begin[owner]).int()
        _, order = block.sort(stable=True)
        lists.append(owner[order])
        starts[head, 0] = offset
        starts[head, 1:] = offset + torch.bincount(block, minlength=blocks).cumsum(0)
        offset += len(owner)
    return torch.cat(lists), starts.int()


def attention(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, end: torch.Tensor, keys: torch.Tensor, starts: torch.Tensor
) -> torch.Tensor:
    """o [Hq, N, d] for q [Hq, N, d], k and v [Hkv, N, d], end [Hkv, N] and its `live_keys`; every query sees a key."""
    heads, n, d = q.shape
    o = torch.empty_like(q)
    scale = d**-0.5 * 1.4426950408889634
    _attention[(triton.cdiv(n, BLOCK_QUERIES), heads)](
        q, k, v, end, keys, starts, o, scale, n, d, heads // k.shape[0], BLOCK_QUERIES, BLOCK_KEYS,
        num_warps=WARPS, num_stages=STAGES,
    )  # fmt: skip
    return o
