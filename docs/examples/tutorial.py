import numpy as np

import sparsek

# One head, six tokens, four channels.
rng = np.random.default_rng(0)
q, k, v = rng.standard_normal((3, 1, 1, 6, 4), dtype=np.float32)
scores = np.array([[[3, 1, 4, 1, 5, 9]]], np.float32)

o = sparsek.attention(q, k, v, scores, topk=2, window=1, gate="none")

end, tau, free = sparsek.causal_topk_mask(scores, topk=2, window=1)
print("end ", end[0, 0])
print("tau ", tau[0, 0])
print("free", free[0, 0])

# The same with the mask in plain sight: key j is visible to the queries j <= i < end[j].
i, j = np.arange(6)[:, None], np.arange(6)[None, :]
visible = (j <= i) & (i < end[0, 0])
print(visible.astype(int))
logits = np.where(visible, q[0, 0] @ k[0, 0].T / np.sqrt(4), -np.inf)
weights = np.exp(logits - logits.max(axis=1, keepdims=True))
expected = weights / weights.sum(axis=1, keepdims=True) @ v[0, 0]
print("equal:", np.allclose(o[0, 0], expected, atol=1e-6))
