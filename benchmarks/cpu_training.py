# Part of the sparsek project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Times the gradient of sparsek.attention on the CPU beside its forward and beside dense attention in torch.

The configuration and the peers of cpu.py; the gradients reach q, k, v and the scores. Backward alone is
torch.autograd.grad of a kept graph. Rounds are interleaved and the medians reported. Useful work of the backward is
2.5 times that of the forward.

Writes a JSON file (--output) and prints a table.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

# First: it sets the number of threads before any library starts.
import cpu as harness

# isort: split
import torch

import sparsek

LENGTHS = [2**power for power in range(10, 17)]


def leaves(n: int) -> tuple[torch.Tensor, ...]:
    return tuple(x.requires_grad_() for x in harness.inputs(n))


def backward(output: torch.Tensor, inputs: tuple[torch.Tensor, ...]) -> Callable[[], object]:
    gradient = torch.randn(output.shape, generator=torch.Generator().manual_seed(1))
    return lambda: torch.autograd.grad(output, inputs, gradient, retain_graph=True)


def selection_backward(u: torch.Tensor) -> Callable[[], object]:
    tau = sparsek.causal_topk_mask(u, harness.TOPK, harness.WINDOW)[1]
    return backward(tau, (u,))


def dense_calls(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> dict[str, Callable[[], object]]:
    def forward() -> torch.Tensor:
        return torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)

    return {"sdpa": forward, "sdpa backward": backward(forward(), (q, k, v))}


def measure_length(n: int, rounds: int) -> harness.Json:
    q, k, v, u = leaves(n)
    calls: dict[str, Callable[[], object]] = {
        "forward": lambda: harness.attention(q, k, v, u),
        "backward": backward(harness.attention(q, k, v, u), (q, k, v, u)),
        "selection backward": selection_backward(u),
    }
    if n <= harness.LONGEST_DENSE:
        calls |= dense_calls(q, k, v)
    times = harness.medians(calls, rounds)
    work = 4 * harness.D * harness.useful_pairs(u.detach())
    row: harness.Json = {
        "length": n,
        "forward_seconds": times["forward"],
        "backward_seconds": times["backward"],
        "backward_over_forward": times["backward"] / times["forward"],
        "backward_useful_gflops": 2.5 * work / times["backward"] / 1e9,
        "selection_backward_share": times["selection backward"] / times["backward"],
    }
    if "sdpa" in times:
        row["sdpa_forward_seconds"] = times["sdpa"]
        row["sdpa_backward_seconds"] = times["sdpa backward"]
        row["speedup_over_sdpa"] = (times["sdpa"] + times["sdpa backward"]) / (times["forward"] + times["backward"])
    return row


def measure_lengths(longest: int, rounds: int) -> list[harness.Json]:
    rows: list[harness.Json] = []
    harness.print_row(("length", "fwd ms", "bwd ms", "bwd/fwd", "growth", "selection", "SDPA ms", "ratio"))
    for n in [n for n in LENGTHS if n <= longest]:
        row = measure_length(n, rounds)
        row["backward_growth_from_half"] = row["backward_seconds"] / rows[-1]["backward_seconds"] if rows else None
        rows.append(row)
        dense = "sdpa_forward_seconds" in row
        cells = (
            f"{n}",
            f"{row['forward_seconds'] * 1e3:.2f}",
            f"{row['backward_seconds'] * 1e3:.2f}",
            f"{row['backward_over_forward']:.2f}",
            f"{row['backward_growth_from_half']:.2f}" if len(rows) > 1 else "",
            f"{row['selection_backward_share']:.1%}",
            f"{(row['sdpa_forward_seconds'] + row['sdpa_backward_seconds']) * 1e3:.2f}" if dense else "",
            f"{row['speedup_over_sdpa']:.2f}" if dense else "",
        )
        harness.print_row(cells)
    return rows


MEMORY = """
import json, sys
import torch, sparsek
n = int(sys.argv[1])
def make(n):
    q, k, v = (torch.randn(1, h, n, 128).requires_grad_() for h in (8, 2, 2))
    return q, k, v, torch.randn(1, 2, n).requires_grad_()
def step(arrays, gradient):
    o = sparsek.attention(*arrays, topk=512, window=512)
    return o, torch.autograd.grad(o, arrays, gradient)
step(make(600), torch.ones(1, 8, 600, 128))
arrays, gradient = make(n), torch.ones(1, 8, n, 128)
def status(key):
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(key))
before = status("VmRSS")
# Forgets the peak so far, which may be that of the compilation.
with open("/proc/self/clear_refs", "w") as clear:
    clear.write("5")
o, gradients = step(arrays, gradient)
peak = status("VmHWM")
size = lambda tensors: sum(x.numel() * x.element_size() for x in tensors)
print(json.dumps({"length": n, "inputs_bytes": size(arrays) + size([gradient]), "output_bytes": size([o]),
                  "gradients_bytes": size(gradients), "resident_before_bytes": before, "peak_bytes": peak}))
"""


def measure_memory(n: int) -> harness.Json:
    row: harness.Json = json.loads(harness.child(MEMORY, str(n)))
    results = row["output_bytes"] + row["gradients_bytes"]
    row["workspace_bytes"] = row["peak_bytes"] - row["resident_before_bytes"] - results
    print(
        f"memory at {n}: inputs, output and gradients {(row['inputs_bytes'] + results) / 2**20:.0f} MiB, "
        f"beyond them {row['workspace_bytes'] / 2**20:.1f} MiB"
    )
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--longest", type=int, default=LENGTHS[-1], help="the longest sequence")
    parser.add_argument("--rounds", type=int, default=3, help="interleaved rounds per number")
    output = harness.ROOT / "results" / "cpu-training.json"
    parser.add_argument("--output", type=Path, default=output, help="the JSON file")
    options = parser.parse_args()
    torch.set_num_threads(harness.THREADS)
    result: harness.Json = {"machine": harness.machine()}
    print(f"{result['machine']['cpu']}, {harness.THREADS} threads, torch {torch.__version__}, gradients")
    result["configuration"] = harness.configuration(options.rounds)
    result["lengths"] = measure_lengths(options.longest, options.rounds)
    result["memory"] = measure_memory(options.longest)
    harness.write(result, options.output)


if __name__ == "__main__":
    main()
