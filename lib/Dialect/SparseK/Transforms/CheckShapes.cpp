//===- CheckShapes.cpp - Compare sizes at run time ------------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sparsek/Dialect/SparseK/IR/SparseK.h"
#include "sparsek/Dialect/SparseK/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/TypeSwitch.h"

#include <limits>
#include <set>

namespace mlir::sparsek {
#define GEN_PASS_DEF_SPARSEKCHECKSHAPES
#include "sparsek/Dialect/SparseK/Transforms/Passes.h.inc"
} // namespace mlir::sparsek

using namespace mlir;
using namespace mlir::sparsek;

static constexpr StringLiteral kCheckFunction = "sparsek_check_equal";

namespace {

/// An operand with the name it has in the op's description.
struct Named {
  StringRef name;
  Value value;
};

/// Dimension `dim` of `operand` is `factor` times dimension `otherDim` of
/// `other`, by the constraint `label`. Without `other`: it fits i32.
struct Constraint {
  Named operand;
  int64_t dim;
  Named other;
  int64_t otherDim;
  StringRef label;
  int64_t factor = 1;
};

using Constraints = SmallVector<Constraint>;

/// Where a size comes from: equal sources are equal sizes.
using Source = std::pair<Value, int64_t>;

} // namespace

//===----------------------------------------------------------------------===//
// The constraints of each op
//===----------------------------------------------------------------------===//

/// `operand` agrees with `other` on the first `count` dimensions from `first`.
static void addSame(Constraints &constraints, Named operand, Named other,
                    int64_t first, int64_t count, StringRef label) {
  if (operand.value)
    for (int64_t dim = first; dim < first + count; ++dim)
      constraints.push_back({operand, dim, other, dim, label});
}

static Constraints getConstraints(TopkMaskOp op) {
  Named scores{"scores", op.getScores()};
  int64_t rank = cast<ShapedType>(op.getScores().getType()).getRank();
  Constraints result;
  addSame(result, {"mask", op.getMask()}, scores, 0, rank, "C3");
  addSame(result, {"tau", op.getTau()}, scores, 0, rank - 1, "C4");
  return result;
}

static Constraints getConstraints(TopkMaskGradOp op) {
  Named scores{"scores", op.getScores()};
  int64_t rank = cast<ShapedType>(op.getScores().getType()).getRank();
  Constraints result;
  addSame(result, {"grad_mask", op.getGradMask()}, scores, 0, rank, "C2");
  addSame(result, {"grad_scores", op.getGradScores()}, scores, 0, rank, "C2");
  addSame(result, {"tau", op.getTau()}, scores, 0, rank - 1, "C3");
  addSame(result, {"grad_tau", op.getGradTau()}, scores, 0, rank - 1, "C3");
  return result;
}

static Constraints getConstraints(CausalTopkMaskOp op) {
  Named scores{"scores", op.getScores()};
  Constraints result = {{scores, 2, {}, 0, "C3"}};
  addSame(result, {"end", op.getEnd()}, scores, 0, 3, "C4");
  addSame(result, {"tau", op.getTau()}, scores, 0, 3, "C4");
  addSame(result, {"free", op.getFree()}, scores, 0, 3, "C4");
  return result;
}

static Constraints getConstraints(CausalTopkMaskGradOp op) {
  Named scores{"scores", op.getScores()};
  Constraints result;
  addSame(result, {"tau", op.getTau()}, scores, 0, 3, "C3");
  addSame(result, {"free", op.getFree()}, scores, 0, 3, "C3");
  addSame(result, {"grad_tau", op.getGradTau()}, scores, 0, 3, "C3");
  addSame(result, {"grad_scores", op.getGradScores()}, scores, 0, 3, "C3");
  return result;
}

/// What attention and its gradient have in common.
template <typename AttentionOp>
static Constraints getAttentionConstraints(AttentionOp op) {
  Named query{"query", op.getQuery()}, key{"key", op.getKey()};
  Constraints result;
  addSame(result, key, query, 0, 1, "C5");
  addSame(result, {"value", op.getValue()}, key, 0, 3, "C5");
  addSame(result, {"end", op.getEnd()}, key, 0, 3, "C5");
  addSame(result, {"scores", op.getScores()}, key, 0, 3, "C5");
  addSame(result, {"tau", op.getTau()}, key, 0, 3, "C5");
  addSame(result, {"output", op.getOutput()}, query, 0, 3, "C5");
  addSame(result, {"lse", op.getLse()}, query, 0, 3, "C5");
  result.push_back({query, 1, key, 1, "C6", op.getGroupSize()});
  return result;
}

