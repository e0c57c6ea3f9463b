//===- Support.h - Shared by the runtime's tests -------------- -*- C++ -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEK_UNITTESTS_RUNTIME_SUPPORT_H
#define SPARSEK_UNITTESTS_RUNTIME_SUPPORT_H

#include "sparsek/Runtime/Invoke.h"

#include "gtest/gtest.h"

#include <cstdlib>
#include <string>
#include <vector>

namespace mlir::sparsek::runtime {

/// Options for a target by name, on one thread.
inline CompileOptions getOptions(llvm::StringRef target = "cpu") {
  CompileOptions options;
  auto resolved = resolveTarget(target);
  EXPECT_TRUE(bool(resolved));
  if (resolved)
    options.target = std::move(*resolved);
  else
    llvm::consumeError(resolved.takeError());
  options.threads = false;
  return options;
}

/// A compiled module, or null and the diagnostics.
inline std::shared_ptr<const Module>
compile(llvm::StringRef source, std::string *messages = nullptr,
        const CompileOptions &options = getOptions()) {
  std::string text;
  auto module =
      getModule(source, "test.mlir", options, /*useCache=*/false,
                [&](llvm::StringRef message) { text += message.str() + "\n"; });
  EXPECT_TRUE(messages || module) << text;
  if (messages)
    *messages = text;
  return module;
}

/// A contiguous tensor over values of the caller.
template <typename Element>
SparseKTensor makeTensor(std::vector<Element> &values, int32_t elementType,
                         std::vector<int64_t> sizes) {
  SparseKTensor tensor = {};
  tensor.data = values.data();
  tensor.elementType = elementType;
  tensor.rank = sizes.size();
  int64_t stride = 1;
  for (size_t i = sizes.size(); i-- > 0;) {
    tensor.sizes[i] = sizes[i];
    tensor.strides[i] = stride;
    stride *= sizes[i];
  }
  return tensor;
}

/// Calls a function; returns the error, empty if there is none.
inline std::string call(const Function &function,
                        std::vector<SparseKTensor> inputs,
                        std::vector<SparseKTensor> &results) {
  results.resize(function.signature.results.size());
  return llvm::toString(invoke(function, inputs, results));
}

/// Sets an environment variable for a scope.
class ScopedEnvironment {
public:
  ScopedEnvironment(const char *name, const std::string &value) : name(name) {
    if (const char *old = std::getenv(name))
      previous = old;
    setenv(name, value.c_str(), 1);
  }
  ~ScopedEnvironment() {
    if (previous)
      setenv(name, previous->c_str(), 1);
    else
      unsetenv(name);
  }

private:
  const char *name;
  std::optional<std::string> previous;
};

} // namespace mlir::sparsek::runtime

#endif // SPARSEK_UNITTESTS_RUNTIME_SUPPORT_H
