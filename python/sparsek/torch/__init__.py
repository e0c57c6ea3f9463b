# Part of the sparsek project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""sparsek for torch: the operators ``torch.ops.sparsek.*`` and a module to build models from.

The functions of the package (`sparsek.attention` and its parts) take torch tensors and have gradients by themselves;
nothing here has to be imported for that. `SparseKAttention` is the attention layer, `reference` the same formulas in
plain torch, for any dtype.
"""

# The alias says that the import is meant: it registers the operators.
from sparsek.torch import _operators as _operators
from sparsek.torch import reference
from sparsek.torch._module import SparseKAttention

__all__ = ["SparseKAttention", "reference"]
