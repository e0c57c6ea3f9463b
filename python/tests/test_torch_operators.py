# Part of the sparsek project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""torch.ops.sparsek.*: how the operators live with the rest of torch."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Any

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils.checkpoint import checkpoint

import sparsek
import sparsek.torch
from support import normal

OPS = torch.ops.sparsek


def call(q, k, v, u, gate="value"):
    return sparsek.attention(q, k, v, u, topk=4, window=3, gate=gate)


@pytest.fixture
def leaves(rng):
    shapes = (2, 4, 20, 8), (2, 2, 24, 8), (2, 2, 24, 5), (2, 2, 24)
    return [torch.from_numpy(normal(rng, *shape)).requires_grad_() for shape in shapes]


def gradients(function, leaves):
    return torch.autograd.grad(function(*leaves).square().sum(), leaves)


def assert_equal(found, wanted):
    for a, b in zip(found, wanted, strict=True):
        torch.testing.assert_close(a, b)


def sample(name: str, leaves: list[torch.Tensor]) -> tuple[Any, ...]:
    """Arguments of an operator. Those of gradients require none: they are not differentiable again."""
    q, k, v, u = leaves
    with torch.no_grad():
        end, tau, free = sparsek.causal_topk_mask(u, 4, 3)
        o, lse = sparsek.sparse_attention(q, k, v, end, window=3, gate="value", scores=u, tau=tau)
    fixed = [x.detach() for x in leaves]
    x, w, b = (torch.ones(*shape, requires_grad=True) for shape in ((2, 7, 3), (2, 3), (2,)))
    return {
        "topk_mask": (u, 4),
        "topk_mask_grad": (fixed[3], tau[..., 0].contiguous(), fixed[3], None),
        "causal_topk_mask": (u, 4, 3),
        "causal_topk_mask_grad": (fixed[3], tau, free, tau.nan_to_num(neginf=0.0), 3),
        "sparse_attention": (q, k, v, end, u, tau.clone().requires_grad_(), 3, "value", None),
        "sparse_attention_grad": (*fixed[:3], end, fixed[3], tau, o, lse, o, None, 3, "value", None),
        "score": (x, w, b, b.detach().clone()),
    }[name]


