//===- Inputs.cpp - Arguments of the function that runs -------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Inputs.h"

#include "llvm/ADT/STLExtras.h"

#include <map>
#include <random>

using namespace mlir::sparsek;
using namespace mlir::sparsek::run;

using ValueMap = std::map<size_t, llvm::StringRef>;

/// "INDEX:VALUE" options by index.
static llvm::Expected<ValueMap>
parseIndexed(llvm::ArrayRef<std::string> options, llvm::StringRef name,
             const runtime::FunctionSignature &signature) {
  ValueMap values;
  for (llvm::StringRef option : options) {
    auto [index, value] = option.split(':');
    size_t number;
    if (index.getAsInteger(10, number) || value.empty())
      return llvm::createStringError("--" + name + "=" + option +
                                     ": expected INDEX:VALUE");
    if (number >= signature.inputs.size())
      return llvm::createStringError(
          "--" + name + "=" + option + ": @" + signature.name + " has " +
          llvm::Twine(signature.inputs.size()) + " arguments");
    values[number] = value;
  }
  return values;
}

/// "1x8x1024x128".
static llvm::Expected<llvm::SmallVector<int64_t>>
parseShape(llvm::StringRef text) {
  llvm::SmallVector<int64_t> sizes;
  llvm::SmallVector<llvm::StringRef> parts;
  text.split(parts, 'x');
  for (llvm::StringRef part : parts)
    if (part.getAsInteger(10, sizes.emplace_back()) || sizes.back() < 0)
      return llvm::createStringError("--arg-shape: '" + text +
                                     "' is no shape, expected sizes such as "
                                     "1x8x1024x128");
  return sizes;
}

static void fill(HostTensor &tensor, int64_t dims, std::mt19937_64 &random) {
  std::normal_distribution<double> normal;
  auto uniform = [&](int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(random);
  };
  llvm::ArrayRef<int64_t> sizes = tensor.getSizes();
  for (int64_t i = 0, e = tensor.getNumElements(); i < e; ++i) {
    if (tensor.isFloat())
      tensor.setFloat(i, normal(random));
    else if (tensor.get().elementType == SPARSEK_I1)
      tensor.setInteger(i, uniform(0, 1));
    else if (sizes.empty())
      tensor.setInteger(i, uniform(0, dims));
    else
      tensor.setInteger(i, uniform(i % sizes.back(), sizes.back()));
  }
}

static llvm::Expected<llvm::SmallVector<int64_t>>
getSizes(const runtime::ValueType &type, const ValueMap &shapes, size_t index,
         int64_t dims) {
  if (auto shape = shapes.find(index); shape != shapes.end())
    return parseShape(shape->second);
  llvm::SmallVector<int64_t> sizes;
  for (int32_t i = 0; i < type.tensor.rank; ++i)
    sizes.push_back(
        type.tensor.sizes[i] == SPARSEK_DYNAMIC ? dims : type.tensor.sizes[i]);
  return sizes;
}

llvm::Expected<std::vector<HostTensor>>
mlir::sparsek::run::makeInputs(const runtime::FunctionSignature &signature,
                               const InputOptions &options) {
  auto shapes = parseIndexed(options.shapes, "arg-shape", signature);
  if (!shapes)
    return shapes.takeError();
  auto files = parseIndexed(options.files, "input", signature);
  if (!files)
    return files.takeError();
  std::mt19937_64 random(options.seed);
  std::vector<HostTensor> inputs;
  for (auto [index, type] : llvm::enumerate(signature.inputs)) {
    if (auto file = files->find(index); file != files->end()) {
      auto input = readNpy(file->second, type.tensor.elementType);
      if (!input)
        return input.takeError();
      inputs.push_back(std::move(*input));
      continue;
    }
    auto sizes = getSizes(type, *shapes, index, options.dims);
    if (!sizes)
      return sizes.takeError();
    auto input = HostTensor::allocate(type.tensor.elementType, *sizes);
    if (!input)
      return input.takeError();
    fill(*input, options.dims, random);
    inputs.push_back(std::move(*input));
  }
  return inputs;
}
