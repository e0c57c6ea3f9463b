# Part of the sparsek project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""sparsek for torch: the operators ``torch.ops.sparsek.*`` and a module to build models from.

The functions of the package (`sparsek.attention` and its parts) take torch tensors and have gradients by themselves;
nothing here has to be imported for that. `SparseKAttention` is the attention layer, `reference` the same formulas in
plain torch, for any dtype.
"""

from sparsek.torch import _operators, reference
from sparsek.torch._module import SparseKAttention

# The operators exist once their module was imported.
assert _operators

__all__ = ["SparseKAttention", "reference"]
