# Part of the sparsek project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""How calls run on a GPU: streams, graphs, threads, memory, repeatability, devices, and torch's own machinery."""

from __future__ import annotations

import contextlib
import gc
import threading
from collections.abc import Iterator

import numpy as np
import pytest
import torch

import sparsek
import sparsek.torch
from cuda_support import WINDOW, Case, call, check, dense, make, needs_gpu, poison, run

pytestmark = needs_gpu


def spin(milliseconds: float = 20) -> None:
    """Keeps the current stream busy."""
    torch.cuda._sleep(int(milliseconds * 1e6))


def test_the_same_bits_over_a_thousand_launches(rng):
    case = make(rng, nk=1500, gate="value", batch=2)
    o, lse = call(case)
    different = torch.zeros((), dtype=torch.int64, device="cuda")
    for _ in range(1000):
        again, lse_again = sparsek.sparse_attention(*case.arrays, **case.options)
        different += (again != o).sum() + (lse_again != lse).sum()
    assert different.item() == 0
    check(case, o, lse)


def test_a_call_does_not_wait(rng):
    case = make(rng)
    run(case)
    done = torch.cuda.Event()
    spin(200)
    sparsek.sparse_attention(*case.arrays)
    done.record()
    assert not done.query()
    done.synchronize()


def test_calls_run_on_the_current_stream(rng):
    case = make(rng)
    want, want_lse = run(case)
    side = torch.cuda.Stream()
    q = torch.zeros_like(case.q)
    torch.cuda.synchronize()
    spin(50)
    with torch.cuda.stream(side):
        # The call may neither wait for the busy default stream nor overtake the copy.
        spin(5)
        q.copy_(case.q)
        o, lse = sparsek.sparse_attention(q, case.k, case.v, case.end)
        done = torch.cuda.Event()
        done.record()
    done.synchronize()
    assert not torch.cuda.default_stream().query()
    assert torch.equal(o, want)
    assert torch.equal(lse, want_lse)


def test_two_streams_at_once(rng):
    cases = [make(rng, nk=900, policy=policy) for policy in ("selection", "random")]
    want = [run(case) for case in cases]
    streams = [torch.cuda.Stream() for _ in cases]
    torch.cuda.synchronize()
    results = []
    for _ in range(50):
        for case, stream in zip(cases, streams, strict=True):
            with torch.cuda.stream(stream):
                results.append(sparsek.sparse_attention(*case.arrays))
    torch.cuda.synchronize()
    for index, (o, lse) in enumerate(results):
        assert torch.equal(o, want[index % 2][0])
        assert torch.equal(lse, want[index % 2][1])


def test_graphs_replay_with_new_data(rng):
    case = make(rng, nk=600, gate="value")
    run(case)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        o, lse = sparsek.sparse_attention(*case.arrays, **case.options)
    for _ in range(3):
        new = make(rng, nk=600, gate="value", policy="random")
        for have, replacement in zip(case.arrays, new.arrays, strict=True):
            have.copy_(replacement)
        for name in ("scores", "tau"):
            case.options[name].copy_(new.options[name])
        o.fill_(torch.nan)
        lse.fill_(torch.nan)
        graph.replay()
        check(case, o, lse)


