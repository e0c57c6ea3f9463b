# Part of the sparsek project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Times causal_topk_mask and topk_mask on one row of scores of several kinds, in nanoseconds per key.

N 131,072, topk = window = 512, one kv head: one thread works. Rounds are interleaved and the medians reported. Writes a
JSON file (--output) and prints the table of docs/lowerings/selection.md.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path

# First: it sets the number of threads before any library starts.
import cpu as harness

# isort: split
import numpy as np

import sparsek

N = 131072
Row = np.ndarray


def kinds() -> dict[str, Row]:
    rng = np.random.default_rng(0)
    normal, drift = rng.standard_normal(N), 0.001 * np.arange(N)
    outlier = drift.copy()
    outlier[1000] = 1e6
    rows = {
        "Gaussian": normal,
        "constant": np.ones(N),
        "four values": rng.integers(0, 4, N),
        "mostly zero": np.where(rng.random(N) < 0.9, 0, normal),
        "clusters": rng.integers(0, 8, N) + 1e-3 * normal,
        "descending": -np.sort(-normal),
        "ascending": np.sort(normal),
        "ascending, 100 times as wide": 100 * np.sort(normal),
        "rising by 0.001 a step, with an outlier": outlier,
        "rising by 0.001 a step, with noise": drift + normal,
        "half of them -inf": np.where(np.arange(N) < N // 2, normal, -np.inf),
    }
    return {name: row.astype(np.float32).reshape(1, 1, N) for name, row in rows.items()}


def measure(rounds: int) -> list[harness.Json]:
    calls: dict[str, Callable[[], object]] = {}
    rows = kinds()
    for name, u in rows.items():
        calls[f"causal {name}"] = partial(sparsek.causal_topk_mask, u, harness.TOPK, harness.WINDOW)
        calls[f"row {name}"] = partial(sparsek.topk_mask, u, harness.TOPK)
    times = harness.medians(calls, rounds)
    result = []
    print("| scores | `causal_topk_mask` | `topk_mask` |\n| --- | ---: | ---: |")
    for name in rows:
        causal, row = (times[f"{op} {name}"] / N * 1e9 for op in ("causal", "row"))
        print(f"| {name} | {causal:.0f} | {row:.0f} |")
        result.append({"scores": name, "causal_topk_mask_ns_per_key": causal, "topk_mask_ns_per_key": row})
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="interleaved rounds per number")
    output = harness.ROOT / "results" / "cpu-selection.json"
    parser.add_argument("--output", type=Path, default=output, help="the JSON file")
    options = parser.parse_args()
    result: harness.Json = {"machine": harness.machine(), "configuration": harness.configuration(options.rounds)}
    result["length"] = N
    result["scores"] = measure(options.rounds)
    short = np.zeros((1, 1, 64), np.float32)
    short[...] = np.random.default_rng(0).standard_normal(64)
    seconds = harness.medians({"short": lambda: sparsek.causal_topk_mask(short, 8, 4)}, options.rounds)["short"]
    result["row_of_64_seconds"] = seconds
    print(f"a call on 64 scores: {seconds * 1e6:.1f} us")
    harness.write(result, options.output)


if __name__ == "__main__":
    main()
