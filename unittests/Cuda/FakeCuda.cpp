//===- FakeCuda.cpp - A CUDA driver without a GPU -------------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FakeCuda.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <utility>

//===----------------------------------------------------------------------===//
// State
//===----------------------------------------------------------------------===//

// The names are the ABI's, whose addresses are integers.
// NOLINTBEGIN(readability-identifier-naming,performance-no-int-to-ptr)

namespace {

constexpr int kInvalidValue = 1;
constexpr int kOutOfMemory = 2;
constexpr int kInvalidImage = 200;
constexpr int kNotFound = 500;

struct Module {
  std::string text;
};

struct Kernel {
  std::string name;
};

/// What the driver's opaque handles of contexts and pools point to.
struct Device {
  int ordinal;
};

struct Allocation {
  int device;
  size_t bytes;
};

struct State {
  std::mutex mutex;
  std::vector<std::string> calls;
  std::map<std::string, std::pair<int, int>> failures;
  std::map<std::string, std::function<void(void **)>> kernels;
  std::map<uint64_t, Allocation> allocations; // by address
  std::string jitLog;
  bool capturing = false;
};

State &getState() {
  static auto *state = new State;
  return *state;
}

Device devices[] = {{0}, {1}};
thread_local std::vector<Device *> contexts;

/// Records a call; returns the failure that a test asked for.
int record(const char *function, const std::string &text) {
  State &state = getState();
  std::lock_guard<std::mutex> lock(state.mutex);
  state.calls.push_back(text.empty() ? function
                                     : std::string(function) + " " + text);
  auto found = state.failures.find(function);
  if (found == state.failures.end())
    return 0;
  auto [result, times] = found->second;
  if (times == 1)
    state.failures.erase(found);
  else
    --found->second.second;
  return result;
}

std::string toText(const void *pointer) {
  char text[32];
  std::snprintf(text, sizeof(text), "%p", pointer);
  return text;
}

int getNumDevices() {
  const char *count = std::getenv("FAKE_CUDA_DEVICES");
  return count ? static_cast<int>(std::strtol(count, nullptr, 10)) : 2;
}

uint64_t allocateOn(size_t bytes, int device) {
  void *memory = std::malloc(bytes);
  State &state = getState();
  std::lock_guard<std::mutex> lock(state.mutex);
  auto address = reinterpret_cast<uint64_t>(memory);
  state.allocations[address] = {device, bytes};
  return address;
}

bool freeAddress(uint64_t address) {
  State &state = getState();
  std::lock_guard<std::mutex> lock(state.mutex);
  if (!state.allocations.erase(address))
    return false;
  std::free(reinterpret_cast<void *>(address));
  return true;
}

} // namespace

//===----------------------------------------------------------------------===//
// For tests
//===----------------------------------------------------------------------===//

void fakecuda::reset() {
  State &state = getState();
  std::lock_guard<std::mutex> lock(state.mutex);
  state.calls.clear();
  state.failures.clear();
  state.kernels.clear();
  state.jitLog.clear();
  state.capturing = false;
}

void fakecuda::failNext(const std::string &function, int result, int times) {
  getState().failures[function] = {result, times};
}

void fakecuda::setJitLog(const std::string &text) { getState().jitLog = text; }

void fakecuda::setKernel(const std::string &name,
                         std::function<void(void **)> function) {
  getState().kernels[name] = std::move(function);
}

std::vector<std::string> fakecuda::takeCalls() {
  State &state = getState();
  std::lock_guard<std::mutex> lock(state.mutex);
  return std::exchange(state.calls, {});
}

size_t fakecuda::getNumAllocations() {
  State &state = getState();
  std::lock_guard<std::mutex> lock(state.mutex);
  return state.allocations.size();
}

void *fakecuda::getContext() {
  return contexts.empty() ? nullptr : contexts.back();
}

void fakecuda::setContext(void *context) {
  contexts.clear();
  if (context)
    contexts.push_back(static_cast<Device *>(context));
}

void fakecuda::setCapturing(bool capturing) {
  getState().capturing = capturing;
}

void *fakecuda::allocate(size_t bytes, int device) {
  return reinterpret_cast<void *>(allocateOn(bytes, device));
}

void fakecuda::deallocate(void *memory) {
  freeAddress(reinterpret_cast<uint64_t>(memory));
}

//===----------------------------------------------------------------------===//
// The driver
//===----------------------------------------------------------------------===//

namespace {
/// CUDA_MEMCPY2D, the fields that copies on a device use.
struct Copy2D {
  size_t sourceX, sourceY;
  int sourceType;
  const void *sourceHost;
  uint64_t source;
  void *sourceArray;
  size_t sourcePitch;
  size_t targetX, targetY;
  int targetType;
  void *targetHost;
  uint64_t target;
  void *targetArray;
  size_t targetPitch;
  size_t widthBytes, height;
};
} // namespace

