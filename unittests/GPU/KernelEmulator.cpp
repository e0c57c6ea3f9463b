//===- KernelEmulator.cpp - GPU kernels on the CPU ------------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelEmulator.h"

#include "sparsek/Pipelines/Pipelines.h"
#include "sparsek/Target/PTX/PTX.h"

#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/ExecutionEngine/Orc/AbsoluteSymbols.h"
#include "llvm/ExecutionEngine/Orc/ThreadSafeModule.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/Support/TargetSelect.h"

#include <algorithm>
#include <numeric>
#include <ucontext.h>

using namespace mlir;
using namespace mlir::sparsek;

//===----------------------------------------------------------------------===//
// The threads of a block
//===----------------------------------------------------------------------===//

namespace {

using Entry = void (*)(const int64_t *arguments);

/// Where threads wait for each other: a block or a warp.
struct Meeting {
  int arrived = 0, generation = 0;
  const char *reason = nullptr;
};

/// The block that runs.
struct ThreadBlock {
  static constexpr int kWarp = 32;
  static constexpr size_t kStack = 65536;

  std::vector<ucontext_t> threads;
  std::vector<std::unique_ptr<char[]>> stacks;
  std::vector<bool> isDone;
  std::vector<int64_t> exchanged;
  std::vector<Meeting> warps;
  Meeting all;
  ucontext_t scheduler;
  int current = 0;
  std::array<int, 3> index;
  Entry entry = nullptr;
  const int64_t *arguments = nullptr;

  void run(llvm::ArrayRef<int> order);
  void meet(Meeting &meeting, int size, const char *reason);
  /// The values of the current thread's warp.
  llvm::ArrayRef<int64_t> exchange(int64_t value, const char *reason);
};

ThreadBlock block;

void runThread() {
  block.entry(block.arguments);
  block.isDone[block.current] = true;
}

} // namespace

void ThreadBlock::run(llvm::ArrayRef<int> order) {
  size_t size = order.size();
  threads.resize(size);
  isDone.assign(size, false);
  exchanged.assign(size, 0);
  warps.assign(size / kWarp, Meeting());
  all = Meeting();
  while (stacks.size() < size)
    stacks.push_back(std::make_unique<char[]>(kStack));
  for (int thread : order) {
    ucontext_t &context = threads[thread];
    getcontext(&context);
    context.uc_stack.ss_sp = stacks[thread].get();
    context.uc_stack.ss_size = kStack;
    context.uc_link = &scheduler;
    makecontext(&context, runThread, 0);
  }
  for (size_t left = size; left > 0;)
    for (int thread : order) {
      if (isDone[thread])
        continue;
      current = thread;
      swapcontext(&scheduler, &threads[thread]);
      left -= isDone[thread];
    }
}

void ThreadBlock::meet(Meeting &meeting, int size, const char *reason) {
  if (meeting.arrived == 0)
    meeting.reason = reason;
  if (meeting.reason != llvm::StringRef(reason))
    llvm::report_fatal_error(llvm::Twine("threads meet at ") + meeting.reason +
                             " and at " + reason);
  int generation = meeting.generation;
  if (++meeting.arrived == size) {
    meeting.arrived = 0;
    ++meeting.generation;
    return;
  }
  while (meeting.generation == generation)
    swapcontext(&threads[current], &scheduler);
}

llvm::ArrayRef<int64_t> ThreadBlock::exchange(int64_t value,
                                              const char *reason) {
  int warp = current / kWarp;
  // The second meeting: nobody writes a next value before all have read.
  meet(warps[warp], kWarp, "the end of an exchange");
  exchanged[current] = value;
  meet(warps[warp], kWarp, reason);
  return llvm::ArrayRef(exchanged).slice(size_t(warp) * kWarp, kWarp);
}

//===----------------------------------------------------------------------===//
// What stands in for intrinsics
//===----------------------------------------------------------------------===//

