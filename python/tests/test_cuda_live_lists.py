# Part of the sparsek project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""sparsek.live_lists on a GPU: equal to its definition, for every policy, tile and length."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch

import oracle
import sparsek
from cuda_support import needs_gpu

I32 = np.iinfo(np.int32)
Lists = tuple[np.ndarray, np.ndarray, np.ndarray]

# `queries` only has the number of queries as its length.
MODULE = """
func.func @live_lists(%end: memref<?x?x?xi32>, %queries: memref<?xi32>, %start: memref<?x?x?xi32>,
                      %count: memref<?x?x?xi32>, %list: memref<?x?x?x?xi32>) {
  %c0 = arith.constant 0 : index
  %nq = memref.dim %queries, %c0 : memref<?xi32>
  sparsek.live_lists tile(TILE) ins(%end : memref<?x?x?xi32>) queries(%nq)
      outs(%start, %count, %list : memref<?x?x?xi32>, memref<?x?x?xi32>, memref<?x?x?x?xi32>)
  return
}
"""


def topk(rng: np.random.Generator, n: int, k: int, window: int) -> np.ndarray:
    return oracle.lifetimes(rng.standard_normal(n).astype(np.float32), k, window)


def sinks(rng: np.random.Generator, n: int) -> np.ndarray:
    return np.where(np.arange(n) < 4, I32.max, np.arange(n) + 33)


def documents(rng: np.random.Generator, n: int) -> np.ndarray:
    cuts = np.append(np.sort(rng.integers(0, n + 1, 3)), n)
    return cuts[np.searchsorted(cuts[:-1], np.arange(n), side="right")]


