# Part of the sparsek project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Times sparsek.sparse_attention on a GPU beside what else computes attention there, in one run on one device.

bf16, Hq 32, Hkv 8, d 128, topk = window = 512 or 1,024, B 1, lifetimes from causal_topk_mask (on the CPU, not timed).
The peers: a Triton kernel of the same problem (gpu_triton.py, its lists not timed), FlexAttention with the same mask,
torch's dense causal attention (cuDNN and flash), a matrix product and a copy. Rounds are interleaved, and of each the
median call counts, timed by events after the L2 cache is overwritten. Useful work is 4 * d * (number of visible (query
head, key) pairs).

Writes a JSON file after every section; a later run with --sections replaces only those. An entry that fails becomes its
error, and what does not fit into --budget seconds is left out and named.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import traceback
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
DEVICE = "cuda"
HQ, HKV, D = 32, 8, 128
COMPARED = [4096, 8192, 32768, 131072]
LONG = [262144, 524288, 1048576]
FLEX = [4096, 8192, 32768]
DENSE = ("cudnn", "flash")
CLOCKS = "name,driver_version,clocks.sm,clocks.max.sm,clocks.mem,power.draw,power.limit,temperature.gpu"

Json = dict[str, Any]
Calls = dict[str, Callable[[], object]]
Makers = dict[str, Callable[[], Callable[[], object]]]


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