static Constraints getConstraints(SparseAttentionOp op) {
  return getAttentionConstraints(op);
}

static Constraints getConstraints(SparseAttentionGradOp op) {
  Named query{"query", op.getQuery()}, key{"key", op.getKey()};
  Constraints result = getAttentionConstraints(op);
  addSame(result, {"grad_output", op.getGradOutput()}, query, 0, 3, "C9");
  addSame(result, {"grad_lse", op.getGradLse()}, query, 0, 3, "C9");
  addSame(result, {"grad_query", op.getGradQuery()}, query, 0, 3, "C9");
  addSame(result, {"grad_key", op.getGradKey()}, key, 0, 3, "C9");
  addSame(result, {"grad_value", op.getGradValue()}, key, 0, 3, "C9");
  addSame(result, {"grad_scores", op.getGradScores()}, key, 0, 3, "C10");
  addSame(result, {"grad_tau", op.getGradTau()}, key, 0, 3, "C10");
  return result;
}

static Constraints getConstraints(ScoreOp op) {
  Named x{"x", op.getX()}, weight{"weight", op.getWeight()},
      bias{"bias", op.getBias()}, slope{"slope", op.getSlope()},
      scores{"scores", op.getScores()};
  return {{weight, 1, x, 2, "C3"},      {bias, 0, weight, 0, "C3"},
          {slope, 0, weight, 0, "C3"},  {scores, 0, x, 0, "C3"},
          {scores, 1, weight, 0, "C3"}, {scores, 2, x, 1, "C3"}};
}

static Constraints getConstraints(LiveListsOp op) {
  Named end{"end", op.getEnd()}, start{"start", op.getStart()};
  Constraints result = {{end, 2, {}, 0, "C3"}};
  addSame(result, start, end, 0, 2, "C4");
  addSame(result, {"count", op.getCount()}, start, 0, 3, "C4");
  addSame(result, {"list", op.getList()}, start, 0, 3, "C4");
  return result;
}

/// Fails on an op that is missing above.
static FailureOr<Constraints> getConstraints(Operation *op) {
  return llvm::TypeSwitch<Operation *, FailureOr<Constraints>>(op)
      .Case<TopkMaskOp, TopkMaskGradOp, CausalTopkMaskOp, CausalTopkMaskGradOp,
            SparseAttentionOp, SparseAttentionGradOp, ScoreOp, LiveListsOp>(
          [](auto op) { return getConstraints(op); })
      .Default([](Operation *op) {
        return op->emitOpError("has sizes that this pass does not know");
      });
}

//===----------------------------------------------------------------------===//
// Sizes
//===----------------------------------------------------------------------===//

/// Follows a size to where it comes from: through destinations, and in
///   %n = tensor.dim %a, %c1
///   %e = tensor.empty(%n)
/// from dimension 0 of %e to dimension 1 of %a.
static Source traceSize(Value value, int64_t dim) {
  Operation *op = value.getDefiningOp();
  if (!op || !cast<ShapedType>(value.getType()).isDynamicDim(dim))
    return {value, dim};
  if (auto destination = dyn_cast<DestinationStyleOpInterface>(op))
    return traceSize(destination.getTiedOpOperand(cast<OpResult>(value))->get(),
                     dim);
  auto empty = dyn_cast<tensor::EmptyOp>(op);
  if (!empty)
    return {value, dim};
  auto size = empty.getDynamicSize(dim).getDefiningOp<tensor::DimOp>();
  if (!size)
    return {value, dim};
  std::optional<int64_t> index = size.getConstantIndex();
  if (!index)
    return {value, dim};
  return traceSize(size.getSource(), *index);
}

/// The size as an i64.
static Value getSize(OpBuilder &builder, Location loc, Value value,
                     int64_t dim) {
  auto type = cast<ShapedType>(value.getType());
  if (!type.isDynamicDim(dim))
    return arith::ConstantOp::create(
        builder, loc, builder.getI64IntegerAttr(type.getDimSize(dim)));
  Value index = arith::ConstantIndexOp::create(builder, loc, dim);
  Value size;
  if (isa<MemRefType>(type))
    size = memref::DimOp::create(builder, loc, value, index);
  else
    size = tensor::DimOp::create(builder, loc, value, index);
  return arith::IndexCastOp::create(builder, loc, builder.getI64Type(), size);
}

