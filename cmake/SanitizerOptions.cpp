//===- SanitizerOptions.cpp - Options of the sanitizers' runtime ----------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Part of every tool of a build with SPARSEK_SANITIZE=ON.
//
//===----------------------------------------------------------------------===//

// The sanitizers' runtime finds these functions by name.
extern "C" const char *__asan_default_options();
extern "C" const char *__ubsan_default_options();

// MLIR's libraries are not instrumented. A container or a bump allocator that
// one side annotates and the other fills would be reported as an error.
const char *__asan_default_options() {
  // A failing allocation is tested, too.
  return "detect_container_overflow=0:allow_user_poisoning=0:"
         "detect_odr_violation=0:allocator_may_return_null=1";
}

const char *__ubsan_default_options() { return "print_stacktrace=1"; }
