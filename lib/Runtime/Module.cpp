//===- Module.cpp - Compiled modules in this process ----------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sparsek/Runtime/Module.h"

#include "sparsek/Runtime/Cache.h"

#include <condition_variable>
#include <list>
#include <mutex>
#include <set>

using namespace mlir::sparsek::runtime;

using ModulePtr = std::shared_ptr<const Module>;

llvm::Expected<ModulePtr> Module::load(CompiledObject object,
                                       const Target &target) {
  auto module = std::make_shared<Module>();
  auto code = LoadedObject::load(target.triple, object.object);
  if (!code)
    return code.takeError();
  module->code = std::move(*code);
  for (FunctionSignature &signature : object.signatures) {
    auto entry = module->code->lookup(getEntryName(signature.name));
    if (!entry)
      return entry.takeError();
    module->functions.push_back(
        {std::move(signature), *entry, target.hostError, target.chip});
  }
  return module;
}

const Function *Module::lookup(llvm::StringRef name) const {
  for (const Function &function : functions)
    if (function.signature.name == name)
      return &function;
  return nullptr;
}

namespace {

/// The most recently used modules, and which ones are being made.
class ModuleCache {
public:
  static ModuleCache &get() {
    // Never destroyed: threads may still run at exit.
    static auto *cache = new ModuleCache;
    return *cache;
  }

  /// The module of a key; what `make` returns where it is not here. If another
  /// thread is making it, waits; if that fails, this one tries, too, so that
  /// each caller gets its own diagnostics.
  ModulePtr getOrMake(const CacheKey &key,
                      llvm::function_ref<ModulePtr()> make) {
    std::unique_lock<std::mutex> lock(mutex);
    for (;;) {
      if (ModulePtr found = find(key))
        return found;
      if (inProgress.insert(key).second)
        break;
      changed.wait(lock);
    }
    lock.unlock();
    ModulePtr made = make();
    lock.lock();
    inProgress.erase(key);
    if (made)
      insert(key, made);
    changed.notify_all();
    return made;
  }

private:
  static constexpr size_t kMaxModules = 64;

  ModulePtr find(const CacheKey &key) {
    for (auto it = modules.begin(); it != modules.end(); ++it) {
      if (it->first != key)
        continue;
      modules.splice(modules.begin(), modules, it);
      return it->second;
    }
    return nullptr;
  }

  void insert(const CacheKey &key, ModulePtr module) {
    modules.emplace_front(key, std::move(module));
    if (modules.size() > kMaxModules)
      modules.pop_back();
  }

  std::mutex mutex;
  std::condition_variable changed;
  std::set<CacheKey> inProgress;
  /// The last used one first.
  std::list<std::pair<CacheKey, ModulePtr>> modules;
};

} // namespace

/// Loads an object; null and a message on failure.
static ModulePtr loadModule(CompiledObject object, const Target &target,
                            DiagnosticHandler handler) {
  llvm::Expected<ModulePtr> module = Module::load(std::move(object), target);
  if (module)
    return *module;
  handler("linking failed: " + llvm::toString(module.takeError()));
  return nullptr;
}

ModulePtr mlir::sparsek::runtime::getModule(llvm::StringRef source,
                                            llvm::StringRef sourceName,
                                            const CompileOptions &options,
                                            bool useCache,
                                            DiagnosticHandler handler) {
  auto compile = [&](const DiskCache *disk, const CacheKey &key) -> ModulePtr {
    mlir::FailureOr<CompiledObject> object =
        compileSource(source, sourceName, options, handler);
    if (failed(object))
      return nullptr;
    if (disk)
      disk->store(key, *object);
    return loadModule(std::move(*object), options.target, handler);
  };
  if (!useCache)
    return compile(nullptr, {});
  CacheKey key = getCacheKey(source, sourceName, options);
  return ModuleCache::get().getOrMake(key, [&]() -> ModulePtr {
    DiskCache disk = DiskCache::getDefault();
    if (std::optional<CompiledObject> object = disk.load(key)) {
      llvm::Expected<ModulePtr> module =
          Module::load(std::move(*object), options.target);
      if (module)
        return *module;
      llvm::consumeError(module.takeError());
    }
    return compile(&disk, key);
  });
}