/// What the size `got` has to equal: for a bound, itself or else the bound.
static Value getExpected(OpBuilder &builder, Location loc,
                         const Constraint &constraint, Value got) {
  auto constant = [&](int64_t value) -> Value {
    return arith::ConstantOp::create(builder, loc,
                                     builder.getI64IntegerAttr(value));
  };
  if (!constraint.other.value)
    return arith::MinSIOp::create(
        builder, loc, got, constant(std::numeric_limits<int32_t>::max()));
  Value size =
      getSize(builder, loc, constraint.other.value, constraint.otherDim);
  if (constraint.factor == 1)
    return size;
  return arith::MulIOp::create(builder, loc, size, constant(constraint.factor));
}

/// Whether a constraint holds by the types, which the verifier has compared, or
/// because both sizes come from one place.
static bool isKnown(const Constraint &constraint) {
  auto isStatic = [](Named operand, int64_t dim) {
    return !cast<ShapedType>(operand.value.getType()).isDynamicDim(dim);
  };
  bool isOtherStatic = !constraint.other.value ||
                       isStatic(constraint.other, constraint.otherDim);
  if (isStatic(constraint.operand, constraint.dim) && isOtherStatic)
    return true;
  return constraint.other.value && constraint.factor == 1 &&
         traceSize(constraint.operand.value, constraint.dim) ==
             traceSize(constraint.other.value, constraint.otherDim);
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

/// The verifier's words, with $0 and $1 for the sizes.
static std::string getMessage(Operation *op, const Constraint &constraint) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  if (auto file = op->getLoc()->findInstanceOf<FileLineColLoc>())
    stream << file.getFilename().strref() << ":" << file.getLine() << ":"
           << file.getColumn() << ": ";
  stream << "'" << op->getName() << "' op operand '" << constraint.operand.name
         << "' has size $0 in dimension " << constraint.dim << ", expected ";
  if (!constraint.other.value) {
    stream << "at most $1 (" << constraint.label << ")";
    return text;
  }
  stream << "$1 as ";
  if (constraint.factor != 1)
    stream << constraint.factor << " times ";
  stream << "dimension " << constraint.otherDim << " of operand '"
         << constraint.other.name << "' (" << constraint.label << ")";
  return text;
}

namespace {

struct CheckShapesPass
    : sparsek::impl::SparseKCheckShapesBase<CheckShapesPass> {
  void runOnOperation() override;

private:
  /// What holds in a block up to the op at hand: an i1, and the constraints it
  /// implies.
  struct Checked {
    Value ok;
    std::set<std::tuple<void *, int64_t, void *, int64_t, int64_t>> known;
  };

  FailureOr<Value> checkOp(Operation *op, SymbolTable &symbols,
                           Checked &checked);
  Value addCheck(OpBuilder &builder, Operation *op, SymbolTable &symbols,
                 const Constraint &constraint);
  LLVM::LLVMFuncOp getCheckFunction(SymbolTable &symbols);
};

} // namespace

LLVM::LLVMFuncOp CheckShapesPass::getCheckFunction(SymbolTable &symbols) {
  if (auto known = symbols.lookup<LLVM::LLVMFuncOp>(kCheckFunction))
    return known;
  OpBuilder builder(getOperation().getBodyRegion());
  auto pointer = LLVM::LLVMPointerType::get(&getContext());
  Type i64 = builder.getI64Type();
  auto type =
      LLVM::LLVMFunctionType::get(builder.getI1Type(), {pointer, i64, i64});
  auto function = LLVM::LLVMFuncOp::create(builder, getOperation().getLoc(),
                                           kCheckFunction, type);
  symbols.insert(function);
  return function;
}

