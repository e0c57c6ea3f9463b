//===- Compile.cpp - MLIR to an object file in memory ---------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sparsek/Runtime/Compile.h"

#include "CodeGen.h"
#include "SourceCheck.h"

#include "sparsek/Dialect/SparseK/Transforms/Passes.h"
#include "sparsek/Pipelines/Pipelines.h"
#include "sparsek/Target/PTX/PTX.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/OpenMP/OpenMPDialect.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/OpenMP/OpenMPToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/IR/DiagnosticHandler.h"
#include "llvm/IR/DiagnosticInfo.h"
#include "llvm/IR/DiagnosticPrinter.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/thread.h"

using namespace mlir;
using namespace mlir::sparsek::runtime;

/// MLIR recurses over nested regions, types and attributes.
static constexpr unsigned kCompileStackBytes = 64u << 20;

/// The dialects of the pipelines and their translation to LLVM IR.
static const DialectRegistry &getRegistry() {
  static const auto *registry = [] {
    auto *made = new DialectRegistry;
    sparsek::registerAllDialects(*made);
    registerBuiltinDialectTranslation(*made);
    registerLLVMDialectTranslation(*made);
    registerOpenMPDialectTranslation(*made);
    sparsek::registerPTXTranslations(*made);
    return made;
  }();
  return *registry;
}

/// "file:line:column: ", empty where the location does not say.
static std::string toPrefix(Location location) {
  auto file = location->findInstanceOf<FileLineColLoc>();
  if (!file)
    return "";
  return (file.getFilename().strref() + ":" + Twine(file.getLine()) + ":" +
          Twine(file.getColumn()) + ": ")
      .str();
}

/// An error with its notes, one per line.
static std::string toText(Diagnostic &diagnostic) {
  std::string text = toPrefix(diagnostic.getLocation()) + diagnostic.str();
  for (Diagnostic &note : diagnostic.getNotes())
    text += "\n  " + toPrefix(note.getLocation()) + "note: " + note.str();
  return text;
}

namespace {

/// Keeps the errors of LLVM, which would end the process otherwise.
struct LLVMErrors final : llvm::DiagnosticHandler {
  explicit LLVMErrors(std::vector<std::string> &messages)
      : messages(messages) {}

  bool handleDiagnostics(const llvm::DiagnosticInfo &info) override {
    if (info.getSeverity() != llvm::DS_Error)
      return true;
    std::string text;
    llvm::raw_string_ostream stream(text);
    llvm::DiagnosticPrinterRawOStream printer(stream);
    info.print(printer);
    messages.push_back("code generation failed: " + text);
    return true;
  }

  std::vector<std::string> &messages;
};

/// One compilation.
class Compiler {
public:
  Compiler(const CompileOptions &options, CompileDumps dumps,
           std::vector<std::string> &messages)
      : options(options), dumps(dumps), messages(messages),
        context(getRegistry(), MLIRContext::Threading::DISABLED),
        handler(&context, [this](Diagnostic &diagnostic) {
          if (diagnostic.getSeverity() == DiagnosticSeverity::Error)
            this->messages.push_back(toText(diagnostic));
        }) {
    // The operation can be as long as the source.
    context.printOpOnDiagnostic(false);
  }

  FailureOr<CompiledObject> compile(StringRef source, StringRef sourceName);

private:
  LogicalResult fail(const Twine &message) {
    messages.push_back(message.str());
    return failure();
  }
  OwningOpRef<ModuleOp> parse(StringRef source, StringRef sourceName);
  void addPasses(PassManager &passes);
  LogicalResult lower(ModuleOp module);
  FailureOr<std::string> generate(ModuleOp module,
                                  const Signatures &signatures);

  const CompileOptions &options;
  CompileDumps dumps;
  std::vector<std::string> &messages;
  MLIRContext context;
  ScopedDiagnosticHandler handler;
};

} // namespace

OwningOpRef<ModuleOp> Compiler::parse(StringRef source, StringRef sourceName) {
  // The copy is aligned, for bytecode, and ends in a null, for text.
  llvm::SourceMgr manager;
  manager.AddNewSourceBuffer(
      llvm::MemoryBuffer::getMemBufferCopy(source, sourceName), llvm::SMLoc());
  return parseSourceFile<ModuleOp>(manager, ParserConfig(&context));
}

