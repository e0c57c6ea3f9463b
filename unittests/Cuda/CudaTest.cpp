//===- CudaTest.cpp - Tests of calls on a GPU -----------------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The driver is FakeCuda: what the runtime asks of it is tested here, what a
// GPU makes of it is not.
//
//===----------------------------------------------------------------------===//

#include "../Runtime/Support.h"
#include "FakeCuda.h"

#include "sparsek/Runtime/Cuda.h"

#include "gmock/gmock.h"

#include <cstring>
#include <thread>

using namespace mlir::sparsek::runtime;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

namespace {

constexpr llvm::StringLiteral kSource = R"mlir(
module attributes {gpu.container_module} {
  gpu.module @kernels {
    gpu.func @add(%x: memref<?xf32>, %z: memref<?xf32>) kernel {
      gpu.return
    }
    gpu.func @mapped(%map: !llvm.ptr, %n: i32) kernel {
      gpu.return
    }
    gpu.func @other() kernel {
      gpu.return
    }
  }
  func.func @add(%x: memref<?xf32>) -> memref<?xf32> {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c128 = arith.constant 128 : index
    %n = memref.dim %x, %c0 : memref<?xf32>
    %t = memref.alloc(%n) : memref<?xf32>
    memref.copy %x, %t : memref<?xf32> to memref<?xf32>
    %z = memref.alloc(%n) : memref<?xf32>
    %g = arith.ceildivui %n, %c128 : index
    gpu.launch_func @kernels::@add blocks in (%g, %c1, %c1) threads in (%c128, %c1, %c1)
        args(%t : memref<?xf32>, %z : memref<?xf32>)
    return %z : memref<?xf32>
  }
  func.func @shared(%n: i32) {
    %c1 = arith.constant 1 : index
    gpu.launch_func @kernels::@other blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1)
        dynamic_shared_memory_size %n
    return
  }
  func.func @transpose(%x: tensor<2x3xf32>) -> (tensor<2x3xf32>, i64) {
    %c5 = arith.constant 5 : i64
    return %x, %c5 : tensor<2x3xf32>, i64
  }
  func.func private @sparsek_gpu_num_multiprocessors() -> i32
  func.func @multiprocessors() -> i32 {
    %n = call @sparsek_gpu_num_multiprocessors() : () -> i32
    return %n : i32
  }
  func.func @map(%x: memref<1x?x64xbf16, strided<[?, 192, 1]>>, %n: i32) {
    %c1 = arith.constant 1 : index
    %map = tile.encode_tensor_map %x rows(32) : memref<1x?x64xbf16, strided<[?, 192, 1]>>
    %p = builtin.unrealized_conversion_cast %map : !tile.tensor_map to !llvm.ptr
    gpu.launch_func @kernels::@mapped blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1)
        args(%p : !llvm.ptr, %n : i32)
    return
  }
  func.func @fill(%x: memref<3xbf16>, %v: bf16) {
    gpu.memset %x, %v : memref<3xbf16>, bf16
    return
  }
  func.func @copy(%x: memref<2x2x4xf32, strided<[16, 8, 1]>>, %y: memref<2x2x4xf32>) {
    memref.copy %x, %y : memref<2x2x4xf32, strided<[16, 8, 1]>> to memref<2x2x4xf32>
    return
  }
}
)mlir";

void *const kStream = reinterpret_cast<void *>(0x10);

/// A tensor in the memory of a device.
class DeviceTensor {
public:
  template <typename Element>
  DeviceTensor(std::vector<Element> values, int32_t elementType,
               std::vector<int64_t> sizes, int device = 0) {
    tensor = makeTensor(values, elementType, std::move(sizes));
    size_t bytes = values.size() * sizeof(Element);
    tensor.data = bytes ? fakecuda::allocate(bytes, device) : nullptr;
    if (bytes)
      std::memcpy(tensor.data, values.data(), bytes);
  }
  ~DeviceTensor() { fakecuda::deallocate(tensor.data); }
  DeviceTensor(const DeviceTensor &) = delete;
  DeviceTensor &operator=(const DeviceTensor &) = delete;

  SparseKTensor tensor;
};

