# Part of the sparsek project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Trains a small byte-level decoder on Python's documentation, once for each kind of attention.

The text is what ``help("topics")`` shows, part of every Python, so nothing is downloaded. All runs see the same
batches and start from the same weights; they differ in the keys that a query sees:

  dense    all before it
  sparsek  the latest `window`, and `topk` older ones that the scoring network chose; the scores learn by the gate
  window   the latest `topk + window`
  random   the latest `window`, and `topk` older ones with the largest of scores that are noise, drawn anew each step

The default takes minutes on two CPU cores; --large is for a machine with many.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import platform
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

import sparsek
from sparsek.torch import SparseKAttention

SMALL = {"steps": 400, "context": 512, "batch": 4, "layers": 3, "width": 128, "heads": 4, "kv_heads": 2}
LARGE = {"steps": 5000, "context": 2048, "batch": 16, "layers": 6, "width": 384, "heads": 6, "kv_heads": 2}


class DenseAttention(SparseKAttention):
    """Every key before the query."""

    def attend(self, q: Tensor, k: Tensor, v: Tensor, x: Tensor) -> Tensor:
        return functional.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)


class WindowAttention(SparseKAttention):
    """The latest topk + window keys: a sliding window written as lifetimes."""

    def attend(self, q: Tensor, k: Tensor, v: Tensor, x: Tensor) -> Tensor:
        end = torch.arange(k.shape[2], dtype=torch.int32) + self.topk + self.window
        o: Tensor = sparsek.sparse_attention(q, k, v, end.expand(k.shape[:3]))[0]
        return o


class RandomAttention(SparseKAttention):
    """The latest keys and older ones of no merit."""

    def attend(self, q: Tensor, k: Tensor, v: Tensor, x: Tensor) -> Tensor:
        scores = torch.rand(k.shape[:3])
        o: Tensor = sparsek.attention(q, k, v, scores, topk=self.topk, window=self.window, gate="none")
        return o


KINDS: dict[str, type[SparseKAttention]] = {
    "dense": DenseAttention,
    "sparsek": SparseKAttention,
    "window": WindowAttention,
    "random": RandomAttention,
}


def rotate(q: Tensor, k: Tensor) -> tuple[Tensor, Tensor]:
    """Rotary position encoding: the position encoding is the caller's, so here it is."""
    half = q.shape[-1] // 2
    angle = torch.arange(q.shape[2])[:, None] * 10000.0 ** (-torch.arange(half) / half)
    cos, sin = angle.cos(), angle.sin()

    def turn(x: Tensor) -> Tensor:
        a, b = x.split(half, -1)
        return torch.cat([a * cos - b * sin, a * sin + b * cos], -1)

    return turn(q), turn(k)


class Block(nn.Module):
    def __init__(self, attention: SparseKAttention) -> None:
        super().__init__()
        width = attention.embed_dim
        self.attention = attention
        self.norm_attention, self.norm_mlp = nn.LayerNorm(width), nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(self.norm_attention(x), rotate)
        result: Tensor = x + self.mlp(self.norm_mlp(x))
        return result


class Decoder(nn.Module):
    """Bytes in, logits of the next byte out."""

    def __init__(self, kind: str, options: argparse.Namespace) -> None:
        super().__init__()

        def attention() -> SparseKAttention:
            return KINDS[kind](
                options.width,
                options.heads,
                num_kv_heads=options.kv_heads,
                topk=options.topk,
                window=options.window,
            )

        self.embedding = nn.Embedding(256, options.width)
        self.blocks = nn.Sequential(*[Block(attention()) for _ in range(options.layers)])
        self.norm, self.head = nn.LayerNorm(options.width), nn.Linear(options.width, 256)

    def forward(self, tokens: Tensor) -> Tensor:
        logits: Tensor = self.head(self.norm(self.blocks(self.embedding(tokens))))
        return logits

    def loss(self, rows: Tensor) -> Tensor:
        """Cross entropy in nats per byte of rows [B, context + 1]."""
        return functional.cross_entropy(self(rows[:, :-1]).flatten(0, 1), rows[:, 1:].flatten())


def read_text(path: Path | None) -> bytes:
    if path is not None:
        return path.read_bytes()
    from pydoc_data import topics

    return "\n".join(topics.topics[name] for name in sorted(topics.topics)).encode()


def batches(data: Tensor, options: argparse.Namespace, seed: int) -> Iterator[Tensor]:
    """Rows from random places, the same ones for the same seed."""
    generator = torch.Generator().manual_seed(seed)
    while True:
        starts = torch.randint(len(data) - options.context - 1, (options.batch,), generator=generator)
        yield torch.stack([data[start : start + options.context + 1] for start in starts.tolist()])


@torch.no_grad()
def validate(model: Decoder, data: Tensor, options: argparse.Namespace) -> float:
    """The mean loss on a few fixed batches of text that is not trained on."""
    rows = batches(data, options, options.seed + 1)
    losses = [model.loss(next(rows)).item() for _ in range(options.eval_batches)]
    return sum(losses) / len(losses)


