# Part of the sparsek project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Times sparsek.attention on the CPU beside dense attention and a matrix product, on the same threads.

f32, Hq 8, Hkv 2, d 128, topk = window = 512, B 1. The peers are torch's scaled_dot_product_attention (causal,
enable_gqa) and the fastest matrix product of torch's and numpy's. Rounds are interleaved and the medians reported.
Useful work is 4 * d * (number of visible (query head, key) pairs); for the selection it is counted from the lifetimes.

Writes a JSON file (--output) and prints a table. Sections: lengths, dtypes, memory, compile, overhead.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

# A core type forced on OpenBLAS would slow a peer; the number of threads must be set before any library starts.
for variable in [name for name in os.environ if name.startswith("OPENBLAS_")]:
    del os.environ[variable]
THREADS = int(os.environ.get("SPARSEK_BENCH_THREADS", len(os.sched_getaffinity(0))))
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = str(THREADS)

import numpy as np
import torch

import sparsek

HQ, HKV, D, TOPK, WINDOW = 8, 2, 128, 512, 512
LENGTHS = [2**power for power in range(10, 18)]
LONGEST_DENSE = 32768
MATMULS = [1024, 2048]
ROOT = Path(__file__).resolve().parent

Json = dict[str, Any]


def inputs(n: int, dtype: torch.dtype = torch.float32) -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(n)
    q, k, v = (torch.randn(1, heads, n, D, generator=generator).to(dtype) for heads in (HQ, HKV, HKV))
    return q, k, v, torch.randn(1, HKV, n, generator=generator)


def attention(q: Any, k: Any, v: Any, u: Any) -> Any:
    return sparsek.attention(q, k, v, u, topk=TOPK, window=WINDOW)


