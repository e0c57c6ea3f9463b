# Part of the sparsek project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""examples/train_bytes.py runs, and its kinds of attention are what it says they are."""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path

import pytest
import torch

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "train_bytes.py"
TINY = "--steps 3 --eval-every 2 --eval-batches 1 --context 48 --batch 2 --layers 1 --width 32 --topk 4 --window 4"


def test_a_short_run_of_every_kind(tmp_path, monkeypatch):
    output = tmp_path / "result.json"
    monkeypatch.setattr(sys, "argv", ["train_bytes.py", *TINY.split(), "--output", str(output)])
    runpy.run_path(str(EXAMPLE), run_name="__main__")
    result = json.loads(output.read_text())
    assert set(result["runs"]) == {"dense", "sparsek", "window", "random"}
    for run in result["runs"].values():
        assert run["steps"] == [0, 2, 3]
        assert len(run["train"]) == 2
        assert run["valid"][2] < run["valid"][0]


@pytest.mark.parametrize(("kind", "reach"), [("dense", 20), ("window", 7), ("sparsek", None), ("random", None)])
def test_what_a_query_sees(kind, reach):
    kinds = runpy.run_path(str(EXAMPLE))["KINDS"]
    torch.manual_seed(0)
    layer = kinds[kind](16, 2, topk=4, window=3)
    x = torch.randn(1, 20, 16)
    q, k = torch.randn(1, 2, 20, 8), torch.randn(1, 2, 20, 8)
    v = torch.randn(1, 2, 20, 8, requires_grad=True)
    (grad,) = torch.autograd.grad(layer.attend(q, k, v, x)[:, :, -1].sum(), v)
    seen = (grad != 0).any(-1)
    if reach is None:
        # The latest three, and of the others at most four: a gate may be 0.
        assert seen[..., -3:].all()
        assert (seen.sum(-1) <= 7).all()
    else:
        assert (seen == (torch.arange(20) >= 20 - reach)).all()
