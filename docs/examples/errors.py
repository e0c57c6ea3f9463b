import numpy as np

import sparsek


def show(call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except (TypeError, ValueError, sparsek.CompileError) as error:
        print(f"{type(error).__name__}: {error}")


q = np.zeros((1, 8, 16, 64), np.float32)
k = v = np.zeros((1, 2, 16, 64), np.float32)
scores = np.zeros((1, 2, 16), np.float32)
end = np.zeros((1, 2, 16), np.int32)

show(sparsek.attention, q, k, v, scores, topk=0, window=4)
show(sparsek.attention, q, k[:, :, :8], v, scores, topk=4, window=4)
show(sparsek.attention, q[:, :7], k, v, scores, topk=4, window=4)
show(sparsek.sparse_attention, q, k, v, end.astype(np.int64))
show(sparsek.sparse_attention, q, k, v, end, gate="value")
show(sparsek.causal_topk_mask, [1.0, 2.0], topk=1, window=0)
show(sparsek.compile, "func.func @f(%x: tensor<?xf32>) -> tensor<?xf32> {\n  return %y : tensor<?xf32>\n}")