def useful_pairs(u: torch.Tensor) -> int:
    """Visible (query head, key) pairs, from the lifetimes."""
    end = sparsek.causal_topk_mask(u, TOPK, WINDOW)[0].numpy()
    alive = end.astype(np.int64) - np.arange(u.shape[-1])
    return int(alive.sum()) * (HQ // HKV)


def time_call(call: Callable[[], object], at_least: float = 0.2) -> float:
    """Seconds per call, after one call to warm up, over at least `at_least` seconds."""
    # The worker threads of the peer before spin for a while after their last task.
    time.sleep(0.3)
    call()
    count, start = 0, time.perf_counter()
    while True:
        call()
        count += 1
        elapsed = time.perf_counter() - start
        if elapsed >= at_least:
            return elapsed / count


def medians(calls: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """The median of each call over interleaved rounds."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            times[name].append(time_call(call))
    return {name: statistics.median(values) for name, values in times.items()}


def matmul_calls() -> dict[str, Callable[[], object]]:
    """Products by torch's library and by numpy's: which of the two is faster depends on the processor."""

    def products(n: int) -> dict[str, Callable[[], object]]:
        a, b = torch.randn(n, n), torch.randn(n, n)
        x, y = a.numpy(), b.numpy()
        return {f"torch.mm {n}": lambda: torch.mm(a, b), f"numpy.matmul {n}": lambda: np.matmul(x, y)}

    return {name: call for n in MATMULS for name, call in products(n).items()}


def measure_length(n: int, rounds: int) -> Json:
    q, k, v, u = inputs(n)
    products = matmul_calls()
    calls: dict[str, Callable[[], object]] = {
        "attention": lambda: attention(q, k, v, u),
        "selection": lambda: sparsek.causal_topk_mask(u, TOPK, WINDOW),
        **products,
    }
    if n <= LONGEST_DENSE:
        sdpa = torch.nn.functional.scaled_dot_product_attention
        calls["sdpa"] = lambda: sdpa(q, k, v, is_causal=True, enable_gqa=True)
    times = medians(calls, rounds)
    pairs = useful_pairs(u)
    rates = {name: 2 * int(name.split()[1]) ** 3 / times[name] / 1e9 for name in products}
    best = max(rates, key=lambda name: rates[name])
    matmul = rates[best]
    gflops = 4 * D * pairs / times["attention"] / 1e9
    row: Json = {
        "length": n,
        "seconds": times["attention"],
        "useful_gflops": gflops,
        "matmul": best,
        "matmul_gflops": matmul,
        "of_matmul": gflops / matmul,
        "selection_seconds": times["selection"],
        "selection_share": times["selection"] / times["attention"],
        "visible_pairs": pairs,
    }
    if "sdpa" in times:
        row["sdpa_seconds"] = times["sdpa"]
        row["sdpa_useful_gflops"] = 4 * D * HQ * n * (n + 1) / 2 / times["sdpa"] / 1e9
        row["speedup_over_sdpa"] = times["sdpa"] / times["attention"]
    return row


COLUMNS = ("length", "ms", "GFLOP/s", "of matmul", "growth", "selection", "SDPA ms", "ratio")


def print_row(cells: tuple[str, ...]) -> None:
    print(" ".join(f"{cell:>9}" for cell in cells), flush=True)


def measure_lengths(longest: int, rounds: int) -> list[Json]:
    rows: list[Json] = []
    print_row(COLUMNS)
    for n in [n for n in LENGTHS if n <= longest]:
        row = measure_length(n, rounds)
        row["growth_from_half"] = row["seconds"] / rows[-1]["seconds"] if rows else None
        rows.append(row)
        cells = [
            f"{n}",
            f"{row['seconds'] * 1e3:.2f}",
            f"{row['useful_gflops']:.1f}",
            f"{row['of_matmul']:.0%}",
            f"{row['growth_from_half']:.2f}" if len(rows) > 1 else "",
            f"{row['selection_share']:.1%}",
            f"{row['sdpa_seconds'] * 1e3:.2f}" if "sdpa_seconds" in row else "",
            f"{row['speedup_over_sdpa']:.2f}" if "sdpa_seconds" in row else "",
        ]
        print_row(tuple(cells))
    return rows


def measure_dtypes(rounds: int, n: int) -> Json:
    def call(dtype: torch.dtype) -> Callable[[], object]:
        arrays = inputs(n, dtype)
        return lambda: attention(*arrays)

    dtypes = (torch.float32, torch.bfloat16, torch.float16)
    times = medians({str(dtype).removeprefix("torch."): call(dtype) for dtype in dtypes}, rounds)
    for name, seconds in times.items():
        print(f"{name:>9} at {n}: {seconds * 1e3:.2f} ms, {seconds / times['float32']:.2f} of float32")
    return {"length": n, "seconds": times}


MEMORY = """
import json, sys
import numpy as np, sparsek
n = int(sys.argv[1])
def make(n):
    rng = np.random.default_rng(0)
    q, k, v = (rng.standard_normal((1, h, n, 128), np.float32) for h in (8, 2, 2))
    return q, k, v, rng.standard_normal((1, 2, n), np.float32)
sparsek.attention(*make(600), topk=512, window=512)
arrays = make(n)
def status(key):
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(key))
before = status("VmRSS")
# Forgets the peak so far, which may be that of the compilation.
with open("/proc/self/clear_refs", "w") as clear:
    clear.write("5")
o = sparsek.attention(*arrays, topk=512, window=512)
peak = status("VmHWM")
print(json.dumps({"length": n, "inputs_bytes": sum(x.nbytes for x in arrays), "output_bytes": o.nbytes,
                  "resident_before_bytes": before, "peak_bytes": peak}))
"""


def child(code: str, *arguments: str, **variables: str) -> str:
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, env={**os.environ, **variables}, check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout


def measure_memory(n: int) -> Json:
    row: Json = json.loads(child(MEMORY, str(n)))
    extra = row["peak_bytes"] - row["resident_before_bytes"] - row["output_bytes"]
    row["workspace_bytes"] = extra
    row["workspace_of_inputs_and_output"] = extra / (row["inputs_bytes"] + row["output_bytes"])
    print(
        f"memory at {n}: inputs and output {(row['inputs_bytes'] + row['output_bytes']) / 2**20:.0f} MiB, "
        f"beyond them {extra / 2**20:.1f} MiB ({row['workspace_of_inputs_and_output']:.1%})"
    )
    return row


FIRST_CALL = """
import time
start = time.perf_counter()
import numpy as np, sparsek
imported = time.perf_counter()
q, k, u = np.zeros((1, 8, 4, 128), np.float32), np.zeros((1, 2, 4, 128), np.float32), np.zeros((1, 2, 4), np.float32)
sparsek.attention(q, k, k, u, topk=512, window=512)
print(time.perf_counter() - imported)
"""


def measure_compile() -> Json:
    with tempfile.TemporaryDirectory() as folder:
        first = float(child(FIRST_CALL, SPARSEK_CACHE_DIR=folder))
        cached = statistics.median(float(child(FIRST_CALL, SPARSEK_CACHE_DIR=folder)) for _ in range(5))
    print(f"first call: {first * 1e3:.0f} ms with an empty cache, {cached * 1e3:.1f} ms from the cache on disk")
    return {"first_call_seconds": first, "first_call_from_disk_seconds": cached}


def measure_overhead() -> Json:
    tensors = [torch.zeros(1, heads, 1, 8) for heads in (2, 1, 1)] + [torch.zeros(1, 1, 1)]
    arrays = [x.numpy() for x in tensors]
    times = medians({"torch": lambda: attention(*tensors), "numpy": lambda: attention(*arrays)}, 3)
    print(f"a call on one token: {times['torch'] * 1e6:.1f} us on torch, {times['numpy'] * 1e6:.1f} us on numpy")
    return {f"{name}_seconds": value for name, value in times.items()}


def cpu_name() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()


def machine() -> Json:
    return {
        "cpu": cpu_name(),
        "target": sparsek.targets()["cpu"].partition(";")[0],
        "threads": THREADS,
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "system": f"{platform.system()} {platform.machine()}, glibc {platform.libc_ver()[1]}",
        "versions": {
            "sparsek": sparsek.version(),
            "torch": torch.__version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%d"),
    }


def configuration(rounds: int) -> Json:
    return {"hq": HQ, "hkv": HKV, "d": D, "topk": TOPK, "window": WINDOW, "rounds": rounds}


def write(result: Json, output: Path) -> None:
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(result, indent=2) + "\n")
    print(f"written: {output}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--longest", type=int, default=LENGTHS[-1], help="the longest sequence")
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds per number")
    parser.add_argument("--output", type=Path, default=ROOT / "results" / "cpu.json", help="the JSON file")
    options = parser.parse_args()
    torch.set_num_threads(THREADS)
    torch.set_grad_enabled(False)
    result: Json = {"machine": machine()}
    print(f"{result['machine']['cpu']} ({result['machine']['target']}), {THREADS} threads, torch {torch.__version__}")
    print(f"float32, Hq {HQ}, Hkv {HKV}, d {D}, topk = window = {TOPK}")
    result["configuration"] = configuration(options.rounds)
    result["compile"] = measure_compile()
    result["overhead"] = measure_overhead()
    result["lengths"] = measure_lengths(options.longest, options.rounds)
    result["dtypes"] = measure_dtypes(options.rounds, min(8192, options.longest))
    result["memory"] = measure_memory(options.longest)
    write(result, options.output)


if __name__ == "__main__":
    main()
