# Part of the sparsek project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Any policy of eviction: key j is visible to the queries j <= i < end[j], and `end` is just an array."""

import numpy as np

import sparsek

rng = np.random.default_rng(0)
n, d = 1000, 64
q, k, v = (rng.standard_normal((1, 4, n, d), np.float32) for _ in range(3))
position = np.arange(n, dtype=np.int32)


def run(name: str, end: np.ndarray) -> np.ndarray:
    """Attention under one lifetime per key, the same for all 4 heads."""
    o, _ = sparsek.sparse_attention(q, k, v, np.broadcast_to(end.astype(np.int32), (1, 4, n)))
    pairs = int((np.minimum(end, n) - position).sum())
    print(f"{name:<16} {pairs:>7} of {n * (n + 1) // 2} pairs")
    return np.asarray(o)


causal = run("causal", np.full(n, n))
window = run("sliding window", position + 128)
sinks = run("attention sinks", np.where(position < 4, n, position + 128))

# Documents packed into one sequence: a key dies where its document ends.
lengths = np.array([300, 120, 580])
documents = run("documents", np.repeat(np.cumsum(lengths), lengths))

# The second document does not see the first: it comes out as it would alone.
part = slice(300, 420)
alone, _ = sparsek.sparse_attention(q[:, :, part], k[:, :, part], v[:, :, part], np.full((1, 4, 120), 120, np.int32))
print("packed and alone differ by", float(np.abs(documents[:, :, part] - alone).max()))
