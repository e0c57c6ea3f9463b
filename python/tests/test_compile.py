# Part of the sparsek project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""sparsek.compile: any module of the dialect, from text or bytecode; bad input raises and never crashes."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch

import oracle
import sparsek
from support import normal, scores_of

CAUSAL = """
func.func @lifetimes(%u: tensor<1x2x?xf32>) -> (tensor<1x2x?xi32>, tensor<1x2x?xf32>) {
  %c2 = arith.constant 2 : index
  %n = tensor.dim %u, %c2 : tensor<1x2x?xf32>
  %e0 = tensor.empty(%n) : tensor<1x2x?xi32>
  %t0 = tensor.empty(%n) : tensor<1x2x?xf32>
  %f0 = tensor.empty(%n) : tensor<1x2x?xi32>
  %end, %tau, %free = sparsek.causal_topk_mask topk(8) window(16)
      ins(%u : tensor<1x2x?xf32>)
      outs(%e0, %t0, %f0 : tensor<1x2x?xi32>, tensor<1x2x?xf32>, tensor<1x2x?xi32>)
      -> tensor<1x2x?xi32>, tensor<1x2x?xf32>, tensor<1x2x?xi32>
  return %end, %tau : tensor<1x2x?xi32>, tensor<1x2x?xf32>
}
func.func @twice(%x: tensor<?xf32>) -> tensor<?xf32> {
  %y = arith.addf %x, %x : tensor<?xf32>
  return %y : tensor<?xf32>
}
func.func private @helper(%x: tensor<?xf32>) -> tensor<?xf32> {
  return %x : tensor<?xf32>
}
"""

IN_PLACE = """
func.func @negate(%x: memref<?x3xf32, strided<[?, 1], offset: ?>>) {
  linalg.negf ins(%x : memref<?x3xf32, strided<[?, 1], offset: ?>>)
              outs(%x : memref<?x3xf32, strided<[?, 1], offset: ?>>)
  return
}
"""


SCALARS = """
func.func @real(%x: f32) -> f32 {
  %c = arith.constant 0.5 : f32
  %y = arith.addf %x, %c : f32
  return %y : f32
}
func.func @integer(%x: tensor<i32>) -> tensor<i32> {
  return %x : tensor<i32>
}
func.func @truth(%x: i1) -> i1 {
  return %x : i1
}
"""

IDENTITY = """
func.func @copy(%x: tensor<?x2xTYPE>) -> tensor<?x2xTYPE> {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x2xTYPE>
  %e = tensor.empty(%n) : tensor<?x2xTYPE>
  %y = linalg.copy ins(%x : tensor<?x2xTYPE>) outs(%e : tensor<?x2xTYPE>) -> tensor<?x2xTYPE>
  return %y : tensor<?x2xTYPE>
}
"""


def compile_or_raise(source: bytes) -> None:
    """Damage may or may not matter; what it must not do is crash or fail without a word."""
    try:
        sparsek.compile(source, cache=False)
    except sparsek.CompileError as error:
        if not error.diagnostics[0]:
            raise AssertionError("no diagnostic") from error


@pytest.fixture(scope="module")
def module():
    return sparsek.compile(CAUSAL)


def test_functions_are_attributes(module, rng):
    u = scores_of(rng, "normal", 1, 2, 100)
    end, tau = module.lifetimes(u)
    want_end, want_tau, _ = oracle.causal(u, 8, 16)
    np.testing.assert_array_equal(end, want_end)
    np.testing.assert_array_equal(tau, want_tau)
    assert module["twice"](np.float32([1, 2])).tolist() == [2, 4]
    assert {"lifetimes", "twice"} <= set(dir(module))
    assert "float32 [1, 2, ?]" in repr(module.lifetimes)
    assert "lifetimes" in repr(module)


def test_results_are_of_the_kind_of_the_arguments(module):
    y = module.twice(torch.tensor([1.0, 2.0]))
    assert type(y) is torch.Tensor
    assert y.tolist() == [2, 4]


def test_results_outlive_the_module():
    y = sparsek.compile(CAUSAL).twice(np.float32([1, 2, 3]))
    assert y.tolist() == [2, 4, 6]
    y[:] = 7
    assert y[::-1].tolist() == [7, 7, 7]


