//===- CacheTest.cpp - Tests of the cache on disk -------------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Support.h"

#include "sparsek/Runtime/Cache.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

#include <unistd.h>

using namespace mlir::sparsek::runtime;

namespace {

constexpr llvm::StringLiteral kSource = R"mlir(
func.func @f(%x: tensor<?xf32>, %s: f32) -> tensor<?xf32> {
  %y = linalg.fill ins(%s : f32) outs(%x : tensor<?xf32>) -> tensor<?xf32>
  return %y : tensor<?xf32>
}
)mlir";

class CacheTest : public testing::Test {
protected:
  void SetUp() override {
    llvm::SmallString<128> path;
    ASSERT_FALSE(llvm::sys::fs::createUniqueDirectory("sparsek-cache", path));
    folder = path.str().str();
  }
  void TearDown() override { llvm::sys::fs::remove_directories(folder); }

  static CompiledObject makeObject() {
    auto object = compileSource(kSource, "test.mlir", getOptions(),
                                [](llvm::StringRef) {});
    EXPECT_TRUE(succeeded(object));
    return std::move(*object);
  }

  static std::string read(const std::string &path) {
    auto file = llvm::MemoryBuffer::getFile(path);
    return file ? (*file)->getBuffer().str() : "";
  }

  static void write(const std::string &path, llvm::StringRef bytes) {
    std::error_code error;
    llvm::raw_fd_ostream(path, error) << bytes;
    ASSERT_FALSE(error);
  }

  std::string folder;
  CacheKey key = getCacheKey(kSource, "test.mlir", getOptions());
};

TEST_F(CacheTest, RoundTrip) {
  DiskCache cache(folder + "/new/folder");
  EXPECT_FALSE(cache.load(key));
  CompiledObject object = makeObject();
  cache.store(key, object);
  auto loaded = cache.load(key);
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->object, object.object);
  EXPECT_EQ(writeSignatures(loaded->signatures),
            writeSignatures(object.signatures));
  EXPECT_EQ(loaded->signatures[0].name, "f");
  EXPECT_TRUE(loaded->signatures[0].inputs[1].isScalar);
}

TEST_F(CacheTest, DamagedFilesAreAbsent) {
  DiskCache cache(folder);
  cache.store(key, makeObject());
  std::string path = cache.getPath(key);
  std::string bytes = read(path);
  ASSERT_GT(bytes.size(), 500u);
  for (size_t at = 0; at < bytes.size(); at += at < 200 ? 1 : 101) {
    std::string damaged = bytes;
    damaged[at] ^= 0x10;
    write(path, damaged);
    EXPECT_FALSE(cache.load(key)) << "byte " << at;
  }
  for (size_t size = 0; size < bytes.size(); size += size < 200 ? 1 : 101) {
    write(path, llvm::StringRef(bytes).take_front(size));
    EXPECT_FALSE(cache.load(key)) << "size " << size;
  }
  write(path, bytes + "x");
  EXPECT_FALSE(cache.load(key));
  write(path, bytes);
  EXPECT_TRUE(cache.load(key));
}

TEST_F(CacheTest, ForeignFilesAreAbsent) {
  DiskCache cache(folder);
  CompiledObject object = makeObject();
  CacheKey other = getCacheKey("", "test.mlir", getOptions());
  cache.store(other, object);
  // A whole file under another key's name.
  write(cache.getPath(key), read(cache.getPath(other)));
  EXPECT_TRUE(cache.load(other));
  EXPECT_FALSE(cache.load(key));
  // A file of another user, where the test may make one.
  if (chown(cache.getPath(other).c_str(), geteuid() + 1, getegid()) == 0)
    EXPECT_FALSE(cache.load(other));
  // A folder of that name.
  llvm::sys::fs::remove(cache.getPath(key));
  llvm::sys::fs::create_directory(cache.getPath(key));
  EXPECT_FALSE(cache.load(key));
  cache.store(key, object);
  EXPECT_FALSE(cache.load(key));
}

TEST_F(CacheTest, FoldersThatCannotBeWritten) {
  CompiledObject object = makeObject();
  // Below a file: works as a test for the superuser, too.
  write(folder + "/file", "");
  DiskCache cache(folder + "/file/below");
  cache.store(key, object);
  EXPECT_FALSE(cache.load(key));
  DiskCache nowhere("");
  nowhere.store(key, object);
  EXPECT_FALSE(nowhere.load(key));
  EXPECT_EQ(nowhere.getPath(key), "");
}

