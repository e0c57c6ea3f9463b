//===- Cache.h - Compiled objects kept on disk ---------------- -*- C++ -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEK_RUNTIME_CACHE_H
#define SPARSEK_RUNTIME_CACHE_H

#include "sparsek/Runtime/Compile.h"

#include <array>
#include <optional>

namespace mlir::sparsek::runtime {

/// What a compiled object depends on: a SHA-256 digest of the source and its
/// name (which messages of the code begin with), the options, the target and
/// this build of the compiler.
using CacheKey = std::array<uint8_t, 32>;

CacheKey getCacheKey(llvm::StringRef source, llvm::StringRef sourceName,
                     const CompileOptions &options);

/// Compiled objects in a folder, one file per key. A file is
///   magic (8 bytes), format version (8), key (32), sizes of the signatures (8)
///   and of the object (8), signatures, object, SHA-256 of all of this (32).
/// A file that is damaged, truncated, of another key or another user's reads as
/// absent. Writes
/// are atomic, and one that fails changes nothing.
class DiskCache {
public:
  explicit DiskCache(std::string folder) : folder(std::move(folder)) {}

  /// In $SPARSEK_CACHE_DIR, $XDG_CACHE_HOME/sparsek or ~/.cache/sparsek; keeps
  /// nothing where none of them is set.
  static DiskCache getDefault();

  std::optional<CompiledObject> load(const CacheKey &key) const;
  void store(const CacheKey &key, const CompiledObject &object) const;

  /// The file of a key; empty where nothing is kept.
  std::string getPath(const CacheKey &key) const;

private:
  std::string folder;
};

} // namespace mlir::sparsek::runtime

#endif // SPARSEK_RUNTIME_CACHE_H
