//===- SparseK.h - C API of the sparsek compiler ------------------*- C -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Compile MLIR text or bytecode for a target, look up a function, call it on
// strided tensors. Every function is thread safe; an object may be used from
// several threads at once but destroyed only when none uses it. Failures are
// reported as text through the diagnostic callback of the call (which may be
// null) and by the return value. Modules and functions that are arguments must
// not be null. Nothing aborts the process but running out of memory in the
// compiler, or in a parallel loop of compiled code.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEK_C_SPARSEK_H
#define SPARSEK_C_SPARSEK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define SPARSEK_EXPORT __attribute__((visibility("default")))
#else
#define SPARSEK_EXPORT
#endif

#ifdef __cplusplus
extern "C" {
#endif

/// A compiled module and a function in it. Null means failure.
typedef struct SparseKModule SparseKModule;
typedef struct SparseKFunction SparseKFunction;

/// Receives one error message (UTF-8, with a source location where there is
/// one). Called on the thread that made the failing call, before it returns.
typedef void (*SparseKDiagnosticCallback)(const char *message, size_t length,
                                          void *userData);

/// Element types. The values are part of the ABI.
typedef enum SparseKElementType {
  SPARSEK_I1 = 0,
  SPARSEK_I8 = 1,
  SPARSEK_I16 = 2,
  SPARSEK_I32 = 3,
  SPARSEK_I64 = 4,
  SPARSEK_F16 = 5,
  SPARSEK_BF16 = 6,
  SPARSEK_F32 = 7,
  SPARSEK_F64 = 8,
} SparseKElementType;

/// The largest rank of a tensor.
#define SPARSEK_MAX_RANK 8

/// In a `SparseKTensorType`, a size known only at run time.
#define SPARSEK_DYNAMIC INT64_MIN

typedef struct SparseKTensorType {
  int32_t elementType; ///< a SparseKElementType
  int32_t rank;
  int64_t sizes[SPARSEK_MAX_RANK]; ///< SPARSEK_DYNAMIC where unknown
} SparseKTensorType;

/// A strided tensor. `data` points to the element at index 0, strides count
/// elements and may be 0 or negative. `owner` is what sparsekTensorRelease
/// frees: null for tensors of the caller.
typedef struct SparseKTensor {
  void *data;
  void *owner;
  int32_t elementType; ///< a SparseKElementType
  int32_t rank;
  int64_t sizes[SPARSEK_MAX_RANK];
  int64_t strides[SPARSEK_MAX_RANK];
} SparseKTensor;

/// Where a call runs. SPARSEK_CPU: the other fields are ignored. SPARSEK_CUDA:
/// the number of a device, and a CUstream of it (or cudaStream_t), null for the
/// legacy default stream.
typedef enum SparseKDeviceKind {
  SPARSEK_CPU = 0,
  SPARSEK_CUDA = 1,
} SparseKDeviceKind;

typedef struct SparseKExecution {
  int32_t kind; ///< a SparseKDeviceKind
  int32_t device;
  void *stream;
} SparseKExecution;

typedef struct SparseKCompileOptions {
  /// "cpu": this machine's processor, or the lesser one that the environment
  /// variable SPARSEK_CPU names. A name that LLVM knows ("x86-64-v3",
  /// "skylake-avx512", ...) compiles for that processor; functions for one that
  /// this machine is not fail when invoked. Null means "cpu". "cuda": CUDA
  /// device 0. "sm_90a", "sm_80", ...: that GPU, whether or not it is here.
  const char *target;
  /// Keep the result in memory and on disk, and take it from there.
  bool cache;
  /// Lower through the dense reference pipeline instead of the tiled one. Not
  /// for a GPU.
  bool reference;
} SparseKCompileOptions;

/// "MAJOR.MINOR.PATCH".
SPARSEK_EXPORT const char *sparsekVersion(void);

/// The processor name and the features that target "cpu" compiles for. The
/// string lives as long as the process.
SPARSEK_EXPORT const char *sparsekHostTarget(void);

/// Whether compiled code runs on several threads (an OpenMP runtime was found).
SPARSEK_EXPORT bool sparsekHasThreads(void);

/// Null where a GPU can be used here, else the reason: no driver, no device,
/// the driver's error. The string lives as long as the process. This and the
/// two functions below load the driver at the first call of any of them.
SPARSEK_EXPORT const char *sparsekCudaStatus(void);

/// The number of CUDA devices; 0 where sparsekCudaStatus gives a reason.
SPARSEK_EXPORT int32_t sparsekCudaGetNumDevices(void);

/// What target "cuda" compiles for on a device: "sm_90a", "sm_86" or "sm_80".
/// Null where there is no such device, or one of a compute capability below
/// 8.0. The string lives as long as the process.
SPARSEK_EXPORT const char *sparsekCudaGetChip(int32_t device);

/// Lets what is enqueued on the CUstream `waiting` of a device from now on wait
/// for what has been enqueued on `awaited`. Does not wait itself. Returns false
/// where the driver refuses.
SPARSEK_EXPORT bool sparsekCudaStreamWait(int32_t device, void *waiting,
                                          void *awaited);

/// Compiles MLIR text or bytecode, with the options {null, true, false} where
/// `options` is null. Returns null on failure.
SPARSEK_EXPORT SparseKModule *
sparsekCompile(const char *source, size_t length,
               const SparseKCompileOptions *options,
               SparseKDiagnosticCallback callback, void *userData);

SPARSEK_EXPORT void sparsekModuleDestroy(SparseKModule *module);

/// The number of public functions of a module, and the name of each.
SPARSEK_EXPORT size_t sparsekModuleGetNumFunctions(const SparseKModule *module);
SPARSEK_EXPORT const char *
sparsekModuleGetFunctionName(const SparseKModule *module, size_t index);

/// Finds a public function. It lives as long as its module. Returns null on
/// failure.
SPARSEK_EXPORT const SparseKFunction *
sparsekModuleLookup(const SparseKModule *module, const char *name,
                    SparseKDiagnosticCallback callback, void *userData);

/// The signature: the arguments and results of the function. A scalar is a
/// tensor of rank 0 (an index one of i64). The type of an index beyond the end
/// has rank -1.
SPARSEK_EXPORT size_t
sparsekFunctionGetNumInputs(const SparseKFunction *function);
SPARSEK_EXPORT size_t
sparsekFunctionGetNumResults(const SparseKFunction *function);
SPARSEK_EXPORT SparseKTensorType
sparsekFunctionGetInputType(const SparseKFunction *function, size_t index);
SPARSEK_EXPORT SparseKTensorType
sparsekFunctionGetResultType(const SparseKFunction *function, size_t index);

/// Whether a call may write input `index` in place (a memref argument).
SPARSEK_EXPORT bool sparsekFunctionWritesInput(const SparseKFunction *function,
                                               size_t index);

/// Calls a function. Inputs are checked against the signature (element type,
/// rank, static sizes), and the function checks the sizes that its sparsek ops
/// tie together. An input in another layout than the function takes (tensors:
/// innermost stride 1; memrefs: that of their type) is copied first, and copied
/// back where the function can write it (a memref argument). Such an argument
/// must not overlap another one. Fills `results`, new memory that the caller
/// releases, also where the function returns an argument. Returns false on
/// failure, and then there are no results.
SPARSEK_EXPORT bool
sparsekFunctionInvoke(const SparseKFunction *function,
                      const SparseKTensor *inputs, size_t numInputs,
                      SparseKTensor *results, size_t numResults,
                      SparseKDiagnosticCallback callback, void *userData);

/// As sparsekFunctionInvoke, on a device that the module was compiled for. On
/// SPARSEK_CUDA tensors and memrefs are in the device's memory, scalars in the
/// host's. Work is enqueued on the stream and not waited for, so that a
/// failure of earlier work on the device may be reported here. An input in
/// another layout than the function takes is an error and not copied. Results
/// must be released before their stream is destroyed; their memory is freed in
/// the order of the stream.
SPARSEK_EXPORT bool sparsekFunctionInvokeOn(
    const SparseKFunction *function, const SparseKExecution *execution,
    const SparseKTensor *inputs, size_t numInputs, SparseKTensor *results,
    size_t numResults, SparseKDiagnosticCallback callback, void *userData);

/// Frees the memory of a result and clears it. Null is ignored.
SPARSEK_EXPORT void sparsekTensorRelease(SparseKTensor *tensor);

#ifdef __cplusplus
}
#endif

#endif // SPARSEK_C_SPARSEK_H
