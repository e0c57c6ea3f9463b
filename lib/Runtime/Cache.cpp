//===- Cache.cpp - Compiled objects kept on disk --------------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sparsek/Runtime/Cache.h"

#include "BuildId.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/SHA256.h"
#include "llvm/Support/raw_ostream.h"

#include <cstdlib>
#include <cstring>
#include <unistd.h>

using namespace mlir::sparsek::runtime;

//===----------------------------------------------------------------------===//
// Keys
//===----------------------------------------------------------------------===//

/// Hashes texts with their sizes, so that no two lists of texts hash alike.
static void update(llvm::SHA256 &hash, llvm::StringRef text) {
  uint64_t size = text.size();
  hash.update(llvm::ArrayRef(reinterpret_cast<const uint8_t *>(&size), 8));
  hash.update(text);
}

CacheKey mlir::sparsek::runtime::getCacheKey(llvm::StringRef source,
                                             llvm::StringRef sourceName,
                                             const CompileOptions &options) {
  llvm::SHA256 hash;
  update(hash, getBuildId());
  update(hash, options.target.triple);
  update(hash, options.target.cpu);
  update(hash, options.target.features);
  update(hash, std::to_string(options.target.vectorBits));
  update(hash, options.target.chip);
  update(hash, options.threads ? "threads" : "no threads");
  update(hash, options.reference ? "reference" : "tiled");
  update(hash, sourceName);
  update(hash, source);
  return hash.final();
}

//===----------------------------------------------------------------------===//
// Files
//===----------------------------------------------------------------------===//

static constexpr char kMagic[8] = {'S', 'P', 'A', 'R', 'S', 'E', 'K', '\n'};
static constexpr uint64_t kFormatVersion = 1;
static constexpr size_t kHeaderBytes = 64;
static constexpr size_t kDigestBytes = 32;

static std::string getHeader(const CacheKey &key, uint64_t signatureBytes,
                             uint64_t objectBytes) {
  std::string header(kMagic, sizeof(kMagic));
  auto append = [&](uint64_t number) {
    header.append(reinterpret_cast<const char *>(&number), sizeof(number));
  };
  append(kFormatVersion);
  header.append(reinterpret_cast<const char *>(key.data()), key.size());
  append(signatureBytes);
  append(objectBytes);
  return header;
}

static std::string getDigest(llvm::StringRef bytes) {
  llvm::SHA256 hash;
  hash.update(bytes);
  std::array<uint8_t, kDigestBytes> digest = hash.final();
  return std::string(digest.begin(), digest.end());
}

/// The contents of a cache file, if it is whole and was written for `key`.
static std::optional<CompiledObject> decode(llvm::StringRef bytes,
                                            const CacheKey &key) {
  if (bytes.size() < kHeaderBytes + kDigestBytes)
    return std::nullopt;
  uint64_t sizes[2];
  std::memcpy(sizes, bytes.data() + kHeaderBytes - sizeof(sizes),
              sizeof(sizes));
  llvm::StringRef digest = bytes.take_back(kDigestBytes);
  llvm::StringRef contents = bytes.drop_back(kDigestBytes);
  llvm::StringRef payload = contents.drop_front(kHeaderBytes);
  if (sizes[0] > payload.size() || sizes[1] != payload.size() - sizes[0] ||
      !contents.starts_with(getHeader(key, sizes[0], sizes[1])) ||
      digest != getDigest(contents))
    return std::nullopt;
  mlir::FailureOr<Signatures> signatures =
      readSignatures(payload.take_front(sizes[0]));
  if (failed(signatures))
    return std::nullopt;
  return CompiledObject{std::move(*signatures),
                        payload.drop_front(sizes[0]).str()};
}

/// A folder of the environment; relative ones are no place for a cache.
static std::string getFolder(const char *variable, llvm::StringRef below) {
  const char *value = std::getenv(variable);
  if (!value || !*value || !llvm::sys::path::is_absolute(value))
    return "";
  llvm::SmallString<128> path(value);
  llvm::sys::path::append(path, below);
  return path.str().str();
}

DiskCache DiskCache::getDefault() {
  if (const char *given = std::getenv("SPARSEK_CACHE_DIR"); given && *given)
    return DiskCache(given);
  std::string folder = getFolder("XDG_CACHE_HOME", "sparsek");
  if (folder.empty())
    folder = getFolder("HOME", ".cache/sparsek");
  return DiskCache(folder);
}

std::string DiskCache::getPath(const CacheKey &key) const {
  if (folder.empty())
    return "";
  llvm::SmallString<128> path(folder);
  llvm::sys::path::append(path, llvm::toHex(key, /*LowerCase=*/true) + ".o");
  return path.str().str();
}

std::optional<CompiledObject> DiskCache::load(const CacheKey &key) const {
  std::string path = getPath(key);
  llvm::sys::fs::file_status status;
  // Not a pipe or a device, which could block. Not another user's file, whose
  // code would run here.
  if (path.empty() || llvm::sys::fs::status(path, status) ||
      !llvm::sys::fs::is_regular_file(status) || status.getUser() != geteuid())
    return std::nullopt;
  auto file = llvm::MemoryBuffer::getFile(path, /*IsText=*/false,
                                          /*RequiresNullTerminator=*/false,
                                          /*IsVolatile=*/true);
  if (!file)
    return std::nullopt;
  return decode((*file)->getBuffer(), key);
}

/// Writes and renames, so that a reader finds a whole file or none.
static void writeAtomically(const std::string &path, llvm::StringRef bytes) {
  llvm::SmallString<128> temporary;
  int descriptor;
  if (llvm::sys::fs::createUniqueFile(path + ".%%%%%%%%.tmp", descriptor,
                                      temporary, llvm::sys::fs::OF_None, 0600))
    return;
  llvm::raw_fd_ostream stream(descriptor, /*shouldClose=*/true);
  stream << bytes;
  stream.close();
  bool written = !stream.has_error();
  // An error that is left in the stream ends the process in its destructor.
  stream.clear_error();
  llvm::FileRemover remover(temporary);
  if (!written || llvm::sys::fs::rename(temporary, path))
    return;
  remover.releaseFile();
}

void DiskCache::store(const CacheKey &key, const CompiledObject &object) const {
  std::string path = getPath(key);
  if (path.empty() ||
      llvm::sys::fs::create_directories(folder, /*IgnoreExisting=*/true,
                                        llvm::sys::fs::perms::owner_all))
    return;
  std::string signatures = writeSignatures(object.signatures);
  std::string bytes = getHeader(key, signatures.size(), object.object.size()) +
                      signatures + object.object;
  bytes += getDigest(bytes);
  // A cache that cannot be written makes the next run slower, nothing else.
  writeAtomically(path, bytes);
}