static int getThread() { return block.current; }
static int getBlockX() { return block.index[0]; }
static int getBlockY() { return block.index[1]; }
static int getBlockZ() { return block.index[2]; }

static void synchronize(int) {
  block.meet(block.all, block.threads.size(), "bar.sync");
}

static int ballot(int, bool condition) {
  unsigned mask = 0;
  for (auto [lane, vote] :
       llvm::enumerate(block.exchange(condition, "vote.ballot")))
    mask |= static_cast<unsigned>(vote) << lane;
  return mask;
}

static int findMax(int value, int) {
  return *llvm::max_element(block.exchange(value, "redux.max"));
}

static int findMin(int value, int) {
  return *llvm::min_element(block.exchange(value, "redux.min"));
}

namespace {
struct Emulated {
  llvm::StringRef intrinsic;
  void *function;
};
} // namespace

template <typename Function> static void *addressOf(Function *function) {
  return reinterpret_cast<void *>(function);
}

static const Emulated kEmulated[] = {
    {"llvm.nvvm.read.ptx.sreg.tid.x", addressOf(getThread)},
    {"llvm.nvvm.read.ptx.sreg.ctaid.x", addressOf(getBlockX)},
    {"llvm.nvvm.read.ptx.sreg.ctaid.y", addressOf(getBlockY)},
    {"llvm.nvvm.read.ptx.sreg.ctaid.z", addressOf(getBlockZ)},
    {"llvm.nvvm.barrier.cta.sync.aligned.all", addressOf(synchronize)},
    {"llvm.nvvm.vote.ballot.sync", addressOf(ballot)},
    {"llvm.nvvm.redux.sync.max", addressOf(findMax)},
    {"llvm.nvvm.redux.sync.min", addressOf(findMin)},
};

/// A name that LLVM takes for no intrinsic.
static std::string getEmulatedName(llvm::StringRef intrinsic) {
  return ("emulated." + intrinsic).str();
}

//===----------------------------------------------------------------------===//
// LLVM IR for this machine
//===----------------------------------------------------------------------===//

/// define void @packed.f(ptr %arguments): calls @f with its arguments from an
/// array of 64-bit words.
static void addPackedEntry(llvm::Function &kernel) {
  llvm::IRBuilder<> builder(kernel.getContext());
  auto *type =
      llvm::FunctionType::get(builder.getVoidTy(), {builder.getPtrTy()}, false);
  auto *entry =
      llvm::Function::Create(type, llvm::GlobalValue::ExternalLinkage,
                             "packed." + kernel.getName(), kernel.getParent());
  builder.SetInsertPoint(
      llvm::BasicBlock::Create(kernel.getContext(), "", entry));
  llvm::SmallVector<llvm::Value *> values;
  for (llvm::Argument &argument : kernel.args()) {
    llvm::Value *address = builder.CreateConstGEP1_64(
        builder.getInt64Ty(), entry->getArg(0), argument.getArgNo());
    values.push_back(builder.CreateLoad(argument.getType(), address));
  }
  builder.CreateCall(&kernel, values);
  builder.CreateRetVoid();
}

/// Calls the emulated functions in place of intrinsics.
static void replaceIntrinsics(llvm::Module &module) {
  for (const Emulated &emulated : kEmulated) {
    llvm::Function *intrinsic = module.getFunction(emulated.intrinsic);
    if (!intrinsic)
      continue;
    auto *function = llvm::Function::Create(
        intrinsic->getFunctionType(), llvm::GlobalValue::ExternalLinkage,
        getEmulatedName(emulated.intrinsic), module);
    intrinsic->replaceAllUsesWith(function);
    intrinsic->eraseFromParent();
  }
}

