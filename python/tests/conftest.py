# Part of the sparsek project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Fixtures of the whole suite: inputs from one seed, and a cache folder of its own for each run."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

settings.register_profile("sparsek", deadline=None, max_examples=25, derandomize=True, database=None)
settings.load_profile("sparsek")


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> np.random.Generator:
    """A generator seeded by the test's name."""
    return np.random.default_rng(list(request.node.name.encode()))


@pytest.fixture
def clean_environment(tmp_path: Path) -> dict[str, str]:
    """The environment for a child process whose compile cache is empty and lies in tmp_path."""
    import sparsek

    package_parent = str(Path(sparsek.__file__).parent.parent)
    cache = tmp_path / "cache"
    cache.mkdir()
    return {**os.environ, "PYTHONPATH": package_parent, "SPARSEK_CACHE_DIR": str(cache)}
