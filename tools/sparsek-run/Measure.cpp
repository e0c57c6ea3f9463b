//===- Measure.cpp - Time and useful work of a function -------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Measure.h"

#include "sparsek/Dialect/SparseK/IR/SparseK.h"
#include "sparsek/Pipelines/Pipelines.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Parser/Parser.h"

#include <algorithm>
#include <chrono>

using namespace mlir;
using namespace mlir::sparsek;

/// Calls a function and frees its results. Returns the seconds that this took.
static llvm::Expected<double> callTimed(const runtime::Function &function,
                                        const run::Arguments &arguments,
                                        run::Place place) {
  std::vector<SparseKTensor> results(function.signature.results.size());
  SparseKExecution execution = {SPARSEK_CPU, 0, nullptr};
  if (place)
    execution = place->getExecution();
  auto call = [&] {
    return runtime::invoke(function, execution, arguments.get(), results);
  };
  auto start = std::chrono::steady_clock::now();
  llvm::Expected<double> seconds = 0;
  if (place)
    seconds = place->measure(call);
  else if (llvm::Error error = call())
    seconds = std::move(error);
  std::chrono::duration<double> elapsed =
      std::chrono::steady_clock::now() - start;
  for (SparseKTensor &result : results)
    runtime::release(result);
  if (!seconds || place)
    return seconds;
  return elapsed.count();
}

llvm::Expected<double> run::measure(const runtime::Function &function,
                                    llvm::ArrayRef<HostTensor> inputs,
                                    Place place) {
  auto arguments = Arguments::create(function, inputs, place);
  if (!arguments)
    return arguments.takeError();
  std::vector<double> seconds;
  double total = 0;
  while (seconds.size() < 5 || total < 0.5) {
    llvm::Expected<double> elapsed = callTimed(function, *arguments, place);
    if (!elapsed)
      return elapsed.takeError();
    seconds.push_back(*elapsed);
    total += *elapsed;
  }
  auto median = seconds.begin() + seconds.size() / 2;
  std::nth_element(seconds.begin(), median, seconds.end());
  return *median;
}

namespace {
/// What one attention costs per visible key and query.
struct AttentionCost {
  int64_t groupSize;
  int64_t flopsPerPair;
};
} // namespace

/// Makes a function return, for every attention in its body, the lifetimes and
/// the number of queries.
static std::vector<AttentionCost> returnLifetimes(func::FuncOp function) {
  std::vector<AttentionCost> costs;
  Operation *terminator = function.getBody().front().getTerminator();
  OpBuilder builder(terminator);
  SmallVector<Value> returned;
  for (auto op : function.getBody().front().getOps<SparseAttentionOp>()) {
    Location loc = op.getLoc();
    Value two = arith::ConstantIndexOp::create(builder, loc, 2);
    Value numQueries;
    if (isa<MemRefType>(op.getQuery().getType()))
      numQueries = memref::DimOp::create(builder, loc, op.getQuery(), two);
    else
      numQueries = tensor::DimOp::create(builder, loc, op.getQuery(), two);
    returned.append({op.getEnd(), numQueries});
    costs.push_back(
        {op.getGroupSize(), 2 * (op.getHeadDim() + op.getValueDim())});
  }
  terminator->setOperands(returned);
  function.setType(FunctionType::get(function.getContext(),
                                     function.getArgumentTypes(),
                                     TypeRange(ValueRange(returned))));
  function.removeResAttrsAttr();
  return costs;
}

/// The visible pairs of one attention, per query head of a group: key j is
/// visible to the positions from max(j, numKeys - numQueries) to end[j].
static double countPairs(const run::HostTensor &end, int64_t numQueries) {
  double pairs = 0;
  int64_t numKeys = end.getSizes().back();
  for (int64_t i = 0, e = end.getNumElements(); i < e; ++i) {
    int64_t first = std::max(i % numKeys, numKeys - numQueries);
    pairs += std::max<int64_t>(std::min(end.getInteger(i), numKeys) - first, 0);
  }
  return pairs;
}

llvm::Expected<std::optional<double>>
run::countUsefulFlops(llvm::StringRef source, llvm::StringRef entry,
                      runtime::CompileOptions options,
                      llvm::ArrayRef<HostTensor> inputs) {
  options.target.chip.clear();
  DialectRegistry registry;
  sparsek::registerAllDialects(registry);
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  auto module = parseSourceString<ModuleOp>(source, &context);
  auto function =
      module ? module->lookupSymbol<func::FuncOp>(entry) : func::FuncOp();
  if (!function || !function.getBody().hasOneBlock())
    return std::nullopt;
  std::vector<AttentionCost> costs = returnLifetimes(function);
  if (costs.empty())
    return std::nullopt;

  std::string text, messages;
  llvm::raw_string_ostream(text) << *module;
  auto keep = [&](llvm::StringRef message) { messages += message.str(); };
  auto compiled = runtime::getModule(text, "lifetimes of @" + entry.str(),
                                     options, /*useCache=*/false, keep);
  if (!compiled)
    return llvm::createStringError(messages);
  auto results = callOnce(*compiled->lookup(entry), inputs, /*place=*/nullptr);
  if (!results)
    return results.takeError();
  double flops = 0;
  for (auto [index, cost] : llvm::enumerate(costs))
    flops += countPairs(results->tensors[2 * index],
                        results->tensors[2 * index + 1].getInteger(0)) *
             cost.groupSize * cost.flopsPerPair;
  return flops;
}
