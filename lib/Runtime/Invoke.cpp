//===- Invoke.cpp - Calls of compiled functions ---------------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sparsek/Runtime/Invoke.h"

#include "CallState.h"
#include "CudaCall.h"
#include "Strided.h"

#include "llvm/ADT/bit.h"
#include "llvm/Support/MathExtras.h"

#include <cstdlib>

using namespace mlir::sparsek::runtime;

using llvm::createStringError;
using llvm::Twine;

//===----------------------------------------------------------------------===//
// Checks
//===----------------------------------------------------------------------===//

/// "@f: argument 2 has ".
static std::string describe(const Function &function, size_t index) {
  return "@" + function.signature.name + ": argument " + std::to_string(index) +
         " has ";
}

/// Element type, rank and sizes against the signature.
static llvm::Error checkType(const Function &function, size_t index,
                             const SparseKTensor &got) {
  const SparseKTensorType &expected = function.signature.inputs[index].tensor;
  if (got.elementType != expected.elementType)
    return createStringError(describe(function, index) + "element type " +
                             getElementTypeName(got.elementType).str() +
                             ", expected " +
                             getElementTypeName(expected.elementType).str());
  if (got.rank != expected.rank)
    return createStringError(describe(function, index) + "rank " +
                             std::to_string(got.rank) + ", expected " +
                             toString(expected));
  for (int32_t i = 0; i < got.rank; ++i)
    if (got.sizes[i] < 0 || (expected.sizes[i] != SPARSEK_DYNAMIC &&
                             got.sizes[i] != expected.sizes[i]))
      return createStringError(describe(function, index) + "type " +
                               toString(got) + ", expected " +
                               toString(expected));
  return llvm::Error::success();
}

/// The address of the data and its range in memory.
static llvm::Error checkMemory(const Function &function, size_t index,
                               const SparseKTensor &got) {
  if (isEmpty(got))
    return llvm::Error::success();
  if (!got.data)
    return createStringError(describe(function, index) +
                             "no data (a null pointer), expected " +
                             toString(got) + " in memory");
  if (!getNumBytes(got) || !getByteRange(got))
    return createStringError(describe(function, index) + "type " +
                             toString(got) +
                             " and strides that reach beyond the address "
                             "space");
  if (function.signature.inputs[index].isWritable && mayOverlapItself(got))
    return createStringError(
        describe(function, index) +
        "strides that lead from several indices to one element, expected a "
        "tensor that the function can write");
  return llvm::Error::success();
}

/// What the function can write shares no memory with another argument.
static llvm::Error checkOverlap(const Function &function,
                                llvm::ArrayRef<SparseKTensor> inputs) {
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!function.signature.inputs[i].isWritable || isEmpty(inputs[i]))
      continue;
    ByteRange written = *getByteRange(inputs[i]);
    for (size_t j = 0; j < inputs.size(); ++j) {
      if (i == j || isEmpty(inputs[j]))
        continue;
      ByteRange other = *getByteRange(inputs[j]);
      if (written.begin < other.end && other.begin < written.end)
        return createStringError(
            describe(function, i) + "memory that overlaps that of argument " +
            std::to_string(j) +
            ", expected memory of its own: the function can write to it");
    }
  }
  return llvm::Error::success();
}

/// Whether the function was compiled for where the call runs.
static llvm::Error checkExecution(const Function &function,
                                  const SparseKExecution &execution) {
  std::string name = "@" + function.signature.name;
  if (execution.kind != SPARSEK_CPU && execution.kind != SPARSEK_CUDA)
    return createStringError(name + ": got a device of kind " +
                             Twine(execution.kind) +
                             ", expected SPARSEK_CPU or SPARSEK_CUDA");
  bool onCuda = execution.kind == SPARSEK_CUDA;
  if (onCuda && function.chip.empty())
    return createStringError(name + ": called on CUDA device " +
                             Twine(execution.device) +
                             ", but compiled for a processor, expected target "
                             "'cuda' or a chip such as 'sm_90a'");
  if (!onCuda && !function.chip.empty())
    return createStringError(name + ": compiled for '" + function.chip +
                             "', but called on the processor, expected a call "
                             "on a CUDA device");
  return llvm::Error::success();
}

