//===- CallState.cpp - What a call in progress reports --------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CallState.h"

#include "sparsek/Runtime/OpenMP.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <mutex>

using namespace mlir::sparsek::runtime;

static thread_local CallState *current = nullptr;

/// Errors on threads that have no call in progress: how many, and the last one.
static std::atomic<uint64_t> numOrphans = 0;
static std::mutex orphanMutex;
static std::string &getOrphan() {
  static auto *message = new std::string;
  return *message;
}

CallState::CallState(cuda::Call *cuda)
    : orphansBefore(numOrphans), outer(current), cuda(cuda) {
  current = this;
}

CallState::~CallState() { current = outer; }

void CallState::report(std::string message) {
  if (current) {
    if (current->error.empty())
      current->error = std::move(message);
    return;
  }
  std::lock_guard<std::mutex> lock(orphanMutex);
  getOrphan() = std::move(message);
  ++numOrphans;
}

void CallState::failAllocation(uint64_t bytes) {
  std::string message =
      "out of memory: could not allocate " + std::to_string(bytes) + " bytes";
  // Jumping out of a parallel loop would leave its other threads waiting.
  if (!current || isInParallelRegion()) {
    std::fprintf(stderr, "sparsek: %s in a parallel loop\n", message.c_str());
    std::abort();
  }
  report(std::move(message));
  _longjmp(current->escape, 1);
}

cuda::Call *CallState::getCuda() { return current ? current->cuda : nullptr; }

void CallState::fail(std::string message) {
  report(std::move(message));
  _longjmp(current->escape, 1);
}

/// Holds no object with a destructor: the jump skips this frame's callees.
bool CallState::run(void (*function)(void **), void **arguments) {
  if (_setjmp(escape))
    return false;
  function(arguments);
  return true;
}

std::string CallState::call(void (*function)(void **), void **arguments) {
  if (!cuda)
    limitSpinning();
  run(function, arguments);
  if (error.empty() && numOrphans != orphansBefore) {
    std::lock_guard<std::mutex> lock(orphanMutex);
    error = getOrphan();
  }
  return std::move(error);
}
