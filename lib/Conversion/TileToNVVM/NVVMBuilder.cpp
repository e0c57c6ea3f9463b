//===- NVVMBuilder.cpp - Short forms of nvvm and llvm ops -----------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "NVVMBuilder.h"

#include "sparsek/Dialect/Tile/IR/Tile.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::sparsek::tile;

Value NVVMBuilder::constant(int64_t value) {
  return arith::ConstantOp::create(*this, getI32IntegerAttr(value));
}

Value NVVMBuilder::add(Value lhs, Value rhs) {
  return arith::AddIOp::create(*this, lhs, rhs);
}

Value NVVMBuilder::add(Value lhs, int64_t rhs) {
  return rhs == 0 ? lhs : add(lhs, constant(rhs));
}

Value NVVMBuilder::mul(Value lhs, int64_t rhs) {
  return arith::MulIOp::create(*this, lhs, constant(rhs));
}

Value NVVMBuilder::isEqual(Value lhs, int64_t rhs) {
  return arith::CmpIOp::create(*this, arith::CmpIPredicate::eq, lhs,
                               constant(rhs));
}

Value NVVMBuilder::isLess(Value lhs, int64_t rhs) {
  return arith::CmpIOp::create(*this, arith::CmpIPredicate::ult, lhs,
                               constant(rhs));
}

Value NVVMBuilder::threadInBlock() {
  return NVVM::ThreadIdXOp::create(*this, getI32Type());
}

Value NVVMBuilder::threadInWarp() {
  return arith::AndIOp::create(*this, threadInBlock(),
                               constant(kWarpThreads - 1));
}

Value NVVMBuilder::sharedPointer(Value address) {
  auto type = LLVM::LLVMPointerType::get(
      getContext(), static_cast<unsigned>(NVVM::NVVMMemorySpace::Shared));
  return LLVM::IntToPtrOp::create(*this, type, address);
}

void NVVMBuilder::when(Value condition,
                       function_ref<void(NVVMBuilder &)> body) {
  scf::IfOp::create(*this, condition, [&](OpBuilder &inner, Location loc) {
    NVVMBuilder b(loc, inner);
    body(b);
    scf::YieldOp::create(b);
  });
}

SmallVector<Value> NVVMBuilder::unpack(Value vector) {
  SmallVector<Value> elements;
  int64_t size = cast<VectorType>(vector.getType()).getNumElements();
  for (int64_t i = 0; i < size; ++i)
    elements.push_back(vector::ExtractOp::create(*this, vector, i));
  return elements;
}

Value NVVMBuilder::pack(ValueRange elements) {
  auto type = VectorType::get(static_cast<int64_t>(elements.size()),
                              elements.front().getType());
  return vector::FromElementsOp::create(*this, type, elements);
}

/// The register class of a type in the constraints of inline assembly.
static StringRef getRegisterClass(Type type) {
  if (type.isF32())
    return "f";
  assert(type.isInteger(32) && "expected a 32-bit register");
  return "r";
}

SmallVector<Value> NVVMBuilder::assembly(const Twine &text, ValueRange tied,
                                         ValueRange inputs) {
  SmallVector<std::string> constraints;
  for (Value value : tied)
    constraints.push_back("=" + getRegisterClass(value.getType()).str());
  for (size_t i = 0; i < tied.size(); ++i)
    constraints.push_back(std::to_string(i));
  for (Value value : inputs)
    constraints.push_back(getRegisterClass(value.getType()).str());
  constraints.push_back("~{memory}");

  SmallVector<Value> operands(tied);
  llvm::append_range(operands, inputs);
  SmallVector<Type> types(tied.getTypes());
  Type type;
  if (types.size() == 1)
    type = types.front();
  else if (!types.empty())
    type = LLVM::LLVMStructType::getLiteral(getContext(), types);
  auto op = LLVM::InlineAsmOp::create(
      *this, type ? TypeRange(type) : TypeRange(), operands, text.str(),
      llvm::join(constraints, ","), /*has_side_effects=*/true,
      /*is_align_stack=*/false, LLVM::TailCallKind::None,
      LLVM::AsmDialectAttr::get(getContext(), LLVM::AsmDialect::AD_ATT),
      /*operand_attrs=*/ArrayAttr());
  if (types.size() <= 1)
    return SmallVector<Value>(op->getResults());
  SmallVector<Value> results;
  for (int64_t i = 0, e = types.size(); i < e; ++i)
    results.push_back(LLVM::ExtractValueOp::create(*this, op.getRes(), i));
  return results;
}
