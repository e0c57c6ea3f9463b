# Part of the sparsek project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The package as a whole: its public names, its files, and how it finds its library."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import sparsek

PUBLIC = {
    "attention", "causal_topk_mask", "compile", "score", "sparse_attention", "targets", "topk_mask", "version",
}  # fmt: skip


def child(code: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(Path(sparsek.__file__).parent.parent), **variables}
    return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60)


def test_public_names_have_docstrings():
    assert set(sparsek.__all__) >= PUBLIC
    for name in sparsek.__all__:
        assert getattr(sparsek, name).__doc__


def test_the_package_is_typed():
    assert (Path(sparsek.__file__).parent / "py.typed").exists()


def test_a_missing_library_is_an_import_error(tmp_path):
    done = child("import sparsek", SPARSEK_LIBRARY=str(tmp_path / "none.so"))
    assert done.returncode == 1
    assert "ImportError: sparsek: libSparseK.so not found" in done.stderr
    assert "none.so" in done.stderr


def test_a_library_that_is_none_is_an_import_error(tmp_path):
    fake = tmp_path / "libSparseK.so"
    fake.write_text("not a library")
    done = child("import sparsek", SPARSEK_LIBRARY=str(fake))
    assert "ImportError: sparsek" in done.stderr
    assert "cannot be loaded" in done.stderr


def test_the_process_exits_cleanly_while_results_are_alive():
    code = (
        "import numpy as np, sparsek\n"
        "m = sparsek.compile('func.func @f(%x: tensor<2xf32>) -> tensor<2xf32> {"
        " %y = arith.addf %x, %x : tensor<2xf32> return %y : tensor<2xf32> }')\n"
        "y = m.f(np.ones(2, np.float32)); print(y.tolist())"
    )
    done = child(code)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[2.0, 2.0]"
    assert not done.stderr
