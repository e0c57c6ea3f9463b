//===- HostTensor.cpp - Tensors of sparsek-run ----------------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "HostTensor.h"

#include "sparsek/Runtime/Float16.h"
#include "sparsek/Runtime/Signature.h"

#include "llvm/Support/MathExtras.h"

#include <cstdlib>
#include <cstring>

using namespace mlir::sparsek;
using namespace mlir::sparsek::run;

void HostTensor::Free::operator()(void *memory) const { std::free(memory); }

llvm::Expected<HostTensor> HostTensor::allocate(int32_t elementType,
                                                llvm::ArrayRef<int64_t> sizes) {
  HostTensor result;
  result.tensor.elementType = elementType;
  result.tensor.rank = sizes.size();
  llvm::copy(sizes, result.tensor.sizes);
  int64_t stride = 1;
  bool tooLarge = false;
  for (size_t i = sizes.size(); i-- > 0;) {
    result.tensor.strides[i] = stride;
    tooLarge |=
        llvm::MulOverflow(stride, std::max<int64_t>(sizes[i], 1), stride) != 0;
  }
  void *memory = tooLarge ? nullptr
                          : std::calloc(std::max<int64_t>(stride, 1),
                                        runtime::getElementSize(elementType));
  if (!memory)
    return llvm::createStringError("no memory for a " +
                                   runtime::toString(result.tensor));
  result.memory.reset(memory);
  result.tensor.data = memory;
  return std::move(result);
}

HostTensor HostTensor::take(const SparseKTensor &result) {
  HostTensor taken;
  taken.tensor = result;
  taken.memory.reset(result.owner);
  return taken;
}

llvm::Expected<HostTensor> HostTensor::clone() const {
  llvm::Expected<HostTensor> copy = allocate(tensor.elementType, getSizes());
  if (copy)
    std::memcpy(copy->tensor.data, tensor.data,
                getNumElements() * runtime::getElementSize(tensor.elementType));
  return copy;
}

int64_t HostTensor::getNumElements() const {
  int64_t count = 1;
  for (int64_t size : getSizes())
    count *= size;
  return count;
}

bool HostTensor::isFloat() const { return tensor.elementType >= SPARSEK_F16; }

char *HostTensor::getElement(int64_t index) const {
  return static_cast<char *>(tensor.data) +
         index * runtime::getElementSize(tensor.elementType);
}

template <typename Value> static Value load(const char *from) {
  Value value;
  std::memcpy(&value, from, sizeof(value));
  return value;
}

template <typename Value> static void store(char *to, Value value) {
  std::memcpy(to, &value, sizeof(value));
}

double HostTensor::getFloat(int64_t index) const {
  const char *element = getElement(index);
  switch (tensor.elementType) {
  case SPARSEK_F16:
    return runtime::halfToFloat(load<uint16_t>(element));
  case SPARSEK_BF16:
    return runtime::bfloatToFloat(load<uint16_t>(element));
  case SPARSEK_F32:
    return load<float>(element);
  default:
    return load<double>(element);
  }
}

void HostTensor::setFloat(int64_t index, double value) {
  char *element = getElement(index);
  switch (tensor.elementType) {
  case SPARSEK_F16:
    return store(element, runtime::doubleToHalf(value));
  case SPARSEK_BF16:
    return store(element, runtime::doubleToBfloat(value));
  case SPARSEK_F32:
    return store(element, float(value));
  default:
    return store(element, value);
  }
}

int64_t HostTensor::getInteger(int64_t index) const {
  const char *element = getElement(index);
  switch (runtime::getElementSize(tensor.elementType)) {
  case 1:
    return load<int8_t>(element);
  case 2:
    return load<int16_t>(element);
  case 4:
    return load<int32_t>(element);
  default:
    return load<int64_t>(element);
  }
}

void HostTensor::setInteger(int64_t index, int64_t value) {
  char *element = getElement(index);
  switch (runtime::getElementSize(tensor.elementType)) {
  case 1:
    return store(element, int8_t(value));
  case 2:
    return store(element, int16_t(value));
  case 4:
    return store(element, int32_t(value));
  default:
    return store(element, value);
  }
}
