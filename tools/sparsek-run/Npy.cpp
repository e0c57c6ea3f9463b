//===- Npy.cpp - NumPy's file format --------------------------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "HostTensor.h"

#include "sparsek/Runtime/Signature.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

#include <cstring>

using namespace mlir::sparsek;
using namespace mlir::sparsek::run;

static constexpr llvm::StringLiteral kMagic("\x93NUMPY");

namespace {
/// What the header of a file says, and the bytes behind it.
struct NpyArray {
  int32_t elementType;
  bool fortranOrder;
  llvm::SmallVector<int64_t> sizes;
  llvm::StringRef data;
};
} // namespace

static llvm::Error fail(llvm::StringRef path, const llvm::Twine &message) {
  return llvm::createStringError(path + ": " + message);
}

/// The text behind "'key':" in the header's dictionary.
static llvm::StringRef getField(llvm::StringRef header, llvm::StringRef key) {
  size_t at = header.find(("'" + key + "':").str());
  if (at == llvm::StringRef::npos)
    return "";
  return header.drop_front(at + key.size() + 3).ltrim();
}

static int32_t getElementType(llvm::StringRef description) {
  return llvm::StringSwitch<int32_t>(description)
      .Case("|b1", SPARSEK_I1)
      .Case("|i1", SPARSEK_I8)
      .Case("<i2", SPARSEK_I16)
      .Case("<i4", SPARSEK_I32)
      .Case("<i8", SPARSEK_I64)
      .Case("<f2", SPARSEK_F16)
      .Case("<f4", SPARSEK_F32)
      .Case("<f8", SPARSEK_F64)
      .Default(-1);
}

/// "(2, 3)" or "(2,)" or "()".
static bool parseShape(llvm::StringRef text,
                       llvm::SmallVectorImpl<int64_t> &sizes) {
  if (!text.consume_front("("))
    return false;
  llvm::SmallVector<llvm::StringRef> parts;
  text.take_until([](char c) { return c == ')'; }).split(parts, ',');
  for (llvm::StringRef part : parts) {
    if (part.trim().empty())
      continue;
    int64_t size;
    if (part.trim().getAsInteger(10, size) || size < 0)
      return false;
    sizes.push_back(size);
  }
  return sizes.size() <= SPARSEK_MAX_RANK;
}

static llvm::Expected<NpyArray> parse(llvm::StringRef path,
                                      llvm::StringRef bytes) {
  if (!bytes.starts_with(kMagic) || bytes.size() < 12)
    return fail(path, "not a .npy file");
  bool isLong = bytes[6] >= 2;
  size_t lengthBytes = isLong ? 4 : 2;
  const char *length = bytes.data() + 8;
  size_t headerSize = isLong ? llvm::support::endian::read32le(length)
                             : llvm::support::endian::read16le(length);
  bytes = bytes.drop_front(8 + lengthBytes);
  if (bytes.size() < headerSize)
    return fail(path, "the header is cut off");
  llvm::StringRef header = bytes.take_front(headerSize);

  NpyArray array;
  llvm::StringRef description = getField(header, "descr").drop_front(1);
  description = description.take_until([](char c) { return c == '\''; });
  array.elementType = getElementType(description);
  if (array.elementType < 0)
    return fail(path, "element type '" + description +
                          "', expected bool, i1, i2, i4, i8, f2, f4 or f8 in "
                          "little-endian order");
  array.fortranOrder = getField(header, "fortran_order").starts_with("True");
  if (!parseShape(getField(header, "shape"), array.sizes))
    return fail(path, "the header has no shape of rank at most " +
                          llvm::Twine(SPARSEK_MAX_RANK));
  array.data = bytes.drop_front(headerSize);
  return array;
}