TEST_F(CacheTest, StoresLeaveNoTemporaryFiles) {
  DiskCache cache(folder);
  CompiledObject object = makeObject();
  cache.store(key, object);
  cache.store(key, object);
  int numFiles = 0;
  std::error_code error;
  for (llvm::sys::fs::directory_iterator it(folder, error), end; it != end;
       it.increment(error))
    ++numFiles;
  EXPECT_EQ(numFiles, 1);
}

TEST_F(CacheTest, KeysDiffer) {
  CompileOptions options = getOptions();
  auto differs = [&](auto change) {
    CompileOptions changed = options;
    change(changed);
    return getCacheKey(kSource, "test.mlir", changed) != key;
  };
  EXPECT_FALSE(differs([](CompileOptions &) {}));
  EXPECT_TRUE(differs([](CompileOptions &o) { o.target.cpu = "x"; }));
  EXPECT_TRUE(differs([](CompileOptions &o) { o.target.features += ",+x"; }));
  EXPECT_TRUE(differs([](CompileOptions &o) { o.target.triple = "x"; }));
  EXPECT_TRUE(differs([](CompileOptions &o) { o.target.vectorBits = 64; }));
  EXPECT_TRUE(differs([](CompileOptions &o) { o.threads = true; }));
  EXPECT_TRUE(differs([](CompileOptions &o) { o.reference = true; }));
  EXPECT_NE(key, getCacheKey(kSource, "other.mlir", options));
  EXPECT_NE(key, getCacheKey((kSource + " ").str(), "test.mlir", options));
}

TEST_F(CacheTest, ModulesComeFromDisk) {
  ScopedEnvironment environment("SPARSEK_CACHE_DIR", folder);
  // An entry of another module under this key: what runs is what was stored.
  std::string other = kSource.str();
  other.replace(other.find("@f"), 2, "@g");
  auto object =
      compileSource(other, "test.mlir", getOptions(), [](llvm::StringRef) {});
  ASSERT_TRUE(succeeded(object));
  std::string source = kSource.str() + "// from disk";
  DiskCache::getDefault().store(getCacheKey(source, "test.mlir", getOptions()),
                                *object);
  auto ignore = [](llvm::StringRef) {};
  auto module = getModule(source, "test.mlir", getOptions(), true, ignore);
  ASSERT_TRUE(module);
  EXPECT_TRUE(module->lookup("g"));
  // From memory the second time, and compiled where no cache is wanted.
  EXPECT_EQ(getModule(source, "test.mlir", getOptions(), true, ignore), module);
  module = getModule(source, "test.mlir", getOptions(), false, ignore);
  EXPECT_TRUE(module->lookup("f"));
}

TEST_F(CacheTest, DamagedFilesAreReplaced) {
  ScopedEnvironment environment("SPARSEK_CACHE_DIR", folder);
  std::string source = kSource.str() + "// damaged";
  CacheKey sourceKey = getCacheKey(source, "test.mlir", getOptions());
  DiskCache cache(folder);
  write(cache.getPath(sourceKey), "damaged");
  auto module = getModule(source, "test.mlir", getOptions(), true,
                          [](llvm::StringRef) {});
  ASSERT_TRUE(module);
  EXPECT_TRUE(module->lookup("f"));
  EXPECT_TRUE(cache.load(sourceKey));
}

TEST(SignatureTest, DamagedBytes) {
  FunctionSignature signature;
  signature.name = "f";
  signature.inputs.resize(2);
  signature.inputs[0].tensor = {SPARSEK_F32, 2, {4, SPARSEK_DYNAMIC}};
  std::string bytes = writeSignatures({signature});
  auto read = readSignatures(bytes);
  ASSERT_TRUE(succeeded(read));
  EXPECT_EQ(toString((*read)[0].inputs[0].tensor), "tensor<4x?xf32>");
  for (size_t size = 0; size < bytes.size(); ++size)
    EXPECT_TRUE(failed(readSignatures(llvm::StringRef(bytes).take_front(size))))
        << size;
  EXPECT_TRUE(failed(readSignatures(bytes + "x")));
}

} // namespace