static llvm::Error checkCall(const Function &function,
                             llvm::ArrayRef<SparseKTensor> inputs,
                             size_t numResults) {
  const FunctionSignature &signature = function.signature;
  if (!function.hostError.empty())
    return createStringError("@" + signature.name + ": " + function.hostError);
  if (inputs.size() != signature.inputs.size())
    return createStringError("@" + signature.name + ": got " +
                             Twine(inputs.size()) + " arguments, expected " +
                             Twine(signature.inputs.size()));
  if (numResults != signature.results.size())
    return createStringError("@" + signature.name + ": got room for " +
                             Twine(numResults) + " results, expected " +
                             Twine(signature.results.size()));
  for (auto [index, input] : llvm::enumerate(inputs)) {
    if (llvm::Error error = checkType(function, index, input))
      return error;
    if (llvm::Error error = checkMemory(function, index, input))
      return error;
  }
  return checkOverlap(function, inputs);
}

//===----------------------------------------------------------------------===//
// Arguments
//===----------------------------------------------------------------------===//

/// Whether the strides are those that the code was compiled for. The stride of
/// a dimension with one element at most is never used.
static bool hasLayout(const SparseKTensor &tensor, const ValueType &type) {
  if (isEmpty(tensor))
    return true;
  if (reinterpret_cast<uintptr_t>(tensor.data) %
      getElementSize(tensor.elementType))
    return false;
  int64_t contiguous = 1;
  for (int32_t i = tensor.rank - 1; i >= 0; --i) {
    int64_t expected = SPARSEK_DYNAMIC;
    if (type.layout == Layout::Strided)
      expected = type.strides[i];
    else if (type.layout == Layout::Contiguous || i == tensor.rank - 1)
      expected = contiguous;
    if (tensor.sizes[i] > 1 && expected != SPARSEK_DYNAMIC &&
        tensor.strides[i] != expected)
      return false;
    contiguous *= tensor.sizes[i];
  }
  return true;
}

/// Says how the layout of an input differs from what the function takes.
static llvm::Error makeLayoutError(const Function &function, size_t index,
                                   const SparseKTensor &input) {
  int64_t elementBytes = getElementSize(input.elementType);
  if (reinterpret_cast<uintptr_t>(input.data) % elementBytes)
    return createStringError(describe(function, index) +
                             "data at an address that is not a multiple of " +
                             Twine(elementBytes) + ", the size of an element");
  std::string strides;
  for (int32_t i = 0; i < input.rank; ++i)
    strides += (i ? ", " : "") + std::to_string(input.strides[i]);
  Layout layout = function.signature.inputs[index].layout;
  llvm::StringRef expected = "an innermost stride of 1";
  if (layout == Layout::Contiguous)
    expected = "those of elements row by row";
  if (layout == Layout::Strided)
    expected = "those of the function's memref type";
  return createStringError(describe(function, index) + "type " +
                           toString(input) + " with strides [" + strides +
                           "], expected " + expected);
}

namespace {

/// The descriptors and pointers that an entry takes, and the copies of inputs.
class Frame {
public:
  /// `cuda`: where the tensors are, null for the host's memory.
  Frame(const Function &function, cuda::Call *cuda)
      : function(function), cuda(cuda) {}
  ~Frame() {
    for (Copy &copy : copies)
      std::free(copy.tensor.data);
  }

  llvm::Error setInputs(llvm::ArrayRef<SparseKTensor> inputs);
  /// The error that the function reported, empty if none.
  std::string call();
  void copyBack(llvm::ArrayRef<SparseKTensor> inputs);
  llvm::Error getResults(llvm::MutableArrayRef<SparseKTensor> results);
  void freeResults();

private:
  struct Copy {
    size_t index;
    SparseKTensor tensor;
  };

