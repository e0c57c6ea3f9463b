//===- OpenMP.h - The OpenMP runtime of the process ----------- -*- C++ -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEK_RUNTIME_OPENMP_H
#define SPARSEK_RUNTIME_OPENMP_H

namespace mlir::sparsek::runtime {

/// The handle (as of dlopen) of the LLVM or Intel OpenMP runtime, found at the
/// first call and kept; null where there is none, and then code is compiled to
/// run on one thread. In this order:
/// - the environment variable SPARSEK_LIBOMP: a library, or "none",
/// - one that the process has loaded already (a second one would end it),
/// - libomp.so.5, libomp.so, libiomp5.so where the loader looks for them,
/// - the newest libomp in the folders of LLVM packages.
void *getOpenMPRuntime();

/// Lets the threads that help the calling thread sleep a millisecond after they
/// run out of work. LLVM's runtime has them spin for 200, which takes
/// processors from the threads of other libraries (PyTorch's). Respects
/// KMP_BLOCKTIME and OMP_WAIT_POLICY.
void limitSpinning();

/// Whether the calling thread is inside a parallel loop of compiled code.
bool isInParallelRegion();

} // namespace mlir::sparsek::runtime

#endif // SPARSEK_RUNTIME_OPENMP_H
