//===- SourceCheck.cpp - What is refused before parsing -------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SourceCheck.h"

#include "mlir/Bytecode/BytecodeReader.h"
#include "llvm/Support/MemoryBufferRef.h"

using namespace mlir::sparsek::runtime;

static constexpr size_t kMaxSourceBytes = size_t(64) << 20;
static constexpr int64_t kMaxNesting = 256;

/// The end of the token that starts at `position` where brackets mean nothing:
/// a string, a comment, an arrow, a comparison. `position` itself elsewhere.
static size_t skipOpaque(llvm::StringRef source, size_t position) {
  llvm::StringRef rest = source.substr(position);
  if (rest.starts_with("//"))
    return std::min(source.find('\n', position), source.size());
  for (llvm::StringRef token : {"->", ">=", "<="})
    if (rest.starts_with(token))
      return position + token.size();
  if (!rest.starts_with("\""))
    return position;
  for (++position; position < source.size(); ++position) {
    if (source[position] == '\\')
      ++position;
    else if (source[position] == '"' || source[position] == '\n')
      return position + 1;
  }
  return source.size();
}

std::string mlir::sparsek::runtime::checkSource(llvm::StringRef source,
                                                llvm::StringRef sourceName) {
  if (source.size() > kMaxSourceBytes)
    return (sourceName + ": the source has " + llvm::Twine(source.size()) +
            " bytes, expected at most " + llvm::Twine(kMaxSourceBytes))
        .str();
  if (mlir::isBytecode(llvm::MemoryBufferRef(source, sourceName)))
    return "";
  int64_t depth = 0;
  int64_t line = 1;
  size_t position = 0;
  while (position < source.size()) {
    if (size_t end = skipOpaque(source, position); end != position) {
      position = end;
      continue;
    }
    char c = source[position++];
    line += c == '\n';
    if (llvm::StringRef("([{<").contains(c) && ++depth > kMaxNesting)
      return (sourceName + ":" + llvm::Twine(line) +
              ": brackets are nested more than " + llvm::Twine(kMaxNesting) +
              " deep")
          .str();
    if (llvm::StringRef(")]}>").contains(c))
      depth = std::max<int64_t>(depth - 1, 0);
  }
  return "";
}