  void setResultOffsets();
  int64_t *getResult(size_t index) {
    return reinterpret_cast<int64_t *>(reinterpret_cast<char *>(words.data()) +
                                       resultOffsets[index]);
  }
  void addDescriptor(const SparseKTensor &tensor);
  llvm::Expected<SparseKTensor> copyInput(size_t index,
                                          const SparseKTensor &input);
  bool isOwned(const int64_t *descriptor) const;
  SparseKTensor readResult(const ValueType &type, int64_t *words) const;
  llvm::Error takeResult(const ValueType &type, int64_t *words,
                         SparseKTensor &result);
  llvm::Error copyResult(SparseKTensor &result);
  llvm::Error takeCudaResult(const int64_t *words, SparseKTensor &result);

  const Function &function;
  cuda::Call *cuda;
  /// The results, then the inputs.
  llvm::SmallVector<int64_t, 160> words;
  llvm::SmallVector<size_t, 8> resultOffsets;
  llvm::SmallVector<void *, 24> pointers;
  llvm::SmallVector<Copy, 0> copies;
  llvm::SmallVector<void *, 16> inputMemory;
  llvm::SmallVector<void *, 8> taken;
};

} // namespace

void Frame::addDescriptor(const SparseKTensor &tensor) {
  int64_t address = reinterpret_cast<intptr_t>(tensor.data);
  words.append({address, address, 0});
  words.append(tensor.sizes, tensor.sizes + tensor.rank);
  words.append(tensor.strides, tensor.strides + tensor.rank);
  if (!isEmpty(tensor))
    inputMemory.push_back(tensor.data);
}

/// A copy in the layout that the code was compiled for.
llvm::Expected<SparseKTensor> Frame::copyInput(size_t index,
                                               const SparseKTensor &input) {
  SparseKTensor copy = input;
  setContiguousStrides(copy);
  int64_t bytes = *getNumBytes(input);
  copy.data = std::malloc(bytes);
  if (!copy.data)
    return createStringError(
        describe(function, index) + "strides that need a copy of " +
        std::to_string(bytes) + " bytes, for which there is no memory");
  copies.push_back({index, copy});
  if (!hasLayout(copy, function.signature.inputs[index]))
    return createStringError(describe(function, index) +
                             "other strides than the function's memref type");
  copyElements(input, copy);
  return copy;
}

/// The results lie in memory as in a C struct: a descriptor is two pointers,
/// the offset, sizes and strides; a scalar is aligned to its size.
void Frame::setResultOffsets() {
  size_t end = 0;
  for (const ValueType &type : function.signature.results) {
    size_t size = type.isScalar ? getElementSize(type.tensor.elementType)
                                : sizeof(int64_t) * (3 + 2 * type.tensor.rank);
    end = llvm::alignTo(end, type.isScalar ? size : sizeof(int64_t));
    resultOffsets.push_back(end);
    end += size;
  }
  words.resize(llvm::divideCeil(end, sizeof(int64_t)), 0);
}

llvm::Error Frame::setInputs(llvm::ArrayRef<SparseKTensor> inputs) {
  const FunctionSignature &signature = function.signature;
  setResultOffsets();
  llvm::SmallVector<size_t, 16> starts;
  for (auto [index, type] : llvm::enumerate(signature.inputs)) {
    starts.push_back(words.size());
    if (type.isScalar)
      continue;
    SparseKTensor input = inputs[index];
    if (!hasLayout(input, type)) {
      if (cuda)
        return makeLayoutError(function, index, input);
      llvm::Expected<SparseKTensor> copy = copyInput(index, input);
      if (!copy)
        return copy.takeError();
      input = *copy;
    }
    addDescriptor(input);
  }
  // The words stay where they are from here on.
  if (!signature.results.empty())
    pointers.push_back(words.data());
  for (auto [index, type] : llvm::enumerate(signature.inputs))
    pointers.push_back(type.isScalar ? inputs[index].data
                                     : words.data() + starts[index]);
  return llvm::Error::success();
}

