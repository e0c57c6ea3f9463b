# Part of the sparsek project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""torch.vmap of the operators: the mapped dimension becomes a part of one that the operator has already."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

Rule = Callable[..., tuple[Any, Any]]


def _front(value: Any, dim: int | None, size: int) -> Any:
    """The mapped dimension first; tensors that are not mapped get one."""
    if not isinstance(value, Tensor):
        return value
    return value.unsqueeze(0).expand(size, *value.shape) if dim is None else value.movedim(dim, 0)


def _zeros(outputs: Any) -> Any:
    """out_dims: the mapped dimension of every output is its first."""
    return 0 if isinstance(outputs, Tensor) else type(outputs)(0 for _ in outputs)


def leading(operator: Any) -> Rule:
    """For operators over any number of leading dimensions."""

    def rule(info: Any, in_dims: Any, *arguments: Any) -> tuple[Any, Any]:
        pairs = zip(arguments, in_dims, strict=True)
        outputs = operator(*[_front(value, dim, info.batch_size) for value, dim in pairs])
        return outputs, _zeros(outputs)

    return rule


def folded(operator: Any) -> Rule:
    """For operators whose tensors all begin with the batch B: the mapped dimension goes into it."""

    def rule(info: Any, in_dims: Any, *arguments: Any) -> tuple[Any, Any]:
        size = info.batch_size
        fronts = [_front(value, dim, size) for value, dim in zip(arguments, in_dims, strict=True)]
        outputs = operator(*[value.flatten(0, 1) if isinstance(value, Tensor) else value for value in fronts])

        def unfold(tensor: Tensor) -> Tensor:
            return tensor.view(size, tensor.shape[0] // size, *tensor.shape[1:])

        outputs = unfold(outputs) if isinstance(outputs, Tensor) else type(outputs)(unfold(x) for x in outputs)
        return outputs, _zeros(outputs)

    return rule


def stacked(operator: Any) -> Rule:
    """For operators with weights: one call per index of the mapped dimension."""

    def rule(info: Any, in_dims: Any, *arguments: Any) -> tuple[Any, Any]:
        fronts = [_front(value, dim, info.batch_size) for value, dim in zip(arguments, in_dims, strict=True)]
        return torch.stack([operator(*values) for values in zip(*fronts, strict=True)]), 0

    return rule
