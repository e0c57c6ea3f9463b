//===- Cuda.cpp - GPUs of this machine ------------------------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sparsek/Runtime/Cuda.h"

#include "CudaCall.h"
#include "Strided.h"

#include "sparsek/Runtime/Invoke.h"

#include "llvm/ADT/ScopeExit.h"

using namespace mlir::sparsek::runtime;
using namespace mlir::sparsek::runtime::cuda;

const std::string &mlir::sparsek::runtime::getCudaError() {
  return Driver::get().error;
}

int mlir::sparsek::runtime::getNumCudaDevices() {
  return Driver::get().numDevices;
}

llvm::Expected<std::string> mlir::sparsek::runtime::getCudaChip(int device) {
  llvm::Expected<const Device *> found = Device::get(device);
  if (!found)
    return found.takeError();
  if (!(*found)->chip.empty())
    return (*found)->chip;
  return llvm::createStringError(
      "CUDA device " + std::to_string(device) + " (" + (*found)->name +
      ") has compute capability " + std::to_string((*found)->capability / 10) +
      "." + std::to_string((*found)->capability % 10) +
      ", expected at least 8.0");
}

//===----------------------------------------------------------------------===//
// CudaStream
//===----------------------------------------------------------------------===//

static const Device &toDevice(const void *device) {
  return *static_cast<const Device *>(device);
}

static Stream toStream(void *stream) { return static_cast<Stream>(stream); }

llvm::Expected<std::unique_ptr<CudaStream>> CudaStream::create(int ordinal) {
  llvm::Expected<const Device *> device = Device::get(ordinal);
  if (!device)
    return device.takeError();
  ContextScope scope(**device);
  Stream stream = nullptr;
  if (llvm::Error error = toError(
          Driver::get().cuStreamCreate(&stream, /*flags=*/0), "cuStreamCreate"))
    return std::move(error);
  return std::unique_ptr<CudaStream>(new CudaStream(*device, stream));
}

CudaStream::~CudaStream() {
  ContextScope scope(toDevice(device));
  Driver::get().cuStreamDestroy_v2(toStream(stream));
}

SparseKExecution CudaStream::getExecution() const {
  return {SPARSEK_CUDA, toDevice(device).ordinal, stream};
}

llvm::Error CudaStream::synchronize() {
  ContextScope scope(toDevice(device));
  return toError(Driver::get().cuStreamSynchronize(toStream(stream)),
                 "cuStreamSynchronize");
}

llvm::Expected<SparseKTensor> CudaStream::upload(const SparseKTensor &tensor) {
  Call call(toDevice(device), toStream(stream));
  uint64_t bytes = *getNumBytes(tensor);
  SparseKTensor result = tensor;
  result.data = result.owner = nullptr;
  if (bytes == 0)
    return result;
  llvm::Expected<void *> memory = call.allocate(bytes);
  if (!memory)
    return memory.takeError();
  if (llvm::Error error =
          toError(Driver::get().cuMemcpyHtoDAsync_v2(
                      reinterpret_cast<Address>(*memory), tensor.data, bytes,
                      toStream(stream)),
                  "cuMemcpyHtoDAsync of " + llvm::Twine(bytes) + " bytes"))
    return std::move(error);
  if (llvm::Error error = synchronize())
    return std::move(error);
  result.data = *memory;
  result.owner = call.give(*memory);
  return result;
}

llvm::Error CudaStream::download(const SparseKTensor &from,
                                 const SparseKTensor &to) {
  Call call(toDevice(device), toStream(stream));
  uint64_t bytes = *getNumBytes(from);
  if (bytes == 0)
    return llvm::Error::success();
  // Row by row on the device first.
  SparseKTensor rows = to;
  llvm::Expected<void *> memory = call.allocate(bytes);
  if (!memory)
    return memory.takeError();
  rows.data = *memory;
  if (llvm::Error error = call.copy(from, rows))
    return error;
  if (llvm::Error error =
          toError(Driver::get().cuMemcpyDtoHAsync_v2(
                      to.data, reinterpret_cast<Address>(*memory), bytes,
                      toStream(stream)),
                  "cuMemcpyDtoHAsync of " + llvm::Twine(bytes) + " bytes"))
    return error;
  return synchronize();
}

llvm::Error mlir::sparsek::runtime::waitForStream(int device, void *waiting,
                                                  void *awaited) {
  llvm::Expected<const Device *> found = Device::get(device);
  if (!found)
    return found.takeError();
  ContextScope scope(**found);
  const Driver &driver = Driver::get();
  Event event = nullptr;
  if (llvm::Error error = toError(
          driver.cuEventCreate(&event, kEventDisableTiming), "cuEventCreate"))
    return error;
  // What waits for the event does so after its destruction, too.
  llvm::scope_exit destroy([&] { driver.cuEventDestroy_v2(event); });
  if (llvm::Error error = toError(
          driver.cuEventRecord(event, toStream(awaited)), "cuEventRecord"))
    return error;
  return toError(driver.cuStreamWaitEvent(toStream(waiting), event, 0),
                 "cuStreamWaitEvent");
}

llvm::Expected<double>
CudaStream::measure(llvm::function_ref<llvm::Error()> enqueue) {
  ContextScope scope(toDevice(device));
  const Driver &driver = Driver::get();
  Event events[2] = {};
  llvm::scope_exit destroy([&] {
    for (Event event : events)
      if (event)
        driver.cuEventDestroy_v2(event);
  });
  for (Event &event : events)
    if (llvm::Error error =
            toError(driver.cuEventCreate(&event, 0), "cuEventCreate"))
      return std::move(error);
  if (llvm::Error error = toError(
          driver.cuEventRecord(events[0], toStream(stream)), "cuEventRecord"))
    return std::move(error);
  if (llvm::Error error = enqueue())
    return std::move(error);
  if (llvm::Error error = toError(
          driver.cuEventRecord(events[1], toStream(stream)), "cuEventRecord"))
    return std::move(error);
  if (llvm::Error error =
          toError(driver.cuEventSynchronize(events[1]), "cuEventSynchronize"))
    return std::move(error);
  float milliseconds = 0;
  if (llvm::Error error = toError(
          driver.cuEventElapsedTime(&milliseconds, events[0], events[1]),
          "cuEventElapsedTime"))
    return std::move(error);
  return milliseconds * 1e-3;
}
