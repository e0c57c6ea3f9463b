# Part of the sparsek project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The exp2 that compiled code uses, over its whole range."""

from __future__ import annotations

import numpy as np
import pytest

import sparsek

MODULE = """
func.func @exp2(%x: tensor<?xf32>) -> tensor<?xf32> {
  %0 = math.exp2 %x : tensor<?xf32>
  return %0 : tensor<?xf32>
}
"""


@pytest.fixture(scope="module")
def exp2() -> sparsek.Function:
    return sparsek.compile(MODULE).exp2


def test_is_within_one_ulp(exp2: sparsek.Function) -> None:
    x = np.concatenate([np.linspace(-125.499, 127.999, 1_000_003), np.linspace(-1, 1, 1_000_003)]).astype(np.float32)
    want = np.exp2(x.astype(np.float64))
    error = np.abs(exp2(x) - want) / np.spacing(want.astype(np.float32))
    assert error.max() <= 1


def test_vanishes_below_its_range(exp2: sparsek.Function) -> None:
    assert not exp2(np.array([-np.inf, -1e30, -1000, -126, -125.5], np.float32)).any()


def test_overflows_and_keeps_nan(exp2: sparsek.Function) -> None:
    assert np.isposinf(exp2(np.array([128, 1000, np.inf], np.float32))).all()
    assert np.isnan(exp2(np.array([np.nan], np.float32))).all()