NAMES = [
    "topk_mask", "topk_mask_grad", "causal_topk_mask", "causal_topk_mask_grad", "sparse_attention",
    "sparse_attention_grad", "score",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_opcheck(leaves, name):
    operator = getattr(OPS, name).default
    result = torch.library.opcheck(operator, sample(name, leaves))
    assert set(result.values()) == {"SUCCESS"}


def test_opcheck_without_a_gate(leaves):
    q, k, v, u = leaves
    end = sparsek.causal_topk_mask(u.detach(), 4, 3)[0]
    torch.library.opcheck(OPS.sparse_attention.default, (q, k, v, end, None, None, 0, "none", 0.5))


@pytest.mark.parametrize("dynamic", [False, True])
@pytest.mark.parametrize("gate", ["none", "value"])
def test_compile_without_graph_breaks(leaves, gate, dynamic):
    def function(q, k, v, u):
        return call(q, k, v, u, gate)

    compiled = torch.compile(function, backend="aot_eager", fullgraph=True, dynamic=dynamic)
    torch.testing.assert_close(compiled(*leaves), function(*leaves))
    if gate == "value":
        assert_equal(gradients(compiled, leaves), gradients(function, leaves))
        shorter = [x[:, :, :11].detach().requires_grad_() for x in leaves]
        assert_equal(gradients(compiled, shorter), gradients(function, shorter))


def test_compile_of_the_parts(leaves):
    u = leaves[3].detach()

    def function(x, w, b):
        scores = sparsek.score(x, w, b, b)
        end, tau, free = sparsek.causal_topk_mask(scores, 2, 1)
        return scores, end, tau, free, *sparsek.topk_mask(u, 3)

    arguments = torch.randn(2, 7, 3), torch.randn(2, 3), torch.zeros(2)
    assert_equal(torch.compile(function, backend="aot_eager", fullgraph=True)(*arguments), function(*arguments))


def test_compile_checks_shapes_while_it_traces(leaves):
    q, k, v, u = leaves
    compiled = torch.compile(call, backend="aot_eager", fullgraph=True)
    with pytest.raises(Exception, match=r"scores: got float32 \[2, 2, 23\]|needs shape \[2, 2, 24\]"):
        compiled(q, k, v, u[:, :, 1:])


def test_export(leaves):
    class Model(torch.nn.Module):
        def forward(self, q, k, v, u):
            return call(q, k, v, u)

    arguments = tuple(x.detach() for x in leaves)
    program = torch.export.export(Model(), arguments)
    targets = [str(node.target) for node in program.graph.nodes]
    assert "sparsek.causal_topk_mask.default" in targets
    assert "sparsek.sparse_attention.default" in targets
    torch.testing.assert_close(program.module()(*arguments), call(*arguments))


def test_fake_tensors():
    with FakeTensorMode():
        q, k, u = torch.empty(1, 4, 9, 8), torch.empty(1, 2, 12, 8), torch.empty(1, 2, 12)
        o = call(q, k, k[..., :3], u)
        assert o.shape == (1, 4, 9, 3)
        assert sparsek.topk_mask(u.half(), 3)[0].dtype == torch.float16
        with pytest.raises(TypeError, match=r"q: got float64 \[1, 4, 9, 8\], needs float32, float16 or bfloat16"):
            call(q.double(), k.double(), k.double(), u)
        with pytest.raises(ValueError, match=r"k: got float32 \[1, 2, 12, 7\], needs shape \[1, 2, 12, 8\]"):
            call(q, k[..., :7], k, u)


def test_vmap(leaves):
    fixed = [x.detach() for x in leaves]
    stacks = [torch.stack([x, x.flip(0)], 1) for x in fixed]
    want = torch.stack([call(*fixed), call(*(x.flip(0) for x in fixed))])
    torch.testing.assert_close(torch.func.vmap(call, in_dims=1)(*stacks), want)
    only_q = torch.func.vmap(call, in_dims=(1, None, None, None))(stacks[0], *fixed[1:])
    torch.testing.assert_close(only_q[0], want[0])


def test_vmap_of_the_parts(leaves):
    u = leaves[3].detach()
    p, tau = torch.func.vmap(lambda z: sparsek.topk_mask(z, 3))(u)
    assert_equal((p, tau), sparsek.topk_mask(u, 3))
    x, w, b = torch.randn(3, 2, 7, 4), torch.randn(3, 2, 4), torch.randn(2)
    scores = torch.func.vmap(sparsek.score, in_dims=(0, 0, None, None))(x, w, b, b)
    assert_equal(scores, [sparsek.score(x[i], w[i], b, b) for i in range(3)])


def test_gradients_per_sample(leaves):
    fixed = [x.detach() for x in leaves]

    def loss(*one):
        return call(*(x[None] for x in one)).square().sum()

    found = torch.func.vmap(torch.func.grad(loss, argnums=(0, 1, 2, 3)))(*fixed)
    assert_equal(found, gradients(call, leaves))


def test_autocast(leaves):
    q, k, v, u = leaves
    with torch.autocast("cpu", dtype=torch.bfloat16):
        o = call(q, k, v, u)
        tau = sparsek.causal_topk_mask(u.bfloat16(), 4, 3)[1]
        assert sparsek.topk_mask(u.bfloat16(), 4)[0].dtype == torch.float32
        assert (
            sparsek.score(*(torch.ones(*s).bfloat16() for s in ((1, 3, 2), (2, 2), (2,), (2,)))).dtype == torch.float32
        )
    assert o.dtype == torch.bfloat16
    assert tau.dtype == torch.float32
    torch.testing.assert_close(o, call(q.bfloat16(), k.bfloat16(), v.bfloat16(), u))
    o.float().sum().backward()
    assert all(x.grad.dtype == torch.float32 for x in leaves)
    assert (u.grad != 0).any()


@pytest.mark.parametrize("use_reentrant", [False, True])
def test_checkpointing(leaves, use_reentrant):
    checkpoint(call, *leaves, use_reentrant=use_reentrant).square().sum().backward()
    assert_equal([x.grad for x in leaves], gradients(call, leaves))


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("causal_topk_mask|sparse_attention", call),
        ("sparse_attention", lambda q, k, v, u: sparsek.sparse_attention(q, k, v, torch.full(u.shape, 24).int())[1]),
        ("topk_mask", lambda q, k, v, u: sparsek.topk_mask(u, 4)[0]),
        ("causal_topk_mask", lambda q, k, v, u: sparsek.causal_topk_mask(u, 4, 3)[1].clamp(min=-9)),
    ],
)
def test_double_backward_is_refused(leaves, name, function):
    first = torch.autograd.grad(function(*leaves).square().sum(), leaves, create_graph=True, allow_unused=True)
    with pytest.raises(RuntimeError, match=rf"sparsek\.({name}): double backward is not supported"):
        sum(x.square().sum() for x in first if x is not None).backward()


