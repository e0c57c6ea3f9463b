# Part of the sparsek project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The operators ``torch.ops.sparsek.*``: the compiled functions, known to torch's dispatcher.

Each operator has a kernel for the CPU, sparse_attention one for CUDA GPUs, too, a fake kernel that checks and shapes
(torch.compile, export), gradients and a rule for autocast; vmap is in `_vmap`. The functions at the end are what the
calls of the package go through when torch has to see the operators. Arguments are positional, as torch's registrations
want them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch._library.custom_ops import CustomOpDef

from sparsek import _checks as check
from sparsek import _library as lib
from sparsek import _run as run
from sparsek._arrays import Buffer, torch_kind
from sparsek.torch import _vmap as vmap

_KIND = torch_kind(torch)
# Keeps the rules for autocast registered.
_LIBRARY = torch.library.Library("sparsek", "FRAGMENT")
_AUTOCAST = {
    "cpu": torch._C.DispatchKeySet(torch._C.DispatchKey.AutocastCPU),
    "cuda": torch._C.DispatchKeySet(torch._C.DispatchKey.AutocastCUDA),
}


def _fake(name: str, tensor: Tensor) -> Buffer:
    """A buffer to check, without memory: shapes may be symbolic."""
    return 0, _KIND.code(name, tensor), tuple(tensor.shape), (), None


def _operator(
    name: str, schema: str, devices: tuple[str, ...] = ("cpu",)
) -> Callable[[Callable[..., Any]], CustomOpDef]:
    return torch.library.custom_op(f"sparsek::{name}", mutates_args=(), device_types=devices, schema=schema)


def _cast(value: Any, dtype: torch.dtype | None) -> Any:
    narrow = isinstance(value, Tensor) and value.is_floating_point() and value.dtype != torch.float64
    return value.to(dtype) if dtype is not None and narrow else value


def _register_autocast(operator: Any, rules: str, device: str = "cpu") -> None:
    """Autocast on a device: of the arguments in order, "l" goes to the low precision, "f" to float32."""

    def kernel(*arguments: Any) -> Any:
        dtypes = {"l": torch.get_autocast_dtype(device), "f": torch.float32}
        cast = [_cast(value, dtypes.get(rule)) for value, rule in zip(arguments, rules, strict=True)]
        with torch._C._ExcludeDispatchKeyGuard(_AUTOCAST[device]):
            return operator(*cast)

    _LIBRARY.impl(operator._name, kernel, f"Autocast{device.upper()}")


_functions: dict[Any, type[torch.autograd.Function]] = {}


def _register_autograd(operator: Any, backward: Callable[..., Any], context: Callable[[Any, Any, Any], None]) -> None:
    """The gradient of an operator, and the same as a Function, since torch.func has no use for an operator's."""
    operator.register_autograd(backward, setup_context=context)

    def forward(*arguments: Any) -> Any:
        outputs = operator(*arguments)
        return tuple(outputs) if isinstance(outputs, list) else outputs

    members = {
        "generate_vmap_rule": True,
        "forward": staticmethod(forward),
        "setup_context": staticmethod(context),
        "backward": staticmethod(backward),
    }
    _functions[operator] = type(operator._name, (torch.autograd.Function,), members)


def _apply(operator: Any, *arguments: Any) -> Any:
    """Calls an operator. Inside torch.func and forward-mode differentiation its Function stands for it: that has
    gradients under transforms, and refuses what it cannot do (jvp), where the operator would drop tangents."""
    if torch.compiler.is_compiling() or not _KIND.is_transformed():
        return operator(*arguments)
    return _functions[operator].apply(*arguments)


def _refuse_double_backward(operator: Any) -> None:
    """A gradient that is differentiated again: an error that says so, not a silent zero."""
    name = operator._name.removesuffix("_grad")

    def backward(_context: Any, *_gradients: Any) -> Any:
        raise RuntimeError(
            f"sparsek.{name}: double backward is not supported; its gradient cannot be differentiated again "
            "(sparsek.torch.reference can, in plain torch)"
        )

    _register_autograd(operator, backward, lambda ctx, inputs, output: None)


