import torch

import sparsek
from sparsek.torch import SparseKAttention, reference

torch.manual_seed(0)

# The calls of the package have gradients.
z = torch.tensor([2.0, 1.0, 0.5, -3.0], requires_grad=True)
p, tau = sparsek.topk_mask(z, topk=2)
(p * torch.tensor([0.0, 1.0, 3.0, 0.0])).sum().backward()
print("p     ", p.tolist())
print("dz    ", z.grad.tolist())

# A layer: projections, scores and attention. Its scores learn through the gate.
layer = SparseKAttention(64, num_heads=8, num_kv_heads=2, topk=16, window=16)
x = torch.randn(2, 200, 64)
layer(x).square().mean().backward()
print("scores", layer.score_weight.grad.abs().sum(1).gt(0).tolist())

# The call against the same formula in plain torch and float64.
shapes = (1, 8, 200, 8), (1, 2, 200, 8), (1, 2, 200, 8), (1, 2, 200)
inputs = [torch.randn(shape) for shape in shapes]
gradients = []
for function, dtype in ((sparsek.attention, torch.float32), (reference.attention, torch.float64)):
    leaves = [tensor.to(dtype, copy=True).requires_grad_() for tensor in inputs]
    function(*leaves, topk=16, window=16).square().sum().backward()
    gradients.append([leaf.grad for leaf in leaves])
for name, found, wanted in zip(("q", "k", "v", "scores"), *gradients, strict=True):
    print(f"{name:6} within 1e-5:", torch.allclose(found.double(), wanted, rtol=1e-5, atol=1e-5))
