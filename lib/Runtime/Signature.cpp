//===- Signature.cpp - Types of compiled functions ------------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sparsek/Runtime/Signature.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/StringExtras.h"

#include <cstring>

using namespace mlir;
using namespace mlir::sparsek::runtime;

//===----------------------------------------------------------------------===//
// From func.func
//===----------------------------------------------------------------------===//

static FailureOr<int32_t> getElementType(Type type) {
  if (type.isInteger(1))
    return SPARSEK_I1;
  if (type.isInteger(8))
    return SPARSEK_I8;
  if (type.isInteger(16))
    return SPARSEK_I16;
  if (type.isInteger(32))
    return SPARSEK_I32;
  if (type.isInteger(64) || type.isIndex())
    return SPARSEK_I64;
  if (type.isF16())
    return SPARSEK_F16;
  if (type.isBF16())
    return SPARSEK_BF16;
  if (type.isF32())
    return SPARSEK_F32;
  if (type.isF64())
    return SPARSEK_F64;
  return failure();
}

/// Fills in the layout of a memref; fails where it is not strided from the
/// first element on.
static LogicalResult setLayout(MemRefType type, ValueType &value) {
  if (type.getLayout().isIdentity()) {
    value.layout = Layout::Contiguous;
    return success();
  }
  SmallVector<int64_t> strides;
  int64_t offset;
  if (failed(type.getStridesAndOffset(strides, offset)) ||
      (!ShapedType::isDynamic(offset) && offset != 0))
    return failure();
  value.layout = Layout::Strided;
  for (auto [index, stride] : llvm::enumerate(strides))
    value.strides[index] =
        ShapedType::isDynamic(stride) ? SPARSEK_DYNAMIC : stride;
  return success();
}

static FailureOr<ValueType> getValueType(Type type) {
  ValueType value;
  auto shaped = dyn_cast<ShapedType>(type);
  if (shaped && !isa<RankedTensorType, MemRefType>(type))
    return failure();
  FailureOr<int32_t> element =
      getElementType(shaped ? shaped.getElementType() : type);
  if (failed(element))
    return failure();
  value.tensor.elementType = *element;
  value.isScalar = !shaped;
  if (!shaped)
    return value;
  if (shaped.getRank() > SPARSEK_MAX_RANK)
    return failure();
  value.tensor.rank = shaped.getRank();
  for (auto [index, size] : llvm::enumerate(shaped.getShape()))
    value.tensor.sizes[index] =
        ShapedType::isDynamic(size) ? SPARSEK_DYNAMIC : size;
  auto memref = dyn_cast<MemRefType>(type);
  if (!memref)
    return value;
  if (memref.getMemorySpace() || failed(setLayout(memref, value)))
    return failure();
  return value;
}

/// Whether a use of a memref reads it, or its sizes, and passes it to nothing.
static bool isRead(OpOperand &use) {
  Operation *op = use.getOwner();
  auto isMemRef = [](Type type) { return isa<BaseMemRefType>(type); };
  if (op->hasTrait<OpTrait::IsTerminator>() ||
      llvm::any_of(op->getResultTypes(), isMemRef))
    return false;
  if (isMemoryEffectFree(op))
    return true;
  auto effects = dyn_cast<MemoryEffectOpInterface>(op);
  if (!effects)
    return false;
  SmallVector<MemoryEffects::EffectInstance> instances;
  effects.getEffectsOnValue(use.get(), instances);
  return !instances.empty() &&
         llvm::all_of(instances, [](const auto &instance) {
           return isa<MemoryEffects::Read>(instance.getEffect());
         });
}

static InFlightDiagnostic emitBadType(func::FuncOp function, StringRef what,
                                      size_t index, Type type) {
  return function.emitOpError()
         << "@" << function.getName() << " has " << what << " " << index
         << " of type " << type
         << ", expected a tensor or memref of rank at most " << SPARSEK_MAX_RANK
         << " (strided, without an offset or memory space) or a scalar, of i1, "
            "i8, i16, i32, i64, f16, bf16, f32 or f64; a private function may "
            "have other types";
}

FailureOr<Signatures> mlir::sparsek::runtime::getSignatures(ModuleOp module) {
  Signatures signatures;
  for (auto function : module.getOps<func::FuncOp>()) {
    if (!function.isPublic() || function.isExternal())
      continue;
    FunctionSignature signature;
    signature.name = function.getName().str();
    for (auto [index, argument] : llvm::enumerate(function.getArguments())) {
      FailureOr<ValueType> value = getValueType(argument.getType());
      if (failed(value))
        return emitBadType(function, "argument", index, argument.getType());
      value->isWritable = isa<MemRefType>(argument.getType()) &&
                          !llvm::all_of(argument.getUses(), isRead);
      signature.inputs.push_back(*value);
    }
    for (auto [index, type] : llvm::enumerate(function.getResultTypes())) {
      FailureOr<ValueType> value = getValueType(type);
      if (failed(value))
        return emitBadType(function, "result", index, type);
      signature.results.push_back(*value);
    }
    signatures.push_back(std::move(signature));
  }
  return signatures;
}