template <typename Element>
std::vector<Element> getValues(const SparseKTensor &tensor, size_t count) {
  auto *data = static_cast<const Element *>(tensor.data);
  return {data, data + count};
}

/// z = x + 1. The parameters are the fields of the two descriptors.
void addOne(void **parameters) {
  const auto *x = *static_cast<const float **>(parameters[1]);
  auto *z = *static_cast<float **>(parameters[6]);
  int64_t n = *static_cast<int64_t *>(parameters[3]);
  for (int64_t i = 0; i < n; ++i)
    z[i] = x[i] + 1;
}

class CudaTest : public testing::Test {
protected:
  void SetUp() override {
    module = compile(kSource, nullptr, getOptions("sm_80"));
    ASSERT_TRUE(module);
    fakecuda::reset();
    fakecuda::setKernel("add", addOne);
  }
  void TearDown() override {
    for (SparseKTensor &result : results)
      release(result);
    EXPECT_EQ(fakecuda::getNumAllocations(), 0u);
    EXPECT_EQ(fakecuda::getContext(), nullptr);
  }

  std::string run(llvm::StringRef name,
                  const std::vector<SparseKTensor> &inputs,
                  SparseKExecution execution = {SPARSEK_CUDA, 0, kStream}) {
    for (SparseKTensor &result : results)
      release(result);
    const Function &function = *module->lookup(name);
    results.resize(function.signature.results.size());
    return llvm::toString(invoke(function, execution, inputs, results));
  }

  std::shared_ptr<const Module> module;
  std::vector<SparseKTensor> results;
};

TEST_F(CudaTest, EnqueuesOnTheStream) {
  DeviceTensor x(std::vector<float>(200, 2.5f), SPARSEK_F32, {200});
  ASSERT_EQ(run("add", {x.tensor}), "");
  EXPECT_EQ(getValues<float>(results[0], 200), std::vector<float>(200, 3.5f));
  fakecuda::takeCalls();
  ASSERT_EQ(run("add", {x.tensor}), "");
  EXPECT_THAT(
      fakecuda::takeCalls(),
      ElementsAre("cuMemFreeAsync stream 0x10",
                  "cuMemAllocFromPoolAsync 800 stream 0x10",
                  "cuMemcpyAsync 800 stream 0x10",
                  "cuMemAllocFromPoolAsync 800 stream 0x10",
                  "cuLaunchKernel add 2x1x1 128x1x1 shared 0 stream 0x10",
                  "cuMemFreeAsync stream 0x10"))
      << "nothing else, and nothing that waits";
}

TEST_F(CudaTest, NullStream) {
  DeviceTensor x(std::vector<float>{1}, SPARSEK_F32, {1});
  ASSERT_EQ(run("add", {x.tensor}, {SPARSEK_CUDA, 0, nullptr}), "");
  EXPECT_THAT(fakecuda::takeCalls(),
              Contains("cuLaunchKernel add 1x1x1 128x1x1 shared 0 stream "
                       "(nil)"));
}

/// An image is loaded once per device, whatever module holds it.
TEST_F(CudaTest, LoadsOncePerDevice) {
  std::string source = kSource.str() + "// another module\n";
  auto second = compile(source, nullptr, getOptions("sm_80"));
  for (int device : {0, 1}) {
    DeviceTensor x(std::vector<float>{1}, SPARSEK_F32, {1}, device);
    ASSERT_EQ(run("add", {x.tensor}, {SPARSEK_CUDA, device, kStream}), "");
    ASSERT_EQ(run("add", {x.tensor}, {SPARSEK_CUDA, device, kStream}), "");
  }
  module = second;
  fakecuda::takeCalls();
  DeviceTensor x(std::vector<float>{1}, SPARSEK_F32, {1});
  ASSERT_EQ(run("add", {x.tensor}), "");
  EXPECT_THAT(fakecuda::takeCalls(), Not(Contains(StartsWith("cuModule"))));
}