/// %ok = llvm.call @sparsek_check_equal(%message, %got, %expected)
Value CheckShapesPass::addCheck(OpBuilder &builder, Operation *op,
                                SymbolTable &symbols,
                                const Constraint &constraint) {
  Location loc = op->getLoc();
  std::string message = getMessage(op, constraint);
  message.push_back('\0');
  OpBuilder moduleBuilder(getOperation().getBodyRegion());
  auto global = LLVM::GlobalOp::create(
      moduleBuilder, loc,
      LLVM::LLVMArrayType::get(builder.getI8Type(), message.size()),
      /*isConstant=*/true, LLVM::Linkage::Internal, "sparsek_message",
      builder.getStringAttr(message));
  symbols.insert(global);

  Value got = getSize(builder, loc, constraint.operand.value, constraint.dim);
  Value expected = getExpected(builder, loc, constraint, got);
  Value address = LLVM::AddressOfOp::create(builder, loc, global);
  return LLVM::CallOp::create(builder, loc, getCheckFunction(symbols),
                              ValueRange{address, got, expected})
      .getResult();
}

/// Compares the sizes of the op's operands before the op. Returns whether all
/// checks of the block so far hold; null where there are none.
FailureOr<Value> CheckShapesPass::checkOp(Operation *op, SymbolTable &symbols,
                                          Checked &checked) {
  OpBuilder builder(op);
  FailureOr<Constraints> constraints = getConstraints(op);
  if (failed(constraints))
    return failure();
  for (const Constraint &constraint : *constraints) {
    if (isKnown(constraint))
      continue;
    Source a = traceSize(constraint.operand.value, constraint.dim);
    Source b;
    if (constraint.other.value)
      b = traceSize(constraint.other.value, constraint.otherDim);
    bool isNew =
        checked.known
            .insert({a.first.getAsOpaquePointer(), a.second,
                     b.first.getAsOpaquePointer(), b.second, constraint.factor})
            .second;
    if (!isNew)
      continue;
    Value ok = addCheck(builder, op, symbols, constraint);
    if (checked.ok)
      ok = arith::AndIOp::create(builder, op->getLoc(), checked.ok, ok);
    checked.ok = ok;
  }
  return checked.ok;
}

/// Whether a tensor is (part of) an argument of a function.
static bool isArgument(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (!isa<tensor::ExtractSliceOp, tensor::CastOp, tensor::CollapseShapeOp,
             tensor::ExpandShapeOp>(op))
      return false;
    value = op->getOperand(0);
  }
  return isa<FunctionOpInterface>(value.getParentBlock()->getParentOp());
}

/// What an op that does not run gives for a destination, and nobody reads: the
/// destination, which bufferization makes the same buffer as the op's result.
/// Not so an argument, which the op may not write to: new memory on both sides.
static Value getUnchanged(OpBuilder &builder, Location loc, Value init) {
  if (!isArgument(init))
    return init;
  return tensor::EmptyOp::create(
      builder, loc, tensor::getMixedSizes(builder, loc, init),
      cast<RankedTensorType>(init.getType()).getElementType());
}

/// Runs the op only if `ok`.
static void guardOp(Operation *op, Value ok) {
  OpBuilder builder(op);
  bool hasResults = op->getNumResults() > 0;
  auto guard = scf::IfOp::create(builder, op->getLoc(), op->getResultTypes(),
                                 ok, /*withElseRegion=*/hasResults);
  op->replaceAllUsesWith(guard.getResults());
  op->moveBefore(guard.thenBlock(), guard.thenBlock()->begin());
  if (!hasResults)
    return;
  builder.setInsertionPointToEnd(guard.thenBlock());
  scf::YieldOp::create(builder, op->getLoc(), op->getResults());
  builder.setInsertionPointToEnd(guard.elseBlock());
  SmallVector<Value> unchanged;
  for (Value init : cast<DestinationStyleOpInterface>(op).getDpsInits())
    unchanged.push_back(getUnchanged(builder, op->getLoc(), init));
  scf::YieldOp::create(builder, op->getLoc(), unchanged);
}

void CheckShapesPass::runOnOperation() {
  SymbolTable symbols(getOperation());
  SmallVector<Operation *> ops;
  getOperation().walk([&](Operation *op) {
    if (isa_and_nonnull<SparseKDialect>(op->getDialect()))
      ops.push_back(op);
  });
  // All checks first: sizes are traced through the ops, not through the guards.
  llvm::DenseMap<Block *, Checked> checked;
  SmallVector<std::pair<Operation *, Value>> guards;
  for (Operation *op : ops) {
    FailureOr<Value> ok = checkOp(op, symbols, checked[op->getBlock()]);
    if (failed(ok))
      return signalPassFailure();
    if (*ok)
      guards.emplace_back(op, *ok);
  }
  for (auto [op, ok] : guards)
    guardOp(op, ok);
}
