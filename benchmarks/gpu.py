# Part of the sparsek project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Times sparsek.sparse_attention on a GPU beside what else computes attention there, in one run on one device.

bf16, Hq 32, Hkv 8, d 128, topk = window = 512, B 1, lifetimes from causal_topk_mask (on the CPU, not timed). The peers:
a Triton kernel of the same problem (gpu_triton.py, its lists not timed), FlexAttention with the same mask, torch's
dense causal attention (cuDNN and flash), a matrix product and a copy. Rounds are interleaved, and of each the median
call counts, timed by events after the L2 cache is overwritten. Useful work is 4 * d * (number of visible (query head,
key) pairs).

Writes a JSON file after every section; a later run with --sections replaces only those. What does not fit into
--budget seconds is left out and named.
"""

from __future__ import annotations

import argparse
import ctypes
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
from functools import cache, partial
from pathlib import Path
from typing import Any

import torch

import sparsek
from sparsek import _library as library
from sparsek import _modules as modules

ROOT = Path(__file__).resolve().parent
HQ, HKV, D, TOPK, WINDOW = 32, 8, 128, 512, 512
LENGTHS = [2**power for power in range(12, 21)]
LONGEST = {"cudnn": 131072, "flash": 65536, "flex": 32768}
CLOCKS = "name,driver_version,clocks.sm,clocks.max.sm,clocks.mem,power.draw,power.limit,temperature.gpu"

Json = dict[str, Any]
Calls = dict[str, Callable[[], object]]


class Clock:
    """The time that a run may take."""

    def __init__(self, budget: float) -> None:
        self._end = time.monotonic() + budget
        self.left_out: list[str] = []

    def has(self, seconds: float, what: str) -> bool:
        """Whether so many seconds are left; if not, `what` is left out."""
        if time.monotonic() + seconds < self._end:
            return True
        print(f"no time for {what}", flush=True)
        self.left_out.append(what)
        return False


@cache
def lifetimes(n: int, heads: int, topk: int, window: int) -> torch.Tensor:
    """end [1, heads, n] of Gaussian scores."""
    scores = torch.randn(1, heads, n, generator=torch.Generator().manual_seed(n))
    end: torch.Tensor = sparsek.causal_topk_mask(scores, topk, window)[0].cuda()
    return end


class Problem:
    """The arrays of one shape, and the calls on them."""

    def __init__(self, n: int, kv_heads: int = HKV, d: int = D, topk: int = TOPK, window: int = WINDOW) -> None:
        self.n, self.d, self.group = n, d, HQ // kv_heads
        generator = torch.Generator("cuda").manual_seed(n)
        self.q, self.k, self.v = (
            torch.randn(1, heads, n, d, generator=generator, device="cuda", dtype=torch.bfloat16)
            for heads in (HQ, kv_heads, kv_heads)
        )
        self.end = lifetimes(n, kv_heads, topk, window)
        alive = self.end.long() - torch.arange(n, device="cuda")
        self.pairs = int(alive.sum()) * self.group

    def sparsek(self) -> Callable[[], torch.Tensor]:
        def call() -> torch.Tensor:
            o: torch.Tensor = sparsek.sparse_attention(self.q, self.k, self.v, self.end)[0]
            return o

        return call

    def compiled_for(self, chip: str) -> Callable[[], torch.Tensor]:
        """The same call with code for a chip by name."""
        statics = modules.AttentionStatics(library.BF16, self.d, self.d, self.group, "none", 0, None)
        function = sparsek.compile(modules.sparse_attention_text(statics), target=chip).sparse_attention

        def call() -> torch.Tensor:
            o = torch.empty_like(self.q)
            function(self.q, self.k, self.v, self.end, o, torch.empty(self.q.shape[:3], device="cuda"))
            return o

        return call

    def triton(self) -> Callable[[], torch.Tensor]:
        import gpu_triton

        q, k, v, end = self.q[0], self.k[0], self.v[0], self.end[0]
        keys, starts = gpu_triton.live_keys(end)
        return lambda: gpu_triton.attention(q, k, v, end, keys, starts)[None]

    def flex(self) -> Callable[[], torch.Tensor]:
        from torch.nn.attention.flex_attention import create_block_mask

        end, group = self.end[0], self.group

        def seen(_b: torch.Tensor, h: torch.Tensor, i: torch.Tensor, j: torch.Tensor) -> torch.Tensor:
            return (j <= i) & (i < end[h // group, j])

        mask = create_block_mask(seen, None, HQ, self.n, self.n, device="cuda", _compile=True)
        compiled = compiled_flex()
        return lambda: compiled(self.q, self.k, self.v, block_mask=mask, enable_gqa=group > 1)

    def dense(self, backend: str) -> Callable[[], torch.Tensor]:
        from torch.nn.attention import SDPBackend, sdpa_kernel

        which = {"cudnn": SDPBackend.CUDNN_ATTENTION, "flash": SDPBackend.FLASH_ATTENTION}[backend]
        sdpa = torch.nn.functional.scaled_dot_product_attention

        def call() -> torch.Tensor:
            with sdpa_kernel(which):
                return sdpa(self.q, self.k, self.v, is_causal=True, enable_gqa=self.group > 1)

        return call

    def error(self, o: torch.Tensor) -> float:
        """The largest difference to float64 on some rows of three heads."""
        rows = torch.linspace(0, self.n - 1, 64, device="cuda").long()
        j, largest = torch.arange(self.n, device="cuda"), 0.0
        for head in (0, HQ // 2 + 1, HQ - 1):
            kv = head // self.group
            seen = (j <= rows[:, None]) & (rows[:, None] < self.end[0, kv])
            logits = self.q[0, head, rows].double() @ self.k[0, kv].double().T * self.d**-0.5
            want = torch.softmax(logits.masked_fill(~seen, -torch.inf), -1) @ self.v[0, kv].double()
            largest = max(largest, (o[0, head, rows].double() - want).abs().max().item())
        return largest


@cache
def compiled_flex() -> Any:
    from torch.nn.attention.flex_attention import flex_attention

    return torch.compile(flex_attention)


@cache
def _flush() -> torch.Tensor:
    return torch.empty(2**28, dtype=torch.uint8, device="cuda")


def time_round(call: Callable[[], object], repeats: int) -> float:
    """The median seconds of some calls, the L2 cache overwritten before each."""
    event = partial(torch.cuda.Event, enable_timing=True)
    pairs = [(event(), event()) for _ in range(repeats)]
    for start, stop in pairs:
        _flush().zero_()
        start.record()
        call()
        stop.record()
    torch.cuda.synchronize()
    milliseconds: float = statistics.median(start.elapsed_time(stop) for start, stop in pairs)
    return milliseconds / 1e3


def medians(calls: Calls, rounds: int, at_least: float = 0.03) -> dict[str, float]:
    """The median of each call over interleaved rounds of `at_least` seconds."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    repeats = {name: max(1, min(50, int(at_least / time_round(call, 2)))) for name, call in calls.items()}
    for _ in range(rounds):
        for name, call in calls.items():
            times[name].append(time_round(call, repeats[name]))
    return {name: statistics.median(values) for name, values in times.items()}