def message(error: BaseException) -> str:
    """The first line of an error."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:200] if lines else ''}"


def attempt(what: str, entry: Callable[[], Json]) -> Json:
    """An entry of the result, or its error."""
    try:
        return entry()
    except Exception as error:
        print(f"{what}: {message(error)}", flush=True)
        traceback.print_exc()
        return {"error": message(error)}
    finally:
        torch.cuda.empty_cache()


def lifetimes(n: int, heads: int, topk: int, window: int) -> tuple[torch.Tensor, ...]:
    """(end, scores, tau) [1, heads, n] of Gaussian scores; kept on disk for the next section and the next run."""
    path = Path(tempfile.gettempdir()) / f"sparsek-lifetimes-{sparsek.version()}-{n}-{heads}-{topk}-{window}.pt"
    if not path.exists():
        scores = torch.randn(1, heads, n, generator=torch.Generator().manual_seed(n))
        start = time.perf_counter()
        end, tau, _ = sparsek.causal_topk_mask(scores, topk, window)
        print(f"    lifetimes at {n}: {time.perf_counter() - start:.1f} s on the CPU", flush=True)
        unfinished = path.with_suffix(f".{os.getpid()}")
        torch.save((end, scores, tau), unfinished)
        unfinished.replace(path)
    return tuple(x.to(DEVICE) for x in torch.load(path))


class Problem:
    """The arrays of one shape, and the calls on them."""

    def __init__(self, n: int, kv_heads: int = HKV, d: int = D, topk: int = 512, gate: str = "none") -> None:
        self.n, self.d, self.group, self.gate, self.window = n, d, HQ // kv_heads, gate, topk
        generator = torch.Generator(DEVICE).manual_seed(n)
        self.q, self.k, self.v = (
            torch.randn(1, heads, n, d, generator=generator, device=DEVICE, dtype=torch.bfloat16)
            for heads in (HQ, kv_heads, kv_heads)
        )
        self.end, self.scores, self.tau = lifetimes(n, kv_heads, topk, self.window)
        alive = self.end.long().clamp(max=n) - torch.arange(n, device=DEVICE)
        self.pairs = int(alive.sum()) * self.group

    def sparsek(self) -> Callable[[], torch.Tensor]:
        options: Json = {}
        if self.gate != "none":
            options = {"gate": self.gate, "window": self.window, "scores": self.scores, "tau": self.tau}

        def call() -> torch.Tensor:
            o: torch.Tensor = sparsek.sparse_attention(self.q, self.k, self.v, self.end, **options)[0]
            return o

        return call

    def compiled_for(self, chip: str) -> Callable[[], torch.Tensor]:
        """The same call with code for a chip by name."""
        statics = modules.AttentionStatics(library.BF16, self.d, self.d, self.group, "none", 0, None, None, True)
        function = sparsek.compile(modules.sparse_attention_text(statics), target=chip).sparse_attention

        def call() -> torch.Tensor:
            o = torch.empty_like(self.q)
            function(self.q, self.k, self.v, self.end, o, torch.empty(self.q.shape[:3], device=DEVICE))
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

        mask = create_block_mask(seen, None, HQ, self.n, self.n, device=DEVICE, _compile=True)
        compiled = compiled_flex()
        return lambda: compiled(self.q, self.k, self.v, block_mask=mask, enable_gqa=group > 1)

    def dense(self, backend: str) -> Callable[[], torch.Tensor]:
        """torch's causal attention; with a copy of k and v for every query head where it cannot share them."""
        from torch.nn.attention import SDPBackend, sdpa_kernel

        which = {"cudnn": SDPBackend.CUDNN_ATTENTION, "flash": SDPBackend.FLASH_ATTENTION}[backend]
        sdpa = torch.nn.functional.scaled_dot_product_attention

        def on(k: torch.Tensor, v: torch.Tensor, shared: bool) -> Callable[[], torch.Tensor]:
            def call() -> torch.Tensor:
                with sdpa_kernel(which):
                    return sdpa(self.q, k, v, is_causal=True, enable_gqa=shared)

            return call

        call = on(self.k, self.v, self.group > 1)
        try:
            call()
            return call
        except RuntimeError as error:
            if self.group == 1:
                raise
            print(f"    {backend}: a copy of k and v per query head: {message(error)}", flush=True)
            k, v = (x.repeat_interleave(self.group, 1) for x in (self.k, self.v))
            return on(k, v, False)

    def error(self, o: torch.Tensor) -> float:
        """The largest difference to float64 on some rows of three heads."""
        rows = torch.linspace(0, self.n - 1, 64, device=DEVICE).long()
        j, largest = torch.arange(self.n, device=DEVICE), 0.0
        for head in (0, HQ // 2 + 1, HQ - 1):
            kv = head // self.group
            seen = (j <= rows[:, None]) & (rows[:, None] < self.end[0, kv])
            logits = self.q[0, head, rows].double() @ self.k[0, kv].double().T * self.d**-0.5
            weights = torch.softmax(logits.masked_fill(~seen, -torch.inf), -1)
            if self.gate == "value":
                gates = (self.scores[0, kv] - self.tau[0, kv, rows][:, None]).double().clamp(0, 1)
                weights = torch.where(rows[:, None] - j < self.window, weights, weights * gates)
            want = weights @ self.v[0, kv].double()
            largest = max(largest, (o[0, head, rows].double() - want).abs().max().item())
        return largest


@cache
def compiled_flex() -> Any:
    from torch.nn.attention.flex_attention import flex_attention

    return torch.compile(flex_attention)


@cache
def _flush() -> torch.Tensor:
    return torch.empty(2**28, dtype=torch.uint8, device=DEVICE)


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


def kernel_seconds(call: Callable[[], object], calls: int = 5) -> dict[str, float]:
    """The kernels of a call, by torch's profiler."""
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as profile:
        for _ in range(calls):
            call()
        torch.cuda.synchronize()
    kernels = {event.key[:60]: event.self_device_time_total / calls / 1e6 for event in profile.key_averages()}
    return {name: seconds for name, seconds in kernels.items() if seconds > 0}


def prepare(makers: Makers) -> tuple[Calls, Json]:
    """The calls that can be made here, and why others cannot."""
    calls: Calls = {}
    errors: Json = {}
    for name, maker in makers.items():
        try:
            call = maker()
            call()
            torch.cuda.synchronize()
        except Exception as error:
            print(f"    {name}: left out: {message(error)}", flush=True)
            errors[name] = message(error)
            torch.cuda.empty_cache()
            continue
        calls[name] = call
    return calls, errors


def kernels_of(problem: Problem, call: Callable[[], object]) -> Json:
    """What a call's time consists of: the lists of keys, and the attention."""
    try:
        kernels = kernel_seconds(call)
    except Exception as error:
        return {"kernels_error": message(error)}
    row: Json = {"kernel_seconds": kernels}
    attention = sum(seconds for name, seconds in kernels.items() if "sparse_attention" in name)
    if attention:
        row["attention_kernel_tflops"] = 4 * problem.d * problem.pairs / attention / 1e12
        row["lists_seconds"] = sum(kernels.values()) - attention
    return row


def measure(problem: Problem, makers: Makers, rounds: int) -> Json:
    """Times of one shape and what they mean; the operations of dense attention are its own."""
    calls, errors = prepare({"sparsek": problem.sparsek, **makers})
    row: Json = {"length": problem.n, "visible_pairs": problem.pairs}
    if errors:
        row["errors"] = errors
    row["seconds"] = times = medians(calls, rounds)
    dense_pairs = HQ * problem.n * (problem.n + 1) / 2
    pairs = {name: dense_pairs if name in DENSE else problem.pairs for name in times}
    row["tflops"] = {name: 4 * problem.d * pairs[name] / seconds / 1e12 for name, seconds in times.items()}
    if "sparsek" in calls:
        ours = times["sparsek"]
        row["times_faster_than"] = {name: seconds / ours for name, seconds in times.items() if name != "sparsek"}
        row |= kernels_of(problem, calls["sparsek"])
    row["largest_error"] = {name: problem.error(calls[name]()) for name in calls if name not in DENSE}  # type: ignore[arg-type]
    print(line_of(row), flush=True)
    return row


def line_of(row: Json) -> str:
    """A row of the table: length, milliseconds and TFLOP/s of each."""
    if "seconds" not in row:
        return f"{row.get('length', ''):>9}  {row.get('error', '')}"
    cells = [f"{name} {seconds * 1e3:.3f} ({row['tflops'][name]:.0f})" for name, seconds in row["seconds"].items()]
    if "lists_seconds" in row:
        cells.append(f"attention kernel ({row['attention_kernel_tflops']:.0f}), lists {row['lists_seconds'] * 1e3:.3f}")
    if row.get("growth_per_doubling"):
        cells.append(f"x{row['growth_per_doubling']:.2f} per doubling")
    if "largest_error" in row:
        cells.append("error " + ", ".join(f"{error:.1e}" for error in row["largest_error"].values()))
    return f"{row['length']:>9}  " + "  ".join(cells)


def entry(problem: Callable[[], Problem], peers: tuple[str, ...], rounds: int) -> Json:
    """`measure` with the named peers."""
    made = problem()
    known: Makers = {
        "triton": made.triton,
        "cudnn": partial(made.dense, "cudnn"),
        "flash": partial(made.dense, "flash"),
        "flex": made.flex,
        "sm_80": partial(made.compiled_for, "sm_80"),
    }
    return measure(made, {name: known[name] for name in peers}, rounds)


Section = Callable[[Clock, argparse.Namespace], Any]


def section_ceilings(_clock: Clock, options: argparse.Namespace) -> Json:
    """A matrix product and a copy: what the device reaches."""
    a, b = (torch.randn(8192, 8192, device=DEVICE, dtype=torch.bfloat16) for _ in range(2))
    source = torch.empty(2**31, dtype=torch.uint8, device=DEVICE)
    target = torch.empty_like(source)
    times = medians({"matmul": lambda: a @ b, "copy": lambda: target.copy_(source)}, options.rounds, 0.2)
    result = {
        "matmul_8192_bf16_tflops": 2 * 8192**3 / times["matmul"] / 1e12,
        "copy_2gib_terabytes_per_second": 2 * 2**31 / times["copy"] / 1e12,
    }
    print(", ".join(f"{name} {value:.2f}" for name, value in result.items()), flush=True)
    return result


def add_growth(rows: list[Json]) -> None:
    """How the last row's time grows for each doubling of the length since the row before."""
    if len(rows) < 2 or not all("sparsek" in row.get("seconds", {}) for row in rows[-2:]):
        return
    before, last = rows[-2:]
    doublings = math.log2(last["length"] / before["length"])
    last["growth_per_doubling"] = (last["seconds"]["sparsek"] / before["seconds"]["sparsek"]) ** (1 / doublings)


def rows_over(
    clock: Clock, options: argparse.Namespace, name: str, lengths: list[int], peers: tuple[str, ...], seconds: float,
    **changes: Any,
) -> list[Json]:  # fmt: skip
    """An entry for each length; one takes about `seconds`, more where it is long."""
    rows: list[Json] = []
    for n in lengths:
        what = f"{name}, {n}"
        if n > options.max_n or not clock.has(seconds + n / 60000, what):
            continue
        row = attempt(what, lambda n=n: entry(partial(Problem, n, **changes), peers, options.rounds))  # type: ignore[misc]
        rows.append({"length": n, **row})
        add_growth(rows)
    return rows


def section_lengths(clock: Clock, options: argparse.Namespace) -> list[Json]:
    """Time against length, topk = window = 512, beside all but FlexAttention; then the long ones alone."""
    peers = ("triton", *DENSE)
    rows = rows_over(clock, options, "lengths", COMPARED, peers, 5)
    if COMPARED[-1] <= options.max_n:
        # The first of the long ones grows from the last of these.
        rows += rows_over(clock, options, "lengths", LONG, (), 4)
        for index in range(1, len(rows)):
            add_growth(rows[: index + 1])
    return rows


def section_lengths_1024(clock: Clock, options: argparse.Namespace) -> list[Json]:
    """Time against length, topk = window = 1,024."""
    return rows_over(clock, options, "lengths_1024", COMPARED, ("triton", *DENSE), 5, topk=1024)


def section_flex(clock: Clock, options: argparse.Namespace) -> Json:
    """FlexAttention with the same mask; each length compiles anew."""
    return {
        f"topk = window = {topk}": rows_over(clock, options, f"flex {topk}", FLEX, ("flex",), 20, topk=topk)
        for topk in (512, 1024)
    }


def section_shapes(clock: Clock, options: argparse.Namespace) -> Json:
    """Other shapes at two lengths: one query head per kv head, d 64, gates on the values."""
    shapes: dict[str, tuple[Json, tuple[str, ...]]] = {
        "hkv 32": ({"kv_heads": 32}, ("triton", "cudnn")),
        "d 64": ({"d": 64}, ("triton", "cudnn")),
        "gate value": ({"gate": "value"}, ()),
        "gate value, topk = window = 1024": ({"gate": "value", "topk": 1024}, ()),
    }
    result: Json = {}
    for name, (changes, peers) in shapes.items():
        print(name)
        result[name] = rows_over(clock, options, name, [8192, 32768], peers, 3, **changes)
    return result


def section_ampere(clock: Clock, options: argparse.Namespace) -> list[Json]:
    """The code for sm_80 on this device."""
    return rows_over(clock, options, "ampere", [8192, 32768], ("sm_80",), 3)


def section_overhead(_clock: Clock, _options: argparse.Namespace) -> Json:
    """Seconds that a call keeps the host busy: some calls while the device is held up by something else."""
    q, k = (torch.zeros(1, heads, 64, D, device=DEVICE, dtype=torch.bfloat16) for heads in (4, 1))
    end = torch.full((1, 1, 64), 64, device=DEVICE, dtype=torch.int32)
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


def child(code: str, *arguments: str, **variables: str) -> Json:
    """What a new process prints as JSON."""
    command = [sys.executable, "-c", code, *arguments]
    environment = {**os.environ, **variables}
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True, timeout=90)
    result: Json = json.loads(done.stdout)
    return result