//===----------------------------------------------------------------------===//
// Bytes
//===----------------------------------------------------------------------===//

namespace {

struct Writer {
  std::string bytes;

  void number(int64_t value) {
    bytes.append(reinterpret_cast<const char *>(&value), sizeof(value));
  }
  void values(const std::vector<ValueType> &values) {
    number(values.size());
    for (const ValueType &value : values) {
      number(value.tensor.elementType);
      number(value.tensor.rank);
      number(int64_t(value.layout));
      number(value.isScalar);
      number(value.isWritable);
      for (int32_t i = 0; i < value.tensor.rank; ++i) {
        number(value.tensor.sizes[i]);
        number(value.strides[i]);
      }
    }
  }
};

/// Reads what Writer wrote. Once `failed`, everything read is 0.
struct Reader {
  StringRef bytes;
  bool failed = false;

  /// A number in [minimum, maximum].
  int64_t number(int64_t minimum, int64_t maximum) {
    int64_t value;
    if (failed || bytes.size() < sizeof(value)) {
      failed = true;
      return 0;
    }
    std::memcpy(&value, bytes.data(), sizeof(value));
    bytes = bytes.drop_front(sizeof(value));
    failed = value < minimum || value > maximum;
    return failed ? 0 : value;
  }
  /// The number of items to come, each of which takes at least a byte.
  int64_t count() { return number(0, bytes.size()); }

  std::string text() {
    size_t size = count();
    if (failed || bytes.size() < size) {
      failed = true;
      return "";
    }
    std::string text = bytes.take_front(size).str();
    bytes = bytes.drop_front(size);
    return text;
  }
  std::vector<ValueType> values() {
    std::vector<ValueType> values;
    for (int64_t i = 0, e = count(); i < e && !failed; ++i) {
      ValueType value;
      value.tensor.elementType = number(SPARSEK_I1, SPARSEK_F64);
      value.tensor.rank = number(0, SPARSEK_MAX_RANK);
      value.layout = Layout(number(0, int64_t(Layout::Strided)));
      value.isScalar = number(0, 1);
      value.isWritable = number(0, 1);
      for (int32_t dim = 0; dim < value.tensor.rank; ++dim) {
        value.tensor.sizes[dim] = number(INT64_MIN, INT64_MAX);
        value.strides[dim] = number(INT64_MIN, INT64_MAX);
      }
      values.push_back(value);
    }
    return values;
  }
};

} // namespace

std::string
mlir::sparsek::runtime::writeSignatures(const Signatures &signatures) {
  Writer writer;
  writer.number(signatures.size());
  for (const FunctionSignature &signature : signatures) {
    writer.number(signature.name.size());
    writer.bytes += signature.name;
    writer.values(signature.inputs);
    writer.values(signature.results);
  }
  return std::move(writer.bytes);
}

FailureOr<Signatures> mlir::sparsek::runtime::readSignatures(StringRef bytes) {
  Reader reader{bytes};
  Signatures signatures;
  for (int64_t i = 0, e = reader.count(); i < e && !reader.failed; ++i) {
    FunctionSignature signature;
    signature.name = reader.text();
    signature.inputs = reader.values();
    signature.results = reader.values();
    signatures.push_back(std::move(signature));
  }
  if (reader.failed || !reader.bytes.empty())
    return failure();
  return signatures;
}

//===----------------------------------------------------------------------===//
// Names
//===----------------------------------------------------------------------===//

namespace {
struct ElementInfo {
  StringRef name;
  int64_t size;
};
} // namespace

static ElementInfo getInfo(int32_t elementType) {
  static constexpr ElementInfo infos[] = {{"i1", 1},   {"i8", 1},  {"i16", 2},
                                          {"i32", 4},  {"i64", 8}, {"f16", 2},
                                          {"bf16", 2}, {"f32", 4}, {"f64", 8}};
  if (elementType < 0 || elementType >= int32_t(std::size(infos)))
    return {"?", 0};
  return infos[elementType];
}

StringRef mlir::sparsek::runtime::getElementTypeName(int32_t elementType) {
  return getInfo(elementType).name;
}

int64_t mlir::sparsek::runtime::getElementSize(int32_t elementType) {
  return getInfo(elementType).size;
}

std::string mlir::sparsek::runtime::toString(const SparseKTensorType &type) {
  std::string text = "tensor<";
  for (int32_t i = 0; i < std::clamp(type.rank, 0, SPARSEK_MAX_RANK); ++i)
    text += (type.sizes[i] == SPARSEK_DYNAMIC ? "?"
                                              : std::to_string(type.sizes[i])) +
            "x";
  return text + getElementTypeName(type.elementType).str() + ">";
}

std::string mlir::sparsek::runtime::toString(const SparseKTensor &tensor) {
  SparseKTensorType type = {};
  type.elementType = tensor.elementType;
  type.rank = tensor.rank;
  llvm::copy(tensor.sizes, type.sizes);
  return toString(type);
}