TEST_F(CudaTest, SharedMemoryIsReservedOnce) {
  auto runWith = [&](int32_t bytes) {
    std::vector<int32_t> value = {bytes};
    EXPECT_EQ(run("shared", {makeTensor(value, SPARSEK_I32, {})}), "");
    return fakecuda::takeCalls();
  };
  runWith(0);
  EXPECT_THAT(runWith(100000),
              ElementsAre("cuFuncSetAttribute other 8 100000",
                          "cuLaunchKernel other 1x1x1 1x1x1 shared 100000 "
                          "stream 0x10"));
  EXPECT_THAT(runWith(5000), ElementsAre("cuLaunchKernel other 1x1x1 1x1x1 "
                                         "shared 5000 stream 0x10"));
}

TEST_F(CudaTest, OutOfMemory) {
  DeviceTensor x(std::vector<float>(30, 1.0f), SPARSEK_F32, {30});
  fakecuda::failNext("cuMemAllocFromPoolAsync", 2, /*times=*/2);
  EXPECT_EQ(run("add", {x.tensor}),
            "@add: CUDA_ERROR_OUT_OF_MEMORY (cuMemAllocFromPoolAsync of 120 "
            "bytes): out of memory");
  EXPECT_THAT(fakecuda::takeCalls(), Not(Contains(StartsWith("cuLaunch"))));
  EXPECT_EQ(run("add", {x.tensor}), "");
}

/// What the pool keeps is given back first.
TEST_F(CudaTest, TrimsThePool) {
  DeviceTensor x(std::vector<float>(30, 1.0f), SPARSEK_F32, {30});
  ASSERT_EQ(run("add", {x.tensor}), "");
  fakecuda::takeCalls();
  fakecuda::failNext("cuMemAllocFromPoolAsync", 2);
  EXPECT_EQ(run("add", {x.tensor}), "");
  std::vector<std::string> calls = fakecuda::takeCalls();
  ASSERT_GE(calls.size(), 5u);
  EXPECT_THAT(llvm::ArrayRef(calls).slice(1, 4),
              ElementsAre("cuMemAllocFromPoolAsync 120 stream 0x10",
                          "cuStreamSynchronize", "cuMemPoolTrimTo 0",
                          "cuMemAllocFromPoolAsync 120 stream 0x10"));
  // A stream that is captured must not be waited for.
  fakecuda::setCapturing(true);
  fakecuda::failNext("cuMemAllocFromPoolAsync", 2);
  EXPECT_THAT(run("add", {x.tensor}), HasSubstr("CUDA_ERROR_OUT_OF_MEMORY"));
  EXPECT_THAT(fakecuda::takeCalls(), Not(Contains("cuStreamSynchronize")));
}

/// What the function had allocated is freed although it did not return.
TEST_F(CudaTest, FailedLaunch) {
  DeviceTensor x(std::vector<float>(30, 1.0f), SPARSEK_F32, {30});
  fakecuda::failNext("cuLaunchKernel", 719);
  EXPECT_EQ(run("add", {x.tensor}),
            "@add: CUDA error 719 (cuLaunchKernel of add on a grid of 1 x 1 x "
            "1 blocks of 128 threads)");
  EXPECT_EQ(fakecuda::getNumAllocations(), 1u);
  EXPECT_EQ(results[0].data, nullptr);
  EXPECT_EQ(run("add", {x.tensor}), "");
}

TEST_F(CudaTest, AssemblerError) {
  std::string source = kSource.str();
  source.replace(source.find("@kernels {"), 10,
                 "@kernels {\n"
                 "gpu.func @unseen() kernel { gpu.return }\n");
  module = compile(source, nullptr, getOptions("sm_80"));
  DeviceTensor x(std::vector<float>{1}, SPARSEK_F32, {1});
  fakecuda::failNext("cuModuleLoadDataEx", 200);
  fakecuda::setJitLog("ptxas fatal : no");
  EXPECT_EQ(run("add", {x.tensor}),
            "@add: CUDA_ERROR_INVALID_IMAGE (cuModuleLoadDataEx for Fake A)\n"
            "ptxas fatal : no");
  EXPECT_EQ(run("add", {x.tensor}), "") << "the failure was kept";
}

