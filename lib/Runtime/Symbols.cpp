//===- Symbols.cpp - Functions that compiled code calls -------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CallState.h"

#include <cmath>
#include <cstdlib>
#include <cstring>

using namespace mlir::sparsek::runtime;

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

static void *allocate(size_t size) {
  void *pointer = std::malloc(size);
  if (!pointer && size)
    CallState::failAllocation(size);
  return pointer;
}

static void *allocateAligned(size_t alignment, size_t size) {
  void *pointer = std::aligned_alloc(alignment, size);
  if (!pointer && size)
    CallState::failAllocation(size);
  return pointer;
}

namespace {
struct UnrankedDescriptor {
  int64_t rank;
  Descriptor *descriptor;
};
} // namespace

static void copyDim(int64_t elementSize, int64_t dim, int64_t rank,
                    const Descriptor &from, const char *source,
                    const Descriptor &to, char *target) {
  if (dim == rank) {
    std::memcpy(target, source, elementSize);
    return;
  }
  for (int64_t i = 0, size = from.size(dim); i < size; ++i)
    copyDim(elementSize, dim + 1, rank, from,
            source + i * from.stride(dim, rank) * elementSize, to,
            target + i * to.stride(dim, rank) * elementSize);
}

/// What a memref.copy between strided memrefs calls.
static void copyMemRef(int64_t elementSize, UnrankedDescriptor *from,
                       UnrankedDescriptor *to) {
  const Descriptor &source = *from->descriptor, &target = *to->descriptor;
  copyDim(elementSize, 0, from->rank, source,
          source.aligned + source.offset * elementSize, target,
          target.aligned + target.offset * elementSize);
}

//===----------------------------------------------------------------------===//
// Checks
//===----------------------------------------------------------------------===//

/// What -sparsek-check-shapes calls. In the message, $0 and $1 stand for the
/// two sizes.
static bool checkEqual(const char *message, int64_t got, int64_t expected) {
  if (got == expected)
    return true;
  std::string text;
  for (const char *c = message; *c; ++c) {
    if (c[0] == '$' && (c[1] == '0' || c[1] == '1'))
      text += std::to_string(*++c == '0' ? got : expected);
    else
      text += *c;
  }
  CallState::report(std::move(text));
  return false;
}

//===----------------------------------------------------------------------===//
// The table
//===----------------------------------------------------------------------===//

template <typename Function> static void *address(Function *function) {
  return reinterpret_cast<void *>(function);
}

#define SPARSEK_MATH(name)                                                     \
  {#name, address<double(double)>(::name)}, {                                  \
    #name "f", address<float(float)>(::name##f)                                \
  }
#define SPARSEK_MATH2(name)                                                    \
  {#name, address<double(double, double)>(::name)}, {                          \
    #name "f", address<float(float, float)>(::name##f)                         \
  }

llvm::ArrayRef<RuntimeSymbol> mlir::sparsek::runtime::getRuntimeSymbols() {
  static const RuntimeSymbol symbols[] = {
      {"malloc", address(allocate)},
      {"aligned_alloc", address(allocateAligned)},
      {"free", address(std::free)},
      {"memcpy", address(::memcpy)},
      {"memmove", address(::memmove)},
      {"memset", address(::memset)},
      {"memcmp", address(::memcmp)},
      {"bcmp", address(::memcmp)},
      {"memrefCopy", address(copyMemRef)},
      {"sparsek_check_equal", address(checkEqual)},
      SPARSEK_MATH(exp),
      SPARSEK_MATH(exp2),
      SPARSEK_MATH(expm1),
      SPARSEK_MATH(log),
      SPARSEK_MATH(log2),
      SPARSEK_MATH(log10),
      SPARSEK_MATH(log1p),
      SPARSEK_MATH(sqrt),
      SPARSEK_MATH(cbrt),
      SPARSEK_MATH(sin),
      SPARSEK_MATH(cos),
      SPARSEK_MATH(tan),
      SPARSEK_MATH(asin),
      SPARSEK_MATH(acos),
      SPARSEK_MATH(atan),
      SPARSEK_MATH(sinh),
      SPARSEK_MATH(cosh),
      SPARSEK_MATH(tanh),
      SPARSEK_MATH(erf),
      SPARSEK_MATH(erfc),
      SPARSEK_MATH(floor),
      SPARSEK_MATH(ceil),
      SPARSEK_MATH(trunc),
      SPARSEK_MATH(round),
      SPARSEK_MATH(roundeven),
      SPARSEK_MATH(rint),
      SPARSEK_MATH(nearbyint),
      SPARSEK_MATH2(pow),
      SPARSEK_MATH2(fmod),
      SPARSEK_MATH2(fmin),
      SPARSEK_MATH2(fmax),
      SPARSEK_MATH2(atan2),
      SPARSEK_MATH2(copysign),
      {"fma", address<double(double, double, double)>(::fma)},
      {"fmaf", address<float(float, float, float)>(::fmaf)},
      {"ldexp", address<double(double, int)>(::ldexp)},
      {"ldexpf", address<float(float, int)>(::ldexpf)},
  };
  return symbols;
}