def prepare(makers: dict[str, Callable[[], Callable[[], object]]]) -> Calls:
    """The calls that can be made here; what cannot is named and left out."""
    calls: Calls = {}
    for name, maker in makers.items():
        try:
            call = maker()
            call()
            torch.cuda.synchronize()
        except (ImportError, RuntimeError) as error:
            print(f"{name}: left out: {str(error).strip().splitlines()[0][:200]}", flush=True)
            continue
        calls[name] = call
    return calls


def row_of(problem: Problem, times: dict[str, float], calls: Calls) -> Json:
    """What a shape's times mean; the operations of dense attention are its own."""
    row: Json = {"length": problem.n, "visible_pairs": problem.pairs, "seconds": times}
    dense_pairs = HQ * problem.n * (problem.n + 1) / 2
    pairs = {name: dense_pairs if name in ("cudnn", "flash") else problem.pairs for name in times}
    row["tflops"] = {name: 4 * problem.d * pairs[name] / seconds / 1e12 for name, seconds in times.items()}
    ours = times["sparsek"]
    row["times_faster_than"] = {name: seconds / ours for name, seconds in times.items() if name != "sparsek"}
    checked = [name for name in calls if name not in ("cudnn", "flash")]
    row["largest_error"] = {name: problem.error(calls[name]()) for name in checked}  # type: ignore[arg-type]
    rates = ", ".join(f"{name} {row['tflops'][name]:.0f}" for name in times)
    print(f"{problem.n:>9}: {ours * 1e3:8.3f} ms; useful TFLOP/s: {rates}", flush=True)
    return row


