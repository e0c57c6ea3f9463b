//===- CodeGen.cpp - LLVM IR to an object file in memory ------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CodeGen.h"

#include "llvm/Analysis/TargetTransformInfo.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Verifier.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Transforms/Utils/Cloning.h"

using namespace mlir::sparsek::runtime;

std::string mlir::sparsek::runtime::getEntryName(llvm::StringRef function) {
  return ("sparsek.entry." + function).str();
}

std::string mlir::sparsek::runtime::getHiddenName(llvm::StringRef function) {
  return ("sparsek.function." + function).str();
}

/// The entries are all that is looked up.
static void hideDefinitions(llvm::Module &module) {
  for (llvm::GlobalValue &value : module.global_values())
    if (!value.isDeclaration() && value.hasExternalLinkage())
      value.setLinkage(llvm::GlobalValue::InternalLinkage);
}

/// For the C interface that MLIR makes of a function, adds the entry
///   define void @sparsek.entry.f(ptr %arguments) {
///     %a0 = load ptr, ptr %arguments
///     %p1 = load ptr, ptr (%arguments + 8)
///     %a1 = load i64, ptr %p1                        ; a scalar
///     call void @_mlir_ciface_sparsek.function.f(ptr %a0, i64 %a1)
///   }
/// The pointer to the results, if any, comes first. A single scalar result is
/// returned by value and stored through it.
static llvm::Error addEntry(llvm::Module &module,
                            const FunctionSignature &signature) {
  llvm::Function *callee =
      module.getFunction("_mlir_ciface_" + getHiddenName(signature.name));
  bool returnsValue = callee && !callee->getReturnType()->isVoidTy();
  size_t expected = signature.inputs.size() +
                    (signature.results.empty() || returnsValue ? 0 : 1);
  if (!callee || callee->arg_size() != expected)
    return llvm::createStringError("function @" + signature.name +
                                   " has no C interface after lowering");

  llvm::LLVMContext &context = module.getContext();
  llvm::IRBuilder<> builder(context);
  llvm::Type *pointer = builder.getPtrTy();
  auto *entry = llvm::Function::Create(
      llvm::FunctionType::get(builder.getVoidTy(), {pointer}, false),
      llvm::GlobalValue::ExternalLinkage, getEntryName(signature.name), module);
  builder.SetInsertPoint(llvm::BasicBlock::Create(context, "", entry));
  unsigned next = 0;
  auto loadNext = [&]() -> llvm::Value * {
    return builder.CreateLoad(
        pointer, builder.CreateConstGEP1_32(pointer, entry->getArg(0), next++));
  };

  llvm::Value *result = returnsValue ? loadNext() : nullptr;
  llvm::SmallVector<llvm::Value *> arguments;
  for (llvm::Argument &argument : callee->args()) {
    llvm::Value *value = loadNext();
    if (!argument.getType()->isPointerTy())
      value = builder.CreateLoad(argument.getType(), value);
    arguments.push_back(value);
  }
  llvm::Value *returned = builder.CreateCall(callee, arguments);
  if (returnsValue)
    builder.CreateStore(returned, result);
  builder.CreateRetVoid();
  return llvm::Error::success();
}

static void optimize(llvm::Module &module, llvm::TargetMachine &machine) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager graphs;
  llvm::ModuleAnalysisManager modules;
  llvm::PassBuilder builder(&machine);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(graphs);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, graphs, modules);
  builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O3)
      .run(module, modules);
}

static llvm::Expected<std::string> emit(llvm::Module &module,
                                        llvm::TargetMachine &machine,
                                        llvm::CodeGenFileType type) {
  llvm::SmallVector<char, 0> bytes;
  llvm::raw_svector_ostream stream(bytes);
  llvm::legacy::PassManager passes;
  passes.add(llvm::createTargetTransformInfoWrapperPass(
      machine.getTargetIRAnalysis()));
  if (machine.addPassesToEmitFile(passes, stream, /*DwoOut=*/nullptr, type))
    return llvm::createStringError("the code generator of " +
                                   machine.getTargetTriple().str() +
                                   " cannot write this kind of file");
  passes.run(module);
  return std::string(bytes.data(), bytes.size());
}

llvm::Expected<std::string>
mlir::sparsek::runtime::generateCode(llvm::Module &module,
                                     const Signatures &signatures,
                                     const Target &target, CompileDumps dumps) {
  auto machine = createTargetMachine(target);
  if (!machine)
    return machine.takeError();
  module.setTargetTriple((*machine)->getTargetTriple());
  module.setDataLayout((*machine)->createDataLayout());
  hideDefinitions(module);
  for (const FunctionSignature &signature : signatures)
    if (llvm::Error error = addEntry(module, signature))
      return std::move(error);
  std::string message;
  llvm::raw_string_ostream stream(message);
  if (llvm::verifyModule(module, &stream))
    return llvm::createStringError("lowering made invalid LLVM IR: " + message);

  optimize(module, **machine);
  if (dumps.llvmIR) {
    llvm::raw_string_ostream text(*dumps.llvmIR);
    text << module;
  }
  if (dumps.assembly) {
    std::unique_ptr<llvm::Module> copy = llvm::CloneModule(module);
    auto text = emit(*copy, **machine, llvm::CodeGenFileType::AssemblyFile);
    if (!text)
      return text.takeError();
    *dumps.assembly = std::move(*text);
  }
  return emit(module, **machine, llvm::CodeGenFileType::ObjectFile);
}