TEST_F(CudaTest, Threads) {
  std::vector<int> numWrong(8, 0);
  std::vector<std::thread> threads;
  threads.reserve(numWrong.size());
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&, i] {
      int device = i % 2;
      DeviceTensor x(std::vector<float>{float(i)}, SPARSEK_F32, {1}, device);
      SparseKExecution execution = {SPARSEK_CUDA, device, kStream};
      for (int round = 0; round < 100; ++round) {
        std::vector<SparseKTensor> own(1);
        std::string error = llvm::toString(
            invoke(*module->lookup("add"), execution, {x.tensor}, own));
        numWrong[i] +=
            !error.empty() || getValues<float>(own[0], 1)[0] != float(i + 1);
        release(own[0]);
      }
    });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(numWrong, std::vector<int>(8, 0));
}

TEST_F(CudaTest, KeepsTheContextOfTheThread) {
  DeviceTensor x(std::vector<float>{1}, SPARSEK_F32, {1});
  int other;
  fakecuda::setContext(&other);
  EXPECT_EQ(run("add", {x.tensor}), "");
  EXPECT_EQ(fakecuda::getContext(), &other);
  release(results[0]);
  EXPECT_EQ(fakecuda::getContext(), &other);
  fakecuda::setContext(nullptr);
}

TEST_F(CudaTest, EmptyTensor) {
  DeviceTensor x(std::vector<float>{}, SPARSEK_F32, {0});
  ASSERT_EQ(run("add", {x.tensor}), "");
  EXPECT_EQ(results[0].sizes[0], 0);
  EXPECT_THAT(fakecuda::takeCalls(), testing::IsEmpty());
}

/// A result that is an argument is a copy of it on the device; a scalar is in
/// the host's memory.
TEST_F(CudaTest, ReturnedArgument) {
  DeviceTensor x(std::vector<float>{1, 2, 3, 4, 5, 6}, SPARSEK_F32, {2, 3});
  x.tensor.strides[0] = 2; // rows that overlap
  ASSERT_EQ(run("transpose", {x.tensor}), "");
  EXPECT_NE(results[0].data, x.tensor.data);
  EXPECT_EQ(getValues<float>(results[0], 6),
            (std::vector<float>{1, 2, 3, 3, 4, 5}));
  EXPECT_EQ(getValues<int64_t>(results[1], 1)[0], 5);
  fakecuda::takeCalls();
  x.tensor.strides[0] = 3;
  ASSERT_EQ(run("transpose", {x.tensor}), "");
  EXPECT_THAT(fakecuda::takeCalls(), Contains("cuMemcpyAsync 24 stream 0x10"));
}

/// Dimensions that continue one another are one.
TEST_F(CudaTest, CopiesRows) {
  std::vector<float> values(32);
  for (int i = 0; i < 32; ++i)
    values[i] = float(i);
  DeviceTensor x(values, SPARSEK_F32, {2, 2, 4});
  x.tensor.strides[0] = 16;
  x.tensor.strides[1] = 8;
  DeviceTensor y(std::vector<float>(16), SPARSEK_F32, {2, 2, 4});
  ASSERT_EQ(run("copy", {x.tensor, y.tensor}), "");
  EXPECT_EQ(getValues<float>(y.tensor, 16),
            (std::vector<float>{0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24,
                                25, 26, 27}));
  EXPECT_THAT(fakecuda::takeCalls(),
              ElementsAre("cuMemcpy2DAsync 16 x 4 stream 0x10"));
}

TEST_F(CudaTest, Fills) {
  DeviceTensor x(std::vector<uint16_t>(3), SPARSEK_BF16, {3});
  std::vector<uint16_t> value = {0x3fc0};
  ASSERT_EQ(run("fill", {x.tensor, makeTensor(value, SPARSEK_BF16, {})}), "");
  EXPECT_EQ(getValues<uint16_t>(x.tensor, 3), std::vector<uint16_t>(3, 0x3fc0));
  EXPECT_THAT(fakecuda::takeCalls(),
              ElementsAre("cuMemsetD16Async 3 stream 0x10"));
}

TEST_F(CudaTest, KnowsTheDevice) {
  ASSERT_EQ(run("multiprocessors", {}), "");
  EXPECT_EQ(getValues<int32_t>(results[0], 1)[0], 4);
}