def measure(problem: Problem, peers: tuple[str, ...], rounds: int) -> Json:
    makers: dict[str, Callable[[], Callable[[], object]]] = {"sparsek": problem.sparsek}
    if "triton" in peers:
        makers["triton"] = problem.triton
    for name in ("cudnn", "flash"):
        if name in peers and problem.n <= LONGEST[name]:
            makers[name] = partial(problem.dense, name)
    if "flex" in peers and problem.n <= LONGEST["flex"]:
        makers["flex"] = problem.flex
    calls = prepare(makers)
    if "sparsek" not in calls:
        raise SystemExit("sparsek does not run here")
    return row_of(problem, medians(calls, rounds), calls)


Section = Callable[[Clock, argparse.Namespace], Any]


def section_ceilings(_clock: Clock, options: argparse.Namespace) -> Json:
    """A matrix product and a copy: what the device reaches."""
    a, b = (torch.randn(8192, 8192, device="cuda", dtype=torch.bfloat16) for _ in range(2))
    source = torch.empty(2**31, dtype=torch.uint8, device="cuda")
    target = torch.empty_like(source)
    times = medians({"matmul": lambda: a @ b, "copy": lambda: target.copy_(source)}, options.rounds, 0.2)
    result = {
        "matmul_8192_bf16_tflops": 2 * 8192**3 / times["matmul"] / 1e12,
        "copy_2gib_terabytes_per_second": 2 * 2**31 / times["copy"] / 1e12,
    }
    print(", ".join(f"{name} {value:.2f}" for name, value in result.items()), flush=True)
    return result


def lengths_of(options: argparse.Namespace, least: int = 0, most: int = LENGTHS[-1]) -> list[int]:
    return [n for n in LENGTHS if least <= n <= min(most, options.max_n)]


def section_lengths(clock: Clock, options: argparse.Namespace) -> list[Json]:
    """Time against length, beside every peer."""
    rows: list[Json] = []
    for n in lengths_of(options):
        if not clock.has(10 + n / 30000, f"lengths, {n}"):
            break
        row = measure(Problem(n), ("triton", "cudnn", "flash", "flex"), options.rounds)
        row["growth_from_half"] = row["seconds"]["sparsek"] / rows[-1]["seconds"]["sparsek"] if rows else None
        rows.append(row)
    return rows


def section_shapes(clock: Clock, options: argparse.Namespace) -> Json:
    """Other shapes at two lengths: topk = window = 1,024, one query head per kv head, d 64."""
    shapes: dict[str, Json] = {
        "topk = window = 1024": {"topk": 1024, "window": 1024},
        "hkv 32": {"kv_heads": 32},
        "d 64": {"d": 64},
    }
    result: Json = {}
    for name, changes in shapes.items():
        print(name)
        result[name] = [
            measure(Problem(n, **changes), ("triton", "cudnn"), options.rounds)
            for n in (8192, 32768)
            if n <= options.max_n and clock.has(8, f"{name}, {n}")
        ]
    return result


def section_ampere(clock: Clock, options: argparse.Namespace) -> list[Json]:
    """The code for sm_80 on this device."""
    rows = []
    for n in (8192, 32768):
        if n > options.max_n or not clock.has(6, f"sm_80, {n}"):
            continue
        problem = Problem(n)
        calls = prepare({"sparsek": problem.sparsek, "sm_80": partial(problem.compiled_for, "sm_80")})
        rows.append(row_of(problem, medians(calls, options.rounds), calls))
    return rows


def section_split(clock: Clock, options: argparse.Namespace) -> list[Json]:
    """The kernels of a call, by torch's profiler."""
    rows = []
    for n in (8192, 32768, 131072):
        if n > options.max_n or not clock.has(5, f"split, {n}"):
            continue
        call = Problem(n).sparsek()
        call()
        torch.cuda.synchronize()
        with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as profile:
            for _ in range(10):
                call()
            torch.cuda.synchronize()
        kernels = {event.key: event.device_time_total / 10 / 1e6 for event in profile.key_averages()}
        kernels = {name: seconds for name, seconds in kernels.items() if seconds > 0}
        print(f"{n:>9}: " + ", ".join(f"{name} {seconds * 1e6:.1f} us" for name, seconds in kernels.items()))
        rows.append({"length": n, "kernel_seconds": kernels})
    return rows


