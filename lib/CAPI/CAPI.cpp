//===- CAPI.cpp - C API of the sparsek compiler ---------------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sparsek-c/SparseK.h"

#include "sparsek/Runtime/Cuda.h"
#include "sparsek/Runtime/Invoke.h"
#include "sparsek/Runtime/Module.h"
#include "sparsek/Runtime/OpenMP.h"
#include "sparsek/Runtime/Target.h"

using namespace mlir::sparsek;

struct SparseKModule {
  std::shared_ptr<const runtime::Module> module;
};

static const runtime::Function *unwrap(const SparseKFunction *function) {
  return reinterpret_cast<const runtime::Function *>(function);
}

static const SparseKFunction *wrap(const runtime::Function *function) {
  return reinterpret_cast<const SparseKFunction *>(function);
}

namespace {
/// The diagnostic callback of a call.
struct Reporter {
  SparseKDiagnosticCallback callback;
  void *userData;

  void operator()(llvm::StringRef message) const {
    if (callback)
      callback(message.data(), message.size(), userData);
  }
};
} // namespace

const char *sparsekVersion(void) { return SPARSEK_VERSION; }

const char *sparsekHostTarget(void) {
  static const std::string *text = [] {
    auto target = runtime::resolveTarget("cpu");
    if (!target)
      return new std::string("unknown: " + llvm::toString(target.takeError()));
    return new std::string(target->features.empty()
                               ? target->cpu
                               : target->cpu + " " + target->features);
  }();
  return text->c_str();
}

bool sparsekHasThreads(void) { return runtime::getOpenMPRuntime() != nullptr; }

const char *sparsekCudaStatus(void) {
  const std::string &error = runtime::getCudaError();
  return error.empty() ? nullptr : error.c_str();
}

int32_t sparsekCudaGetNumDevices(void) { return runtime::getNumCudaDevices(); }

const char *sparsekCudaGetChip(int32_t device) {
  llvm::Expected<std::string> chip = runtime::getCudaChip(device);
  if (chip)
    for (const char *name : {"sm_90a", "sm_86", "sm_80"})
      if (*chip == name)
        return name;
  llvm::consumeError(chip.takeError());
  return nullptr;
}

bool sparsekCudaStreamWait(int32_t device, void *waiting, void *awaited) {
  llvm::Error error = runtime::waitForStream(device, waiting, awaited);
  bool done = !error;
  llvm::consumeError(std::move(error));
  return done;
}

SparseKModule *sparsekCompile(const char *source, size_t length,
                              const SparseKCompileOptions *options,
                              SparseKDiagnosticCallback callback,
                              void *userData) {
  Reporter report{callback, userData};
  if (!source) {
    report("source is a null pointer, expected MLIR text or bytecode");
    return nullptr;
  }
  SparseKCompileOptions defaults = {/*target=*/nullptr, /*cache=*/true,
                                    /*reference=*/false};
  if (!options)
    options = &defaults;
  auto target =
      runtime::resolveTarget(options->target ? options->target : "cpu");
  if (!target) {
    report(llvm::toString(target.takeError()));
    return nullptr;
  }
  runtime::CompileOptions compileOptions;
  compileOptions.target = std::move(*target);
  compileOptions.threads = runtime::getOpenMPRuntime() != nullptr;
  compileOptions.reference = options->reference;
  auto module = runtime::getModule(llvm::StringRef(source, length), "<source>",
                                   compileOptions, options->cache, report);
  return module ? new SparseKModule{std::move(module)} : nullptr;
}

void sparsekModuleDestroy(SparseKModule *module) { delete module; }

size_t sparsekModuleGetNumFunctions(const SparseKModule *module) {
  return module->module->getFunctions().size();
}

const char *sparsekModuleGetFunctionName(const SparseKModule *module,
                                         size_t index) {
  auto functions = module->module->getFunctions();
  return index < functions.size() ? functions[index].signature.name.c_str()
                                  : nullptr;
}

const SparseKFunction *sparsekModuleLookup(const SparseKModule *module,
                                           const char *name,
                                           SparseKDiagnosticCallback callback,
                                           void *userData) {
  if (const runtime::Function *function =
          name ? module->module->lookup(name) : nullptr)
    return wrap(function);
  std::string known;
  for (const runtime::Function &function : module->module->getFunctions())
    known += (known.empty() ? "@" : ", @") + function.signature.name;
  Reporter{callback, userData}(
      ("no public function @" + llvm::Twine(name ? name : "(null)") +
       " in the module, expected one of: " + (known.empty() ? "(none)" : known))
          .str());
  return nullptr;
}

size_t sparsekFunctionGetNumInputs(const SparseKFunction *function) {
  return unwrap(function)->signature.inputs.size();
}

size_t sparsekFunctionGetNumResults(const SparseKFunction *function) {
  return unwrap(function)->signature.results.size();
}

/// A type of the list; one of rank -1 beyond its end.
static SparseKTensorType getType(const std::vector<runtime::ValueType> &types,
                                 size_t index) {
  if (index < types.size())
    return types[index].tensor;
  SparseKTensorType none = {};
  none.elementType = -1;
  none.rank = -1;
  return none;
}

SparseKTensorType sparsekFunctionGetInputType(const SparseKFunction *function,
                                              size_t index) {
  return getType(unwrap(function)->signature.inputs, index);
}

SparseKTensorType sparsekFunctionGetResultType(const SparseKFunction *function,
                                               size_t index) {
  return getType(unwrap(function)->signature.results, index);
}

bool sparsekFunctionWritesInput(const SparseKFunction *function, size_t index) {
  const std::vector<runtime::ValueType> &inputs =
      unwrap(function)->signature.inputs;
  return index < inputs.size() && inputs[index].isWritable;
}

bool sparsekFunctionInvoke(const SparseKFunction *function,
                           const SparseKTensor *inputs, size_t numInputs,
                           SparseKTensor *results, size_t numResults,
                           SparseKDiagnosticCallback callback, void *userData) {
  SparseKExecution execution = {SPARSEK_CPU, 0, nullptr};
  return sparsekFunctionInvokeOn(function, &execution, inputs, numInputs,
                                 results, numResults, callback, userData);
}

bool sparsekFunctionInvokeOn(const SparseKFunction *function,
                             const SparseKExecution *execution,
                             const SparseKTensor *inputs, size_t numInputs,
                             SparseKTensor *results, size_t numResults,
                             SparseKDiagnosticCallback callback,
                             void *userData) {
  llvm::Error error = runtime::invoke(
      *unwrap(function), *execution, llvm::ArrayRef(inputs, numInputs),
      llvm::MutableArrayRef(results, numResults));
  if (!error)
    return true;
  Reporter{callback, userData}(llvm::toString(std::move(error)));
  return false;
}

void sparsekTensorRelease(SparseKTensor *tensor) {
  if (tensor)
    runtime::release(*tensor);
}