# topk_mask.


@_operator("topk_mask", "(Tensor z, int topk) -> (Tensor, Tensor)")
def _topk_mask(z: Tensor, topk: int) -> tuple[Tensor, Tensor]:
    return run.topk_mask(_KIND, z, topk)


@_topk_mask.register_fake
def _(z: Tensor, topk: int) -> tuple[Tensor, Tensor]:
    check.topk_mask_inputs(_fake("z", z))
    return z.new_empty(z.shape), z.new_empty(z.shape[:-1], dtype=torch.float32)


@_operator("topk_mask_grad", "(Tensor z, Tensor tau, Tensor grad_p, Tensor? grad_tau) -> Tensor")
def _topk_mask_grad(z: Tensor, tau: Tensor, grad_p: Tensor, grad_tau: Tensor | None) -> Tensor:
    result: Tensor = run.topk_mask_grad(_KIND, z, tau, grad_p, grad_tau)
    return result


@_topk_mask_grad.register_fake
def _(z: Tensor, tau: Tensor, grad_p: Tensor, grad_tau: Tensor | None) -> Tensor:
    return z.new_empty(z.shape)


def _topk_mask_context(ctx: Any, inputs: Any, output: Any) -> None:
    ctx.set_materialize_grads(False)
    ctx.save_for_backward(inputs[0], output[1])


def _topk_mask_backward(ctx: Any, grad_p: Tensor | None, grad_tau: Tensor | None) -> tuple[Tensor, None]:
    z, tau = ctx.saved_tensors
    return _apply(_topk_mask_grad, z, tau, torch.zeros_like(z) if grad_p is None else grad_p, grad_tau), None


_register_autograd(_topk_mask, _topk_mask_backward, _topk_mask_context)
_topk_mask.register_vmap(vmap.leading(_topk_mask))
_topk_mask_grad.register_vmap(vmap.leading(_topk_mask_grad))
_register_autocast(_topk_mask, "f.")
_refuse_double_backward(_topk_mask_grad)


# causal_topk_mask.


# tau is the first result: opcheck adds the results up from the first, which so has to be of floating point.
@_operator("causal_topk_mask", "(Tensor scores, int topk, int window) -> (Tensor tau, Tensor end, Tensor free)")
def _causal_topk_mask(scores: Tensor, topk: int, window: int) -> tuple[Tensor, Tensor, Tensor]:
    end, tau, free = run.causal_topk_mask(_KIND, scores, topk, window)
    return tau, end, free


@_causal_topk_mask.register_fake
def _(scores: Tensor, topk: int, window: int) -> tuple[Tensor, Tensor, Tensor]:
    check.causal_inputs(_fake("scores", scores))
    end, free = (scores.new_empty(scores.shape, dtype=torch.int32) for _ in range(2))
    return scores.new_empty(scores.shape), end, free


@_operator("causal_topk_mask_grad", "(Tensor scores, Tensor tau, Tensor free, Tensor grad_tau, int window) -> Tensor")
def _causal_topk_mask_grad(scores: Tensor, tau: Tensor, free: Tensor, grad_tau: Tensor, window: int) -> Tensor:
    result: Tensor = run.causal_topk_mask_grad(_KIND, scores, tau, free, grad_tau, window)
    return result


@_causal_topk_mask_grad.register_fake
def _(scores: Tensor, tau: Tensor, free: Tensor, grad_tau: Tensor, window: int) -> Tensor:
    return scores.new_empty(scores.shape)


def _causal_context(ctx: Any, inputs: Any, output: Any) -> None:
    scores, _, ctx.window = inputs
    tau, end, free = output
    ctx.mark_non_differentiable(end, free)
    ctx.set_materialize_grads(False)
    ctx.save_for_backward(scores, tau, free)


def _causal_backward(ctx: Any, grad_tau: Tensor | None, _end: None, _free: None) -> tuple[Tensor | None, None, None]:
    if grad_tau is None:
        return None, None, None
    return _apply(_causal_topk_mask_grad, *ctx.saved_tensors, grad_tau, ctx.window), None, None