def section_overhead(_clock: Clock, _options: argparse.Namespace) -> Json:
    """Seconds that a call keeps the host busy: some calls while the device is held up by something else."""
    q, k = (torch.zeros(1, heads, 64, D, device="cuda", dtype=torch.bfloat16) for heads in (4, 1))
    end = torch.full((1, 1, 64), 64, device="cuda", dtype=torch.int32)
    calls = 100

    def enqueue() -> float:
        torch.cuda._sleep(100_000_000)
        start = time.perf_counter()
        for _ in range(calls):
            sparsek.sparse_attention(q, k, k, end)
        seconds = time.perf_counter() - start
        torch.cuda.synchronize()
        return seconds / calls

    enqueue()
    host = min(enqueue() for _ in range(5))
    whole = medians({"call": lambda: sparsek.sparse_attention(q, k, k, end)}, 3)["call"]
    print(f"a call on 64 queries: {host * 1e6:.1f} us of the host, {whole * 1e6:.1f} us on the device")
    return {"host_seconds": host, "device_seconds": whole}


FIRST_CALL = """
import time, torch, sparsek
q, k = (torch.zeros(1, heads, 64, 128, device="cuda", dtype=torch.bfloat16) for heads in (4, 1))
end = torch.full((1, 1, 64), 64, device="cuda", dtype=torch.int32)
torch.cuda.synchronize()
start = time.perf_counter()
sparsek.sparse_attention(q, k, k, end)
torch.cuda.synchronize()
print(time.perf_counter() - start)
"""


def section_compile(_clock: Clock, _options: argparse.Namespace) -> Json:
    """The first call of a process, with an empty cache and with a full one. The driver has a cache of its own."""

    def child(folder: str) -> float:
        variables = {**os.environ, "SPARSEK_CACHE_DIR": folder, "CUDA_CACHE_PATH": f"{folder}/driver"}
        command = [sys.executable, "-c", FIRST_CALL]
        done = subprocess.run(command, env=variables, check=True, stdout=subprocess.PIPE, text=True)
        return float(done.stdout)

    with tempfile.TemporaryDirectory() as folder:
        first = child(folder)
        cached = statistics.median(child(folder) for _ in range(3))
    print(f"first call: {first * 1e3:.0f} ms with an empty cache, {cached * 1e3:.0f} ms from the cache on disk")
    return {"first_call_seconds": first, "first_call_from_disk_seconds": cached}


class Pool:
    """The driver's memory pool of the device, from which a call takes its workspace."""

    USED_HIGH = 8

    def __init__(self) -> None:
        self._driver = ctypes.CDLL("libcuda.so.1")
        self._pool = ctypes.c_void_p()
        self._check(self._driver.cuDeviceGetDefaultMemPool(ctypes.byref(self._pool), 0))

    def _check(self, code: int) -> None:
        if code:
            raise RuntimeError(f"the CUDA driver returned {code}")

    def reset(self) -> None:
        zero = ctypes.c_uint64(0)
        self._check(self._driver.cuMemPoolSetAttribute(self._pool, self.USED_HIGH, ctypes.byref(zero)))

    def peak(self) -> int:
        value = ctypes.c_uint64()
        self._check(self._driver.cuMemPoolGetAttribute(self._pool, self.USED_HIGH, ctypes.byref(value)))
        return value.value


def section_memory(clock: Clock, options: argparse.Namespace) -> list[Json]:
    """What a call needs beyond its inputs and results."""
    rows, pool = [], Pool()
    for n in (32768, 131072):
        if n > options.max_n or not clock.has(5, f"memory, {n}"):
            continue
        problem = Problem(n)
        problem.sparsek()()
        torch.cuda.synchronize()
        pool.reset()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        o, lse = sparsek.sparse_attention(problem.q, problem.k, problem.v, problem.end)
        torch.cuda.synchronize()
        results = o.nbytes + lse.nbytes
        by_torch = torch.cuda.max_memory_allocated() - before - results
        arrays = results + sum(x.nbytes for x in (problem.q, problem.k, problem.v, problem.end))
        extra = pool.peak() + by_torch
        print(f"memory at {n}: arrays {arrays / 2**20:.0f} MiB, beyond them {extra / 2**20:.1f} ({extra / arrays:.1%})")
        rows.append({"length": n, "arrays_bytes": arrays, "workspace_bytes": extra})
    return rows


