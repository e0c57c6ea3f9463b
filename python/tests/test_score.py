# Part of the sparsek project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""sparsek.score against float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import sparsek
from support import DTYPES, normal


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("batch", "heads", "n", "c"), [(1, 1, 1, 1), (2, 3, 65, 20), (1, 8, 127, 256), (1, 2, 5, 0)])
def test_score(rng, batch, heads, n, c, dtype):
    x, weight = (torch.from_numpy(normal(rng, *shape)).to(DTYPES[dtype]) for shape in ((batch, n, c), (heads, c)))
    bias, slope = (torch.from_numpy(normal(rng, heads)) for _ in range(2))
    u = sparsek.score(x, weight, bias, slope)
    want = np.einsum("bnc,hc->bhn", x.double().numpy(), weight.double().numpy())
    want += (bias.double()[:, None] + slope.double()[:, None] * torch.arange(n)).numpy()
    assert u.dtype == torch.float32
    np.testing.assert_allclose(u.numpy(), want, rtol=1e-5, atol=1e-4)


def test_scores_feed_the_selection(rng):
    x, weight = normal(rng, 1, 40, 16), normal(rng, 2, 16)
    bias, slope = np.zeros(2, np.float32), np.full(2, 0.01, np.float32)
    end, _, _ = sparsek.causal_topk_mask(sparsek.score(x, weight, bias, slope), 4, 4)
    assert end.shape == (1, 2, 40)
    assert (end > np.arange(40)).all()
