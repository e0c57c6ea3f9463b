//===- SerializeToPTX.cpp - LLVM dialect to PTX ---------------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sparsek/Target/PTX/PTX.h"

#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/GPU/GPUToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/NVVM/NVVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/IR/DiagnosticHandler.h"
#include "llvm/IR/DiagnosticInfo.h"
#include "llvm/IR/DiagnosticPrinter.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/Verifier.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Transforms/IPO/AlwaysInliner.h"
#include "llvm/Transforms/IPO/GlobalDCE.h"
#include "llvm/Transforms/InstCombine/InstCombine.h"
#include "llvm/Transforms/Scalar/DCE.h"
#include "llvm/Transforms/Scalar/EarlyCSE.h"
#include "llvm/Transforms/Scalar/SROA.h"
#include "llvm/Transforms/Scalar/Scalarizer.h"
#include "llvm/Transforms/Scalar/SimplifyCFG.h"

using namespace mlir;

static constexpr llvm::StringLiteral kTriple = "nvptx64-nvidia-cuda";

void sparsek::registerPTXTranslations(DialectRegistry &registry) {
  registerBuiltinDialectTranslation(registry);
  registerGPUDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
  registerNVVMDialectTranslation(registry);
}

//===----------------------------------------------------------------------===//
// The chip
//===----------------------------------------------------------------------===//

static const llvm::Target *getTarget() {
  static const llvm::Target *target = [] {
    LLVMInitializeNVPTXTargetInfo();
    LLVMInitializeNVPTXTarget();
    LLVMInitializeNVPTXTargetMC();
    LLVMInitializeNVPTXAsmPrinter();
    std::string message;
    return llvm::TargetRegistry::lookupTarget(llvm::Triple(kTriple), message);
  }();
  return target;
}

std::string sparsek::checkChip(StringRef chip) {
  const llvm::Target *target = getTarget();
  if (!target)
    return "this build has no code generator for NVIDIA GPUs";
  std::unique_ptr<llvm::MCSubtargetInfo> info(
      target->createMCSubtargetInfo(llvm::Triple(kTriple), "", ""));
  unsigned number = 0;
  StringRef digits = chip;
  bool isKnown =
      digits.consume_front("sm_") && !digits.consumeInteger(10, number) &&
      llvm::any_of(info->getAllProcessorDescriptions(),
                   [&](const auto &known) { return chip == known.Key; });
  if (isKnown && number >= 80)
    return "";
  return ("chip is '" + chip +
          "', expected an NVIDIA GPU from sm_80 on that LLVM knows, such as "
          "'sm_80' or 'sm_90a'")
      .str();
}

/// The PTX version where the user names none: the least that the chip needs,
/// which is LLVM's default. Of sm_80 it is 7.0, without waits for the parity of
/// an mbarrier.
static StringRef getDefaultFeatures(StringRef chip) {
  return chip == "sm_80" ? "+ptx71" : "";
}

static std::unique_ptr<llvm::TargetMachine> createMachine(StringRef chip,
                                                          StringRef features) {
  return std::unique_ptr<llvm::TargetMachine>(getTarget()->createTargetMachine(
      llvm::Triple(kTriple), chip,
      features.empty() ? getDefaultFeatures(chip) : features,
      llvm::TargetOptions(),
      /*RM=*/std::nullopt, /*CM=*/std::nullopt,
      llvm::CodeGenOptLevel::Aggressive));
}

//===----------------------------------------------------------------------===//
// LLVM IR
//===----------------------------------------------------------------------===//

namespace {
/// Errors of LLVM as errors of the module, instead of the end of the process.
struct Diagnostics final : llvm::DiagnosticHandler {
  explicit Diagnostics(gpu::GPUModuleOp module, bool &failed)
      : module(module), failed(failed) {}

  bool handleDiagnostics(const llvm::DiagnosticInfo &info) override {
    if (info.getSeverity() != llvm::DS_Error)
      return true;
    std::string text;
    llvm::raw_string_ostream stream(text);
    llvm::DiagnosticPrinterRawOStream printer(stream);
    info.print(printer);
    module.emitOpError("code generation failed: ") << text;
    failed = true;
    return true;
  }

  gpu::GPUModuleOp module;
  bool &failed;
};
} // namespace