FIRST_CALL = """
import json, time, torch, sparsek
q, k = (torch.zeros(1, heads, 64, 128, device="cuda", dtype=torch.bfloat16) for heads in (4, 1))
end = torch.full((1, 1, 64), 64, device="cuda", dtype=torch.int32)
torch.cuda.synchronize()
start = time.perf_counter()
sparsek.sparse_attention(q, k, k, end)
torch.cuda.synchronize()
print(json.dumps({"seconds": time.perf_counter() - start}))
"""


def section_compile(_clock: Clock, _options: argparse.Namespace) -> Json:
    """The first call of a process, with an empty cache and with a full one. The driver has a cache of its own."""
    with tempfile.TemporaryDirectory() as folder:
        variables = {"SPARSEK_CACHE_DIR": folder, "CUDA_CACHE_PATH": f"{folder}/driver"}
        first = child(FIRST_CALL, **variables)["seconds"]
        cached = min(child(FIRST_CALL, **variables)["seconds"] for _ in range(2))
    print(f"first call: {first * 1e3:.0f} ms with an empty cache, {cached * 1e3:.0f} ms from the cache on disk")
    return {"first_call_seconds": first, "first_call_from_disk_seconds": cached}


# The pool of the runtime keeps what calls have freed. Results come from torch's cache.
WORKSPACE = """
import json, sys, torch, sparsek
def arrays(n):
    q, k = (torch.zeros(1, heads, n, 128, device="cuda", dtype=torch.bfloat16) for heads in (32, 8))
    end = torch.arange(1024, 1024 + n, device="cuda", dtype=torch.int32).clamp(max=n).expand(1, 8, n).contiguous()
    return q, k, k.clone(), end
def free():
    torch.cuda.synchronize()
    return torch.cuda.mem_get_info()[0]
sparsek.sparse_attention(*arrays(64))
rows, kept = [], 0
for n in map(int, sys.argv[1:]):
    qkve = arrays(n)
    results = [torch.empty_like(qkve[0]), torch.empty(qkve[0].shape[:3], device="cuda")]
    del results
    before = free()
    o, lse = sparsek.sparse_attention(*qkve)
    kept += before - free()
    total = sum(x.nbytes for x in (*qkve, o, lse))
    rows.append({"length": n, "arrays_bytes": total, "workspace_bytes": kept})
print(json.dumps({"rows": rows}))
"""


