//===- CompileTest.cpp - Tests of compilation and targets -----------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Support.h"

#include "sparsek/Pipelines/Pipelines.h"
#include "sparsek/Runtime/Float16.h"

#include "mlir/Bytecode/BytecodeWriter.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/raw_ostream.h"

#include <cmath>
#include <thread>

using namespace mlir::sparsek::runtime;

namespace {

constexpr llvm::StringLiteral kAdd = R"mlir(
func.func @f(%x: tensor<?xf32>) -> tensor<?xf32> {
  %y = linalg.add ins(%x, %x : tensor<?xf32>, tensor<?xf32>)
                  outs(%x : tensor<?xf32>) -> tensor<?xf32>
  return %y : tensor<?xf32>
}
)mlir";

/// The diagnostics of a source that does not compile.
std::string getErrors(llvm::StringRef source) {
  std::string messages;
  EXPECT_FALSE(compile(source, &messages));
  return messages;
}

TEST(CompileTest, ErrorsHaveLocations) {
  EXPECT_EQ(getErrors("func.func @f() {\n  return %x : f32\n}\n"),
            "test.mlir:2:10: use of undeclared SSA value name\n");
  EXPECT_EQ(getErrors("\n  \"some.op\"() : () -> ()"),
            "test.mlir:2:12: operation being parsed with an unregistered "
            "dialect. If this is intended, please use "
            "-allow-unregistered-dialect with the MLIR tool used\n");
}

TEST(CompileTest, TypesThatCannotBePassed) {
  std::string errors =
      getErrors("func.func @f(%x: tensor<4xcomplex<f32>>) {\n  return\n}\n");
  EXPECT_NE(errors.find("test.mlir:1:1: 'func.func' op @f has argument 0 of "
                        "type 'tensor<4xcomplex<f32>>', expected a tensor"),
            std::string::npos)
      << errors;
  EXPECT_TRUE(
      compile("func.func private @f(%x: complex<f32>) -> complex<f32> {\n"
              "  return %x : complex<f32>\n}\n"));
}

TEST(CompileTest, NestingIsBounded) {
  auto nested = [](int depth) {
    std::string source;
    for (int i = 0; i < depth; ++i)
      source += "module {\n";
    for (int i = 0; i < depth; ++i)
      source += "}\n";
    return source;
  };
  EXPECT_TRUE(compile(nested(100)));
  EXPECT_EQ(getErrors(nested(100000)),
            "test.mlir:257: brackets are nested more than 256 deep\n");
  // Brackets in strings and comments do not count, nor do arrows.
  std::string harmless = "// " + std::string(1000, '(') + "\n";
  harmless += "func.func private @f() attributes {note = \"" +
              std::string(1000, '(') + "\"}\n";
  for (int i = 0; i < 300; ++i)
    harmless += "func.func private @f" + std::to_string(i) + "() -> f32\n";
  EXPECT_TRUE(compile(harmless));
}

TEST(CompileTest, WhatIsNotLoweredIsAnError) {
  std::string errors =
      getErrors("func.func @f(%x: tensor<*xf32>) {\n  return\n}\n");
  EXPECT_NE(errors.find("argument 0"), std::string::npos) << errors;
  errors = getErrors("func.func private @missing(%x: f32) -> f32\n"
                     "func.func @f(%x: f32) -> f32 {\n"
                     "  %y = func.call @missing(%x) : (f32) -> f32\n"
                     "  return %y : f32\n}\n");
  EXPECT_EQ(errors,
            "linking failed: Symbols not found: [ _mlir_ciface_missing ]\n");
}

TEST(CompileTest, Bytecode) {
  mlir::DialectRegistry registry;
  mlir::sparsek::registerAllDialects(registry);
  mlir::MLIRContext context(registry);
  auto parsed = mlir::parseSourceString<mlir::ModuleOp>(kAdd, &context);
  ASSERT_TRUE(parsed);
  std::string bytecode;
  llvm::raw_string_ostream stream(bytecode);
  ASSERT_TRUE(succeeded(mlir::writeBytecodeToFile(*parsed, stream)));
  auto module = compile(bytecode);
  ASSERT_TRUE(module && module->lookup("f"));
  std::string messages;
  EXPECT_FALSE(compile(llvm::StringRef(bytecode).drop_back(20), &messages));
  EXPECT_FALSE(messages.empty());
}

