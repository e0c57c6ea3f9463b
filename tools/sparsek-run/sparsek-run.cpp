//===- sparsek-run.cpp - Run a function of an MLIR file -------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// Compiles a file for this machine's processor or GPU, calls one of its
// functions on random or given inputs, and on demand compares the results with
// those of the reference lowering or measures the time.
//
//===----------------------------------------------------------------------===//

#include "Call.h"
#include "Compare.h"
#include "HostTensor.h"
#include "Inputs.h"
#include "Measure.h"

#include "sparsek/Runtime/OpenMP.h"

#include "llvm/Config/llvm-config.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

#include <cmath>

using namespace mlir::sparsek;
using namespace mlir::sparsek::run;
namespace cl = llvm::cl;

static cl::OptionCategory category("sparsek-run options");

static cl::opt<std::string> fileName(cl::Positional, cl::Required,
                                     cl::desc("FILE.mlir (- for stdin)"),
                                     cl::cat(category));
static cl::opt<std::string>
    entryName("entry", cl::value_desc("name"), cl::cat(category),
              cl::desc("the function to call; the only public one, or @main, "
                       "if not given"));
static cl::opt<std::string>
    targetName("target", cl::init("cpu"), cl::value_desc("target"),
               cl::cat(category),
               cl::desc("cpu (this machine), a processor that LLVM knows, "
                        "cuda (CUDA device 0), or its chip, as sm_90a"));
static cl::opt<bool> check("check", cl::cat(category),
                           cl::desc("compare with the reference lowering; fail "
                                    "if the difference is too large"));
static cl::opt<bool> bench("bench", cl::cat(category),
                           cl::desc("print the median time of a call, and "
                                    "useful FLOP/s of the attentions"));
static cl::opt<bool> reference("reference", cl::cat(category),
                               cl::desc("run the reference lowering"));
static cl::opt<int64_t> dims("dims", cl::init(1024), cl::value_desc("size"),
                             cl::cat(category),
                             cl::desc("the size of every dynamic dimension"));
static cl::list<std::string>
    shapes("arg-shape", cl::value_desc("index:AxBx..."), cl::cat(category),
           cl::desc("the shape of an argument, as 0:1x8x1024x128"));
static cl::list<std::string> files("input", cl::value_desc("index:file.npy"),
                                   cl::cat(category),
                                   cl::desc("an argument from a file"));
static cl::opt<uint64_t> seed("seed", cl::init(0), cl::value_desc("number"),
                              cl::cat(category),
                              cl::desc("the seed of the random inputs"));
static cl::opt<std::string>
    outputFolder("dump-outputs", cl::value_desc("folder"), cl::cat(category),
                 cl::desc("write result0.npy, ... and the memrefs that the "
                          "function can write, as argument0.npy, ..."));
static cl::opt<bool> dumpLLVM("dump-llvm", cl::cat(category),
                              cl::desc("print the optimized LLVM IR"));
static cl::opt<bool> dumpAsm("dump-asm", cl::cat(category),
                             cl::desc("print the assembly code"));

static void printError(llvm::StringRef message) {
  llvm::errs() << "sparsek-run: error: " << message << "\n";
}

/// Prints the error of a result; returns whether there is none.
template <typename Value> static bool holds(llvm::Expected<Value> &value) {
  if (value)
    return true;
  printError(llvm::toString(value.takeError()));
  return false;
}

/// "result0: tensor<4xf32>, smallest -1.0, largest 2.5, mean 0.1".
static void printSummary(llvm::StringRef name, const HostTensor &tensor) {
  double smallest = INFINITY, largest = -INFINITY, sum = 0;
  int64_t count = tensor.getNumElements(), numNaNs = 0;
  for (int64_t i = 0; i < count; ++i) {
    double value =
        tensor.isFloat() ? tensor.getFloat(i) : double(tensor.getInteger(i));
    if (std::isnan(value)) {
      ++numNaNs;
      continue;
    }
    smallest = std::min(smallest, value);
    largest = std::max(largest, value);
    sum += value;
  }
  llvm::outs() << name << ": " << runtime::toString(tensor.get());
  if (count > numNaNs)
    llvm::outs() << llvm::format(", smallest %.6g, largest %.6g, mean %.6g",
                                 smallest, largest, sum / (count - numNaNs));
  if (numNaNs)
    llvm::outs() << ", " << numNaNs << " NaN";
  llvm::outs() << "\n";
}

static bool dumpOutputs(const Outputs &outputs) {
  if (std::error_code error =
          llvm::sys::fs::create_directories(outputFolder.getValue())) {
    printError(outputFolder + ": " + error.message());
    return false;
  }
  for (auto [name, tensor] : llvm::zip_equal(outputs.names, outputs.tensors)) {
    llvm::SmallString<128> path(outputFolder);
    llvm::sys::path::append(path, name + ".npy");
    if (llvm::Error error = writeNpy(path, tensor)) {
      printError(llvm::toString(std::move(error)));
      return false;
    }
  }
  return true;
}

/// Compiles the source, prints what was asked for, and times it.
static std::shared_ptr<const runtime::Module>
compile(llvm::StringRef source, const runtime::CompileOptions &options,
        bool dump) {
  std::string llvmIR, assembly;
  runtime::CompileDumps dumps;
  if (dump && dumpLLVM)
    dumps.llvmIR = &llvmIR;
  if (dump && dumpAsm)
    dumps.assembly = &assembly;
  auto print = [](llvm::StringRef message) { llvm::errs() << message << "\n"; };
  auto object = runtime::compileSource(
      source, fileName == "-" ? "<stdin>" : fileName.getValue(), options, print,
      dumps);
  if (failed(object))
    return nullptr;
  llvm::outs() << llvmIR << assembly;
  auto module = runtime::Module::load(std::move(*object), options.target);
  return holds(module) ? *module : nullptr;
}

