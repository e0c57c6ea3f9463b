# Part of the sparsek project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compiles a SparseK attention module from MLIR text, runs it, and checks it against float64.

Prints per length: the time, useful GFLOP/s (4 * d per visible (query head, key) pair), the largest error over sampled
queries, and torch's dense causal attention beside it where torch is installed.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np

import sparsek

HQ, HKV, D, TOPK, WINDOW = 8, 2, 128, 256, 256
LENGTHS = (1024, 4096, 16384)
SAMPLES = 24

MODULE = f"""
func.func @attention(%q: tensor<1x{HQ}x?x{D}xf32>, %k: tensor<1x{HKV}x?x{D}xf32>,
                     %v: tensor<1x{HKV}x?x{D}xf32>, %scores: tensor<1x{HKV}x?xf32>)
    -> (tensor<1x{HQ}x?x{D}xf32>, tensor<1x{HKV}x?xi32>) {{
  %c2 = arith.constant 2 : index
  %n = tensor.dim %scores, %c2 : tensor<1x{HKV}x?xf32>
  %end0 = tensor.empty(%n) : tensor<1x{HKV}x?xi32>
  %tau0 = tensor.empty(%n) : tensor<1x{HKV}x?xf32>
  %free0 = tensor.empty(%n) : tensor<1x{HKV}x?xi32>
  %end, %tau, %free = sparsek.causal_topk_mask topk({TOPK}) window({WINDOW})
      ins(%scores : tensor<1x{HKV}x?xf32>)
      outs(%end0, %tau0, %free0
           : tensor<1x{HKV}x?xi32>, tensor<1x{HKV}x?xf32>, tensor<1x{HKV}x?xi32>)
      -> tensor<1x{HKV}x?xi32>, tensor<1x{HKV}x?xf32>, tensor<1x{HKV}x?xi32>
  %o0 = tensor.empty(%n) : tensor<1x{HQ}x?x{D}xf32>
  %lse0 = tensor.empty(%n) : tensor<1x{HQ}x?xf32>
  %o, %lse = sparsek.sparse_attention gate(value) window({WINDOW})
      ins(%q, %k, %v, %end : tensor<1x{HQ}x?x{D}xf32>, tensor<1x{HKV}x?x{D}xf32>,
          tensor<1x{HKV}x?x{D}xf32>, tensor<1x{HKV}x?xi32>)
      gating(%scores, %tau : tensor<1x{HKV}x?xf32>, tensor<1x{HKV}x?xf32>)
      outs(%o0, %lse0 : tensor<1x{HQ}x?x{D}xf32>, tensor<1x{HQ}x?xf32>)
      -> tensor<1x{HQ}x?x{D}xf32>, tensor<1x{HQ}x?xf32>
  return %o, %end : tensor<1x{HQ}x?x{D}xf32>, tensor<1x{HKV}x?xi32>
}}
"""


def threshold(u: np.ndarray) -> float:
    """tau with sum clamp(u - tau, 0, 1) = TOPK, by bisection; -inf where all of u is selected with gate 1."""
    if len(u) <= TOPK:
        return -np.inf
    low, high = float(u.min()) - 1, float(u.max())
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (low, middle) if np.clip(u - middle, 0, 1).sum() <= TOPK else (middle, high)
    return high


def reference(q: np.ndarray, k: np.ndarray, v: np.ndarray, u: np.ndarray, i: int, head: int) -> np.ndarray:
    """The output of one query and head in float64, straight from the definition."""
    group = head // (HQ // HKV)
    older = np.arange(max(0, i - WINDOW + 1))
    scores = u[0, group].astype(np.float64)
    selected = older[np.argsort(-scores[older], kind="stable")[:TOPK]]
    visible = np.concatenate([selected, np.arange(len(older), i + 1)])
    gate = np.ones(len(visible))
    if len(older):
        gate[: len(selected)] = np.clip(scores[selected] - threshold(scores[older]), 0, 1)
    logits = k[0, group, visible].astype(np.float64) @ q[0, head, i] / np.sqrt(D)
    weights = np.exp(logits - logits.max())
    return np.asarray((weights / weights.sum() * gate) @ v[0, group, visible])


def best_time(call: Callable[[], object]) -> float:
    """The shortest of a few calls, after one to warm up."""
    call()
    times: list[float] = []
    begin = time.perf_counter()
    while len(times) < 3 or time.perf_counter() - begin < 0.3:
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
        if time.perf_counter() - begin > 4:
            break
    return min(times)


def dense(q: np.ndarray, k: np.ndarray, v: np.ndarray) -> float | None:
    """Seconds of torch's dense causal attention, None without torch."""
    try:
        import torch
    except ImportError:
        return None
    query, key, value = (torch.from_numpy(x) for x in (q, k, v))
    call = torch.nn.functional.scaled_dot_product_attention
    return best_time(lambda: call(query, key, value, is_causal=True, enable_gqa=True))


def run(module: sparsek.Module, n: int) -> float:
    """Runs one length, prints its row and returns the largest error."""
    rng = np.random.default_rng(n)
    q, k, v = (rng.standard_normal((1, heads, n, D), np.float32) for heads in (HQ, HKV, HKV))
    u = rng.standard_normal((1, HKV, n), np.float32)
    o, end = module.attention(q, k, v, u)
    queries = [0, 1, WINDOW, TOPK + WINDOW, n - 1, *map(int, rng.integers(0, n, SAMPLES))]
    # np.max, unlike max, lets a NaN through.
    error = float(
        np.max([np.abs(o[0, head, i] - reference(q, k, v, u, i, head)) for i in queries for head in range(HQ)])
    )
    seconds = best_time(lambda: module.attention(q, k, v, u))
    pairs = int((end.astype(np.int64) - np.arange(n)).sum()) * (HQ // HKV)
    beside = dense(q, k, v)
    print(
        f"{n:>7} {seconds * 1e3:>8.2f} {4 * D * pairs / seconds / 1e9:>8.1f} {error:>14.1e} "
        f"{'-' if beside is None else format(beside * 1e3, '.2f'):>14}",
        flush=True,
    )
    return error


def main() -> int:
    start = time.perf_counter()
    module = sparsek.compile(MODULE)
    print(f"sparsek {sparsek.version()} for {sparsek.targets()['cpu']}")
    print(f"compiled in {time.perf_counter() - start:.2f} s: {module.attention!r}")
    print(f"{HQ} query heads, {HKV} kv heads, d {D}, topk {TOPK}, window {WINDOW}, float32\n")
    print(f"{'length':>7} {'ms':>8} {'GFLOP/s':>8} {'largest error':>14} {'torch SDPA ms':>14}")
    worst = float(np.max([run(module, n) for n in LENGTHS]))
    if not worst <= 1e-5:
        print(f"\nFAILED: the largest error is {worst:.1e}, allowed 1e-5", file=sys.stderr)
        return 1
    print("\nall errors within 1e-5 of float64")
    return 0


if __name__ == "__main__":
    sys.exit(main())