def section_memory(_clock: Clock, options: argparse.Namespace) -> list[Json]:
    """What a call needs beyond its inputs and results, in the driver's steps."""
    lengths = [str(n) for n in (32768, 131072, 1048576) if n <= options.max_n]
    rows: list[Json] = child(WORKSPACE, *lengths)["rows"]
    for row in rows:
        arrays, extra = row["arrays_bytes"], row["workspace_bytes"]
        print(f"{row['length']:>9}  arrays {arrays / 2**20:.0f} MiB, beyond {extra / 2**20:.0f} ({extra / arrays:.1%})")
    return rows


# The most wanted first.
SECTIONS: dict[str, Section] = {
    "ceilings": section_ceilings,
    "lengths": section_lengths,
    "lengths_1024": section_lengths_1024,
    "shapes": section_shapes,
    "ampere": section_ampere,
    "overhead": section_overhead,
    "memory": section_memory,
    "compile": section_compile,
    "flex": section_flex,
}


def device_state() -> Json:
    """Clocks, power and temperature, by nvidia-smi."""
    command = ["nvidia-smi", f"--query-gpu={CLOCKS}", "--format=csv,noheader", "--id=0"]
    try:
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
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


def run_section(name: str, clock: Clock, options: argparse.Namespace, result: Json) -> None:
    """Puts what a section finds into the result; a section that fails leaves its error."""
    print(f"--- {name}", flush=True)
    start = time.monotonic()
    before = device_state()
    try:
        result[name] = SECTIONS[name](clock, options)
    except Exception as error:
        traceback.print_exc()
        result[name] = {"error": message(error)}
    seconds = time.monotonic() - start
    result["state"][name] = {"before": before, "after": device_state(), "section_seconds": seconds}
    result["left_out"] = clock.left_out
    torch.cuda.empty_cache()
    print(f"    {seconds:.0f} s", flush=True)