/// The kernel gets the 128 bytes of the map themselves.
TEST_F(CudaTest, PassesTensorMaps) {
  DeviceTensor x(std::vector<uint16_t>(size_t(192) * 5), SPARSEK_BF16,
                 {1, 5, 64});
  x.tensor.strides[0] = 7;
  x.tensor.strides[1] = 192;
  std::string map;
  int32_t number = 0;
  fakecuda::setKernel("mapped", [&](void **parameters) {
    map = std::string(static_cast<const char *>(parameters[0]));
    number = *static_cast<const int32_t *>(parameters[1]);
  });
  std::vector<int32_t> value = {17};
  ASSERT_EQ(run("map", {x.tensor, makeTensor(value, SPARSEK_I32, {})}), "");
  EXPECT_EQ(map, "type 1 64/0/64/1 5/384/32/1 1/384/1/1 swizzle 3");
  EXPECT_EQ(number, 17);
  fakecuda::failNext("cuTensorMapEncodeTiled", 1);
  EXPECT_EQ(run("map", {x.tensor, makeTensor(value, SPARSEK_I32, {})}),
            "@map: CUDA_ERROR_INVALID_VALUE (cuTensorMapEncodeTiled of [64, 5, "
            "1] at strides of [384, 384] bytes, box of 32 rows)");
  DeviceTensor empty(std::vector<uint16_t>{}, SPARSEK_BF16, {1, 0, 64});
  empty.tensor.strides[1] = 192;
  ASSERT_EQ(run("map", {empty.tensor, makeTensor(value, SPARSEK_I32, {})}), "");
  EXPECT_EQ(map, "");
}

TEST_F(CudaTest, RefusesOtherMemory) {
  std::vector<float> values = {1};
  SparseKTensor host = makeTensor(values, SPARSEK_F32, {1});
  EXPECT_EQ(run("add", {host}), "@add: argument 0 has memory of the host, "
                                "expected that of CUDA device 0");
  DeviceTensor x(values, SPARSEK_F32, {1}, /*device=*/1);
  EXPECT_EQ(run("add", {x.tensor}),
            "@add: argument 0 has memory of CUDA device 1, expected that of "
            "CUDA device 0");
  EXPECT_THAT(fakecuda::takeCalls(), testing::IsEmpty());
  // The driver knows nothing of memory that a graph will allocate.
  fakecuda::setCapturing(true);
  EXPECT_EQ(run("add", {host}), "");
}

TEST_F(CudaTest, RefusesOtherLayouts) {
  DeviceTensor x(std::vector<float>(6), SPARSEK_F32, {2, 3});
  x.tensor.strides[0] = 1;
  x.tensor.strides[1] = 2;
  EXPECT_EQ(run("transpose", {x.tensor}),
            "@transpose: argument 0 has type tensor<2x3xf32> with strides "
            "[1, 2], expected an innermost stride of 1");
  DeviceTensor y(std::vector<float>(4), SPARSEK_F32, {2});
  y.tensor.strides[0] = 2;
  EXPECT_EQ(run("add", {y.tensor}),
            "@add: argument 0 has type tensor<2xf32> with strides [2], "
            "expected those of elements row by row");
}

TEST_F(CudaTest, RefusesOtherDevices) {
  DeviceTensor x(std::vector<float>{1}, SPARSEK_F32, {1});
  EXPECT_EQ(run("add", {x.tensor}, {SPARSEK_CPU, 0, nullptr}),
            "@add: compiled for 'sm_80', but called on the processor, expected "
            "a call on a CUDA device");
  EXPECT_EQ(run("add", {x.tensor}, {SPARSEK_CUDA, 2, kStream}),
            "@add: no CUDA device 2, expected one below 2");
  EXPECT_EQ(run("add", {x.tensor}, {7, 0, nullptr}),
            "@add: got a device of kind 7, expected SPARSEK_CPU or "
            "SPARSEK_CUDA");
  module = compile(kSource, nullptr, getOptions("sm_90a"));
  EXPECT_EQ(run("add", {x.tensor}), "");
  EXPECT_EQ(run("add", {x.tensor}, {SPARSEK_CUDA, 1, kStream}),
            "@add: compiled for 'sm_90a', but CUDA device 1 (Fake B) has "
            "compute capability 8.6");
  module = compile("func.func @f() { return }");
  EXPECT_EQ(run("f", {}, {SPARSEK_CUDA, 0, kStream}),
            "@f: called on CUDA device 0, but compiled for a processor, "
            "expected target 'cuda' or a chip such as 'sm_90a'");
}

