//===- CudaDriver.cpp - The CUDA driver's functions -----------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CudaDriver.h"

#include <cstdlib>
#include <dlfcn.h>

using namespace mlir::sparsek::runtime::cuda;

/// Fills the functions; returns what is missing, empty if nothing.
static std::string load(Driver &driver) {
  const char *given = std::getenv("SPARSEK_LIBCUDA");
  const char *name = given && *given ? given : "libcuda.so.1";
  void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
  if (!library)
    return std::string("no CUDA driver: ") + dlerror();
#define SPARSEK_CUDA_LOAD(function, parameters)                                \
  driver.function =                                                            \
      reinterpret_cast<decltype(driver.function)>(dlsym(library, #function));  \
  if (!driver.function)                                                        \
    return std::string("the CUDA driver is too old: ") + name +                \
           " has no " #function ", expected that of CUDA 12";
  SPARSEK_CUDA_FUNCTIONS(SPARSEK_CUDA_LOAD)
#undef SPARSEK_CUDA_LOAD
  return "";
}

static std::string format(const Driver &driver, Result result,
                          const llvm::Twine &action) {
  const char *name = nullptr, *text = nullptr;
  driver.cuGetErrorName(result, &name);
  driver.cuGetErrorString(result, &text);
  return (name ? std::string(name) : "CUDA error " + std::to_string(result)) +
         " (" + action.str() + ")" + (text ? std::string(": ") + text : "");
}

/// Starts the driver; returns why there is no device, empty if there is one.
static std::string start(Driver &driver) {
  if (Result result = driver.cuInit(0))
    return format(driver, result, "cuInit");
  if (Result result = driver.cuDeviceGetCount(&driver.numDevices))
    return format(driver, result, "cuDeviceGetCount");
  return driver.numDevices > 0 ? "" : "no CUDA device";
}

const Driver &Driver::get() {
  // Never destroyed: threads may still run at exit.
  static const Driver *driver = [] {
    auto *made = new Driver;
    made->error = load(*made);
    if (made->error.empty())
      made->error = start(*made);
    return made;
  }();
  return *driver;
}

std::string mlir::sparsek::runtime::cuda::describe(Result result,
                                                   const llvm::Twine &action) {
  return format(Driver::get(), result, action);
}

llvm::Error mlir::sparsek::runtime::cuda::toError(Result result,
                                                  const llvm::Twine &action) {
  if (result == kSuccess)
    return llvm::Error::success();
  return llvm::createStringError(describe(result, action));
}
