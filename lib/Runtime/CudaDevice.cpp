//===- CudaDevice.cpp - GPUs and what is kept for each --------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CudaDevice.h"

#include <atomic>
#include <mutex>

using namespace mlir::sparsek::runtime;
using namespace mlir::sparsek::runtime::cuda;

/// Devices with a higher number do not exist: the driver's limit is lower.
static constexpr int kMaxDevices = 256;

static llvm::Error readProperties(const Driver &driver, DeviceHandle handle,
                                  Device &device) {
  char name[256] = {};
  int major = 0, minor = 0;
  if (llvm::Error error =
          toError(driver.cuDeviceGetName(name, sizeof(name), handle),
                  "cuDeviceGetName"))
    return error;
  for (auto [attribute, value] :
       {std::pair(kComputeCapabilityMajor, &major),
        std::pair(kComputeCapabilityMinor, &minor),
        std::pair(kNumMultiprocessors, &device.numMultiprocessors)})
    if (llvm::Error error =
            toError(driver.cuDeviceGetAttribute(value, attribute, handle),
                    "cuDeviceGetAttribute"))
      return error;
  device.name = name;
  device.capability = 10 * major + minor;
  // The kernels use what capability 9.0 alone has, and else differ by the
  // shared memory of a thread block: 8.6, 8.9 and 12.x have less of it
  // than 8.0.
  if (device.capability == 90)
    device.chip = "sm_90a";
  else if (device.capability == 86 || device.capability == 89 ||
           device.capability >= 120)
    device.chip = "sm_86";
  else if (device.capability >= 80)
    device.chip = "sm_80";
  return llvm::Error::success();
}

/// Keeps what is freed: the next call takes it again.
static llvm::Error createPool(const Driver &driver, Device &device) {
  PoolProperties properties;
  properties.locationId = device.ordinal;
  if (llvm::Error error = toError(
          driver.cuMemPoolCreate(&device.pool, &properties), "cuMemPoolCreate"))
    return error;
  uint64_t threshold = UINT64_MAX;
  return toError(
      driver.cuMemPoolSetAttribute(device.pool, kReleaseThreshold, &threshold),
      "cuMemPoolSetAttribute");
}

static llvm::Expected<const Device *> create(const Driver &driver,
                                             int ordinal) {
  RelaxedCaptureScope relaxed;
  auto device = std::make_unique<Device>();
  device->ordinal = ordinal;
  DeviceHandle handle = 0;
  if (llvm::Error error =
          toError(driver.cuDeviceGet(&handle, ordinal), "cuDeviceGet"))
    return std::move(error);
  if (llvm::Error error = readProperties(driver, handle, *device))
    return std::move(error);
  if (llvm::Error error =
          toError(driver.cuDevicePrimaryCtxRetain(&device->context, handle),
                  "cuDevicePrimaryCtxRetain"))
    return std::move(error);
  ContextScope scope(*device);
  if (llvm::Error error = createPool(driver, *device))
    return std::move(error);
  return device.release();
}

llvm::Expected<const Device *> Device::get(int ordinal) {
  // Never destroyed: the driver may be gone at exit.
  static auto *devices = new std::atomic<const Device *>[kMaxDevices] {};
  static auto *mutex = new std::mutex;
  const Driver &driver = Driver::get();
  if (!driver.error.empty())
    return llvm::createStringError(driver.error);
  if (ordinal < 0 || ordinal >= std::min(driver.numDevices, kMaxDevices))
    return llvm::createStringError("no CUDA device " + std::to_string(ordinal) +
                                   ", expected one below " +
                                   std::to_string(driver.numDevices));
  std::atomic<const Device *> &slot = devices[ordinal];
  if (const Device *device = slot.load(std::memory_order_acquire))
    return device;
  std::lock_guard<std::mutex> lock(*mutex);
  if (const Device *device = slot.load(std::memory_order_acquire))
    return device;
  llvm::Expected<const Device *> device = create(driver, ordinal);
  if (device)
    slot.store(*device, std::memory_order_release);
  return device;
}

std::string Device::checkChip(llvm::StringRef chip) const {
  int number = 0;
  llvm::StringRef rest = chip;
  rest.consume_front("sm_");
  rest.consumeInteger(10, number);
  // "a": this capability alone. "f": its family.
  bool runs = capability >= number;
  if (rest == "a")
    runs = capability == number;
  if (rest == "f")
    runs = runs && capability / 10 == number / 10;
  if (runs)
    return "";
  return "compiled for '" + chip.str() + "', but CUDA device " +
         std::to_string(ordinal) + " (" + name + ") has compute capability " +
         std::to_string(capability / 10) + "." +
         std::to_string(capability % 10);
}

//===----------------------------------------------------------------------===//
// Scopes
//===----------------------------------------------------------------------===//

ContextScope::ContextScope(const Device &device) {
  const Driver &driver = Driver::get();
  Context current = nullptr;
  driver.cuCtxGetCurrent(&current);
  if (current != device.context)
    pushed = driver.cuCtxPushCurrent_v2(device.context) == kSuccess;
}

ContextScope::~ContextScope() {
  Context popped;
  if (pushed)
    Driver::get().cuCtxPopCurrent_v2(&popped);
}