TEST(CompileTest, NamesOfTheLibraryAreFree) {
  // Neither does the user's @expf become that of the math library, nor the
  // other way round.
  auto module = compile(R"mlir(
    func.func @expf(%x: f32) -> f32 {
      return %x : f32
    }
    func.func @f(%x: tensor<1xf64>) -> tensor<1xf64> {
      %0 = tensor.empty() : tensor<1xf64>
      %1 = linalg.erf ins(%x : tensor<1xf64>) outs(%0 : tensor<1xf64>)
        -> tensor<1xf64>
      return %1 : tensor<1xf64>
    }
    func.func @erf(%x: f64) -> f64 {
      return %x : f64
    }
  )mlir");
  ASSERT_TRUE(module);
  std::vector<double> data = {0.5};
  std::vector<SparseKTensor> results;
  EXPECT_EQ(
      call(*module->lookup("f"), {makeTensor(data, SPARSEK_F64, {1})}, results),
      "");
  EXPECT_NEAR(*static_cast<double *>(results[0].data), std::erf(0.5), 1e-12);
  release(results[0]);
}

TEST(CompileTest, ManyThreads) {
  std::vector<std::thread> threads;
  std::vector<int> numWrong(8, 0);
  threads.reserve(8);
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([i, &numWrong] {
      // Four sources, two threads each.
      std::string source = kAdd.str() + "// " + std::to_string(i / 2);
      auto module = getModule(source, "test.mlir", getOptions(), true,
                              [](llvm::StringRef) {});
      for (int round = 0; module && round < 100; ++round) {
        std::vector<float> data = {float(i), float(round)};
        std::vector<SparseKTensor> results;
        std::string error = call(*module->lookup("f"),
                                 {makeTensor(data, SPARSEK_F32, {2})}, results);
        const auto *sums = static_cast<const float *>(results[0].data);
        numWrong[i] +=
            !error.empty() || sums[0] != 2 * i || sums[1] != 2 * round;
        release(results[0]);
      }
      numWrong[i] += !module;
    });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(numWrong, std::vector<int>(8, 0));
}

TEST(TargetTest, Names) {
  auto error = [](llvm::StringRef name) {
    auto target = resolveTarget(name);
    return target ? "" : llvm::toString(target.takeError());
  };
  EXPECT_EQ(error("cpu"), "");
  EXPECT_EQ(error(""), "");
  EXPECT_EQ(error("sm_90a"), "");
  EXPECT_EQ(llvm::cantFail(resolveTarget("sm_80")).chip, "sm_80");
  EXPECT_EQ(llvm::cantFail(resolveTarget("cpu")).chip, "");
  EXPECT_NE(error("sm_75").find("target 'sm_75': chip is 'sm_75', expected an "
                                "NVIDIA GPU from sm_80 on"),
            std::string::npos);
  EXPECT_NE(error("gpu").find("target 'gpu'"), std::string::npos);
  EXPECT_NE(error("8086").find("target is '8086', expected 'cpu'"),
            std::string::npos);
}

#if defined(__x86_64__)
TEST(TargetTest, VectorsOfX86) {
  auto bits = [](llvm::StringRef name) {
    return llvm::cantFail(resolveTarget(name)).vectorBits;
  };
  EXPECT_EQ(bits("x86-64"), 128);
  EXPECT_EQ(bits("x86-64-v3"), 256);
  EXPECT_EQ(bits("skylake-avx512"), 512);
  // Asking LLVM for 64-bit code on this one would end the process.
  auto old = resolveTarget("i386");
  EXPECT_FALSE(bool(old));
  llvm::consumeError(old.takeError());

  ScopedEnvironment environment("SPARSEK_CPU", "x86-64-v3");
  EXPECT_EQ(bits("cpu"), 256);
  EXPECT_EQ(bits("x86-64"), 128);
}

