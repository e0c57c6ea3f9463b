# Part of the sparsek project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Calls from several threads at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np

import sparsek
from support import normal, scores_of


def test_calls_from_several_threads(rng):
    jobs = []
    for n in (30, 65, 100, 129):
        q, k, v = (normal(rng, 1, heads, n, 64) for heads in (4, 2, 2))
        jobs.append((q, k, v, scores_of(rng, "normal", 1, 2, n)))
    want = [sparsek.attention(*job, topk=8, window=16) for job in jobs]
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda i: sparsek.attention(*jobs[i % 4], topk=8, window=16), range(64)))
    for i, o in enumerate(results):
        np.testing.assert_array_equal(o, want[i % 4])


def test_first_calls_from_several_threads(rng):
    # The module of topk 3 is compiled by whichever thread comes first.
    z = scores_of(rng, "normal", 4, 50)
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: sparsek.topk_mask(z, 3), range(8)))
    for p, tau in results:
        np.testing.assert_array_equal(p, results[0][0])
        np.testing.assert_array_equal(tau, results[0][1])


def test_compilations_and_errors_from_several_threads():
    def work(i: int) -> str:
        name = f"f{i % 4}"
        if i % 2:
            try:
                sparsek.compile(f"func.func @{name}() {{ sparsek.bad{i} }}")
            except sparsek.CompileError as error:
                return str(error)
        module = sparsek.compile(
            f"func.func @{name}(%x: tensor<2xf32>) -> tensor<2xf32> {{ return %x : tensor<2xf32> }}"
        )
        return str(module[name](np.float32([1, i])).tolist())

    with ThreadPoolExecutor(4) as pool:
        for i, text in enumerate(pool.map(work, range(16))):
            assert (f"bad{i}" if i % 2 else f"[1.0, {float(i)}]") in text
