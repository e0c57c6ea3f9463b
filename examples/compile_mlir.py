# Part of the sparsek project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compiles MLIR text and calls it: the SPARSEK mask of a row of scores, and what it leaves of the row."""

import numpy as np

import sparsek

MODULE = """
func.func @masked(%z: tensor<?x?xf32>) -> (tensor<?x?xf32>, tensor<?xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %rows = tensor.dim %z, %c0 : tensor<?x?xf32>
  %n = tensor.dim %z, %c1 : tensor<?x?xf32>
  %p0 = tensor.empty(%rows, %n) : tensor<?x?xf32>
  %t0 = tensor.empty(%rows) : tensor<?xf32>
  %p, %tau = sparsek.topk_mask topk(2)
      ins(%z : tensor<?x?xf32>)
      outs(%p0, %t0 : tensor<?x?xf32>, tensor<?xf32>)
      -> tensor<?x?xf32>, tensor<?xf32>
  %masked = arith.mulf %p, %z : tensor<?x?xf32>
  return %masked, %tau : tensor<?x?xf32>, tensor<?xf32>
}
"""

module = sparsek.compile(MODULE)
print(module.masked)
z = np.array([[0.1, 2.0, 0.4, 1.7, 1.5], [1.0, 1.0, 1.0, 1.0, 1.0]], np.float32)
masked, tau = module.masked(z)
print(f"z * p =\n{masked.round(3)}")
print(f"tau = {tau.round(3)}")

try:
    sparsek.compile(MODULE.replace("topk(2)", "topk(0)"))
except sparsek.CompileError as error:
    print("refused:", error)
