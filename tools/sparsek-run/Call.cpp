//===- Call.cpp - Calls on the CPU or a GPU -------------------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Call.h"

#include "llvm/ADT/STLExtras.h"

using namespace mlir::sparsek;
using namespace mlir::sparsek::run;

llvm::Expected<Arguments> Arguments::create(const runtime::Function &function,
                                            llvm::ArrayRef<HostTensor> inputs,
                                            Place place) {
  Arguments made;
  for (auto [input, type] :
       llvm::zip_equal(inputs, function.signature.inputs)) {
    if (!place || type.isScalar) {
      made.tensors.push_back(input.get());
      // It belongs to the input.
      made.tensors.back().owner = nullptr;
      continue;
    }
    llvm::Expected<SparseKTensor> uploaded = place->upload(input.get());
    if (!uploaded)
      return uploaded.takeError();
    made.tensors.push_back(*uploaded);
  }
  return std::move(made);
}

Arguments::~Arguments() {
  for (SparseKTensor &tensor : tensors)
    runtime::release(tensor);
}

/// A copy of a tensor on the GPU in the host's memory.
static llvm::Expected<HostTensor> download(const SparseKTensor &tensor,
                                           Place place) {
  auto copy = HostTensor::allocate(
      tensor.elementType, llvm::ArrayRef(tensor.sizes, size_t(tensor.rank)));
  if (copy)
    if (llvm::Error error = place->download(tensor, copy->get()))
      return std::move(error);
  return copy;
}

/// Takes over what a call returned.
static llvm::Error takeResults(const runtime::Function &function,
                               std::vector<SparseKTensor> &results, Place place,
                               Outputs &outputs) {
  llvm::Error error = llvm::Error::success();
  for (auto [index, result, type] :
       llvm::enumerate(results, function.signature.results)) {
    if (!place || type.isScalar) {
      outputs.tensors.push_back(HostTensor::take(result));
    } else {
      llvm::Expected<HostTensor> copy = download(result, place);
      runtime::release(result);
      if (copy)
        outputs.tensors.push_back(std::move(*copy));
      else
        error = llvm::joinErrors(std::move(error), copy.takeError());
    }
    outputs.names.push_back("result" + std::to_string(index));
  }
  return error;
}

/// Takes over what a call may have written.
static llvm::Error takeWritten(const runtime::Function &function,
                               std::vector<HostTensor> &inputs,
                               const Arguments &arguments, Place place,
                               Outputs &outputs) {
  for (auto [index, type] : llvm::enumerate(function.signature.inputs)) {
    if (!type.isWritable)
      continue;
    outputs.names.push_back("argument" + std::to_string(index));
    if (!place) {
      outputs.tensors.push_back(std::move(inputs[index]));
      continue;
    }
    llvm::Expected<HostTensor> copy = download(arguments.get()[index], place);
    if (!copy)
      return copy.takeError();
    outputs.tensors.push_back(std::move(*copy));
  }
  return llvm::Error::success();
}

llvm::Expected<Outputs> run::callOnce(const runtime::Function &function,
                                      llvm::ArrayRef<HostTensor> inputs,
                                      Place place) {
  std::vector<HostTensor> copies;
  for (const HostTensor &input : inputs) {
    auto copy = input.clone();
    if (!copy)
      return copy.takeError();
    copies.push_back(std::move(*copy));
  }
  auto arguments = Arguments::create(function, copies, place);
  if (!arguments)
    return arguments.takeError();
  std::vector<SparseKTensor> results(function.signature.results.size());
  SparseKExecution execution = {SPARSEK_CPU, 0, nullptr};
  if (place)
    execution = place->getExecution();
  if (llvm::Error error =
          runtime::invoke(function, execution, arguments->get(), results))
    return std::move(error);
  Outputs outputs;
  if (llvm::Error error = takeResults(function, results, place, outputs))
    return std::move(error);
  if (llvm::Error error =
          takeWritten(function, copies, *arguments, place, outputs))
    return std::move(error);
  return outputs;
}
