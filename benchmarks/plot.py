# Part of the sparsek project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Draws time against length from the JSON of cpu.py: docs/images/time-vs-length.svg."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--input", type=Path, default=ROOT / "benchmarks" / "results" / "cpu.json")
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "images" / "time-vs-length.svg")
    options = parser.parse_args()
    result = json.loads(options.input.read_text())
    rows, machine, configuration = result["lengths"], result["machine"], result["configuration"]
    dense = [row for row in rows if "sdpa_seconds" in row]

    # Text stays text, and the same input gives the same file.
    plt.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "sparsek", "font.size": 11})
    figure, axes = plt.subplots(figsize=(7.2, 4.4))
    axes.loglog(
        [row["length"] for row in dense],
        [row["sdpa_seconds"] for row in dense],
        "o--",
        color="#8a8a8a",
        label=f"dense causal attention (torch {machine['versions']['torch']})",
    )
    axes.loglog(
        [row["length"] for row in rows],
        [row["seconds"] for row in rows],
        "o-",
        color="#0b6e4f",
        label="sparsek.attention, selection included",
    )
    lengths = [row["length"] for row in rows]
    axes.set_xscale("log", base=2)
    axes.set_xticks(lengths, [f"{length // 1024}k" for length in lengths])
    axes.set_xlabel("sequence length")
    axes.set_ylabel("seconds per call")
    axes.set_title(
        f"float32, {configuration['hq']} query heads, {configuration['hkv']} kv heads, d {configuration['d']}, "
        f"topk = window = {configuration['topk']}\n{machine['cpu']}, {machine['threads']} threads",
        fontsize=10,
    )
    axes.grid(True, which="major", color="#dddddd")
    axes.legend(frameon=False)
    figure.tight_layout()
    options.output.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(options.output, metadata={"Date": None})


if __name__ == "__main__":
    main()
