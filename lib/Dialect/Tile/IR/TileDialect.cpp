//===- TileDialect.cpp - The tile dialect, its types and layouts ---------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sparsek/Dialect/Tile/IR/Tile.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::sparsek::tile;

#include "sparsek/Dialect/Tile/IR/TileDialect.cpp.inc"
#include "sparsek/Dialect/Tile/IR/TileEnums.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "sparsek/Dialect/Tile/IR/TileAttributes.cpp.inc"

#define GET_TYPEDEF_CLASSES
#include "sparsek/Dialect/Tile/IR/TileTypes.cpp.inc"

void TileDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "sparsek/Dialect/Tile/IR/TileAttributes.cpp.inc"
      >();
  addTypes<
#define GET_TYPEDEF_LIST
#include "sparsek/Dialect/Tile/IR/TileTypes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "sparsek/Dialect/Tile/IR/TileOps.cpp.inc"
      >();
}

//===----------------------------------------------------------------------===//
// !tile.shared
//===----------------------------------------------------------------------===//

/// <4x96x128xbf16, swizzled>
Type SharedType::parse(AsmParser &parser) {
  SmallVector<int64_t> shape;
  Type elementType;
  bool swizzled = false;
  if (parser.parseLess() ||
      parser.parseDimensionList(shape, /*allowDynamic=*/false) ||
      parser.parseType(elementType))
    return {};
  if (succeeded(parser.parseOptionalComma())) {
    if (parser.parseKeyword("swizzled"))
      return {};
    swizzled = true;
  }
  if (parser.parseGreater())
    return {};
  return parser.getChecked<SharedType>(parser.getContext(), shape, elementType,
                                       swizzled);
}

void SharedType::print(AsmPrinter &printer) const {
  printer << '<';
  printer.printDimensionList(getShape());
  printer << 'x' << getElementType();
  if (getSwizzled())
    printer << ", swizzled";
  printer << '>';
}

LogicalResult
SharedType::verify(llvm::function_ref<InFlightDiagnostic()> emitError,
                   llvm::ArrayRef<int64_t> shape, Type elementType,
                   bool swizzled) {
  if (!elementType.isIntOrFloat() || elementType.getIntOrFloatBitWidth() % 8)
    return emitError() << "expected elements of whole bytes, got "
                       << elementType;
  if (shape.empty() || llvm::any_of(shape, [](int64_t s) { return s <= 0; }))
    return emitError() << "expected positive sizes";
  if (!swizzled)
    return success();
  if (shape.size() < 2 || shape[shape.size() - 2] % 8)
    return emitError()
           << "expected a swizzled tile to have a multiple of 8 rows";
  int64_t rowBytes = shape.back() * elementType.getIntOrFloatBitWidth() / 8;
  if (rowBytes % kChunkBytes)
    return emitError() << "expected rows of a multiple of 16 bytes, got "
                       << rowBytes;
  return success();
}

int64_t SharedType::getElementBytes() const {
  return getElementType().getIntOrFloatBitWidth() / 8;
}

int64_t SharedType::getNumPanels() const {
  return llvm::divideCeil(getShape().back() * getElementBytes(), kPanelBytes);
}

int64_t SharedType::getPanelBytes() const {
  return getShape()[getRank() - 2] * kPanelBytes;
}

int64_t SharedType::getBytes() const {
  int64_t matrixRank = getSwizzled() ? 2 : 0;
  int64_t bytes =
      getSwizzled() ? getNumPanels() * getPanelBytes() : getElementBytes();
  for (int64_t size : getShape().drop_back(matrixRank))
    bytes *= size;
  return bytes;
}

SharedType SharedType::getSlotType() const {
  return get(getContext(), getShape().drop_front(), getElementType(),
             getSwizzled());
}