std::string Frame::call() {
  return CallState(cuda).call(function.entry, pointers.data());
}

void Frame::copyBack(llvm::ArrayRef<SparseKTensor> inputs) {
  for (const Copy &copy : copies)
    if (function.signature.inputs[copy.index].isWritable)
      copyElements(copy.tensor, inputs[copy.index]);
}

//===----------------------------------------------------------------------===//
// Results
//===----------------------------------------------------------------------===//

/// Whether a result's memory is ours to give away: not that of an argument, of
/// an earlier result or of a constant of the module (whose descriptor has no
/// allocation, by MLIR's convention 0xdeadbeef).
bool Frame::isOwned(const int64_t *descriptor) const {
  void *allocated = llvm::bit_cast<void *>(descriptor[0]);
  return descriptor[0] != 0xdeadbeef &&
         !llvm::is_contained(inputMemory, allocated) &&
         !llvm::is_contained(taken, allocated);
}

/// A result as it stands in the memory that the function returned.
SparseKTensor Frame::readResult(const ValueType &type, int64_t *words) const {
  SparseKTensor result = {};
  result.elementType = type.tensor.elementType;
  result.rank = type.tensor.rank;
  if (type.isScalar) {
    result.data = words;
    return result;
  }
  result.data = llvm::bit_cast<char *>(words[1]) +
                words[2] * getElementSize(result.elementType);
  std::copy_n(words + 3, result.rank, result.sizes);
  std::copy_n(words + 3 + result.rank, result.rank, result.strides);
  return result;
}

llvm::Error Frame::takeResult(const ValueType &type, int64_t *words,
                              SparseKTensor &result) {
  result = readResult(type, words);
  if (cuda && !type.isScalar)
    return takeCudaResult(words, result);
  if (!type.isScalar && isOwned(words)) {
    result.owner = llvm::bit_cast<void *>(words[0]);
    taken.push_back(result.owner);
    return llvm::Error::success();
  }
  return copyResult(result);
}

/// On the device, an argument or an earlier result is copied there.
llvm::Error Frame::takeCudaResult(const int64_t *words, SparseKTensor &result) {
  void *allocated = llvm::bit_cast<void *>(words[0]);
  if (isEmpty(result)) {
    result.data = nullptr;
    return llvm::Error::success();
  }
  if (cuda->owns(allocated)) {
    result.owner = cuda->give(allocated);
    return llvm::Error::success();
  }
  SparseKTensor copy = result;
  setContiguousStrides(copy);
  std::optional<int64_t> bytes = getNumBytes(result);
  if (!bytes)
    return createStringError("@" + function.signature.name +
                             ": no room for a result of type " +
                             toString(result));
  llvm::Expected<void *> memory = cuda->allocate(*bytes);
  if (!memory)
    return memory.takeError();
  copy.data = *memory;
  if (llvm::Error error = cuda->copy(result, copy))
    return error;
  copy.owner = cuda->give(*memory);
  result = copy;
  return llvm::Error::success();
}

/// A copy in new memory of the host.
llvm::Error Frame::copyResult(SparseKTensor &result) {
  SparseKTensor copy = result;
  setContiguousStrides(copy);
  std::optional<int64_t> bytes = getNumBytes(result);
  copy.data = copy.owner =
      bytes ? std::malloc(std::max<int64_t>(*bytes, 1)) : nullptr;
  if (!copy.data)
    return createStringError("@" + function.signature.name +
                             ": out of memory: no room for a result of type " +
                             toString(result));
  copyElements(result, copy);
  taken.push_back(copy.owner);
  result = copy;
  return llvm::Error::success();
}

