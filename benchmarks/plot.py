# Part of the sparsek project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Draws time against length from the JSON of cpu.py, or with --gpu from that of gpu.py, into docs/images."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt

ROOT = Path(__file__).resolve().parent.parent


Series = tuple[str, str, str, list[int], list[float]]
GREEN, GRAY, BLUE, RED = "#0b6e4f", "#8a8a8a", "#2f6db5", "#b5482f"


def draw(series: list[Series], ticks: list[int], title: str, output: Path) -> None:
    """Seconds over length on logarithmic axes; a series is a label, a line style, a color, and the points."""
    # Text stays text, and the same input gives the same file.
    plt.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "sparsek", "font.size": 11})
    figure, axes = plt.subplots(figsize=(7.2, 4.4))
    for label, style, color, lengths, seconds in series:
        axes.loglog(lengths, seconds, style, color=color, label=label)
    axes.set_xscale("log", base=2)
    axes.set_xticks(ticks, [f"{length // 1024}k" for length in ticks])
    axes.set_xlabel("sequence length")
    axes.set_ylabel("seconds per call")
    axes.set_title(title, fontsize=10)
    axes.grid(True, which="major", color="#dddddd")
    axes.legend(frameon=False)
    figure.tight_layout()
    output.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(output, metadata={"Date": None})


def draw_cpu(result: dict[str, Any], output: Path) -> None:
    rows, machine, configuration = result["lengths"], result["machine"], result["configuration"]
    dense = [row for row in rows if "sdpa_seconds" in row]
    lengths = [row["length"] for row in rows]
    series: list[Series] = [
        (
            f"dense causal attention (torch {machine['versions']['torch']})",
            "o--",
            GRAY,
            [row["length"] for row in dense],
            [row["sdpa_seconds"] for row in dense],
        ),
        ("sparsek.attention, selection included", "o-", GREEN, lengths, [row["seconds"] for row in rows]),
    ]
    title = (
        f"float32, {configuration['hq']} query heads, {configuration['hkv']} kv heads, d {configuration['d']}, "
        f"topk = window = {configuration['topk']}\n{machine['cpu']}, {machine['threads']} threads"
    )
    draw(series, lengths, title, output)


def draw_gpu(result: dict[str, Any], output: Path) -> None:
    rows, machine, configuration = result["lengths"], result["machine"], result["configuration"]
    versions = machine["versions"]
    labels = {
        "flex": ("FlexAttention with the same mask", "o--", RED),
        "cudnn": (f"dense causal attention (cuDNN {versions['cudnn']})", "o--", GRAY),
        "triton": (f"the same in Triton {versions['triton']}", "o--", BLUE),
        "sparsek": ("sparsek.sparse_attention", "o-", GREEN),
    }
    # FlexAttention has a section of its own.
    rows = [*rows, *result.get("flex", {}).get("topk = window = 512", [])]
    series: list[Series] = []
    for name, (label, style, color) in labels.items():
        points = [(row["length"], row["seconds"][name]) for row in rows if name in row.get("seconds", {})]
        if points:
            lengths, seconds = map(list, zip(*sorted(dict(points).items()), strict=True))
            series.append((label, style, color, lengths, seconds))
    title = (
        f"bfloat16, {configuration['hq']} query heads, {configuration['hkv']} kv heads, d {configuration['d']}, "
        f"topk = window = {configuration['topk']}\n{machine['gpu']}"
    )
    draw(series, sorted({row["length"] for row in rows}), title, output)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gpu", action="store_true", help="the input is a result of gpu.py")
    parser.add_argument("--input", type=Path, help="results/cpu.json by default, with --gpu results/gpu-h100.json")
    parser.add_argument("--output", type=Path, help="docs/images/time-vs-length.svg by default, or ...-gpu.svg")
    options = parser.parse_args()
    name = "gpu-h100.json" if options.gpu else "cpu.json"
    source = options.input or ROOT / "benchmarks" / "results" / name
    suffix = "-gpu" if options.gpu else ""
    output = options.output or ROOT / "docs" / "images" / f"time-vs-length{suffix}.svg"
    (draw_gpu if options.gpu else draw_cpu)(json.loads(source.read_text()), output)


if __name__ == "__main__":
    main()