/// Copies elements in the file's order into `tensor`, converting them.
static llvm::Error convert(llvm::StringRef path, const HostTensor &file,
                           bool fortranOrder, HostTensor &tensor) {
  llvm::ArrayRef<int64_t> sizes = tensor.getSizes();
  for (int64_t i = 0, e = tensor.getNumElements(); i < e; ++i) {
    int64_t from = i;
    if (fortranOrder) {
      from = 0;
      int64_t rest = i, stride = tensor.getNumElements();
      for (size_t dim = sizes.size(); dim-- > 0; rest /= sizes[dim]) {
        stride /= sizes[dim];
        from += rest % sizes[dim] * stride;
      }
    }
    if (tensor.isFloat()) {
      tensor.setFloat(i, file.getFloat(from));
      continue;
    }
    tensor.setInteger(i, file.getInteger(from));
    if (tensor.getInteger(i) != file.getInteger(from))
      return fail(path,
                  "element " + llvm::Twine(file.getInteger(from)) +
                      " does not fit into " +
                      runtime::getElementTypeName(tensor.get().elementType));
  }
  return llvm::Error::success();
}

llvm::Expected<HostTensor> mlir::sparsek::run::readNpy(llvm::StringRef path,
                                                       int32_t elementType) {
  auto buffer = llvm::MemoryBuffer::getFile(path);
  if (!buffer)
    return fail(path, buffer.getError().message());
  auto array = parse(path, (*buffer)->getBuffer());
  if (!array)
    return array.takeError();
  auto file = HostTensor::allocate(array->elementType, array->sizes);
  if (!file)
    return file.takeError();
  size_t bytes =
      file->getNumElements() * runtime::getElementSize(array->elementType);
  if (array->data.size() < bytes)
    return fail(path, "has " + llvm::Twine(array->data.size()) +
                          " bytes of data, expected " + llvm::Twine(bytes));
  std::memcpy(file->get().data, array->data.data(), bytes);
  auto tensor = HostTensor::allocate(elementType, array->sizes);
  if (!tensor)
    return tensor.takeError();
  if (file->isFloat() != tensor->isFloat())
    return fail(path, "has elements of type " +
                          runtime::getElementTypeName(array->elementType) +
                          ", expected " +
                          runtime::getElementTypeName(elementType));
  if (llvm::Error error = convert(path, *file, array->fortranOrder, *tensor))
    return std::move(error);
  return tensor;
}

/// The dictionary of a file's header.
static std::string getHeader(int32_t elementType,
                             llvm::ArrayRef<int64_t> sizes) {
  static constexpr llvm::StringLiteral names[] = {
      "|b1", "|i1", "<i2", "<i4", "<i8", "<f2", "<f4", "<f4", "<f8"};
  std::string header = "{'descr': '" + names[elementType].str() +
                       "', 'fortran_order': False, 'shape': (";
  for (int64_t size : sizes)
    header += std::to_string(size) + ", ";
  header += "), }";
  // The data starts at a multiple of 64 bytes.
  while ((10 + header.size() + 1) % 64)
    header += ' ';
  return header + "\n";
}

llvm::Error mlir::sparsek::run::writeNpy(llvm::StringRef path,
                                         const HostTensor &tensor) {
  const HostTensor *written = &tensor;
  llvm::Expected<HostTensor> wide =
      HostTensor::allocate(SPARSEK_F32, tensor.getSizes());
  if (!wide)
    return wide.takeError();
  if (tensor.get().elementType == SPARSEK_BF16) {
    for (int64_t i = 0, e = tensor.getNumElements(); i < e; ++i)
      wide->setFloat(i, tensor.getFloat(i));
    written = &*wide;
  }
  std::error_code error;
  llvm::raw_fd_ostream stream(path, error);
  if (error)
    return fail(path, error.message());
  std::string header =
      getHeader(written->get().elementType, written->getSizes());
  stream << kMagic << '\x01' << '\0' << char(header.size() & 0xff)
         << char(header.size() >> 8) << header;
  stream.write(static_cast<const char *>(written->get().data),
               written->getNumElements() *
                   runtime::getElementSize(written->get().elementType));
  stream.close();
  std::error_code failed = stream.error();
  stream.clear_error();
  return failed ? fail(path, failed.message()) : llvm::Error::success();
}