TEST_F(CudaTest, ReferenceIsForAProcessor) {
  CompileOptions options = getOptions("sm_80");
  options.reference = true;
  std::string messages;
  EXPECT_FALSE(compile("func.func @f() { return }", &messages, options));
  EXPECT_THAT(messages, HasSubstr("the reference lowering is for a processor"));
}

TEST(CudaDeviceTest, Chips) {
  EXPECT_EQ(getCudaError(), "");
  EXPECT_EQ(getNumCudaDevices(), 2);
  EXPECT_EQ(llvm::cantFail(getCudaChip(0)), "sm_90a");
  EXPECT_EQ(llvm::cantFail(getCudaChip(1)), "sm_86");
  EXPECT_EQ(llvm::cantFail(resolveTarget("cuda")).chip, "sm_90a");
}

TEST(CudaDeviceTest, OneStreamWaitsForAnother) {
  fakecuda::takeCalls();
  llvm::cantFail(waitForStream(0, reinterpret_cast<void *>(0x11),
                               reinterpret_cast<void *>(0x22)));
  EXPECT_THAT(fakecuda::takeCalls(),
              ElementsAre("cuEventRecord 0x22", "cuStreamWaitEvent 0x11"));
  EXPECT_NE(llvm::toString(waitForStream(9, nullptr, nullptr)), "");
}

TEST(CudaStreamTest, MovesTensors) {
  auto stream = llvm::cantFail(CudaStream::create(0));
  std::vector<float> values = {1, 2, 3, 4}, back(2);
  SparseKTensor there =
      llvm::cantFail(stream->upload(makeTensor(values, SPARSEK_F32, {4})));
  EXPECT_EQ(getValues<float>(there, 4), values);
  SparseKTensor odd = there;
  odd.sizes[0] = 2;
  odd.strides[0] = 2;
  llvm::cantFail(stream->download(odd, makeTensor(back, SPARSEK_F32, {2})));
  EXPECT_EQ(back, (std::vector<float>{1, 3}));
  EXPECT_EQ(
      llvm::cantFail(stream->measure([] { return llvm::Error::success(); })),
      0.25);
  release(there);
  EXPECT_EQ(fakecuda::getNumAllocations(), 0u);
}

/// In a process of its own, in which the driver is loaded for the first time.
class CudaErrorTest : public testing::Test {
protected:
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }

  [[noreturn]] static void printTargetError(const char *variable,
                                            const char *value) {
    setenv(variable, value, 1);
    auto target = resolveTarget("cuda");
    std::string text = target ? "none" : llvm::toString(target.takeError());
    std::fprintf(stderr, "%s\n", text.c_str());
    std::exit(0);
  }
};

TEST_F(CudaErrorTest, NoDriver) {
  EXPECT_EXIT(printTargetError("SPARSEK_LIBCUDA", "/none.so"),
              testing::ExitedWithCode(0),
              "target 'cuda': no CUDA driver: /none.so: cannot open");
}

TEST_F(CudaErrorTest, OtherLibrary) {
  EXPECT_EXIT(printTargetError("SPARSEK_LIBCUDA", "libm.so.6"),
              testing::ExitedWithCode(0),
              "target 'cuda': the CUDA driver is too old: libm.so.6 has no "
              "cuInit, expected that of CUDA 12");
}

TEST_F(CudaErrorTest, NoDevice) {
  EXPECT_EXIT(printTargetError("FAKE_CUDA_DEVICES", "0"),
              testing::ExitedWithCode(0),
              "target 'cuda': CUDA_ERROR_NO_DEVICE .cuInit.: no CUDA-capable "
              "device is detected");
}

TEST_F(CudaErrorTest, OldDevice) {
  EXPECT_EXIT(printTargetError("FAKE_CUDA_OLD", "1"),
              testing::ExitedWithCode(0),
              "target 'cuda': CUDA device 0 .Fake A. has compute capability "
              "7.5, expected at least 8.0");
}

} // namespace
