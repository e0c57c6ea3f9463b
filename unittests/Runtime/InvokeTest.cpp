//===- InvokeTest.cpp - Tests of calls ------------------------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Support.h"

#include <cmath>

using namespace mlir::sparsek::runtime;

namespace {

constexpr llvm::StringLiteral kAdd = R"mlir(
func.func @f(%x: tensor<2x?xf32>, %y: tensor<2x?xf32>) -> tensor<2x?xf32> {
  %z = linalg.add ins(%x, %y : tensor<2x?xf32>, tensor<2x?xf32>)
                  outs(%x : tensor<2x?xf32>) -> tensor<2x?xf32>
  return %z : tensor<2x?xf32>
}
)mlir";

class InvokeTest : public testing::Test {
protected:
  /// Compiles a source with one public function, and keeps it.
  const Function &get(llvm::StringRef source) {
    module = compile(source);
    return module->getFunctions().front();
  }
  std::string run(const Function &function, std::vector<SparseKTensor> inputs) {
    for (SparseKTensor &result : results)
      release(result);
    return call(function, std::move(inputs), results);
  }
  void TearDown() override {
    for (SparseKTensor &result : results)
      release(result);
  }
  template <typename Element> std::vector<Element> getValues(size_t index) {
    const SparseKTensor &result = results[index];
    size_t count = 1;
    for (int32_t i = 0; i < result.rank; ++i)
      count *= result.sizes[i];
    auto *data = static_cast<const Element *>(result.data);
    return {data, data + count};
  }

  std::shared_ptr<const Module> module;
  std::vector<SparseKTensor> results;
};

TEST_F(InvokeTest, Strides) {
  const Function &f = get(kAdd);
  std::vector<float> data = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
  std::vector<float> before = data;
  SparseKTensor x = makeTensor(data, SPARSEK_F32, {2, 3});
  // Every second column, rows reversed: copied. One row twice: as it is.
  SparseKTensor y = x;
  y.data = data.data() + 6;
  y.strides[0] = -6;
  y.strides[1] = 2;
  ASSERT_EQ(run(f, {x, y}), "");
  EXPECT_EQ(getValues<float>(0), (std::vector<float>{6, 9, 12, 3, 6, 9}));
  x.strides[0] = 0;
  ASSERT_EQ(run(f, {x, x}), "");
  EXPECT_EQ(getValues<float>(0), (std::vector<float>{0, 2, 4, 0, 2, 4}));
  // A stride that is never used.
  x.sizes[1] = 1;
  x.strides[1] = 1000;
  ASSERT_EQ(run(f, {x, x}), "");
  EXPECT_EQ(getValues<float>(0), (std::vector<float>{0, 0}));
  EXPECT_EQ(data, before) << "the function wrote to its arguments";
}

TEST_F(InvokeTest, MisalignedData) {
  const Function &f = get(kAdd);
  std::vector<char> bytes(1 + 2 * sizeof(float));
  float values[] = {1.5f, -2.0f};
  std::memcpy(bytes.data() + 1, values, sizeof(values));
  SparseKTensor x = makeTensor(bytes, SPARSEK_F32, {2, 1});
  x.data = bytes.data() + 1;
  ASSERT_EQ(run(f, {x, x}), "");
  EXPECT_EQ(getValues<float>(0), (std::vector<float>{3, -4}));
}

TEST_F(InvokeTest, BadArguments) {
  const Function &f = get(kAdd);
  std::vector<float> data(6);
  SparseKTensor good = makeTensor(data, SPARSEK_F32, {2, 3});
  EXPECT_EQ(run(f, {good}), "@f: got 1 arguments, expected 2");
  SparseKTensor bad = good;
  bad.elementType = SPARSEK_F64;
  EXPECT_EQ(run(f, {good, bad}),
            "@f: argument 1 has element type f64, expected f32");
  bad.elementType = 77;
  EXPECT_EQ(run(f, {good, bad}),
            "@f: argument 1 has element type ?, expected f32");
  bad = good;
  bad.rank = 1;
  EXPECT_EQ(run(f, {bad, good}),
            "@f: argument 0 has rank 1, expected tensor<2x?xf32>");
  bad.rank = 9;
  EXPECT_EQ(run(f, {bad, good}),
            "@f: argument 0 has rank 9, expected tensor<2x?xf32>");
  bad = good;
  bad.sizes[0] = 3;
  EXPECT_EQ(run(f, {bad, good}), "@f: argument 0 has type tensor<3x3xf32>, "
                                 "expected tensor<2x?xf32>");
  bad = good;
  bad.sizes[1] = -1;
  EXPECT_EQ(run(f, {bad, good}), "@f: argument 0 has type tensor<2x-1xf32>, "
                                 "expected tensor<2x?xf32>");
  bad = good;
  bad.data = nullptr;
  EXPECT_EQ(run(f, {bad, good}), "@f: argument 0 has no data (a null pointer), "
                                 "expected tensor<2x3xf32> in memory");
  bad.sizes[1] = 0;
  EXPECT_EQ(run(f, {bad, bad}), "");
  EXPECT_EQ(results[0].sizes[1], 0);
  bad = good;
  bad.strides[0] = INT64_MAX / 2;
  EXPECT_NE(run(f, {bad, good}).find("beyond the address space"),
            std::string::npos);
  EXPECT_EQ(results[0].data, nullptr);
}

