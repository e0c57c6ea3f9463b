//===- OpenMP.cpp - The OpenMP runtime of the process ---------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sparsek/Runtime/OpenMP.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

#include <cstdlib>
#include <dlfcn.h>
#include <link.h>
#include <string>

using namespace mlir::sparsek::runtime;

/// Opens a library if it is an OpenMP runtime with LLVM's interface. Locally:
/// torch and others bring a runtime of their own (libgomp), whose symbols must
/// not meet these.
static void *openRuntime(const std::string &path, int flags = 0) {
  void *handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | flags);
  if (!handle || dlsym(handle, "__kmpc_fork_call"))
    return handle;
  dlclose(handle);
  return nullptr;
}

static bool isRuntimeName(llvm::StringRef path) {
  llvm::StringRef name = llvm::sys::path::filename(path);
  return name.starts_with("libomp.so") || name.starts_with("libiomp5.so") ||
         (name.starts_with("libomp-") && name.contains(".so"));
}

static void *findLoadedRuntime() {
  llvm::SmallVector<std::string> loaded;
  dl_iterate_phdr(
      [](dl_phdr_info *info, size_t, void *data) {
        if (info->dlpi_name && isRuntimeName(info->dlpi_name))
          static_cast<llvm::SmallVector<std::string> *>(data)->push_back(
              info->dlpi_name);
        return 0;
      },
      &loaded);
  for (const std::string &path : loaded)
    if (void *handle = openRuntime(path, RTLD_NOLOAD))
      return handle;
  return nullptr;
}

/// libomp of the LLVM packages in /usr/lib/llvm-N/lib, the newest first.
static void *findPackagedRuntime() {
  llvm::SmallVector<std::pair<int, std::string>> found;
  std::error_code error;
  for (llvm::sys::fs::directory_iterator entry("/usr/lib", error), end;
       !error && entry != end; entry.increment(error)) {
    llvm::StringRef name = llvm::sys::path::filename(entry->path());
    int version;
    if (name.consume_front("llvm-") && !name.getAsInteger(10, version))
      found.emplace_back(version, entry->path());
  }
  llvm::sort(found, std::greater<>());
  for (const auto &[version, folder] : found)
    for (const char *name : {"/lib/libomp.so.5", "/lib/libomp.so"})
      if (void *handle = openRuntime(folder + name))
        return handle;
  return nullptr;
}

static void *findRuntime() {
  if (const char *given = std::getenv("SPARSEK_LIBOMP"); given && *given)
    return llvm::StringRef(given) == "none" ? nullptr : openRuntime(given);
  if (void *handle = findLoadedRuntime())
    return handle;
  for (const char *name : {"libomp.so.5", "libomp.so", "libiomp5.so"})
    if (void *handle = openRuntime(name))
      return handle;
  return findPackagedRuntime();
}

void *mlir::sparsek::runtime::getOpenMPRuntime() {
  static void *const handle = findRuntime();
  return handle;
}

void mlir::sparsek::runtime::limitSpinning() {
  constexpr int kMilliseconds = 1;
  // The setting belongs to the calling thread.
  static thread_local bool isDone = false;
  if (isDone)
    return;
  isDone = true;
  void *handle = getOpenMPRuntime();
  if (!handle || std::getenv("KMP_BLOCKTIME") || std::getenv("OMP_WAIT_POLICY"))
    return;
  auto setBlockTime =
      reinterpret_cast<void (*)(int)>(dlsym(handle, "kmp_set_blocktime"));
  if (setBlockTime)
    setBlockTime(kMilliseconds);
}

bool mlir::sparsek::runtime::isInParallelRegion() {
  void *handle = getOpenMPRuntime();
  if (!handle)
    return false;
  auto inParallel =
      reinterpret_cast<int (*)()>(dlsym(handle, "omp_in_parallel"));
  return inParallel && inParallel();
}
