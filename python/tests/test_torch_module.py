# Part of the sparsek project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""sparsek.torch.SparseKAttention: parameters, meaning, training, and training in two processes."""

from __future__ import annotations

import copy
import gc
import re

import pytest
import torch
from torch import nn

from sparsek.torch import SparseKAttention, reference


def make(**options):
    torch.manual_seed(0)
    return SparseKAttention(**{"embed_dim": 24, "num_heads": 4, "num_kv_heads": 2, "topk": 5, "window": 3, **options})


def test_state_dict():
    # Checkpoints depend on these names and shapes.
    shapes = {name: tuple(value.shape) for name, value in make(bias=True).state_dict().items()}
    assert shapes == {
        "score_weight": (2, 24),
        "score_bias": (2,),
        "score_slope": (2,),
        "q_proj.weight": (24, 24),
        "q_proj.bias": (24,),
        "k_proj.weight": (12, 24),
        "k_proj.bias": (12,),
        "v_proj.weight": (12, 24),
        "v_proj.bias": (12,),
        "o_proj.weight": (24, 24),
        "o_proj.bias": (24,),
    }
    other = make()
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.add_(1)
    other.load_state_dict(make().state_dict())
    x = torch.randn(1, 9, 24)
    torch.testing.assert_close(other(x), make()(x))


@pytest.mark.parametrize("gate", ["none", "value", "key_value"])
@pytest.mark.parametrize("encode", [False, True])
def test_is_the_formula(gate, encode):
    layer = make(gate=gate, head_dim=5, scale=0.3)
    nn.init.uniform_(layer.score_slope)
    nn.init.uniform_(layer.score_bias)
    x = torch.randn(2, 30, 24)

    def encoding(q, k):
        assert q.shape == (2, 4, 30, 5)
        assert k.shape == (2, 2, 30, 5)
        return 2 * q, k + 1

    def heads(projection):
        return projection(x).unflatten(-1, (-1, 5)).transpose(1, 2)

    q, k, v = heads(layer.q_proj), heads(layer.k_proj), heads(layer.v_proj)
    if encode:
        q, k = 2 * q, k + 1
    scores = reference.score(x, layer.score_weight, layer.score_bias, layer.score_slope)
    o = reference.attention(q, k, v, scores, topk=5, window=3, gate=gate, scale=0.3)
    want = layer.o_proj(o.transpose(1, 2).flatten(2))
    torch.testing.assert_close(layer(x, encoding if encode else None), want, rtol=1e-5, atol=1e-5)


def test_a_copy_in_low_precision():
    layer = make().bfloat16()
    y = layer(torch.randn(1, 9, 24).bfloat16())
    assert y.dtype == torch.bfloat16
    y.float().sum().backward()
    assert all(parameter.grad.dtype == torch.bfloat16 for parameter in layer.parameters())


def test_on_the_meta_device():
    layer = make(device="meta")
    assert layer.score_weight.is_meta
    layer.to_empty(device="cpu").reset_parameters()
    assert layer(torch.randn(1, 4, 24)).isfinite().all()


def test_compile_without_graph_breaks():
    layer = make()
    compiled = torch.compile(copy.deepcopy(layer), backend="aot_eager", fullgraph=True)
    x = torch.randn(2, 12, 24)
    torch.testing.assert_close(compiled(x), layer(x))
    for model in (compiled, layer):
        model(x).square().sum().backward()
    for a, b in zip(compiled.parameters(), layer.parameters(), strict=True):
        torch.testing.assert_close(a.grad, b.grad)


def test_it_learns_to_keep_the_key_that_is_asked_for():
    # One early token, marked in channel 0, carries the answer in channel 1; the last query has to give it.
    torch.manual_seed(1)
    layer = SparseKAttention(16, 2, topk=1, window=1)
    optimizer = torch.optim.Adam(layer.parameters(), lr=3e-2)
    before = layer.score_weight.detach().clone()
    losses = []
    rows = torch.arange(16)
    for _ in range(40):
        x = 0.3 * torch.randn(16, 12, 16)
        place, answer = torch.randint(1, 9, (16,)), torch.randn(16)
        x[rows, place, 0], x[rows, place, 1] = 3.0, answer
        loss = (layer(x)[:, -1, 0] - answer).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert sum(losses[-10:]) < 0.5 * sum(losses[:10])
    assert (layer.score_weight != before).any()


BAD = [
    ({"num_kv_heads": 3}, ValueError, "num_kv_heads: got 3, needs a divisor of num_heads = 4"),
    ({"embed_dim": 25}, ValueError, "num_heads: got 4, needs a divisor of embed_dim = 25, or a head_dim"),
    ({"dropout": 0.1}, ValueError, "dropout: got 0.1, needs 0"),
    ({"topk": 0}, ValueError, "topk: got 0"),
    ({"window": -1}, ValueError, "window: got -1"),
    ({"gate": "key"}, ValueError, "gate: got 'key'"),
    ({"num_heads": 1.5}, TypeError, "num_heads: got 1.5"),
    ({"scale": float("inf")}, ValueError, "scale: got inf"),
]


@pytest.mark.parametrize(("options", "error", "message"), BAD)
def test_bad_options(options, error, message):
    with pytest.raises(error, match=re.escape(message)):
        make(**options)


@pytest.mark.parametrize("shape", [(9, 24), (1, 9, 23)])
def test_bad_input(shape):
    with pytest.raises(ValueError, match=r"x: got shape .* needs 3 dimensions \[B, N, 24\]"):
        make()(torch.zeros(*shape))


def batch(rank):
    return torch.randn(2, 10, 24, generator=torch.Generator().manual_seed(rank))


def train_in_parallel(rank: int, folder: str) -> None:
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", init_method=f"file://{folder}/rendezvous", rank=rank, world_size=2)
    model = nn.parallel.DistributedDataParallel(make())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for step in range(2):
        optimizer.zero_grad()
        model(batch(rank + 2 * step)).square().mean().backward()
        optimizer.step()
    torch.save(model.module.state_dict(), f"{folder}/{rank}.pt")
    # The model's reducer holds the group, whose threads end with its last owner: before the process does.
    del model, optimizer
    gc.collect()
    torch.distributed.barrier()
    torch.distributed.destroy_process_group()


def test_two_processes_train_like_one(tmp_path):
    torch.multiprocessing.spawn(train_in_parallel, (str(tmp_path),), nprocs=2)
    model = make()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for step in range(2):
        optimizer.zero_grad()
        both = torch.cat([batch(2 * step), batch(1 + 2 * step)])
        model(both).square().mean().backward()
        optimizer.step()
    for rank in range(2):
        state = torch.load(tmp_path / f"{rank}.pt", weights_only=True)
        for name, value in model.state_dict().items():
            torch.testing.assert_close(state[name], value, rtol=1e-5, atol=1e-6)