SECTIONS: dict[str, Section] = {
    "ceilings": section_ceilings,
    "compile": section_compile,
    "overhead": section_overhead,
    "split": section_split,
    "memory": section_memory,
    "ampere": section_ampere,
    "shapes": section_shapes,
    "lengths": section_lengths,
}


def device_state() -> Json:
    """Clocks, power and temperature, by nvidia-smi."""
    command = ["nvidia-smi", f"--query-gpu={CLOCKS}", "--format=csv,noheader", "--id=0"]
    try:
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    except (OSError, subprocess.CalledProcessError):
        return {}
    return dict(zip(CLOCKS.split(","), (value.strip() for value in done.stdout.split(",")), strict=False))


def machine() -> Json:
    try:
        import triton

        triton_version = triton.__version__
    except ImportError:
        triton_version = None
    return {
        "gpu": torch.cuda.get_device_name(0),
        "target": sparsek.targets()["cuda"],
        "memory_bytes": torch.cuda.get_device_properties(0).total_memory,
        "driver": device_state().get("driver_version"),
        "versions": {
            "sparsek": sparsek.version(),
            "torch": torch.__version__,
            "cuda": torch.version.cuda,
            "cudnn": torch.backends.cudnn.version(),
            "triton": triton_version,
            "python": platform.python_version(),
        },
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%d"),
    }


def slug(name: str) -> str:
    """ "NVIDIA H100 80GB HBM3" as "h100"."""
    words = [word for word in name.lower().split() if word not in ("nvidia", "geforce", "tesla")]
    return words[0] if words else "unknown"


def load(path: Path, about: Json) -> Json:
    """The result so far, if it is of this device and of these versions."""
    if path.exists():
        result: Json = json.loads(path.read_text())
        if result.get("machine", {}).get("gpu") == about["gpu"] and result["machine"]["versions"] == about["versions"]:
            return result
    return {"machine": about, "configuration": {}, "state": {}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sections", default=",".join(SECTIONS), help="which, in order, separated by commas")
    parser.add_argument("--max-n", type=int, default=LENGTHS[-1], help="the longest sequence")
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds per number")
    parser.add_argument("--budget", type=float, default=330, help="seconds; what does not fit is left out")
    parser.add_argument("--output", type=Path, help="the JSON file, results/gpu-DEVICE.json by default")
    options = parser.parse_args()
    names = options.sections.split(",")
    unknown = [name for name in names if name not in SECTIONS]
    if unknown:
        parser.error(f"--sections: no section {', '.join(unknown)}; there are {', '.join(SECTIONS)}")
    if not torch.cuda.is_available():
        parser.error("torch sees no GPU")
    about = machine()
    output = options.output or ROOT / "results" / f"gpu-{slug(about['gpu'])}.json"
    result = load(output, about)
    result["configuration"] = {
        "hq": HQ, "hkv": HKV, "d": D, "topk": TOPK, "window": WINDOW, "dtype": "bfloat16", "rounds": options.rounds,
    }  # fmt: skip
    print(f"{about['gpu']}, {about['target']}, torch {torch.__version__}")
    clock = Clock(options.budget)
    output.parent.mkdir(parents=True, exist_ok=True)
    torch.set_grad_enabled(False)
    for name in names:
        if not clock.has(5, name):
            continue
        print(f"--- {name}", flush=True)
        start = time.monotonic()
        before = device_state()
        result[name] = SECTIONS[name](clock, options)
        seconds = time.monotonic() - start
        result["state"][name] = {"before": before, "after": device_state(), "section_seconds": seconds}
        result["left_out"] = clock.left_out
        output.write_text(json.dumps(result, indent=2) + "\n")
        lifetimes.cache_clear()
        torch.cuda.empty_cache()
        print(f"    {seconds:.0f} s", flush=True)
    print(f"written: {output}")


if __name__ == "__main__":
    main()