/// Results are new buffers, and tensors of the caller stay as they are: in
///   func @f(%0: tensor<4xf32>) { linalg.fill outs(%0 : tensor<4xf32>) }
/// the fill must not write to the caller's memory.
static void protectArguments(ModuleOp module) {
  Builder builder(module.getContext());
  for (auto function : module.getOps<func::FuncOp>()) {
    if (!function.isPublic() || function.isExternal())
      continue;
    for (BlockArgument argument : function.getArguments())
      if (isa<TensorType>(argument.getType()))
        function.setArgAttr(
            argument.getArgNumber(),
            bufferization::BufferizationDialect::kWritableAttrName,
            builder.getBoolAttr(false));
  }
}

/// Gives the functions names that no other symbol has: lowering math.erf makes
/// a call of @erf, and a function of that name of the user must not answer it.
static LogicalResult renameFunctions(ModuleOp module) {
  SymbolTable symbols(module);
  SmallVector<FunctionOpInterface> functions;
  for (auto function : module.getOps<FunctionOpInterface>())
    if (!function.isExternal())
      functions.push_back(function);
  for (FunctionOpInterface function : functions)
    if (failed(symbols.rename(function, getHiddenName(function.getName()))))
      return function.emitOpError("cannot be renamed to '")
             << getHiddenName(function.getName()) << "'";
  return success();
}

void Compiler::addPasses(PassManager &passes) {
  passes.addPass(sparsek::createSparseKCheckShapes());
  if (!options.target.chip.empty()) {
    sparsek::GpuPipelineOptions gpuOptions;
    gpuOptions.chip = options.target.chip;
    return sparsek::buildGpuPipeline(passes, gpuOptions);
  }
  sparsek::CpuPipelineOptions cpuOptions;
  cpuOptions.vectorBits = options.target.vectorBits;
  cpuOptions.threads = options.threads;
  if (!options.reference)
    return sparsek::buildCpuPipeline(passes, cpuOptions);
  sparsek::buildReferencePipeline(passes);
  sparsek::buildHostPipeline(passes, cpuOptions);
}

LogicalResult Compiler::lower(ModuleOp module) {
  if (options.reference && !options.target.chip.empty())
    return fail("the reference lowering is for a processor, expected a target "
                "other than '" +
                options.target.chip + "'");
  protectArguments(module);
  if (failed(renameFunctions(module)))
    return failure();
  PassManager passes(&context);
  addPasses(passes);
  if (failed(passes.run(module)))
    return messages.empty() ? fail("lowering failed") : failure();

  // What a translation to LLVM IR does not know it may not survive.
  WalkResult result = module.walk([](Operation *op) {
    if (isa<ModuleOp>(op) ||
        isa_and_nonnull<LLVM::LLVMDialect, omp::OpenMPDialect>(
            op->getDialect()))
      return WalkResult::advance();
    op->emitOpError("was not lowered to LLVM");
    return WalkResult::interrupt();
  });
  return failure(result.wasInterrupted());
}

FailureOr<std::string> Compiler::generate(ModuleOp module,
                                          const Signatures &signatures) {
  llvm::LLVMContext llvmContext;
  llvmContext.setDiagnosticHandler(std::make_unique<LLVMErrors>(messages));
  std::unique_ptr<llvm::Module> translated =
      translateModuleToLLVMIR(module, llvmContext);
  if (!translated)
    return messages.empty() ? fail("translation to LLVM IR failed") : failure();
  llvm::Expected<std::string> object =
      generateCode(*translated, signatures, options.target, dumps);
  if (!object)
    return fail(llvm::toString(object.takeError()));
  if (!messages.empty())
    return failure();
  return std::move(*object);
}

FailureOr<CompiledObject> Compiler::compile(StringRef source,
                                            StringRef sourceName) {
  if (std::string error = checkSource(source, sourceName); !error.empty())
    return fail(error);
  OwningOpRef<ModuleOp> module = parse(source, sourceName);
  if (!module)
    return messages.empty() ? fail(sourceName + ": not an MLIR module")
                            : failure();
  FailureOr<Signatures> signatures = getSignatures(*module);
  if (failed(signatures) || failed(lower(*module)))
    return failure();
  FailureOr<std::string> object = generate(*module, *signatures);
  if (failed(object))
    return failure();
  return CompiledObject{std::move(*signatures), std::move(*object)};
}

FailureOr<CompiledObject> mlir::sparsek::runtime::compileSource(
    StringRef source, StringRef sourceName, const CompileOptions &options,
    DiagnosticHandler handler, CompileDumps dumps) {
  std::vector<std::string> messages;
  FailureOr<CompiledObject> result = failure();
  llvm::thread worker(std::optional<unsigned>(kCompileStackBytes), [&] {
    result = Compiler(options, dumps, messages).compile(source, sourceName);
  });
  worker.join();
  if (failed(result))
    for (const std::string &message : messages)
      handler(message);
  return result;
}