TEST_F(InvokeTest, MemrefsAreWritten) {
  const Function &f = get(R"mlir(
    func.func @f(%from: memref<?xf32>, %to: memref<?xf32>) {
      linalg.add ins(%from, %from : memref<?xf32>, memref<?xf32>)
                 outs(%to : memref<?xf32>)
      return
    }
  )mlir");
  EXPECT_FALSE(f.signature.inputs[0].isWritable);
  EXPECT_TRUE(f.signature.inputs[1].isWritable);
  std::vector<float> data = {1, 2, 3}, out = {9, 9, 9, 9, 9, 9};
  SparseKTensor from = makeTensor(data, SPARSEK_F32, {3});
  SparseKTensor to = makeTensor(out, SPARSEK_F32, {3});
  to.strides[0] = 2;
  ASSERT_EQ(run(f, {from, to}), "");
  EXPECT_EQ(out, (std::vector<float>{2, 9, 4, 9, 6, 9}));

  EXPECT_EQ(run(f, {to, to}),
            "@f: argument 1 has memory that overlaps that of argument 0, "
            "expected memory of its own: the function can write to it");
  to.strides[0] = 0;
  EXPECT_EQ(run(f, {from, to}),
            "@f: argument 1 has strides that lead from several indices to one "
            "element, expected a tensor that the function can write");
}

TEST_F(InvokeTest, MemrefLayouts) {
  const Function &f = get(R"mlir(
    func.func @f(%x: memref<2x2xf32, strided<[3, 1], offset: ?>>) -> f32 {
      %c1 = arith.constant 1 : index
      %0 = memref.load %x[%c1, %c1] : memref<2x2xf32, strided<[3, 1], offset: ?>>
      return %0 : f32
    }
  )mlir");
  std::vector<float> data = {0, 1, 2, 3, 4, 5};
  SparseKTensor x = makeTensor(data, SPARSEK_F32, {2, 2});
  EXPECT_EQ(run(f, {x}), "@f: argument 0 has other strides than the function's "
                         "memref type");
  x.strides[0] = 3;
  ASSERT_EQ(run(f, {x}), "");
  EXPECT_EQ(getValues<float>(0), (std::vector<float>{4}));
}

TEST_F(InvokeTest, ResultsAreNew) {
  const Function &f = get(R"mlir(
    func.func @f(%x: tensor<2xf32>)
        -> (tensor<2xf32>, tensor<2xf32>, tensor<2xi32>, tensor<2xi32>) {
      %c = arith.constant dense<[3, 4]> : tensor<2xi32>
      return %x, %x, %c, %c
          : tensor<2xf32>, tensor<2xf32>, tensor<2xi32>, tensor<2xi32>
    }
  )mlir");
  std::vector<float> data = {1, 2};
  for (int round = 0; round < 2; ++round) {
    ASSERT_EQ(run(f, {makeTensor(data, SPARSEK_F32, {2})}), "");
    EXPECT_EQ(getValues<float>(0), data);
    EXPECT_EQ(getValues<int32_t>(3), (std::vector<int32_t>{3, 4}));
    for (int i = 0; i < 4; ++i)
      for (int j = 0; j < i; ++j)
        EXPECT_NE(results[i].data, results[j].data);
    // The constant of the module is not the caller's to change.
    static_cast<int32_t *>(results[3].data)[0] = 77;
    static_cast<float *>(results[0].data)[0] = 77;
    EXPECT_EQ(data[0], 1);
  }
}

