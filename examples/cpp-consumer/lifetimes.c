//===- lifetimes.c - Compile and call a sparsek op from C -----------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The example of docs/spec.md: the lifetimes of six keys, topk = 2, window = 1.
//
//===----------------------------------------------------------------------===//

#include "sparsek-c/SparseK.h"

#include <stdio.h>
#include <string.h>

static const char *source =
    "func.func @lifetimes(%u: tensor<1x1x6xf32>) -> tensor<1x1x6xi32> {\n"
    "  %e = tensor.empty() : tensor<1x1x6xi32>\n"
    "  %t = tensor.empty() : tensor<1x1x6xf32>\n"
    "  %f = tensor.empty() : tensor<1x1x6xi32>\n"
    "  %end, %tau, %free = sparsek.causal_topk_mask topk(2) window(1)\n"
    "      ins(%u : tensor<1x1x6xf32>)\n"
    "      outs(%e, %t, %f : tensor<1x1x6xi32>, tensor<1x1x6xf32>,\n"
    "           tensor<1x1x6xi32>)\n"
    "      -> tensor<1x1x6xi32>, tensor<1x1x6xf32>, tensor<1x1x6xi32>\n"
    "  return %end : tensor<1x1x6xi32>\n"
    "}\n";

static void printMessage(const char *message, size_t length, void *userData) {
  (void)userData;
  fprintf(stderr, "%.*s\n", (int)length, message);
}

int main(void) {
  SparseKCompileOptions options = {"cpu", /*cache=*/false, /*reference=*/false};
  SparseKModule *module =
      sparsekCompile(source, strlen(source), &options, printMessage, NULL);
  if (!module)
    return 1;
  const SparseKFunction *function =
      sparsekModuleLookup(module, "lifetimes", printMessage, NULL);
  float scores[] = {3, 1, 4, 1, 5, 9};
  SparseKTensor input = {scores, NULL, SPARSEK_F32, 3, {1, 1, 6}, {6, 6, 1}};
  SparseKTensor result;
  if (!function || !sparsekFunctionInvoke(function, &input, 1, &result, 1,
                                          printMessage, NULL))
    return 1;

  static const int expected[] = {5, 3, 6, 4, 6, 6};
  const int *end = result.data;
  int wrong = 0;
  for (int j = 0; j < 6; ++j) {
    printf("key %d is visible to the queries %d to %d\n", j, j, end[j] - 1);
    wrong += end[j] != expected[j];
  }
  sparsekTensorRelease(&result);
  sparsekModuleDestroy(module);
  return wrong != 0;
}