extern "C" {

int cuInit(unsigned) { return getNumDevices() > 0 ? 0 : 100; }

int cuGetErrorName(int error, const char **name) {
  *name = error == kOutOfMemory    ? "CUDA_ERROR_OUT_OF_MEMORY"
          : error == kInvalidValue ? "CUDA_ERROR_INVALID_VALUE"
          : error == kInvalidImage ? "CUDA_ERROR_INVALID_IMAGE"
          : error == 100           ? "CUDA_ERROR_NO_DEVICE"
                                   : nullptr;
  return *name ? 0 : kInvalidValue;
}

int cuGetErrorString(int error, const char **text) {
  *text = error == kOutOfMemory ? "out of memory"
          : error == 100        ? "no CUDA-capable device is detected"
                                : nullptr;
  return *text ? 0 : kInvalidValue;
}

int cuDeviceGetCount(int *count) {
  *count = getNumDevices();
  return 0;
}

int cuDeviceGet(int *device, int ordinal) {
  *device = ordinal;
  return 0;
}

int cuDeviceGetName(char *name, int bytes, int device) {
  std::snprintf(name, bytes, "Fake %c", 'A' + device);
  return 0;
}

/// Device 0 is of compute capability 9.0, device 1 of 8.6, both with 4
/// multiprocessors.
int cuDeviceGetAttribute(int *value, int attribute, int device) {
  const char *old = std::getenv("FAKE_CUDA_OLD");
  if (attribute == 16)
    *value = 4;
  else if (attribute == 75)
    *value = old ? 7 : device == 0 ? 9 : 8;
  else
    *value = old ? 5 : device == 0 ? 0 : 6;
  return 0;
}

int cuDevicePrimaryCtxRetain(Device **context, int device) {
  *context = &devices[device];
  return 0;
}

int cuCtxGetCurrent(Device **context) {
  *context = contexts.empty() ? nullptr : contexts.back();
  return 0;
}

int cuCtxPushCurrent_v2(Device *context) {
  contexts.push_back(context);
  return 0;
}

int cuCtxPopCurrent_v2(Device **context) {
  *context = contexts.back();
  contexts.pop_back();
  return 0;
}

int cuThreadExchangeStreamCaptureMode(int *mode) {
  static thread_local int current = 0;
  std::swap(*mode, current);
  return 0;
}

int cuMemPoolCreate(Device **pool, const void *properties) {
  int location;
  std::memcpy(&location, static_cast<const char *>(properties) + 12,
              sizeof(location));
  *pool = &devices[location];
  return record("cuMemPoolCreate", std::to_string(location));
}

int cuMemPoolSetAttribute(Device *, int attribute, void *value) {
  uint64_t threshold;
  std::memcpy(&threshold, value, sizeof(threshold));
  return attribute == 4 && threshold == UINT64_MAX ? 0 : kInvalidValue;
}

int cuMemPoolTrimTo(Device *, size_t bytes) {
  return record("cuMemPoolTrimTo", std::to_string(bytes));
}

int cuMemAllocFromPoolAsync(uint64_t *address, size_t bytes, Device *pool,
                            void *stream) {
  if (int result = record("cuMemAllocFromPoolAsync",
                          std::to_string(bytes) + " stream " + toText(stream)))
    return result;
  *address = allocateOn(bytes, pool->ordinal);
  return 0;
}

int cuMemFreeAsync(uint64_t address, void *stream) {
  if (int result = record("cuMemFreeAsync", "stream " + toText(stream)))
    return result;
  return freeAddress(address) ? 0 : kInvalidValue;
}

int cuPointerGetAttribute(void *value, int attribute, uint64_t address) {
  State &state = getState();
  std::lock_guard<std::mutex> lock(state.mutex);
  auto found = state.allocations.upper_bound(address);
  if (attribute != 9 || found == state.allocations.begin())
    return kInvalidValue;
  --found;
  const auto &[begin, allocation] = *found;
  if (address - begin >= std::max<size_t>(allocation.bytes, 1))
    return kInvalidValue;
  std::memcpy(value, &allocation.device, sizeof(int));
  return 0;
}

int cuMemcpyAsync(uint64_t to, uint64_t from, size_t bytes, void *stream) {
  std::memmove(reinterpret_cast<void *>(to),
               reinterpret_cast<const void *>(from), bytes);
  return record("cuMemcpyAsync",
                std::to_string(bytes) + " stream " + toText(stream));
}

int cuMemcpy2DAsync_v2(const Copy2D *copy, void *stream) {
  for (size_t i = 0; i < copy->height; ++i)
    std::memmove(
        reinterpret_cast<void *>(copy->target + i * copy->targetPitch),
        reinterpret_cast<const void *>(copy->source + i * copy->sourcePitch),
        copy->widthBytes);
  return record("cuMemcpy2DAsync", std::to_string(copy->widthBytes) + " x " +
                                       std::to_string(copy->height) +
                                       " stream " + toText(stream));
}

int cuMemcpyHtoDAsync_v2(uint64_t to, const void *from, size_t bytes, void *) {
  std::memcpy(reinterpret_cast<void *>(to), from, bytes);
  return 0;
}

int cuMemcpyDtoHAsync_v2(void *to, uint64_t from, size_t bytes, void *) {
  std::memcpy(to, reinterpret_cast<const void *>(from), bytes);
  return 0;
}

int cuMemsetD8Async(uint64_t address, unsigned char value, size_t count,
                    void *stream) {
  std::memset(reinterpret_cast<void *>(address), value, count);
  return record("cuMemsetD8Async",
                std::to_string(count) + " stream " + toText(stream));
}

int cuMemsetD16Async(uint64_t address, unsigned short value, size_t count,
                     void *stream) {
  std::fill_n(reinterpret_cast<uint16_t *>(address), count, value);
  return record("cuMemsetD16Async",
                std::to_string(count) + " stream " + toText(stream));
}

int cuMemsetD32Async(uint64_t address, unsigned value, size_t count,
                     void *stream) {
  std::fill_n(reinterpret_cast<uint32_t *>(address), count, value);
  return record("cuMemsetD32Async",
                std::to_string(count) + " stream " + toText(stream));
}

/// The map is the arguments as text.
int cuTensorMapEncodeTiled(char *map, int type, uint32_t rank, void *address,
                           const uint64_t *sizes, const uint64_t *strides,
                           const uint32_t *box, const uint32_t *steps,
                           int interleave, int swizzle, int promotion,
                           int fill) {
  std::string text = "type " + std::to_string(type);
  for (uint32_t i = 0; i < rank; ++i)
    text += " " + std::to_string(sizes[i]) + "/" +
            std::to_string(i ? strides[i - 1] : 0) + "/" +
            std::to_string(box[i]) + "/" + std::to_string(steps[i]);
  text += " swizzle " + std::to_string(swizzle);
  if (interleave != 0 || promotion != 3 || fill != 0 || !address ||
      reinterpret_cast<uintptr_t>(map) % 64)
    return kInvalidValue;
  std::memset(map, 0, 128);
  text.copy(map, 127);
  return record("cuTensorMapEncodeTiled", text);
}

int cuModuleLoadDataEx(Module **module, const void *image, unsigned numOptions,
                       int *options, void **values) {
  if (int result = record("cuModuleLoadDataEx", "")) {
    for (unsigned i = 0; i < numOptions; ++i)
      if (options[i] == 5)
        std::strcpy(static_cast<char *>(values[i]), getState().jitLog.c_str());
    return result;
  }
  *module = new Module{static_cast<const char *>(image)};
  return 0;
}

int cuModuleGetFunction(Kernel **function, Module *module, const char *name) {
  if (module->text.find(std::string(".entry ") + name + "(") ==
      std::string::npos)
    return kNotFound;
  *function = new Kernel{name};
  return record("cuModuleGetFunction", name);
}

int cuFuncSetAttribute(Kernel *function, int attribute, int value) {
  return record("cuFuncSetAttribute", function->name + " " +
                                          std::to_string(attribute) + " " +
                                          std::to_string(value));
}

int cuLaunchKernel(Kernel *kernel, unsigned gridX, unsigned gridY,
                   unsigned gridZ, unsigned blockX, unsigned blockY,
                   unsigned blockZ, unsigned shared, void *stream,
                   void **parameters, void **) {
  char text[128];
  std::snprintf(text, sizeof(text), " %ux%ux%u %ux%ux%u shared %u stream ",
                gridX, gridY, gridZ, blockX, blockY, blockZ, shared);
  if (int result =
          record("cuLaunchKernel", kernel->name + text + toText(stream)))
    return result;
  std::function<void(void **)> function;
  {
    std::lock_guard<std::mutex> lock(getState().mutex);
    function = getState().kernels[kernel->name];
  }
  if (function)
    function(parameters);
  return 0;
}

int cuStreamCreate(void **stream, unsigned) {
  *stream = reinterpret_cast<void *>(0x30);
  return 0;
}

int cuStreamIsCapturing(void *, int *status) {
  *status = getState().capturing;
  return 0;
}

int cuStreamSynchronize(void *) { return record("cuStreamSynchronize", ""); }
int cuStreamDestroy_v2(void *) { return 0; }

int cuEventCreate(void **event, unsigned) {
  *event = reinterpret_cast<void *>(0x40);
  return 0;
}

int cuEventRecord(void *, void *stream) {
  return record("cuEventRecord", toText(stream));
}

int cuStreamWaitEvent(void *stream, void *, unsigned) {
  return record("cuStreamWaitEvent", toText(stream));
}

int cuEventSynchronize(void *) { return 0; }

int cuEventElapsedTime(float *milliseconds, void *, void *) {
  *milliseconds = 250;
  return 0;
}

int cuEventDestroy_v2(void *) { return 0; }

} // extern "C"

// NOLINTEND(readability-identifier-naming,performance-no-int-to-ptr)