def test_forward_mode_is_refused(leaves):
    u = leaves[3].detach()
    with pytest.raises(RuntimeError, match="jvp"):
        torch.func.jvp(lambda u: sparsek.causal_topk_mask(u, 4, 3)[1], (u,), (torch.ones_like(u),))
    with torch.autograd.forward_ad.dual_level(), pytest.raises(RuntimeError, match="jvp"):
        sparsek.topk_mask(torch.autograd.forward_ad.make_dual(u, torch.ones_like(u)), 4)


def test_deterministic_algorithms(leaves):
    torch.use_deterministic_algorithms(True)
    try:
        gradients(call, leaves)
    finally:
        torch.use_deterministic_algorithms(False)


def test_no_gradients_no_operators(leaves):
    seen = []

    class Watch(torch.utils._python_dispatch.TorchDispatchMode):
        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            seen.append(str(function))
            return function(*args, **(kwargs or {}))

    with torch.no_grad():
        want = call(*leaves)
        assert not want.requires_grad
        with Watch():
            torch.testing.assert_close(call(*leaves), want)
    assert {"sparsek.causal_topk_mask.default", "sparsek.sparse_attention.default"} <= set(seen)
    assert call(*leaves).requires_grad


def test_parameters_and_subclasses(leaves):
    class Named(torch.Tensor):
        pass

    q, k, v, u = (x.detach() for x in leaves)
    o = call(q.as_subclass(Named), k, v, torch.nn.Parameter(u))
    assert isinstance(o, Named)
    assert o.requires_grad


REFUSED = [
    ("q", lambda x: x.double(), TypeError, "q: got float64"),
    ("k", lambda x: x.half(), TypeError, "k: got float16 [2, 2, 24, 8], needs float32 like q"),
    ("scores", lambda x: x.double(), TypeError, "scores: got float64 [2, 2, 24], needs float32"),
    ("scores", lambda x: x[..., 1:], ValueError, "scores: got float32 [2, 2, 23], needs shape [2, 2, 24]"),
    ("v", lambda x: x.to("meta"), ValueError, "v: got an array on meta, needs one on the CPU or a CUDA GPU"),
    ("scores", lambda x: x.detach().numpy(), TypeError, "scores: got a numpy array, needs a torch one"),
    ("q", lambda x: x.to_sparse(), TypeError, "q: got a tensor of layout torch.sparse_coo"),
]


@pytest.mark.parametrize(("name", "change", "error", "message"), REFUSED)
def test_bad_tensors_that_require_grad(leaves, name, change, error, message):
    arguments = dict(zip(("q", "k", "v", "scores"), leaves, strict=True))
    arguments[name] = change(arguments[name])
    with pytest.raises(error, match=re.escape(message)):
        sparsek.attention(**arguments, topk=4, window=3)


def test_sparsek_does_not_import_torch():
    code = "import sys, sparsek; assert 'torch' not in sys.modules; sparsek.torch; assert 'torch' in sys.modules"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