def print_table(result: Json) -> None:
    """All rows: milliseconds, and useful TFLOP/s in parentheses."""
    for name in SECTIONS:
        found = result.get(name)
        groups = found if isinstance(found, dict) else {"": found}
        for group, rows in groups.items():
            if isinstance(rows, list) and rows:
                print(f"{name} {group}".strip())
                for row in rows:
                    print(line_of(row) if "arrays_bytes" not in row else f"{row['length']:>9}  {row}")
            elif rows:
                print(f"{name} {group} {rows}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sections", default=",".join(SECTIONS), help="which, in order, separated by commas")
    parser.add_argument("--max-n", type=int, default=LONG[-1], help="the longest sequence")
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds per number")
    parser.add_argument("--budget", type=float, default=290, help="seconds; what does not fit is left out")
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
        "hq": HQ, "hkv": HKV, "d": D, "topk": 512, "window": 512, "dtype": "bfloat16", "rounds": options.rounds,
    }  # fmt: skip
    print(f"{about['gpu']}, {about['target']}, torch {torch.__version__}")
    clock = Clock(options.budget)
    output.parent.mkdir(parents=True, exist_ok=True)
    torch.set_grad_enabled(False)
    for name in names:
        if clock.has(5, name):
            run_section(name, clock, options, result)
        output.write_text(json.dumps(result, indent=2) + "\n")
    print_table(result)
    print(f"written: {output}")


if __name__ == "__main__":
    main()