TEST(TargetTest, ForeignProcessorsDoNotRun) {
  // No processor has both.
  Target intel = llvm::cantFail(resolveTarget("knl"));
  Target amd = llvm::cantFail(resolveTarget("bdver4"));
  const Target &foreign = intel.hostError.empty() ? amd : intel;
  ASSERT_NE(foreign.hostError, "");
  CompileOptions options = getOptions(foreign.cpu);
  auto module = compile(kAdd, nullptr, options);
  ASSERT_TRUE(module);
  std::vector<float> data = {1};
  std::vector<SparseKTensor> results;
  std::string error =
      call(*module->lookup("f"), {makeTensor(data, SPARSEK_F32, {1})}, results);
  EXPECT_NE(error.find("@f: compiled for '" + foreign.cpu + "'"),
            std::string::npos)
      << error;
}

TEST(TargetTest, HalvesWithoutInstructions) {
  // Neither F16C nor AVX512-BF16: the conversions are calls.
  for (auto [type, elementType] :
       {std::pair{"f16", SPARSEK_F16}, std::pair{"bf16", SPARSEK_BF16}}) {
    std::string source = kAdd.str();
    for (size_t at; (at = source.find("f32")) != std::string::npos;)
      source.replace(at, 3, type);
    auto module = compile(source, nullptr, getOptions("x86-64"));
    ASSERT_TRUE(module);
    bool isHalf = elementType == SPARSEK_F16;
    std::vector<uint16_t> data;
    for (double value : {1.0, -0.375, 1e-6, 4.0e4})
      data.push_back(isHalf ? doubleToHalf(value) : doubleToBfloat(value));
    std::vector<SparseKTensor> results;
    ASSERT_EQ(call(*module->lookup("f"), {makeTensor(data, elementType, {4})},
                   results),
              "");
    const auto *sums = static_cast<const uint16_t *>(results[0].data);
    auto toFloat = isHalf ? halfToFloat : bfloatToFloat;
    for (int i = 0; i < 4; ++i)
      EXPECT_EQ(toFloat(sums[i]),
                isHalf && i == 3 ? INFINITY : 2 * toFloat(data[i]));
    release(results[0]);
  }
}
#endif

TEST(Float16Test, EveryHalf) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    float half = halfToFloat(bits), bfloat = bfloatToFloat(bits);
    if (std::isnan(half))
      EXPECT_TRUE(std::isnan(halfToFloat(doubleToHalf(half))));
    else
      EXPECT_EQ(doubleToHalf(half), bits);
    if (std::isnan(bfloat))
      EXPECT_TRUE(std::isnan(bfloatToFloat(doubleToBfloat(bfloat))));
    else
      EXPECT_EQ(doubleToBfloat(bfloat), bits);
  }
  EXPECT_EQ(halfToFloat(0x3c00), 1.0f);
  EXPECT_EQ(halfToFloat(0x0001), 0x1p-24f);
  EXPECT_EQ(halfToFloat(0x7bff), 65504.0f);
}

TEST(Float16Test, Rounding) {
  // Ties to even, in the normal and the subnormal range and at both ends.
  EXPECT_EQ(doubleToHalf(1 + 0x1p-11), 0x3c00);
  EXPECT_EQ(doubleToHalf(1 + 0x1p-11 + 0x1p-40), 0x3c01);
  EXPECT_EQ(doubleToHalf(1 + 3 * 0x1p-11), 0x3c02);
  EXPECT_EQ(doubleToHalf(0x1p-25), 0x0000);
  EXPECT_EQ(doubleToHalf(-0x1p-25 - 0x1p-60), 0x8001);
  EXPECT_EQ(doubleToHalf(65519.99), 0x7bff);
  EXPECT_EQ(doubleToHalf(65520), 0x7c00);
  EXPECT_EQ(doubleToHalf(-1e300), 0xfc00);
  EXPECT_EQ(doubleToHalf(1e-300), 0x0000);
  EXPECT_EQ(doubleToBfloat(1 + 0x1p-8), 0x3f80);
  EXPECT_EQ(doubleToBfloat(1 + 3 * 0x1p-8), 0x3f82);
  EXPECT_EQ(doubleToBfloat(3.4e38), 0x7f80);
}

} // namespace