_register_autograd(_causal_topk_mask, _causal_backward, _causal_context)
_causal_topk_mask.register_vmap(vmap.folded(_causal_topk_mask))
_causal_topk_mask_grad.register_vmap(vmap.folded(_causal_topk_mask_grad))
_register_autocast(_causal_topk_mask, "f..")
_refuse_double_backward(_causal_topk_mask_grad)


# sparse_attention.


@_operator(
    "sparse_attention",
    "(Tensor q, Tensor k, Tensor v, Tensor end, Tensor? scores, Tensor? tau, int window, str gate, float? scale)"
    " -> (Tensor, Tensor)",
    ("cpu", "cuda"),
)
def _sparse_attention(*arguments: Any) -> tuple[Tensor, Tensor]:
    return run.sparse_attention(_KIND.of("q", arguments[0]), *arguments)


@_sparse_attention.register_fake
def _(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    end: Tensor,
    scores: Tensor | None,
    tau: Tensor | None,
    window: int,
    gate: str,
    scale: float | None,
) -> tuple[Tensor, Tensor]:
    bk = _fake("k", k)
    check.attention_inputs(_fake("q", q), bk, _fake("v", v))
    check.per_key("end", _fake("end", end), bk, lib.I32)
    for name, tensor in (("scores", scores), ("tau", tau)):
        if tensor is not None:
            check.per_key(name, _fake(name, tensor), bk, lib.F32)
    return q.new_empty((*q.shape[:3], v.shape[3])), q.new_empty(q.shape[:3], dtype=torch.float32)


@_operator(
    "sparse_attention_grad",
    "(Tensor q, Tensor k, Tensor v, Tensor end, Tensor? scores, Tensor? tau, Tensor o, Tensor lse, Tensor grad_o, "
    "Tensor? grad_lse, int window, str gate, float? scale) -> Tensor[]",
)
def _sparse_attention_grad(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    end: Tensor,
    scores: Tensor | None,
    tau: Tensor | None,
    o: Tensor,
    lse: Tensor,
    grad_o: Tensor,
    grad_lse: Tensor | None,
    window: int,
    gate: str,
    scale: float | None,
) -> list[Tensor]:
    inputs: dict[str, Tensor | None] = {"q": q, "k": k, "v": v, "end": end, "o": o, "lse": lse, "grad_o": grad_o}
    if gate != "none":
        inputs |= {"scores": scores, "tau": tau}
    return run.sparse_attention_grad(_KIND, inputs, grad_lse, window, gate, scale)


@_sparse_attention_grad.register_fake
def _(*arguments: Any) -> list[Tensor]:
    q, k, v, _, scores, tau = arguments[:6]
    gating = () if arguments[11] == "none" else (scores, tau)
    return [tensor.new_empty(tensor.shape) for tensor in (q, k, v, *gating)]


def _sparse_attention_context(ctx: Any, inputs: Any, output: Any) -> None:
    *tensors, ctx.window, ctx.gate, ctx.scale = inputs
    ctx.set_materialize_grads(False)
    ctx.save_for_backward(*tensors, *output)


def _sparse_attention_backward(ctx: Any, grad_o: Tensor | None, grad_lse: Tensor | None) -> tuple[Tensor | None, ...]:
    *inputs, o, lse = ctx.saved_tensors
    if o.is_cuda:
        raise NotImplementedError(
            "sparsek.sparse_attention: the gradient has no GPU code yet; call it on tensors on the CPU, or "
            "sparsek.torch.reference, in plain torch"
        )
    if grad_o is None:
        grad_o = torch.zeros_like(o)
    q, k, v, *gating = _apply(
        _sparse_attention_grad, *inputs, o, lse, grad_o, grad_lse, ctx.window, ctx.gate, ctx.scale
    )
    scores, tau = gating or (None, None)
    return q, k, v, None, scores, tau, None, None, None