llvm::Error Frame::getResults(llvm::MutableArrayRef<SparseKTensor> results) {
  for (auto [index, type] : llvm::enumerate(function.signature.results)) {
    if (llvm::Error error =
            takeResult(type, getResult(index), results[index])) {
      results[index] = {};
      return error;
    }
  }
  return llvm::Error::success();
}

/// Frees what the function returned, each allocation once. What is on a device
/// the call frees.
void Frame::freeResults() {
  if (cuda)
    return;
  for (auto [index, type] : llvm::enumerate(function.signature.results)) {
    int64_t *descriptor = getResult(index);
    if (type.isScalar || !isOwned(descriptor))
      continue;
    taken.push_back(llvm::bit_cast<void *>(descriptor[0]));
    std::free(taken.back());
  }
}

static llvm::Error callFunction(const Function &function, cuda::Call *cuda,
                                llvm::ArrayRef<SparseKTensor> inputs,
                                llvm::MutableArrayRef<SparseKTensor> results) {
  Frame frame(function, cuda);
  if (llvm::Error error = frame.setInputs(inputs))
    return error;
  if (std::string message = frame.call(); !message.empty()) {
    frame.freeResults();
    return createStringError("@" + function.signature.name + ": " + message);
  }
  frame.copyBack(inputs);
  if (llvm::Error error = frame.getResults(results)) {
    // The results that are not taken yet are still the frame's.
    frame.freeResults();
    for (SparseKTensor &result : results)
      release(result);
    return error;
  }
  return llvm::Error::success();
}

/// Every tensor is in memory that the device can reach.
static llvm::Error checkCudaMemory(const Function &function,
                                   const cuda::Call &call,
                                   llvm::ArrayRef<SparseKTensor> inputs) {
  for (auto [index, input] : llvm::enumerate(inputs)) {
    if (function.signature.inputs[index].isScalar || isEmpty(input))
      continue;
    if (std::string got = call.describeForeign(input.data); !got.empty())
      return createStringError(describe(function, index) + got +
                               ", expected that of CUDA device " +
                               Twine(call.getDevice().ordinal));
  }
  return llvm::Error::success();
}

static llvm::Error callOnCuda(const Function &function,
                              const SparseKExecution &execution,
                              llvm::ArrayRef<SparseKTensor> inputs,
                              llvm::MutableArrayRef<SparseKTensor> results) {
  std::string name = "@" + function.signature.name + ": ";
  llvm::Expected<const cuda::Device *> device =
      cuda::Device::get(execution.device);
  if (!device)
    return createStringError(name + llvm::toString(device.takeError()));
  if (std::string error = (*device)->checkChip(function.chip); !error.empty())
    return createStringError(name + error);
  cuda::Call call(**device, static_cast<cuda::Stream>(execution.stream));
  if (llvm::Error error = checkCudaMemory(function, call, inputs))
    return error;
  return callFunction(function, &call, inputs, results);
}

llvm::Error
mlir::sparsek::runtime::invoke(const Function &function,
                               const SparseKExecution &execution,
                               llvm::ArrayRef<SparseKTensor> inputs,
                               llvm::MutableArrayRef<SparseKTensor> results) {
  for (SparseKTensor &result : results)
    result = {};
  if (llvm::Error error = checkExecution(function, execution))
    return error;
  if (llvm::Error error = checkCall(function, inputs, results.size()))
    return error;
  if (execution.kind == SPARSEK_CUDA)
    return callOnCuda(function, execution, inputs, results);
  return callFunction(function, /*cuda=*/nullptr, inputs, results);
}

llvm::Error
mlir::sparsek::runtime::invoke(const Function &function,
                               llvm::ArrayRef<SparseKTensor> inputs,
                               llvm::MutableArrayRef<SparseKTensor> results) {
  return invoke(function, {SPARSEK_CPU, 0, nullptr}, inputs, results);
}

void mlir::sparsek::runtime::release(SparseKTensor &tensor) {
  if (cuda::isOwner(tensor.owner))
    cuda::release(tensor.owner);
  else
    std::free(tensor.owner);
  tensor = {};
}
