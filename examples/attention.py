# Part of the sparsek project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""SparseK attention in a few lines, on numpy arrays and on torch tensors."""

import numpy as np

import sparsek

rng = np.random.default_rng(0)
batch, heads, kv_heads, length, d = 1, 8, 2, 2000, 64
q = rng.standard_normal((batch, heads, length, d), np.float32)
k, v = (rng.standard_normal((batch, kv_heads, length, d), np.float32) for _ in range(2))
scores = rng.standard_normal((batch, kv_heads, length), np.float32)

# Every query sees the 64 most recent keys and, of the older ones, the 128 with the best scores.
o = sparsek.attention(q, k, v, scores, topk=128, window=64)
print("numpy", o.shape, o.dtype)

try:
    import torch
except ImportError:
    pass
else:
    tensors = [torch.from_numpy(x) for x in (q, k, v, scores)]
    o_torch = sparsek.attention(*tensors, topk=128, window=64)
    print("torch", tuple(o_torch.shape), o_torch.dtype, "equal:", bool((o_torch.numpy() == o).all()))