TEST_F(InvokeTest, Scalars) {
  const Function &one = get("func.func @f(%x: i16) -> i16 {\n"
                            "  %y = arith.addi %x, %x : i16\n"
                            "  return %y : i16\n}");
  std::vector<int16_t> x = {-7};
  ASSERT_EQ(run(one, {makeTensor(x, SPARSEK_I16, {})}), "");
  EXPECT_EQ(getValues<int16_t>(0), (std::vector<int16_t>{-14}));

  const Function &many = get(R"mlir(
    func.func @f(%a: i1, %b: i8, %c: f64, %d: index, %t: tensor<1xi8>)
        -> (i1, i8, f64, tensor<1xi8>, i8, index) {
      return %a, %b, %c, %t, %b, %d : i1, i8, f64, tensor<1xi8>, i8, index
    }
  )mlir");
  std::vector<int8_t> a = {1}, b = {-3};
  std::vector<double> c = {2.5};
  std::vector<int64_t> d = {1ll << 40};
  ASSERT_EQ(
      run(many, {makeTensor(a, SPARSEK_I1, {}), makeTensor(b, SPARSEK_I8, {}),
                 makeTensor(c, SPARSEK_F64, {}), makeTensor(d, SPARSEK_I64, {}),
                 makeTensor(b, SPARSEK_I8, {1})}),
      "");
  EXPECT_EQ(getValues<int8_t>(0), a);
  EXPECT_EQ(getValues<int8_t>(1), b);
  EXPECT_EQ(getValues<double>(2), c);
  EXPECT_EQ(getValues<int8_t>(3), b);
  EXPECT_EQ(getValues<int8_t>(4), b);
  EXPECT_EQ(getValues<int64_t>(5), d);
}

TEST_F(InvokeTest, SizesThatDisagree) {
  const Function &f = get(R"mlir(
    func.func @f(%x: tensor<1x?x?xf32>, %w: tensor<2x?xf32>,
                 %b: tensor<?xf32>, %s: tensor<2xf32>) -> tensor<1x2x?xf32> {
      %c1 = arith.constant 1 : index
      %n = tensor.dim %x, %c1 : tensor<1x?x?xf32>
      %0 = tensor.empty(%n) : tensor<1x2x?xf32>
      %1 = sparsek.score
          ins(%x, %w, %b, %s : tensor<1x?x?xf32>, tensor<2x?xf32>,
              tensor<?xf32>, tensor<2xf32>)
          outs(%0 : tensor<1x2x?xf32>) -> tensor<1x2x?xf32>
      return %1 : tensor<1x2x?xf32>
    }
  )mlir");
  std::vector<float> x = {1, 2, 3, 4, 5, 6}, w = {1, 0, 1, 2}, b = {0, 1, 2};
  SparseKTensor good[] = {
      makeTensor(x, SPARSEK_F32, {1, 3, 2}), makeTensor(w, SPARSEK_F32, {2, 2}),
      makeTensor(b, SPARSEK_F32, {2}), makeTensor(b, SPARSEK_F32, {2})};
  ASSERT_EQ(run(f, {good[0], good[1], good[2], good[3]}), "");
  // x . w + b + slope * n, with slope = b = {0, 1}.
  EXPECT_EQ(getValues<float>(0), (std::vector<float>{1, 3, 5, 6, 13, 20}));
  SparseKTensor bad = makeTensor(b, SPARSEK_F32, {3});
  EXPECT_EQ(run(f, {good[0], good[1], bad, good[3]}),
            "@f: test.mlir:7:12: 'sparsek.score' op operand 'bias' has size 3 "
            "in dimension 0, expected 2 as dimension 0 of operand 'weight' "
            "(C3)");
  EXPECT_EQ(results[0].data, nullptr);
  bad = makeTensor(x, SPARSEK_F32, {1, 2, 3});
  EXPECT_NE(run(f, {bad, good[1], good[2], good[3]})
                .find("operand 'weight' has size 2 in dimension 1, expected 3 "
                      "as dimension 2 of operand 'x' (C3)"),
            std::string::npos);
  // And again without an error.
  EXPECT_EQ(run(f, {good[0], good[1], good[2], good[3]}), "");
}

TEST_F(InvokeTest, OutOfMemory) {
  const Function &f = get(R"mlir(
    func.func @f(%n: index) -> tensor<?xf64> {
      %c = arith.constant 1.0 : f64
      %0 = tensor.empty(%n) : tensor<?xf64>
      %1 = linalg.fill ins(%c : f64) outs(%0 : tensor<?xf64>) -> tensor<?xf64>
      return %1 : tensor<?xf64>
    }
  )mlir");
  std::vector<int64_t> n = {int64_t(1) << 45};
  std::string error = run(f, {makeTensor(n, SPARSEK_I64, {})});
  EXPECT_NE(error.find("@f: out of memory: could not allocate"),
            std::string::npos)
      << error;
  n[0] = 3;
  ASSERT_EQ(run(f, {makeTensor(n, SPARSEK_I64, {})}), "");
  EXPECT_EQ(getValues<double>(0), (std::vector<double>{1, 1, 1}));
}

} // namespace