POLICIES: dict[str, Callable[[np.random.Generator, int], np.ndarray]] = {
    "topk": lambda rng, n: topk(rng, n, 64, 64),
    "topk without a window": lambda rng, n: topk(rng, n, 16, 0),
    "topk with a long window": lambda rng, n: topk(rng, n, 8, 200),
    "window": lambda rng, n: np.arange(n) + 40,
    "itself alone": lambda rng, n: np.arange(n) + 1,
    "sinks": sinks,
    "documents": documents,
    "all": lambda rng, n: np.full(n, I32.max),
    "none": lambda rng, n: np.full(n, I32.min),
    "ends at birth": lambda rng, n: np.arange(n),
    "random": lambda rng, n: rng.integers(-5, n + 9, n),
    "long tails": lambda rng, n: np.arange(n) + rng.integers(-3, 60, n) ** 2,
    "every other": lambda rng, n: np.where(np.arange(n) % 2, I32.max, np.arange(n) + 1),
    "one death": lambda rng, n: np.where(np.arange(n) == n * 2 // 3, n * 3 // 4, n + 5),
    "last in first out": lambda rng, n: n - np.arange(n) + n // 2,
    "few": lambda rng, n: np.where(rng.random(n) < 0.01, n, np.arange(n)),
    "runs": lambda rng, n: np.where(np.arange(n) // 37 % 2, n, np.arange(n) + 5),
}


def rows_of(end: np.ndarray, queries: int, tile: int) -> Iterator[tuple[int, np.ndarray]]:
    """The band's start and the keys alive before it, for each tile of the row `end` [n]."""
    n = len(end)
    death = np.maximum(end, np.arange(n))
    order = np.argsort(death, kind="stable")
    last = np.maximum.accumulate(order)
    alive, seen = np.empty(0, np.int64), 0
    for first in range(n - queries, n, tile):
        time = max(first, 0)
        dead = np.searchsorted(death[order], time, side="right")
        start = int(last[dead - 1]) + 1 if dead else 0
        alive, seen = np.concatenate([alive, np.arange(seen, max(start, seen))]), max(start, seen)
        alive = alive[end[alive] > time]
        yield start, alive


def expected(end: np.ndarray, queries: int, tile: int, capacity: int) -> Lists:
    """(start, count, list) by their definition; in `list`, -1 where anything may stand."""
    tiles = -(-queries // tile)
    start = np.zeros((*end.shape[:2], tiles), np.int32)
    count = np.zeros_like(start)
    lists = np.full((*start.shape, capacity), -1, np.int32)
    for row in np.ndindex(*end.shape[:2]):
        for t, (band, alive) in enumerate(rows_of(end[row].astype(np.int64), queries, tile)):
            listed = alive[:capacity]
            start[row][t] = band if len(alive) <= capacity else alive[capacity]
            count[row][t] = len(listed)
            lists[row][t][: -(-len(listed) // 4) * 4] = 0
            lists[row][t][: len(listed)] = listed
    return start, count, lists


@functools.cache
def function(tile: int) -> sparsek.Function:
    return sparsek.compile(MODULE.replace("TILE", str(tile)), target="cuda").live_lists


def computed(end: np.ndarray, queries: int, tile: int, capacity: int) -> Lists:
    tiles = -(-queries // tile)
    shapes = [(*end.shape[:2], tiles), (*end.shape[:2], tiles), (*end.shape[:2], tiles, capacity)]
    results = [torch.full(shape, -7, dtype=torch.int32, device="cuda") for shape in shapes]
    function(tile)(torch.from_numpy(end).cuda(), torch.empty(queries, dtype=torch.int32, device="cuda"), *results)
    start, count, lists = (result.cpu().numpy() for result in results)
    return start, count, lists


def check(end: np.ndarray, queries: int, tile: int, capacity: int) -> None:
    end = end.astype(np.int32)
    start, count, lists = computed(end, queries, tile, capacity)
    want_start, want_count, want_lists = expected(end, queries, tile, capacity)
    np.testing.assert_array_equal(start, want_start)
    np.testing.assert_array_equal(count, want_count)
    np.testing.assert_array_equal(np.where(want_lists < 0, -1, lists), want_lists)


@pytest.mark.parametrize("policy", POLICIES)
def test_oracle(rng, policy):
    # The definition in the words of the op's description.
    n, tile = 150, 7
    for queries in (n, 31, n + 20):
        end = POLICIES[policy](rng, n)
        for t, (start, alive) in enumerate(rows_of(end, queries, tile)):
            time = max(t * tile + n - queries, 0)
            dead = [j for j in range(time + 1) if end[j] <= time]
            assert start == (1 + max(dead) if dead else 0)
            assert alive.tolist() == [j for j in range(start) if end[j] > time]


@needs_gpu
@pytest.mark.parametrize("tile", [8, 25, 32, 42, 128])
@pytest.mark.parametrize("policy", POLICIES)
def test_policies(rng, policy, tile):
    for n in (1, 2, 31, 33, 1000, 4103):
        end = np.stack([POLICIES[policy](rng, n) for _ in range(4)]).reshape(2, 2, n)
        for queries in {n, max(n // 3, 1), n + 77}:
            for capacity in (4, 512):
                check(end, queries, tile, capacity)


@needs_gpu
@pytest.mark.parametrize("policy", ["topk", "sinks", "all", "random", "every other", "long tails", "few"])
def test_long_sequences(rng, policy):
    n = 131072
    check(POLICIES[policy](rng, n)[None, None], n, 32, 512)


@needs_gpu
@pytest.mark.parametrize("capacity", [2044, 2048, 4096])
def test_more_keys_than_fit_shared_memory(rng, capacity):
    n = 40000
    check(topk(rng, n, 3000, 64)[None, None], n, 32, capacity)


@needs_gpu
def test_many_rows(rng):
    # Enough tiles that a block takes as many as it can.
    n = 5000
    end = np.stack([topk(rng, n, 32, 32) for _ in range(48)])
    check(end.reshape(3, 16, n), n, 8, 64)


@needs_gpu
@pytest.mark.parametrize("queries", [0, 5])
def test_no_keys(queries):
    check(np.zeros((1, 2, 0)), queries, 8, 8)


@needs_gpu
def test_no_capacity(rng):
    # Every tile's band starts at its first key that is alive.
    check(POLICIES["random"](rng, 1000)[None, None], 1000, 32, 0)
