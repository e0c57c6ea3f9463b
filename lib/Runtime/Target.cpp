//===- Target.cpp - What compiled code runs on ----------------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sparsek/Runtime/Target.h"

#include "sparsek/Runtime/Cuda.h"
#include "sparsek/Target/PTX/PTX.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/SubtargetFeature.h"
#include "llvm/TargetParser/Triple.h"

#include <algorithm>
#include <cstdlib>

using namespace mlir::sparsek::runtime;

/// The code generator of this machine's architecture.
static llvm::Expected<const llvm::Target *>
lookupHostTarget(const llvm::Triple &triple) {
  [[maybe_unused]] static const bool initialized = [] {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
    return true;
  }();
  std::string message;
  const llvm::Target *target =
      llvm::TargetRegistry::lookupTarget(triple, message);
  if (!target)
    return llvm::createStringError("no code generator for " + triple.str() +
                                   ": " + message);
  return target;
}

/// The features of this machine, sorted by name, as LLVM writes them.
static std::string getHostFeatureString() {
  llvm::StringMap<bool> host = llvm::sys::getHostCPUFeatures();
  std::vector<std::string> names;
  for (const auto &entry : host)
    names.push_back(entry.getKey().str());
  std::sort(names.begin(), names.end());
  llvm::SubtargetFeatures features;
  for (const std::string &name : names)
    features.AddFeature(name, host[name]);
  return features.getString();
}

/// Which features of the processor this machine lacks; empty if none. Features
/// that describe tuning are not in the host's list and do not count.
static std::string getMissingFeatures(const llvm::MCSubtargetInfo &info) {
  llvm::StringMap<bool> host = llvm::sys::getHostCPUFeatures();
  std::string missing;
  for (const llvm::SubtargetFeatureKV &feature :
       info.getAllProcessorFeatures()) {
    auto found = host.find(feature.Key);
    if (!info.getFeatureBits().test(feature.Value) || found == host.end() ||
        found->second)
      continue;
    missing += missing.empty() ? "" : ", ";
    missing += feature.Key;
  }
  return missing;
}

static int64_t getVectorBits(const llvm::MCSubtargetInfo &info) {
  if (info.checkFeatures("+avx512f"))
    return 512;
  return info.checkFeatures("+avx2") ? 256 : 128;
}

/// Names that mean a GPU, to which a list of processors would be no answer.
static bool namesGpu(llvm::StringRef name) {
  return name == "cuda" || name == "gpu" || name.starts_with("cuda:") ||
         name.starts_with("sm_") || name.starts_with("gfx");
}

/// The chip that a GPU's name means.
static llvm::Expected<std::string> resolveChip(llvm::StringRef name) {
  if (name == "cuda") {
    llvm::Expected<std::string> chip = getCudaChip(0);
    if (chip)
      return chip;
    return llvm::createStringError("target 'cuda': " +
                                   llvm::toString(chip.takeError()));
  }
  if (std::string error = mlir::sparsek::checkChip(name); !error.empty())
    return llvm::createStringError("target '" + name + "': " + error);
  return name.str();
}

/// Whether LLVM knows the processor and it runs code of this architecture:
/// asking for any other one prints to stderr or ends the process.
static bool isUsableCpu(const llvm::Target &target, const llvm::Triple &triple,
                        llvm::StringRef cpu) {
  std::unique_ptr<llvm::MCSubtargetInfo> info(
      target.createMCSubtargetInfo(triple, "generic", ""));
  bool isKnown =
      llvm::any_of(info->getAllProcessorDescriptions(),
                   [&](const auto &known) { return cpu == known.Key; });
  if (!isKnown)
    return false;
  info.reset(target.createMCSubtargetInfo(triple, cpu, ""));
  return !triple.isX86_64() || info->checkFeatures("+64bit");
}

llvm::Expected<Target>
mlir::sparsek::runtime::resolveTarget(llvm::StringRef name) {
  if (namesGpu(name)) {
    llvm::Expected<std::string> chip = resolveChip(name);
    if (!chip)
      return chip.takeError();
    llvm::Expected<Target> host = resolveTarget("cpu");
    if (host)
      host->chip = std::move(*chip);
    return host;
  }
  bool isHost = name.empty() || name == "cpu";
  const char *source = "target";
  const char *lowered = std::getenv("SPARSEK_CPU");
  if (isHost && lowered && *lowered) {
    name = lowered;
    source = "environment variable SPARSEK_CPU";
    isHost = name == "cpu";
  }

  Target result;
  result.triple = llvm::sys::getProcessTriple();
  llvm::Triple triple(result.triple);
  llvm::Expected<const llvm::Target *> target = lookupHostTarget(triple);
  if (!target)
    return target.takeError();
  if (!isHost && !isUsableCpu(**target, triple, name))
    return llvm::createStringError(
        llvm::Twine(source) + " is '" + name +
        "', expected 'cpu' or a processor that LLVM knows for " +
        triple.getArchName() + ", such as 'x86-64-v3' or 'skylake-avx512'");

  llvm::StringRef hostCpu = llvm::sys::getHostCPUName();
  result.cpu = isHost ? hostCpu.str() : name.str();
  if (isHost)
    result.features = getHostFeatureString();
  std::unique_ptr<llvm::MCSubtargetInfo> info(
      (*target)->createMCSubtargetInfo(triple, result.cpu, result.features));
  result.vectorBits = getVectorBits(*info);
  if (std::string missing = isHost ? "" : getMissingFeatures(*info);
      !missing.empty())
    result.hostError = "compiled for '" + result.cpu +
                       "', but this machine is '" + hostCpu.str() +
                       "' and lacks " + missing;
  return result;
}

llvm::Expected<std::unique_ptr<llvm::TargetMachine>>
mlir::sparsek::runtime::createTargetMachine(const Target &target) {
  llvm::Triple triple(target.triple);
  llvm::Expected<const llvm::Target *> generator = lookupHostTarget(triple);
  if (!generator)
    return generator.takeError();
  std::unique_ptr<llvm::TargetMachine> machine(
      (*generator)
          ->createTargetMachine(triple, target.cpu, target.features,
                                llvm::TargetOptions(), llvm::Reloc::PIC_,
                                /*CM=*/std::nullopt,
                                llvm::CodeGenOptLevel::Aggressive,
                                /*JIT=*/true));
  if (!machine)
    return llvm::createStringError("no code generator for " + target.triple);
  return machine;
}
