//===- Jit.cpp - Object files as callable functions -----------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sparsek/Runtime/Jit.h"

#include "CallState.h"

#include "sparsek/Runtime/OpenMP.h"

#include "llvm/ExecutionEngine/Orc/AbsoluteSymbols.h"
#include "llvm/ExecutionEngine/Orc/ExecutionUtils.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/ExecutionEngine/Orc/SelfExecutorProcessControl.h"
#include "llvm/Support/DynamicLibrary.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace mlir::sparsek::runtime;

LoadedObject::LoadedObject(std::unique_ptr<llvm::orc::LLJIT> jit)
    : jit(std::move(jit)) {}

LoadedObject::~LoadedObject() = default;

/// Links on this thread, registers nothing with debuggers and profilers.
static llvm::Expected<std::unique_ptr<llvm::orc::LLJIT>>
createJit(llvm::StringRef triple) {
  auto control = llvm::orc::SelfExecutorProcessControl::Create(
      nullptr, std::make_unique<llvm::orc::InPlaceTaskDispatcher>());
  if (!control)
    return control.takeError();
  return llvm::orc::LLJITBuilder()
      .setExecutorProcessControl(std::move(*control))
      .setJITTargetMachineBuilder(
          llvm::orc::JITTargetMachineBuilder(llvm::Triple(triple)))
      .setPlatformSetUp(llvm::orc::setUpInactivePlatform)
      .setLinkProcessSymbolsByDefault(true)
      .create();
}

/// Our functions first, then OpenMP's, then (by the default link order) what
/// the process has loaded globally.
static llvm::Error addSymbols(llvm::orc::LLJIT &jit) {
  llvm::orc::SymbolMap symbols;
  for (llvm::ArrayRef<RuntimeSymbol> table :
       {getRuntimeSymbols(), getFloatSymbols(), getCudaSymbols()})
    for (const RuntimeSymbol &symbol : table)
      symbols[jit.mangleAndIntern(symbol.name)] = {
          llvm::orc::ExecutorAddr::fromPtr(symbol.address),
          llvm::JITSymbolFlags::Exported | llvm::JITSymbolFlags::Callable};
  llvm::orc::JITDylib &library = jit.getMainJITDylib();
  if (llvm::Error error =
          library.define(llvm::orc::absoluteSymbols(std::move(symbols))))
    return error;
  if (void *openMP = getOpenMPRuntime())
    library.addGenerator(
        std::make_unique<llvm::orc::DynamicLibrarySearchGenerator>(
            llvm::sys::DynamicLibrary(openMP),
            jit.getDataLayout().getGlobalPrefix()));
  return llvm::Error::success();
}

llvm::Expected<std::unique_ptr<LoadedObject>>
LoadedObject::load(llvm::StringRef triple, llvm::StringRef object) {
  auto jit = createJit(triple);
  if (!jit)
    return jit.takeError();
  std::unique_ptr<LoadedObject> loaded(new LoadedObject(std::move(*jit)));
  // The error of a lookup does not say why, and this would be printed.
  loaded->jit->getExecutionSession().setErrorReporter(
      [loaded = loaded.get()](llvm::Error error) {
        std::string &messages = loaded->messages;
        messages +=
            (messages.empty() ? "" : "; ") + llvm::toString(std::move(error));
      });
  if (llvm::Error error = addSymbols(*loaded->jit))
    return std::move(error);
  if (llvm::Error error = loaded->jit->addObjectFile(
          llvm::MemoryBuffer::getMemBufferCopy(object, "sparsek-module")))
    return std::move(error);
  return std::move(loaded);
}

llvm::Expected<LoadedObject::Entry>
LoadedObject::lookup(llvm::StringRef symbol) {
  auto address = jit->lookup(symbol);
  if (address)
    return address->toPtr<Entry>();
  if (messages.empty())
    return address.takeError();
  llvm::consumeError(address.takeError());
  return llvm::createStringError(std::exchange(messages, ""));
}
