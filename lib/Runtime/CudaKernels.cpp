//===- CudaKernels.cpp - Kernels in a context -----------------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CudaKernels.h"

#include "llvm/ADT/bit.h"
#include "llvm/Support/SHA256.h"

#include <map>

using namespace mlir::sparsek::runtime;
using namespace mlir::sparsek::runtime::cuda;

using Digest = std::array<uint8_t, 32>;

static Digest getDigest(llvm::StringRef bytes) {
  return llvm::SHA256::hash(llvm::ArrayRef(
      reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size()));
}

/// Assembles PTX for the device of the thread's context.
static llvm::Expected<LoadedModule> loadImage(const char *image,
                                              const Device &device) {
  RelaxedCaptureScope relaxed;
  char log[4096] = {};
  int options[] = {kJitErrorLog, kJitErrorLogBytes};
  void *values[] = {log, llvm::bit_cast<void *>(sizeof(log))};
  LoadedModule loaded = nullptr;
  Result result =
      Driver::get().cuModuleLoadDataEx(&loaded, image, 2, options, values);
  if (result == kSuccess)
    return loaded;
  log[sizeof(log) - 1] = 0;
  std::string message =
      describe(result, "cuModuleLoadDataEx for " + device.name);
  if (log[0])
    message += std::string("\n") + log;
  return llvm::createStringError(message);
}

/// The module of an image in a context, loaded once.
static llvm::Expected<LoadedModule> getModule(const KernelSlot &slot,
                                              const KernelFamily &family,
                                              const Device &device) {
  static auto *modules = new std::map<std::pair<int, Digest>, LoadedModule>;
  LoadedModule &known = (*modules)[{device.ordinal, family.imageDigest}];
  if (known)
    return known;
  llvm::Expected<LoadedModule> loaded = loadImage(slot.image, device);
  if (loaded)
    known = *loaded;
  return loaded;
}

/// Images are told apart by their bytes: the memory of one that is gone may
/// hold another one.
static KernelFamily &getFamily(KernelSlot &slot) {
  static auto *families =
      new std::map<std::pair<Digest, std::string>, KernelFamily>;
  if (KernelFamily *known = slot.family.load(std::memory_order_relaxed))
    return *known;
  Digest digest = getDigest(llvm::StringRef(slot.image, slot.imageBytes));
  KernelFamily &family = (*families)[{digest, slot.name}];
  family.imageDigest = digest;
  slot.family.store(&family, std::memory_order_release);
  return family;
}

static llvm::Expected<Kernel *>
loadKernel(const KernelSlot &slot, KernelFamily &family, const Device &device) {
  llvm::Expected<LoadedModule> loaded = getModule(slot, family, device);
  if (!loaded)
    return loaded.takeError();
  RelaxedCaptureScope relaxed;
  auto kernel = std::make_unique<Kernel>();
  kernel->context = device.context;
  if (llvm::Error error =
          toError(Driver::get().cuModuleGetFunction(&kernel->function, *loaded,
                                                    slot.name),
                  llvm::Twine("cuModuleGetFunction of ") + slot.name))
    return std::move(error);
  kernel->next = family.first.load(std::memory_order_relaxed);
  family.first.store(kernel.get(), std::memory_order_release);
  return kernel.release();
}

Kernel *KernelFamily::find(Context context) const {
  Kernel *kernel = first.load(std::memory_order_acquire);
  while (kernel && kernel->context != context)
    kernel = kernel->next;
  return kernel;
}

llvm::Expected<Kernel *> KernelSlot::get(const Device &device) {
  if (KernelFamily *known = family.load(std::memory_order_acquire))
    if (Kernel *kernel = known->find(device.context))
      return kernel;
  static auto *mutex = new std::mutex;
  std::lock_guard<std::mutex> lock(*mutex);
  KernelFamily &found = getFamily(*this);
  if (Kernel *kernel = found.find(device.context))
    return kernel;
  return loadKernel(*this, found, device);
}

llvm::Error Kernel::reserveShared(uint32_t bytes, llvm::StringRef name) {
  if (bytes <= sharedBytes.load(std::memory_order_acquire))
    return llvm::Error::success();
  std::lock_guard<std::mutex> lock(mutex);
  if (bytes <= sharedBytes.load(std::memory_order_relaxed))
    return llvm::Error::success();
  RelaxedCaptureScope relaxed;
  if (llvm::Error error =
          toError(Driver::get().cuFuncSetAttribute(
                      function, kMaxDynamicSharedBytes, int(bytes)),
                  "cuFuncSetAttribute of " + name + " with " +
                      llvm::Twine(bytes) + " bytes of shared memory"))
    return error;
  sharedBytes.store(bytes, std::memory_order_release);
  return llvm::Error::success();
}
