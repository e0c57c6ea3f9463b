# Part of the sparsek project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the tests on a GPU share: the formula in float64, policies of eviction, tolerances.

Shares no code with the package: masks are dense, and one key/value head at a time is computed.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch

import sparsek
from support import scores_of


def _why_not() -> str | None:
    status = sparsek.targets()["cuda"]
    if status.startswith("unavailable"):
        return status
    return None if torch.cuda.is_available() else "torch sees no GPU"


_REASON = _why_not()
needs_gpu = pytest.mark.skipif(_REASON is not None, reason=f"no GPU: {_REASON}")

DTYPES = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}
# Half a unit in the last place: what rounding the result costs at most.
ROUNDING = {torch.float32: 0.0, torch.float16: 2.0**-12, torch.bfloat16: 2.0**-9}
TOPK, WINDOW = 48, 64


@dataclasses.dataclass
class Case:
    """The arguments of a call, on the GPU."""

    q: torch.Tensor
    k: torch.Tensor
    v: torch.Tensor
    end: torch.Tensor
    options: dict[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def arrays(self) -> tuple[torch.Tensor, ...]:
        return self.q, self.k, self.v, self.end


def normal(rng: np.random.Generator, *shape: int) -> torch.Tensor:
    generator = torch.Generator("cuda").manual_seed(int(rng.integers(2**62)))
    return torch.randn(*shape, generator=generator, device="cuda")


def lifetimes(rng: np.random.Generator, policy: str, batch: int, heads: int, n: int) -> np.ndarray:
    """end [batch, heads, n] of a policy of eviction."""
    j = np.arange(n, dtype=np.int64)
    if policy == "selection":
        u = scores_of(rng, "normal", batch, heads, n)
        return np.asarray(sparsek.causal_topk_mask(u, TOPK, WINDOW)[0])
    if policy == "window":
        end = j + WINDOW
    elif policy == "sinks":
        end = np.where(j < 4, n, j + WINDOW)
    elif policy == "documents":
        starts = np.unique(np.append(rng.integers(0, n, 1 + n // 50), n))
        end = starts[np.searchsorted(starts, j, "right")]
    elif policy == "everything":
        end = np.full(n, n)
    elif policy == "never":
        end = j - rng.integers(0, 3, n)
    elif policy == "random":
        end = rng.integers(-3, n + 5, (batch, heads, n))
    elif policy == "extremes":
        end = rng.choice([-(2**31), -1, 0, n // 2, n, 2**31 - 1], (batch, heads, n))
    elif policy == "gaps":
        # Long stretches of dead keys, so that whole rows see nothing.
        end = np.where((j // 150) % 2 == 0, j + 20, j)
    else:
        assert policy == "single", policy
        end = np.where(j == n // 3, n, j)
    return np.broadcast_to(end, (batch, heads, n)).astype(np.int32)


POLICIES = (
    "selection",
    "window",
    "sinks",
    "documents",
    "everything",
    "never",
    "random",
    "extremes",
    "gaps",
    "single",
)


def make(
    rng: np.random.Generator,
    *,
    batch: int = 1,
    kv_heads: int = 2,
    group: int = 4,
    nq: int | None = None,
    nk: int = 333,
    d: int = 128,
    dv: int | None = None,
    dtype: str = "bf16",
    policy: str = "selection",
    gate: str = "none",
    window: int = WINDOW,
    pattern: str = "normal",
    scale: float | None = None,
) -> Case:
    shapes = (batch, kv_heads * group, nq or nk, d), (batch, kv_heads, nk, d), (batch, kv_heads, nk, dv or d)
    q, k, v = (normal(rng, *shape).to(DTYPES[dtype]) for shape in shapes)
    options: dict[str, Any] = {} if scale is None else {"scale": scale}
    if gate == "none":
        end = lifetimes(rng, policy, batch, kv_heads, nk)
    else:
        u = scores_of(rng, pattern, batch, kv_heads, nk)
        end, tau, _ = sparsek.causal_topk_mask(u, TOPK, window)
        if policy != "selection":
            end = lifetimes(rng, policy, batch, kv_heads, nk)
        scores, tau = torch.from_numpy(u).cuda(), torch.from_numpy(tau).cuda()
        options |= {"gate": gate, "window": window, "scores": scores, "tau": tau}
    return Case(q, k, v, torch.from_numpy(np.ascontiguousarray(end)).cuda(), options)


def _gates(u: torch.Tensor, tau: torch.Tensor, position: torch.Tensor, window: int) -> torch.Tensor:
    """g_ij of one head in float64; ones where a query stands before the first key."""
    u = torch.where(u.isnan(), -torch.inf, u).double()
    t = tau.double()[position.clamp(min=0)][:, None]
    g = torch.where(t == -torch.inf, 1.0, (u - t).clamp(0, 1))
    recent = position[:, None] - torch.arange(len(u), device="cuda") < window
    return torch.where(recent | (position < 0)[:, None], 1.0, g)


def dense(case: Case, dtype: torch.dtype) -> tuple[torch.Tensor, torch.Tensor]:
    """(o, lse) by the dense formula, computed in a dtype."""
    q, k, v, end = case.arrays
    options = case.options
    gate, scale = options.get("gate", "none"), options.get("scale")
    (batch, heads, nq, d), (kv_heads, nk) = q.shape, k.shape[1:3]
    scale = d**-0.5 if scale is None else scale
    group = heads // kv_heads
    o = torch.empty(batch, heads, nq, v.shape[3], dtype=dtype, device="cuda")
    lse = torch.empty(batch, heads, nq, dtype=dtype, device="cuda")
    position = torch.arange(nq, device="cuda") + nk - nq
    j = torch.arange(nk, device="cuda")
    for b, h in np.ndindex(batch, heads):
        kv = h // group
        seen = (j <= position[:, None]) & (position[:, None] < end[b, kv].long())
        logits = (q[b, h].to(dtype) * scale) @ k[b, kv].to(dtype).T
        g = torch.ones((), dtype=dtype, device="cuda")
        if gate != "none":
            g = _gates(options["scores"][b, kv], options["tau"][b, kv], position, options["window"]).to(dtype)
        if gate == "key_value":
            logits = logits * g
        logits = logits.masked_fill(~seen, -torch.inf)
        weights = torch.softmax(logits, -1).masked_fill(~seen, 0.0)
        o[b, h] = (weights * g) @ v[b, kv].to(dtype)
        lse[b, h] = logits.logsumexp(-1)
    return o, lse


def poison(*shapes: tuple[tuple[int, ...], torch.dtype]) -> None:
    """Fills with NaN what torch's next allocations of these shapes will get."""
    blocks = [torch.full(shape, torch.nan, dtype=dtype, device="cuda") for shape, dtype in shapes]
    del blocks


def call(case: Case) -> tuple[torch.Tensor, torch.Tensor]:
    """sparsek.sparse_attention into memory that held NaN."""
    shape = (*case.q.shape[:3], case.v.shape[3])
    poison((shape, case.q.dtype), (shape[:3], torch.float32))
    o, lse = sparsek.sparse_attention(*case.arrays, **case.options)
    assert (tuple(o.shape), o.dtype, o.device) == (shape, case.q.dtype, case.q.device)
    assert (tuple(lse.shape), lse.dtype) == (shape[:3], torch.float32)
    return o, lse


def check(case: Case, o: torch.Tensor, lse: torch.Tensor) -> None:
    """o and lse against float64: at most twice the error of torch's own arithmetic in the same dtype."""
    want, want_lse = dense(case, torch.float64)
    dtype = case.q.dtype
    largest = want.abs().max().item()
    if dtype == torch.float32:
        bound = 2e-5 * max(1.0, largest)
    else:
        low = (dense(case, dtype)[0].double() - want).abs().nan_to_num(0.0).max().item()
        bound = 2 * low + ROUNDING[dtype] * largest + 1e-5
    error = (o.double() - want).abs().max().item()
    assert error <= bound, f"error {error}, allowed {bound}"
    tolerance = 2e-5 if dtype == torch.float32 else 1e-4
    torch.testing.assert_close(lse.double(), want_lse, rtol=tolerance, atol=tolerance)
    empty = want_lse == -torch.inf
    assert (o[empty] == 0).all()


def run(case: Case) -> tuple[torch.Tensor, torch.Tensor]:
    o, lse = call(case)
    check(case, o, lse)
    return o, lse