/// The driver and ptxas know these without a library.
static bool isDefinedByDriver(StringRef name) {
  return name == "vprintf" || name == "malloc" || name == "free" ||
         name == "__assertfail";
}

static LogicalResult checkCalls(gpu::GPUModuleOp module,
                                const llvm::Module &translated) {
  for (const llvm::Function &function : translated)
    if (function.isDeclaration() && !function.isIntrinsic() &&
        !function.use_empty() && !isDefinedByDriver(function.getName()))
      return module.emitOpError("calls @")
             << function.getName()
             << ", which it does not define: no device library is linked";
  return success();
}

/// Makes convergent what the LLVM dialect cannot say of: inline assembly, which
/// holds barriers and warp-wide instructions, and the functions around it.
static void setConvergent(llvm::Module &module) {
  for (llvm::Function &function : module) {
    if (function.isDeclaration())
      continue;
    function.setConvergent();
    for (llvm::Instruction &instruction : llvm::instructions(function))
      if (auto *call = dyn_cast<llvm::CallBase>(&instruction);
          call && call->isInlineAsm())
        call->addFnAttr(llvm::Attribute::Convergent);
  }
}

/// Kernels are all that the host looks up.
static void hideFunctions(llvm::Module &module) {
  for (llvm::Function &function : module)
    if (!function.isDeclaration() &&
        function.getCallingConv() != llvm::CallingConv::PTX_Kernel)
      function.setLinkage(llvm::GlobalValue::InternalLinkage);
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

  llvm::ScalarizerPassOptions scalarizer;
  // Pairs of 16-bit floats stay together: they are one register.
  scalarizer.ScalarizeMinBits = 32;
  llvm::FunctionPassManager passes;
  passes.addPass(llvm::ScalarizerPass(scalarizer));
  passes.addPass(llvm::SROAPass(llvm::SROAOptions::PreserveCFG));
  passes.addPass(llvm::EarlyCSEPass());
  passes.addPass(llvm::InstCombinePass());
  passes.addPass(llvm::EarlyCSEPass());
  passes.addPass(llvm::SimplifyCFGPass());
  passes.addPass(llvm::DCEPass());
  llvm::ModulePassManager pipeline;
  pipeline.addPass(llvm::AlwaysInlinerPass());
  pipeline.addPass(llvm::GlobalDCEPass());
  pipeline.addPass(llvm::createModuleToFunctionPassAdaptor(std::move(passes)));
  pipeline.run(module, modules);
}

static std::string emit(llvm::Module &module, llvm::TargetMachine &machine) {
  llvm::SmallVector<char, 0> text;
  llvm::raw_svector_ostream stream(text);
  llvm::legacy::PassManager passes;
  if (machine.addPassesToEmitFile(passes, stream, /*DwoOut=*/nullptr,
                                  llvm::CodeGenFileType::AssemblyFile))
    return "";
  passes.run(module);
  return std::string(text.data(), text.size());
}

FailureOr<std::string> sparsek::serializeToPTX(gpu::GPUModuleOp module,
                                               StringRef chip,
                                               StringRef features) {
  if (std::string error = checkChip(chip); !error.empty())
    return module.emitOpError() << error;
  std::unique_ptr<llvm::TargetMachine> machine = createMachine(chip, features);
  bool failed = false;
  llvm::LLVMContext context;
  context.setDiagnosticHandler(std::make_unique<Diagnostics>(module, failed));
  std::unique_ptr<llvm::Module> translated =
      translateModuleToLLVMIR(module, context, module.getName());
  if (!translated)
    return module.emitOpError("cannot be translated to LLVM IR");
  translated->setTargetTriple(machine->getTargetTriple());
  translated->setDataLayout(machine->createDataLayout());
  if (mlir::failed(checkCalls(module, *translated)))
    return failure();
  setConvergent(*translated);
  hideFunctions(*translated);
  std::string message;
  llvm::raw_string_ostream stream(message);
  if (llvm::verifyModule(*translated, &stream))
    return module.emitOpError("became invalid LLVM IR: ") << message;

  optimize(*translated, *machine);
  std::string ptx = emit(*translated, *machine);
  if (failed)
    return failure();
  return ptx;
}
