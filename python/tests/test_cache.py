# Part of the sparsek project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The cache of compiled code on disk, from child processes with a folder of their own."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

CODE = """
import numpy as np, sparsek
p, tau = sparsek.topk_mask(np.arange(6, dtype=np.float32), 2)
assert p.tolist() == [0, 0, 0, 0, 1, 1], p
"""


def run(environment: dict[str, str], code: str = CODE) -> None:
    subprocess.run([sys.executable, "-c", code], env=environment, check=True, timeout=60)


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def cache(clean_environment) -> Path:
    return Path(clean_environment["SPARSEK_CACHE_DIR"])


def test_a_second_process_takes_what_the_first_left(clean_environment, cache):
    run(clean_environment)
    first = {path: path.stat().st_mtime_ns for path in files(cache)}
    assert first
    run(clean_environment)
    assert {path: path.stat().st_mtime_ns for path in files(cache)} == first


def test_damaged_files_are_compiled_again(clean_environment, cache):
    run(clean_environment)
    for path in files(cache):
        content = path.read_bytes()
        for damaged in (content[: len(content) // 2], b"", b"x" * len(content), content[:-1] + b"\x55"):
            path.write_bytes(damaged)
            run(clean_environment)


def test_a_folder_that_cannot_be_written(clean_environment, cache):
    # A file where the folder should be stops root too, whom permissions do not.
    cache.rmdir()
    cache.write_text("not a folder")
    run(clean_environment)
    assert cache.read_text() == "not a folder"


def test_a_read_only_folder(clean_environment):
    # Root writes everywhere, so the child becomes somebody else once the package is loaded.
    drop = "import os, numpy, sparsek\nif os.geteuid() == 0: os.seteuid(65534)\n"
    with tempfile.TemporaryDirectory() as parent:
        Path(parent).chmod(0o755)
        folder = Path(parent) / "cache"
        folder.mkdir()
        folder.chmod(0o555)
        run({**clean_environment, "SPARSEK_CACHE_DIR": str(folder)}, drop + CODE)
        assert not files(folder)


def test_no_cache(clean_environment, cache):
    run(clean_environment, "import sparsek; sparsek.compile('func.func @f() { return }', cache=False)")
    assert not files(cache)


def test_no_home(clean_environment):
    environment = {key: value for key, value in clean_environment.items() if key not in ("HOME", "XDG_CACHE_HOME")}
    del environment["SPARSEK_CACHE_DIR"]
    run(environment)


def test_two_processes_at_once(clean_environment):
    children = [subprocess.Popen([sys.executable, "-c", CODE], env=clean_environment) for _ in range(3)]
    assert [child.wait(timeout=60) for child in children] == [0, 0, 0]
