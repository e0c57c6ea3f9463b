//===- CudaDriver.h - The CUDA driver's functions ------------- -*- C++ -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEK_LIB_RUNTIME_CUDADRIVER_H
#define SPARSEK_LIB_RUNTIME_CUDADRIVER_H

#include "llvm/ADT/Twine.h"
#include "llvm/Support/Error.h"

#include <cstddef>
#include <cstdint>
#include <string>

namespace mlir::sparsek::runtime::cuda {

//===----------------------------------------------------------------------===//
// Declarations of the driver's ABI, so that building needs no CUDA
//===----------------------------------------------------------------------===//

using Result = int;
constexpr Result kSuccess = 0;
constexpr Result kOutOfMemory = 2;

using DeviceHandle = int;
using Address = unsigned long long;
struct ContextHandle;
struct StreamHandle;
struct EventHandle;
struct ModuleHandle;
struct FunctionHandle;
struct PoolHandle;
using Context = ContextHandle *;
using Stream = StreamHandle *;
using Event = EventHandle *;
using LoadedModule = ModuleHandle *;
using Function = FunctionHandle *;
using Pool = PoolHandle *;

/// CUdevice_attribute
constexpr int kNumMultiprocessors = 16;
constexpr int kComputeCapabilityMajor = 75;
constexpr int kComputeCapabilityMinor = 76;
/// CUevent_flags
constexpr unsigned kEventDisableTiming = 2;
/// CUfunction_attribute
constexpr int kMaxDynamicSharedBytes = 8;
/// CUmemPool_attribute
constexpr int kReleaseThreshold = 4;
/// CUpointer_attribute
constexpr int kPointerDevice = 9;
/// CUstreamCaptureMode
constexpr int kCaptureRelaxed = 2;
/// CUjit_option
constexpr int kJitErrorLog = 5;
constexpr int kJitErrorLogBytes = 6;
/// CUmemorytype
constexpr int kMemoryDevice = 2;

/// CUmemPoolProps
struct PoolProperties {
  int allocationType = 1; // pinned: memory that does not move
  int handleTypes = 0;
  int locationType = 1; // a device
  int locationId = 0;
  void *securityAttributes = nullptr;
  size_t maxSize = 0;
  unsigned char reserved[56] = {};
};

/// CUDA_MEMCPY2D
struct Copy2D {
  size_t sourceX = 0, sourceY = 0;
  int sourceType = kMemoryDevice;
  const void *sourceHost = nullptr;
  Address source = 0;
  void *sourceArray = nullptr;
  size_t sourcePitch = 0;
  size_t targetX = 0, targetY = 0;
  int targetType = kMemoryDevice;
  void *targetHost = nullptr;
  Address target = 0;
  void *targetArray = nullptr;
  size_t targetPitch = 0;
  size_t widthBytes = 0, height = 0;
};

/// A description of a tensor for bulk copies.
struct alignas(64) TensorMap {
  unsigned char bytes[128];
};
/// CUtensorMapDataType by the size of an element: 1, 2, 4, 8 bytes.
constexpr int kUnsigned8 = 0, kUnsigned16 = 1, kUnsigned32 = 2, kUnsigned64 = 4;
/// CUtensorMapInterleave, -Swizzle, -L2promotion, -FloatOOBfill
constexpr int kInterleaveNone = 0;
constexpr int kSwizzle128 = 3;
constexpr int kPromote256 = 3;
constexpr int kFillZero = 0;

// Name, parameters. The names are those of the ABI, with its versions.
#define SPARSEK_CUDA_FUNCTIONS(X)                                              \
  X(cuInit, (unsigned))                                                        \
  X(cuGetErrorName, (Result, const char **))                                   \
  X(cuGetErrorString, (Result, const char **))                                 \
  X(cuDeviceGetCount, (int *))                                                 \
  X(cuDeviceGet, (DeviceHandle *, int))                                        \
  X(cuDeviceGetName, (char *, int, DeviceHandle))                              \
  X(cuDeviceGetAttribute, (int *, int, DeviceHandle))                          \
  X(cuDevicePrimaryCtxRetain, (Context *, DeviceHandle))                       \
  X(cuCtxGetCurrent, (Context *))                                              \
  X(cuCtxPushCurrent_v2, (Context))                                            \
  X(cuCtxPopCurrent_v2, (Context *))                                           \
  X(cuThreadExchangeStreamCaptureMode, (int *))                                \
  X(cuMemPoolCreate, (Pool *, const PoolProperties *))                         \
  X(cuMemPoolSetAttribute, (Pool, int, void *))                                \
  X(cuMemPoolTrimTo, (Pool, size_t))                                           \
  X(cuMemAllocFromPoolAsync, (Address *, size_t, Pool, Stream))                \
  X(cuMemFreeAsync, (Address, Stream))                                         \
  X(cuPointerGetAttribute, (void *, int, Address))                             \
  X(cuMemcpyAsync, (Address, Address, size_t, Stream))                         \
  X(cuMemcpy2DAsync_v2, (const Copy2D *, Stream))                              \
  X(cuMemcpyHtoDAsync_v2, (Address, const void *, size_t, Stream))             \
  X(cuMemcpyDtoHAsync_v2, (void *, Address, size_t, Stream))                   \
  X(cuMemsetD8Async, (Address, unsigned char, size_t, Stream))                 \
  X(cuMemsetD16Async, (Address, unsigned short, size_t, Stream))               \
  X(cuMemsetD32Async, (Address, unsigned, size_t, Stream))                     \
  X(cuTensorMapEncodeTiled,                                                    \
    (TensorMap *, int, uint32_t, void *, const uint64_t *, const uint64_t *,   \
     const uint32_t *, const uint32_t *, int, int, int, int))                  \
  X(cuModuleLoadDataEx,                                                        \
    (LoadedModule *, const void *, unsigned, int *, void **))                  \
  X(cuModuleGetFunction, (Function *, LoadedModule, const char *))             \
  X(cuFuncSetAttribute, (Function, int, int))                                  \
  X(cuLaunchKernel, (Function, unsigned, unsigned, unsigned, unsigned,         \
                     unsigned, unsigned, unsigned, Stream, void **, void **))  \
  X(cuStreamCreate, (Stream *, unsigned))                                      \
  X(cuStreamIsCapturing, (Stream, int *))                                      \
  X(cuStreamWaitEvent, (Stream, Event, unsigned))                              \
  X(cuStreamSynchronize, (Stream))                                             \
  X(cuStreamDestroy_v2, (Stream))                                              \
  X(cuEventCreate, (Event *, unsigned))                                        \
  X(cuEventRecord, (Event, Stream))                                            \
  X(cuEventSynchronize, (Event))                                               \
  X(cuEventElapsedTime, (float *, Event, Event))                               \
  X(cuEventDestroy_v2, (Event))

//===----------------------------------------------------------------------===//
// The driver in this process
//===----------------------------------------------------------------------===//

/// The functions of libcuda.so.1, or of the library that the environment
/// variable SPARSEK_LIBCUDA names.
struct Driver {
#define SPARSEK_CUDA_MEMBER(name, parameters)                                  \
  Result(*name) parameters = nullptr;
  SPARSEK_CUDA_FUNCTIONS(SPARSEK_CUDA_MEMBER)
#undef SPARSEK_CUDA_MEMBER

  /// Why there is no driver or no device; empty if there are. Nothing else may
  /// be used if not.
  std::string error;
  int numDevices = 0;

  /// Loaded at the first call and kept.
  static const Driver &get();
};

/// "CUDA_ERROR_OUT_OF_MEMORY (cuMemAllocAsync of 16 bytes): out of memory".
std::string describe(Result result, const llvm::Twine &action);

/// The error of a result, with what was tried.
llvm::Error toError(Result result, const llvm::Twine &action);

} // namespace mlir::sparsek::runtime::cuda

#endif // SPARSEK_LIB_RUNTIME_CUDADRIVER_H