static const runtime::Function *selectEntry(const runtime::Module &module) {
  llvm::ArrayRef<runtime::Function> functions = module.getFunctions();
  if (entryName.empty() && functions.size() == 1)
    return &functions.front();
  std::string name = entryName.empty() ? "main" : entryName.getValue();
  if (const runtime::Function *function = module.lookup(name))
    return function;
  std::string known;
  for (const runtime::Function &function : functions)
    known += (known.empty() ? "@" : ", @") + function.signature.name;
  printError(
      fileName + ": no public function @" + name +
      ", expected --entry to be one of: " + (known.empty() ? "(none)" : known));
  return nullptr;
}

/// Compares with the reference lowering; returns whether all results agree.
static bool checkOutputs(const Outputs &outputs, llvm::StringRef source,
                         runtime::CompileOptions options, llvm::StringRef entry,
                         llvm::ArrayRef<HostTensor> inputs) {
  options.reference = true;
  options.target.chip.clear();
  auto module = compile(source, options, /*dump=*/false);
  if (!module)
    return false;
  auto expected = callOnce(*module->lookup(entry), inputs, /*place=*/nullptr);
  if (!holds(expected))
    return false;
  bool allHold = true;
  for (auto [name, got, reference] :
       llvm::zip_equal(outputs.names, outputs.tensors, expected->tensors)) {
    Comparison comparison = compare(got, reference);
    bool agrees = comparison.holds();
    allHold &= agrees;
    llvm::outs() << "check " << name << ": "
                 << llvm::format("largest error %.3g, bound %.3g",
                                 comparison.largestError, comparison.bound)
                 << (agrees ? ", ok\n" : ", FAILED\n");
    if (!comparison.sameSizes)
      printError(name + " has type " + runtime::toString(got.get()) +
                 ", expected " + runtime::toString(reference.get()) +
                 " as the reference");
    if (comparison.numMismatches)
      printError(name + " has " + std::to_string(comparison.numMismatches) +
                 " elements that are infinite or NaN, or in the reference, "
                 "but not in both");
  }
  if (!allHold)
    printError("@" + entry.str() + " and the reference lowering do not agree");
  return allHold;
}

static bool runBenchmark(const runtime::Function &function,
                         llvm::StringRef source,
                         const runtime::CompileOptions &options,
                         llvm::ArrayRef<HostTensor> inputs, Place place) {
  auto flops =
      countUsefulFlops(source, function.signature.name, options, inputs);
  if (!holds(flops))
    return false;
  auto seconds = measure(function, inputs, place);
  if (!holds(seconds))
    return false;
  llvm::outs() << llvm::format("bench: median %.3f ms", *seconds * 1e3);
  if (*flops)
    llvm::outs() << llvm::format(", %.3f useful GFLOP, %.1f GFLOP/s",
                                 **flops * 1e-9, **flops * 1e-9 / *seconds);
  llvm::outs() << "\n";
  return true;
}

/// Everything behind the command line; returns whether everything held.
static bool runFile() {
  auto buffer = llvm::MemoryBuffer::getFileOrSTDIN(fileName);
  if (!buffer) {
    printError(fileName + ": " + buffer.getError().message());
    return false;
  }
  llvm::StringRef source = (*buffer)->getBuffer();
  auto target = runtime::resolveTarget(targetName);
  if (!holds(target))
    return false;
  runtime::CompileOptions options;
  options.target = std::move(*target);
  options.threads = runtime::getOpenMPRuntime() != nullptr;
  options.reference = reference;
  auto module = compile(source, options, /*dump=*/true);
  const runtime::Function *function = module ? selectEntry(*module) : nullptr;
  if (!function)
    return false;

  auto inputs = makeInputs(function->signature, {shapes, files, dims, seed});
  if (!holds(inputs))
    return false;
  std::unique_ptr<runtime::CudaStream> stream;
  if (!options.target.chip.empty()) {
    auto created = runtime::CudaStream::create(/*device=*/0);
    if (!holds(created))
      return false;
    stream = std::move(*created);
  }
  auto outputs = callOnce(*function, *inputs, stream.get());
  if (!holds(outputs))
    return false;
  for (auto [name, tensor] : llvm::zip_equal(outputs->names, outputs->tensors))
    printSummary(name, tensor);
  if (!outputFolder.empty() && !dumpOutputs(*outputs))
    return false;
  if (check && !checkOutputs(*outputs, source, options,
                             function->signature.name, *inputs))
    return false;
  return !bench ||
         runBenchmark(*function, source, options, *inputs, stream.get());
}

int main(int argc, char **argv) {
  cl::HideUnrelatedOptions(category);
  cl::SetVersionPrinter([](llvm::raw_ostream &stream) {
    stream << "sparsek-run " SPARSEK_VERSION " (LLVM " LLVM_VERSION_STRING
              ")\n";
  });
  cl::ParseCommandLineOptions(
      argc, argv,
      "Runs a function of an MLIR file.\n\n"
      "Inputs are random (see --seed): floats standard normal, integers "
      "lifetimes,\nelement j of the n of a row uniform in [j, n].\n");
  if (dims < 0) {
    printError("--dims is " + std::to_string(dims) + ", expected at least 0");
    return 1;
  }
  return runFile() ? 0 : 1;
}