def test_two_threads(rng):
    cases = [make(rng, nk=nk, d=64, policy="random") for nk in (200, 333)]
    want = [dense(case, torch.float64) for case in cases]
    results: list[tuple[int, torch.Tensor, torch.Tensor]] = []
    errors: list[BaseException] = []

    def work(index: int) -> None:
        try:
            with torch.cuda.stream(torch.cuda.Stream()):
                for _ in range(50):
                    results.append((index, *sparsek.sparse_attention(*cases[index].arrays)))
                torch.cuda.current_stream().synchronize()
        except BaseException as error:
            errors.append(error)

    torch.cuda.synchronize()
    threads = [threading.Thread(target=work, args=(index,)) for index in (0, 1, 0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert len(results) == 200
    for index, o, lse in results:
        torch.testing.assert_close(o.double(), want[index][0], rtol=2e-2, atol=2e-2)
        torch.testing.assert_close(lse.double(), want[index][1], rtol=1e-4, atol=1e-4)


def test_a_thread_that_has_made_no_cuda_call_yet(rng):
    case = make(rng)
    want, _ = run(case)
    results = []
    thread = threading.Thread(target=lambda: results.append(sparsek.sparse_attention(*case.arrays)))
    thread.start()
    thread.join()
    torch.cuda.synchronize()
    assert torch.equal(results[0][0], want)


@contextlib.contextmanager
def no_free_memory() -> Iterator[list[torch.Tensor]]:
    """Takes what is free of the device's memory, also in torch's cache, with the tensors of a list."""
    hog: list[torch.Tensor] = []
    try:
        for size in (2**30, 2**26, 2**22):
            with contextlib.suppress(torch.OutOfMemoryError):
                while True:
                    hog.append(torch.empty(size, dtype=torch.uint8, device="cuda"))
        yield hog
    finally:
        # Also where an exception keeps this frame.
        hog.clear()
        gc.collect()
        torch.cuda.empty_cache()


def without_lists(rng: np.random.Generator) -> Case:
    """A case whose lists of keys take more memory than pools have to spare."""
    case = make(rng, d=64, batch=2, kv_heads=8, group=1, nk=2**18, policy="window")
    torch.cuda.synchronize()
    torch.cuda.empty_cache()
    return case


def test_running_out_of_memory_leaves_the_process_usable(rng):
    small = make(rng, d=64, kv_heads=1, group=1)
    want, _ = run(small)
    large = without_lists(rng)
    # torch keeps these blocks for the results; then nothing is left for the lists of the call.
    results = [torch.empty_like(large.q), torch.empty(large.q.shape[:3], device="cuda")]
    with no_free_memory():
        del results
        for _ in range(2):
            with pytest.raises(MemoryError, match="CUDA_ERROR_OUT_OF_MEMORY"):
                sparsek.sparse_attention(*large.arrays)
    o, _ = sparsek.sparse_attention(*small.arrays)
    assert torch.equal(o, want)
    assert torch.isfinite(call(large)[1]).all()


def test_compiled_modules_that_run_out_of_memory(rng):
    module = sparsek.compile(
        """func.func @f(%x: tensor<1xf32>, %size: i64) -> tensor<?xf32> {
          %n = arith.index_cast %size : i64 to index
          %0 = tensor.empty(%n) : tensor<?xf32>
          return %0 : tensor<?xf32>
        }""",
        target="cuda",
    )
    x = torch.zeros(1, device="cuda")
    for _ in range(2):
        with pytest.raises(MemoryError, match="@f: CUDA_ERROR_OUT_OF_MEMORY"):
            module.f(x, 2**38)
    assert module.f(x, 1000).shape == (1000,)


def test_memory_that_torch_keeps_is_used(rng):
    large = without_lists(rng)
    with no_free_memory() as hog:
        hog.clear()
        # All of it is in torch's cache now.
        assert torch.isfinite(sparsek.sparse_attention(*large.arrays)[1]).all()


def test_memory_is_given_back(rng):
    case = make(rng, nk=2000)

    def free() -> int:
        torch.cuda.synchronize()
        torch.cuda.empty_cache()
        return torch.cuda.mem_get_info()[0]

    for _ in range(20):
        call(case)
    before = free()
    for _ in range(200):
        call(case)
    assert before - free() <= 2**20


def test_requires_grad_forward_works_and_backward_says_so(rng):
    case = make(rng)
    want, _ = run(case)
    case.q.requires_grad_()
    o, lse = sparsek.sparse_attention(*case.arrays)
    assert torch.equal(o, want)
    with pytest.raises(NotImplementedError, match=r"sparse_attention: the gradient has no GPU code yet"):
        (o.float().sum() + lse.sum()).backward()


def test_opcheck(rng):
    case = make(rng, nk=70, gate="value")
    arguments = (*case.arrays, case.options["scores"], case.options["tau"], case.options["window"], "value", None)
    torch.library.opcheck(
        torch.ops.sparsek.sparse_attention.default, arguments, test_utils=("test_schema", "test_faketensor")
    )


def test_compiled_by_torch(rng):
    case = make(rng, nk=200)
    want, want_lse = run(case)

    @torch.compile(fullgraph=True)
    def twice(q, k, v, end):
        o, lse = sparsek.sparse_attention(q, k, v, end)
        return o * 2, lse

    o, lse = twice(*case.arrays)
    assert torch.equal(o, want * 2)
    assert torch.equal(lse, want_lse)


def test_autocast(rng):
    case = make(rng, dtype="f32", gate="value")
    with torch.autocast("cuda", torch.bfloat16):
        o, lse = sparsek.sparse_attention(*case.arrays, **case.options)
    assert (o.dtype, lse.dtype) == (torch.bfloat16, torch.float32)
    case.q, case.k, case.v = (x.bfloat16() for x in (case.q, case.k, case.v))
    check(case, o, lse)


@pytest.mark.parametrize("empty", ["queries", "keys", "batch"])
@pytest.mark.parametrize("gate", ["none", "value"])
def test_nothing_to_attend_to(rng, gate, empty):
    case = make(rng, nk=20, gate=gate)
    per_key = ("scores", "tau")
    if empty == "queries":
        case.q = case.q[:, :, :0]
    elif empty == "keys":
        case.k, case.v, case.end = case.k[:, :, :0], case.v[:, :, :0], case.end[:, :, :0]
        case.options |= {name: case.options[name][:, :, :0] for name in per_key if name in case.options}
    else:
        case.q, case.k, case.v, case.end = (x[:0] for x in case.arrays)
        case.options |= {name: case.options[name][:0] for name in per_key if name in case.options}
    poison((tuple(case.q.shape), case.q.dtype))
    o, lse = sparsek.sparse_attention(*case.arrays, **case.options)
    assert (o.shape, lse.shape) == (case.q.shape, case.q.shape[:3])
    assert o.is_cuda
    assert (o == 0).all()
    assert (lse == -torch.inf).all()


def test_arrays_that_are_not_all_on_one_device(rng):
    case = make(rng, gate="value", window=WINDOW)
    for name in ("k", "v", "end", "scores", "tau"):
        arguments = {"q": case.q, "k": case.k, "v": case.v, "end": case.end, **case.options}
        arguments[name] = arguments[name].cpu()
        with pytest.raises(ValueError, match=f"{name}: got an array on the CPU, needs one on cuda:0 like the first"):
            sparsek.sparse_attention(**arguments)
        arguments["q"] = case.q.clone().requires_grad_()
        with pytest.raises(ValueError, match=f"{name}: got an array on .*, needs one on cuda:0 like the first"):
            sparsek.sparse_attention(**arguments)
    with pytest.raises(ValueError, match="k: got an array on cuda:0, needs one on the CPU like the first argument"):
        sparsek.sparse_attention(case.q.cpu(), case.k, case.v, case.end)
    with pytest.raises(TypeError, match="end: got a numpy array, needs a torch one"):
        sparsek.sparse_attention(case.q, case.k, case.v, case.end.cpu().numpy())


def test_wrong_shapes_and_dtypes(rng):
    case = make(rng)
    with pytest.raises(ValueError, match=r"end: got int32 \[1, 2, 332\], needs shape \[1, 2, 333\]"):
        sparsek.sparse_attention(case.q, case.k, case.v, case.end[..., 1:])
    with pytest.raises(TypeError, match=r"k: got float32 .* needs bfloat16 like q"):
        sparsek.sparse_attention(case.q, case.k.float(), case.v, case.end)
    with pytest.raises(TypeError, match="q: got float64"):
        sparsek.sparse_attention(case.q.double(), case.k, case.v, case.end)
    with pytest.raises(ValueError, match=r"q: got bfloat16 .* needs 4 dimensions"):
        sparsek.sparse_attention(case.q[0], case.k, case.v, case.end)


def test_head_dims_without_tiles(rng):
    case = make(rng, d=72, dv=64)
    with pytest.raises(ValueError, match=r"q: got bfloat16 \[1, 8, 333, 72\], needs d a multiple of 16 up to 256 on a"):
        sparsek.sparse_attention(*case.arrays)
    case = make(rng, d=64, dv=260, dtype="f32")
    with pytest.raises(ValueError, match=r"v: got float32 \[1, 2, 333, 260\], needs dv a multiple of 8 up to 256 on a"):
        sparsek.sparse_attention(*case.arrays)


def test_operations_without_gpu_code_say_so(rng):
    case = make(rng)
    u = torch.zeros(1, 2, 333, device="cuda")
    for name, operation in {
        "causal_topk_mask": lambda: sparsek.causal_topk_mask(u, 8, 8),
        "topk_mask": lambda: sparsek.topk_mask(u, 8),
        "attention": lambda: sparsek.attention(case.q, case.k, case.v, u, topk=8, window=8),
        "score": lambda: sparsek.score(u, u[0], u[0, :, 0], u[0, :, 0]),
    }.items():
        with pytest.raises(ValueError, match=rf"got an array on cuda:0, needs one on the CPU: {name} has no GPU code"):
            operation()


@pytest.mark.skipif(not torch.cuda.is_available() or torch.cuda.device_count() < 2, reason="one GPU")
def test_the_second_device(rng):
    case = make(rng)
    want, _ = run(case)
    o, _ = sparsek.sparse_attention(*[x.to("cuda:1") for x in case.arrays])
    assert o.device == torch.device("cuda:1")
    assert torch.cuda.current_device() == 0
    assert torch.equal(o.to("cuda:0"), want)
    with pytest.raises(ValueError, match="k: got an array on cuda:1, needs one on cuda:0 like the first argument"):
        sparsek.sparse_attention(case.q, case.k.to("cuda:1"), case.v, case.end)
