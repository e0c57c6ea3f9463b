//===- smoke.c - The C API from C -----------------------------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Compiled as C11 without extensions and linked to libSparseK.so alone.
//
//===----------------------------------------------------------------------===//

#include "sparsek-c/SparseK.h"

#include <stdio.h>
#include <string.h>

static int failures = 0;

#define EXPECT(condition)                                                      \
  do {                                                                         \
    if (!(condition)) {                                                        \
      ++failures;                                                              \
      fprintf(stderr, "%s:%d: expected %s\n", __FILE__, __LINE__, #condition); \
    }                                                                          \
  } while (0)

/// The last message of a failed call.
static char lastMessage[1024];

static void keepMessage(const char *message, size_t length, void *userData) {
  int *count = userData;
  if (count)
    ++*count;
  if (length >= sizeof(lastMessage))
    length = sizeof(lastMessage) - 1;
  memcpy(lastMessage, message, length);
  lastMessage[length] = 0;
}

static const char *source =
    "func.func @f(%u: tensor<1x1x?xf32>)\n"
    "    -> (tensor<1x1x?xi32>, tensor<1x1x?xf32>) {\n"
    "  %c2 = arith.constant 2 : index\n"
    "  %n = tensor.dim %u, %c2 : tensor<1x1x?xf32>\n"
    "  %e = tensor.empty(%n) : tensor<1x1x?xi32>\n"
    "  %r:2 = func.call @double(%u, %e)\n"
    "      : (tensor<1x1x?xf32>, tensor<1x1x?xi32>)\n"
    "      -> (tensor<1x1x?xi32>, tensor<1x1x?xf32>)\n"
    "  return %r#0, %r#1 : tensor<1x1x?xi32>, tensor<1x1x?xf32>\n"
    "}\n"
    "func.func private @double(%u: tensor<1x1x?xf32>, %e: tensor<1x1x?xi32>)\n"
    "    -> (tensor<1x1x?xi32>, tensor<1x1x?xf32>) {\n"
    "  %c7 = arith.constant 7 : i32\n"
    "  %s = linalg.fill ins(%c7 : i32) outs(%e : tensor<1x1x?xi32>)\n"
    "      -> tensor<1x1x?xi32>\n"
    "  %d = linalg.add ins(%u, %u : tensor<1x1x?xf32>, tensor<1x1x?xf32>)\n"
    "      outs(%u : tensor<1x1x?xf32>) -> tensor<1x1x?xf32>\n"
    "  return %s, %d : tensor<1x1x?xi32>, tensor<1x1x?xf32>\n"
    "}\n";

static void testCall(const SparseKFunction *function) {
  float data[] = {1, 0, 2, 0, 3, 0};
  SparseKTensor input = {data, NULL, SPARSEK_F32, 3, {1, 1, 3}, {6, 6, 2}};
  SparseKTensor results[2];
  int messages = 0;
  EXPECT(sparsekFunctionInvoke(function, &input, 1, results, 2, keepMessage,
                               &messages));
  EXPECT(messages == 0);
  EXPECT(results[0].elementType == SPARSEK_I32 && results[0].rank == 3);
  EXPECT(results[0].sizes[2] == 3 && results[1].sizes[2] == 3);
  const int32_t *sevens = results[0].data;
  const float *doubled = results[1].data;
  EXPECT(sevens[0] == 7 && sevens[2] == 7);
  EXPECT(doubled[0] == 2 && doubled[1] == 4 && doubled[2] == 6);
  EXPECT(data[0] == 1 && data[2] == 2);
  sparsekTensorRelease(&results[0]);
  sparsekTensorRelease(&results[1]);
  EXPECT(results[0].data == NULL && results[0].owner == NULL);

  input.elementType = SPARSEK_F64;
  EXPECT(!sparsekFunctionInvoke(function, &input, 1, results, 2, keepMessage,
                                &messages));
  EXPECT(messages == 1);
  EXPECT(strcmp(lastMessage, "@f: argument 0 has element type f64, "
                             "expected f32") == 0);
  EXPECT(!sparsekFunctionInvoke(function, &input, 0, NULL, 0, NULL, NULL));
}

static void testErrors(void) {
  SparseKCompileOptions options = {"cpu", false, false};
  int messages = 0;
  const char *bad = "func.func @f() {\n  return %x : f32\n}\n";
  EXPECT(!sparsekCompile(bad, strlen(bad), &options, keepMessage, &messages));
  EXPECT(messages == 1);
  EXPECT(strstr(lastMessage, "<source>:2:10: ") == lastMessage);
  EXPECT(!sparsekCompile(bad, strlen(bad), &options, NULL, NULL));
  options.target = "sm_75";
  EXPECT(!sparsekCompile(source, strlen(source), &options, keepMessage, NULL));
  EXPECT(strstr(lastMessage, "target 'sm_75'") == lastMessage);
  EXPECT(!sparsekCompile(NULL, 0, NULL, keepMessage, NULL));
}

/// Code for a GPU is made anywhere; it does not run on the processor.
static void testCuda(void) {
  const char *empty = "func.func @f() {\n  return\n}\n";
  SparseKCompileOptions options = {"sm_90a", false, false};
  SparseKModule *module =
      sparsekCompile(empty, strlen(empty), &options, keepMessage, NULL);
  EXPECT(module);
  const SparseKFunction *function =
      sparsekModuleLookup(module, "f", keepMessage, NULL);
  EXPECT(!sparsekFunctionInvoke(function, NULL, 0, NULL, 0, keepMessage, NULL));
  EXPECT(strstr(lastMessage, "@f: compiled for 'sm_90a'") == lastMessage);
  if (sparsekCudaStatus()) {
    SparseKExecution execution = {SPARSEK_CUDA, 0, NULL};
    EXPECT(sparsekCudaGetNumDevices() == 0);
    EXPECT(!sparsekCudaGetChip(0));
    EXPECT(!sparsekFunctionInvokeOn(function, &execution, NULL, 0, NULL, 0,
                                    keepMessage, NULL));
    EXPECT(strstr(lastMessage, sparsekCudaStatus()));
  } else {
    EXPECT(sparsekCudaGetNumDevices() > 0);
  }
  sparsekModuleDestroy(module);
}

int main(void) {
  EXPECT(strcmp(sparsekVersion(), SPARSEK_VERSION) == 0);
  EXPECT(strlen(sparsekHostTarget()) > 0);
  SparseKCompileOptions options = {NULL, false, false};
  SparseKModule *module =
      sparsekCompile(source, strlen(source), &options, keepMessage, NULL);
  if (!module) {
    fprintf(stderr, "%s\n", lastMessage);
    return 1;
  }
  EXPECT(sparsekModuleGetNumFunctions(module) == 1);
  EXPECT(strcmp(sparsekModuleGetFunctionName(module, 0), "f") == 0);
  EXPECT(sparsekModuleGetFunctionName(module, 1) == NULL);
  EXPECT(!sparsekModuleLookup(module, "double", keepMessage, NULL));
  EXPECT(strcmp(lastMessage, "no public function @double in the module, "
                             "expected one of: @f") == 0);
  const SparseKFunction *function =
      sparsekModuleLookup(module, "f", keepMessage, NULL);
  EXPECT(sparsekFunctionGetNumInputs(function) == 1);
  EXPECT(sparsekFunctionGetNumResults(function) == 2);
  SparseKTensorType type = sparsekFunctionGetInputType(function, 0);
  EXPECT(type.elementType == SPARSEK_F32 && type.rank == 3);
  EXPECT(type.sizes[1] == 1 && type.sizes[2] == SPARSEK_DYNAMIC);
  EXPECT(sparsekFunctionGetResultType(function, 2).rank == -1);
  testCall(function);
  sparsekModuleDestroy(module);
  testErrors();
  testCuda();
  if (!failures)
    printf("ok\n");
  return failures != 0;
}