static void retarget(llvm::Module &module, const llvm::orc::LLJIT &jit) {
  module.setTargetTriple(jit.getTargetTriple());
  module.setDataLayout(jit.getDataLayout());
  replaceIntrinsics(module);
  llvm::SmallVector<llvm::Function *> kernels;
  for (llvm::Function &function : module)
    if (function.getCallingConv() == llvm::CallingConv::PTX_Kernel)
      kernels.push_back(&function);
  for (llvm::Function *kernel : kernels) {
    kernel->setCallingConv(llvm::CallingConv::C);
    addPackedEntry(*kernel);
  }
}

static llvm::Error addSymbols(llvm::orc::LLJIT &jit) {
  llvm::orc::SymbolMap symbols;
  for (const Emulated &emulated : kEmulated)
    symbols[jit.mangleAndIntern(getEmulatedName(emulated.intrinsic))] = {
        llvm::orc::ExecutorAddr::fromPtr(emulated.function),
        llvm::JITSymbolFlags::Exported | llvm::JITSymbolFlags::Callable};
  return jit.getMainJITDylib().define(
      llvm::orc::absoluteSymbols(std::move(symbols)));
}

/// The lowered gpu.module of a source, as LLVM IR.
static std::unique_ptr<llvm::Module> translate(llvm::StringRef source,
                                               llvm::StringRef pipeline,
                                               llvm::LLVMContext &llvmContext) {
  DialectRegistry registry;
  registerAllDialects(registry);
  registerPTXTranslations(registry);
  MLIRContext context(registry);
  auto module = parseSourceString<ModuleOp>(source, &context);
  PassManager passes(&context);
  if (!module || failed(parsePassPipeline(pipeline, passes)) ||
      failed(passes.run(*module)))
    return nullptr;
  auto kernels = *module->getOps<gpu::GPUModuleOp>().begin();
  return translateModuleToLLVMIR(kernels, llvmContext);
}

llvm::Expected<KernelEmulator>
KernelEmulator::create(llvm::StringRef source, llvm::StringRef pipeline) {
  static const bool initialized = [] {
    registerAllPasses();
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
    return true;
  }();
  (void)initialized;
  auto jit = llvm::orc::LLJITBuilder().create();
  if (!jit)
    return jit.takeError();
  if (llvm::Error error = addSymbols(**jit))
    return error;
  auto context = std::make_unique<llvm::LLVMContext>();
  std::unique_ptr<llvm::Module> module = translate(source, pipeline, *context);
  if (!module)
    return llvm::createStringError("the module cannot be lowered");
  retarget(*module, **jit);
  if (llvm::Error error =
          (*jit)->addIRModule({std::move(module), std::move(context)}))
    return error;
  return KernelEmulator(std::move(*jit));
}

//===----------------------------------------------------------------------===//
// Launches
//===----------------------------------------------------------------------===//

void KernelEmulator::launch(llvm::StringRef kernel, std::array<int, 3> grid,
                            int numThreads, llvm::ArrayRef<int64_t> arguments) {
  block.entry =
      llvm::cantFail(jit->lookup(("packed." + kernel).str())).toPtr<Entry>();
  block.arguments = arguments.data();
  std::vector<int> order(numThreads);
  std::iota(order.begin(), order.end(), 0);
  for (int z = 0; z < grid[2]; ++z)
    for (int y = 0; y < grid[1]; ++y)
      for (int x = 0; x < grid[0]; ++x) {
        block.index = {x, y, z};
        std::shuffle(order.begin(), order.end(), random);
        block.run(order);
      }
}

std::vector<int64_t> mlir::sparsek::describe(const void *data,
                                             llvm::ArrayRef<int64_t> shape) {
  auto pointer = reinterpret_cast<int64_t>(data);
  std::vector<int64_t> result = {pointer, pointer, /*offset=*/0};
  result.insert(result.end(), shape.begin(), shape.end());
  for (size_t i = 0; i < shape.size(); ++i)
    result.push_back(std::accumulate(shape.begin() + i + 1, shape.end(),
                                     int64_t(1), std::multiplies<>()));
  return result;
}
