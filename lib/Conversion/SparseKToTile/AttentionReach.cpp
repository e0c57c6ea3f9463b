//===- AttentionReach.cpp - Distances that a kernel's offsets hold --------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "AttentionReach.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace mlir::sparsek;

/// What -sparsek-check-shapes calls, too: false, and the message with the two
/// numbers in it is the call's error, where they differ.
static constexpr StringLiteral kCheckFunction = "sparsek_check_equal";
/// Offsets of a gather have 32 bits.
static constexpr int64_t kMaxReach = (int64_t(1) << 32) - 1;

static LLVM::LLVMFuncOp getCheckFunction(ModuleOp module,
                                         SymbolTable &symbols) {
  if (auto known = symbols.lookup<LLVM::LLVMFuncOp>(kCheckFunction))
    return known;
  auto builder = OpBuilder::atBlockBegin(module.getBody());
  auto pointer = LLVM::LLVMPointerType::get(module.getContext());
  Type i64 = builder.getI64Type();
  auto type =
      LLVM::LLVMFunctionType::get(builder.getI1Type(), {pointer, i64, i64});
  auto function =
      LLVM::LLVMFuncOp::create(builder, module.getLoc(), kCheckFunction, type);
  symbols.insert(function);
  return function;
}

static std::string getMessage(SparseAttentionOp op, StringRef operand) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  if (auto file = op->getLoc()->findInstanceOf<FileLineColLoc>())
    stream << file.getFilename().strref() << ":" << file.getLine() << ":"
           << file.getColumn() << ": ";
  stream << "'" << op->getName() << "' op operand '" << operand
         << "' has rows that one tile reads $0 bytes apart, expected at most "
            "$1: offsets have 32 bits";
  text.push_back('\0');
  return text;
}

/// A name that is not taken.
static std::string getMessageName(StringRef operand,
                                  const SymbolTable &symbols) {
  std::string name = ("sparsek_reach_of_" + operand).str();
  while (symbols.lookup(name))
    name += "_";
  return name;
}

static Value check(ImplicitLocOpBuilder &b, SparseAttentionOp op,
                   StringRef operand, Value bytes, SymbolTable &symbols) {
  auto module = op->getParentOfType<ModuleOp>();
  std::string message = getMessage(op, operand);
  auto moduleBuilder = OpBuilder::atBlockBegin(module.getBody());
  auto global = LLVM::GlobalOp::create(
      moduleBuilder, op->getLoc(),
      LLVM::LLVMArrayType::get(b.getI8Type(), message.size()),
      /*isConstant=*/true, LLVM::Linkage::Internal,
      getMessageName(operand, symbols), b.getStringAttr(message));
  symbols.insert(global);
  Value got = arith::IndexCastOp::create(b, b.getI64Type(), bytes);
  Value most =
      arith::ConstantOp::create(b, b.getI64IntegerAttr(kMaxReach)).getResult();
  Value expected = arith::MinSIOp::create(b, got, most);
  Value address = LLVM::AddressOfOp::create(b, global);
  return LLVM::CallOp::create(b, getCheckFunction(module, symbols),
                              ValueRange{address, got, expected})
      .getResult();
}

Value mlir::sparsek::buildReachCheck(ImplicitLocOpBuilder &b,
                                     SparseAttentionOp op,
                                     const AttentionShape &shape,
                                     int64_t queries, SymbolTable &symbols) {
  Value element = arith::ConstantIndexOp::create(b, shape.getElementBytes());
  auto mul = [&](Value x, Value y) -> Value {
    return arith::MulIOp::create(b, x, y);
  };
  auto getStrides = [&](Value memref) {
    return memref::ExtractStridedMetadataOp::create(b, memref).getStrides();
  };
  // All rows of a head of keys and values; of the queries those of a tile.
  auto getRows = [&](Value memref) {
    Value size = memref::DimOp::create(b, memref, 2);
    return mul(mul(size, getStrides(memref)[2]), element);
  };
  ValueRange strides = getStrides(op.getQuery());
  Value heads =
      mul(arith::ConstantIndexOp::create(b, shape.heads - 1), strides[1]);
  Value size =
      arith::MinUIOp::create(b, memref::DimOp::create(b, op.getQuery(), 2),
                             arith::ConstantIndexOp::create(b, queries));
  Value tile = arith::AddIOp::create(b, heads, mul(size, strides[2]));
  Value query = check(b, op, "query", mul(tile, element), symbols);
  Value key = check(b, op, "key", getRows(op.getKey()), symbols);
  Value value = check(b, op, "value", getRows(op.getValue()), symbols);
  return arith::AndIOp::create(b, query, arith::AndIOp::create(b, key, value));
}