_register_autograd(_sparse_attention, _sparse_attention_backward, _sparse_attention_context)
_sparse_attention.register_vmap(vmap.folded(_sparse_attention))
_sparse_attention_grad.register_vmap(vmap.folded(_sparse_attention_grad))
_register_autocast(_sparse_attention, "lll.ff...")
_register_autocast(_sparse_attention, "lll.ff...", "cuda")
_refuse_double_backward(_sparse_attention_grad)


# score. Its gradients are products that torch has already.


@_operator("score", "(Tensor x, Tensor weight, Tensor bias, Tensor slope) -> Tensor")
def _score(x: Tensor, weight: Tensor, bias: Tensor, slope: Tensor) -> Tensor:
    result: Tensor = run.score(_KIND, x, weight, bias, slope)
    return result


@_score.register_fake
def _(x: Tensor, weight: Tensor, bias: Tensor, slope: Tensor) -> Tensor:
    check.score_inputs(_fake("x", x), _fake("weight", weight), _fake("bias", bias), _fake("slope", slope))
    return x.new_empty((x.shape[0], weight.shape[0], x.shape[1]), dtype=torch.float32)


def _score_context(ctx: Any, inputs: Any, output: Any) -> None:
    ctx.save_for_backward(*inputs[:2])


def _score_backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
    x, weight = ctx.saved_tensors
    need_x, need_weight, need_bias, need_slope = ctx.needs_input_grad
    with torch.autocast("cpu", enabled=False):
        grad_x = (grad.transpose(1, 2) @ weight.float()).to(x.dtype) if need_x else None
        grad_weight = (grad @ x.float()).sum(0).to(weight.dtype) if need_weight else None
        position = torch.arange(x.shape[1], dtype=torch.float32, device=x.device)
        grad_slope = (grad * position).sum((0, 2)) if need_slope else None
    return grad_x, grad_weight, grad.sum((0, 2)) if need_bias else None, grad_slope


_register_autograd(_score, _score_backward, _score_context)
_score.register_vmap(vmap.stacked(_score))
# The scores decide which keys are kept, so they are not computed from rounded weights.
_register_autocast(_score, "ffff")


# What the package calls.


def topk_mask(z: Tensor, topk: int) -> Any:
    _KIND.refuse("z", z)
    return _apply(_topk_mask, z, topk)


def causal_topk_mask(scores: Tensor, topk: int, window: int) -> Any:
    _KIND.refuse("scores", scores)
    tau, end, free = _apply(_causal_topk_mask, scores, topk, window)
    return end, tau, free


def sparse_attention(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    end: Tensor,
    scores: Tensor | None,
    tau: Tensor | None,
    window: int,
    gate: str,
    scale: float | None,
) -> Any:
    named = {"q": q, "k": k, "v": v, "end": end, "scores": scores, "tau": tau}
    kind = _KIND.of("q", q)
    for name, tensor in named.items():
        if tensor is not None:
            kind.refuse(name, tensor)
    return _apply(_sparse_attention, q, k, v, end, scores, tau, window, gate, scale)


def attention(
    q: Tensor, k: Tensor, v: Tensor, scores: Tensor, topk: int, window: int, gate: str, scale: float | None
) -> Any:
    for name, tensor in (("q", q), ("k", k), ("v", v), ("scores", scores)):
        _KIND.refuse(name, tensor)
    if k.dim() == 4:
        # Else the message would be about lifetimes, which the caller does not know.
        check.shape("scores", _fake("scores", scores), tuple(k.shape[:3]), "to match k in B, Hkv and Nk")
    tau, end, _ = _apply(_causal_topk_mask, scores, topk, window)
    if gate == "none":
        return _apply(_sparse_attention, q, k, v, end, None, None, 0, gate, scale)[0]
    return _apply(_sparse_attention, q, k, v, end, scores, tau, window, gate, scale)[0]


def score(x: Tensor, weight: Tensor, bias: Tensor, slope: Tensor) -> Any:
    for name, tensor in (("x", x), ("weight", weight), ("bias", bias), ("slope", slope)):
        _KIND.refuse(name, tensor)
    return _apply(_score, x, weight, bias, slope)