def rate(step: int, options: argparse.Namespace) -> float:
    """The learning rate: a warm-up, then half a cosine."""
    warm = max(1, options.steps // 20)
    after = max(0.0, (step - warm) / max(1, options.steps - warm))
    factor: float = options.rate * min(1.0, (step + 1) / warm)
    return factor * (0.05 + 0.475 * (1 + math.cos(math.pi * after)))


def train(kind: str, train_data: Tensor, valid_data: Tensor, options: argparse.Namespace) -> dict[str, Any]:
    torch.manual_seed(options.seed)
    model = Decoder(kind, options)
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=0.1)
    rows = batches(train_data, options, options.seed)
    steps: list[int] = []
    curves: dict[str, list[float]] = {"train": [], "valid": []}
    recent: list[float] = []
    start = time.perf_counter()
    for step in range(options.steps + 1):
        if step % options.eval_every == 0 or step == options.steps:
            steps.append(step)
            curves["valid"].append(round(validate(model, valid_data, options), 4))
            # The mean since the last time; before the first step there is none.
            curves["train"] += [round(sum(recent) / len(recent), 4)] if recent else []
            recent = []
            seconds = time.perf_counter() - start
            print(f"{kind:8} step {step:5} valid {curves['valid'][-1]:.3f} ({seconds:.0f} s)", flush=True)
        if step == options.steps:
            break
        for group in optimizer.param_groups:
            group["lr"] = rate(step, options)
        loss = model.loss(next(rows))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        recent.append(loss.item())
    return {"steps": steps, **curves}


def processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def plot(result: dict[str, Any], path: Path) -> None:
    import matplotlib

    matplotlib.use("svg")
    import matplotlib.pyplot as plt

    # Text stays text, and the same numbers give the same file.
    plt.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "sparsek", "font.size": 11})
    figure, axes = plt.subplots(figsize=(7.2, 4.4))
    options = result["options"]
    kept = options["topk"] + options["window"]
    labels = {
        "dense": "dense: all keys",
        "sparsek": f"SparseK: {options['topk']} selected + {options['window']} latest",
        "window": f"window only: {kept} latest",
        "random": f"random: {options['topk']} at random + {options['window']} latest",
    }
    styles = {
        "dense": ("#8a8a8a", "--"),
        "sparsek": ("#0b6e4f", "-"),
        "window": ("#c05a00", "-"),
        "random": ("#5b4b9a", "-"),
    }
    for kind, run in result["runs"].items():
        color, line = styles[kind]
        axes.plot(run["steps"][1:], run["valid"][1:], line, color=color, label=labels[kind])
    axes.set_xlabel("step")
    axes.set_ylabel("nats per byte, held-out text")
    axes.set_title(
        f"byte-level decoder on Python's documentation: {options['layers']} layers, width {options['width']}, "
        f"context {options['context']}\n{result['machine']['cpu']}",
        fontsize=10,
    )
    axes.grid(True, color="#dddddd")
    axes.legend(frameon=False)
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None})


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--large", action="store_true", help="a larger model, a longer context, more steps")
    for name in SMALL:
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, help=f"{SMALL[name]}; with --large {LARGE[name]}")
    parser.add_argument("--topk", type=int, help="context / 16")
    parser.add_argument("--window", type=int, help="context / 16")
    parser.add_argument("--rate", type=float, default=3e-3, help="peak learning rate (%(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--eval-every", type=int, default=25)
    parser.add_argument("--eval-batches", type=int, default=8)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--text", type=Path, help="train on this file")
    parser.add_argument("--output", type=Path, help="write options, machine and losses here, as JSON")
    parser.add_argument("--plot", type=Path, help="draw the losses into this SVG file (needs matplotlib)")
    options = parser.parse_args()
    for name, value in (LARGE if options.large else SMALL).items():
        if getattr(options, name) is None:
            setattr(options, name, value)
    for name in ("topk", "window"):
        if getattr(options, name) is None:
            setattr(options, name, options.context // 16)
    return options


def main() -> None:
    options = parse()
    text = read_text(options.text)
    data = torch.frombuffer(bytearray(text), dtype=torch.uint8).long()
    cut = len(data) * 9 // 10
    result: dict[str, Any] = {
        "machine": {
            "cpu": processor(),
            "threads": torch.get_num_threads(),
            "versions": {"python": platform.python_version(), "torch": torch.__version__, "sparsek": sparsek.version()},
        },
        "text": {"bytes": len(text), "sha256": hashlib.sha256(text).hexdigest()},
        "options": {name: value for name, value in vars(options).items() if name not in ("output", "plot", "text")},
        "runs": {},
    }
    for kind in options.kinds:
        result["runs"][kind] = train(kind, data[:cut], data[cut:], options)
    for kind, run in result["runs"].items():
        print(f"{kind:8} {run['valid'][-1]:.3f} nats per byte = {run['valid'][-1] / math.log(2):.3f} bits")
    if options.output:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(json.dumps(result, indent=1) + "\n")
    if options.plot:
        plot(result, options.plot)


if __name__ == "__main__":
    main()