def test_functions_that_are_not_there(module):
    with pytest.raises(AttributeError, match="no function 'missing' in the module; its functions: lifetimes, twice"):
        _ = module.missing
    with pytest.raises(KeyError, match="no function 'helper'"):
        module["helper"]
    assert not hasattr(module, "_repr_html_")


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((), TypeError, "twice: got 0 arguments, needs 1"),
        ((np.zeros(2), np.zeros(2)), TypeError, "twice: got 2 arguments, needs 1"),
        ((np.zeros(2),), TypeError, r"argument 0 of twice: got float64 \[2\], needs float32 \[\?\]"),
        (
            (np.zeros((2, 2), np.float32),),
            ValueError,
            r"argument 0 of twice: got float32 \[2, 2\], needs float32 \[\?\]",
        ),
        (([1.0],), TypeError, "argument 0 of twice: got list"),
        ((torch.zeros(2, requires_grad=True),), ValueError, "argument 0 of twice: got a tensor that requires grad"),
    ],
)
def test_bad_arguments(module, arguments, error, message):
    with pytest.raises(error, match=message):
        module.twice(*arguments)


def test_tensors_of_a_transform(module):
    with pytest.raises(TypeError, match="argument 0 of twice: got a tensor without memory of its own"):
        torch.vmap(module.twice)(torch.zeros(2, 3))


def test_static_sizes_are_checked(module):
    with pytest.raises(ValueError, match=r"got float32 \[1, 3, 5\], needs float32 \[1, 2, \?\]"):
        module.lifetimes(np.zeros((1, 3, 5), np.float32))


@pytest.mark.parametrize("element", ["i1", "i8", "i16", "i32", "i64", "f16", "bf16", "f32", "f64"])
def test_element_types(element):
    names = {"i1": "bool", "bf16": "bfloat16"}
    name = names.get(element) or element.replace("i", "int").replace("f", "float")
    x = torch.tensor([[1, 0], [1, 1], [0, 0]]).to(getattr(torch, name))
    copy = sparsek.compile(IDENTITY.replace("TYPE", element)).copy
    y = copy(x)
    assert y.dtype == x.dtype
    assert torch.equal(x, y)
    assert torch.equal(copy(x[:0]), x[:0])
    if element == "bf16":
        pytest.importorskip("ml_dtypes")
    z = copy(np.array([[1, 0], [1, 1]], x.numpy().dtype if element != "bf16" else "bfloat16"))
    assert z.tolist() == [[1, 0], [1, 1]]


def test_memref_arguments_are_written_in_place(rng):
    negate = sparsek.compile(IN_PLACE).negate
    x = normal(rng, 4, 6)
    want = x.copy()
    want[::2, :3] *= -1
    assert negate(x[::2, :3]) is None
    np.testing.assert_array_equal(x, want)
    # Written back also where the function gets a copy, since the last stride is 2.
    want[:, ::2] *= -1
    negate(x[:, ::2])
    np.testing.assert_array_equal(x, want)


def test_arrays_that_cannot_be_written_in_place(rng):
    negate = sparsek.compile(IN_PLACE).negate
    x = normal(rng, 4, 3)
    x.flags.writeable = False
    unaligned = np.zeros(49, np.uint8)[1:].view(np.float32).reshape(4, 3)
    for bad in (x, unaligned):
        with pytest.raises(ValueError, match="argument 0 of negate: got an array that is read-only or not aligned"):
            negate(bad)
    with pytest.raises(ValueError, match="argument 0 has strides that lead from several indices to one element"):
        negate(torch.zeros(1, 3).expand(4, 3))


def test_numbers_as_arguments():
    module = sparsek.compile(SCALARS)
    assert module.real(2.5).tolist() == 3.0
    assert module.real(np.float32(2.5)).tolist() == 3.0
    assert module.real(torch.tensor(2.5)).tolist() == 3.0
    assert module.integer(-7).tolist() == -7
    assert module.truth(True).tolist() is True
    for function, value, error in (
        (module.integer, 1.5, TypeError),
        (module.integer, True, TypeError),
        (module.integer, 2**31, ValueError),
        (module.real, True, TypeError),
        (module.truth, 1, TypeError),
    ):
        with pytest.raises(error, match=f"argument 0 of {function.__name__}: got {value}, needs"):
            function(value)


