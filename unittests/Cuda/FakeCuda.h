//===- FakeCuda.h - A CUDA driver without a GPU --------------- -*- C++ -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A library with the driver's functions that the runtime calls. Device memory
// is the host's; a kernel is a function of the test.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEK_UNITTESTS_CUDA_FAKECUDA_H
#define SPARSEK_UNITTESTS_CUDA_FAKECUDA_H

#include <functional>
#include <string>
#include <vector>

namespace fakecuda {

/// Forgets calls, failures and kernels, not what is loaded and allocated.
void reset();

/// Lets the next calls of a function fail.
void failNext(const std::string &function, int result, int times = 1);

/// The text that the assembler writes on the next failure.
void setJitLog(const std::string &text);

/// What a launch of the kernel does: gets the addresses of its arguments.
void setKernel(const std::string &name, std::function<void(void **)> function);

/// "cuLaunchKernel f 2x1x1 128x1x1 shared 0 stream 0x10": the calls that
/// concern work, memory and code, in order.
std::vector<std::string> takeCalls();

/// The number of allocations that are not freed.
size_t getNumAllocations();

/// The context of the thread; null if none.
void *getContext();
void setContext(void *context);

/// Makes a stream count as one that is captured into a graph.
void setCapturing(bool capturing);

/// Memory of a device that the runtime has not allocated.
void *allocate(size_t bytes, int device);
void deallocate(void *memory);

} // namespace fakecuda

#endif // SPARSEK_UNITTESTS_CUDA_FAKECUDA_H