def test_empty_arrays(module):
    assert module.twice(np.zeros(0, np.float32)).shape == (0,)


def test_bytes_and_bytecode(tmp_path, rng):
    u = np.float32([1, 2])
    assert sparsek.compile(CAUSAL.encode()).twice(u).tolist() == [2, 4]
    opt = Path(sparsek.__file__).parent.parent.parent / "bin" / "sparsek-opt"
    tool = str(opt) if opt.exists() else shutil.which("sparsek-opt")
    if tool is None:
        pytest.skip("sparsek-opt is not built")
    bytecode = subprocess.run([tool, "--emit-bytecode"], input=CAUSAL.encode(), capture_output=True, check=True).stdout
    assert bytecode[:4] == b"ML\xefR"
    assert sparsek.compile(bytecode).twice(u).tolist() == [2, 4]
    # Damaged bytecode is refused.
    for position in rng.integers(4, len(bytecode), 12):
        damaged = bytearray(bytecode)
        damaged[position] ^= 0x55
        compile_or_raise(bytes(damaged))
    for length in range(0, len(bytecode), 97):
        compile_or_raise(bytecode[:length])


BAD = {
    "no MLIR": ("this is no MLIR", ":1:"),
    "unknown op": ("func.func @f() {\n  sparsek.nothing\n  return\n}", ":2:"),
    "broken constraint": (CAUSAL.replace("topk(8)", "topk(0)"), r"C1"),
    "unknown dialect": ('"nowhere.op"() : () -> ()', "unregistered dialect"),
    "text that ends early": (CAUSAL[: len(CAUSAL) // 2], "."),
    "null byte": ("func.func @f() {\0", "."),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_modules(name):
    text, message = BAD[name]
    with pytest.raises(sparsek.CompileError, match=message) as caught:
        sparsek.compile(text)
    assert isinstance(caught.value, ValueError)
    assert caught.value.diagnostics


def test_mutated_text_never_crashes(rng):
    text = CAUSAL.encode()
    pieces = [b"", b"%", b"?", b"tensor", b"-1", b"(", b"}", b"f64", b"memref<?xf32>", b"9999999999999999999"]
    for _ in range(40):
        start, stop = sorted(rng.integers(0, len(text), 2))
        stop = min(stop, start + int(rng.integers(0, 12)))
        mutated = text[:start] + pieces[rng.integers(len(pieces))] + text[stop:]
        compile_or_raise(mutated)


@pytest.mark.parametrize("target", ["sm_1", "no-such-processor", ""])
def test_targets_that_are_not_there(target):
    with pytest.raises(ValueError, match=target or "target"):
        sparsek.compile(CAUSAL, target=target)


def test_chips_need_no_gpu_to_compile_for():
    module = sparsek.compile("func.func @f(%x: memref<?xf32>) { return }", target="sm_90a")
    with pytest.raises(ValueError, match="argument 0 of f: got an array on the CPU, needs one on a GPU: the module is"):
        module.f(np.zeros(3, np.float32))


def test_target_cuda_without_a_gpu():
    if not sparsek.targets()["cuda"].startswith("unavailable"):
        pytest.skip("there is a GPU")
    with pytest.raises(ValueError, match="target: got 'cuda', needs a GPU"):
        sparsek.compile(CAUSAL, target="cuda")


def test_arguments_of_compile():
    with pytest.raises(TypeError, match="mlir: got int, needs str or bytes"):
        sparsek.compile(3)
    with pytest.raises(TypeError, match="target: got 90"):
        sparsek.compile(CAUSAL, target=90)


def test_a_named_processor():
    module = sparsek.compile(CAUSAL, target="x86-64-v3")
    assert module.twice(np.float32([3])).tolist() == [6]


def test_a_module_without_functions():
    module = sparsek.compile("module {}")
    assert "no function" in repr(module)


def test_version_and_targets():
    major, minor, patch = sparsek.version().split(".")
    assert (major + minor + patch).isdigit()
    assert set(sparsek.targets()) == {"cpu", "cuda"}
    assert "unavailable" not in sparsek.targets()["cpu"]
