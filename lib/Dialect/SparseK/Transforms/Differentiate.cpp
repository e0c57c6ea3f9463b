//===- Differentiate.cpp - Backward functions of sparsek functions --------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "DifferentiateRules.h"

#include "sparsek/Dialect/SparseK/IR/SparseK.h"
#include "sparsek/Dialect/SparseK/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "mlir/Transforms/RegionUtils.h"

namespace mlir::sparsek {
#define GEN_PASS_DEF_SPARSEKDIFFERENTIATE
#include "sparsek/Dialect/SparseK/Transforms/Passes.h.inc"
} // namespace mlir::sparsek

using namespace mlir;
using namespace mlir::sparsek;
using namespace mlir::sparsek::differentiate;

//===----------------------------------------------------------------------===//
// What the rules share
//===----------------------------------------------------------------------===//

Value Cotangents::lookupOrZeros(Location loc, Value value) {
  if (Value cotangent = lookup(value))
    return cotangent;
  return zerosLike(builder, loc, value);
}

void Cotangents::add(Location loc, Value value, Value cotangent) {
  if (!isActive(value))
    return;
  Value &sum = sums[value];
  sum = sum ? arith::AddFOp::create(builder, loc, sum, cotangent).getResult()
            : cotangent;
}

bool sparsek::differentiate::isDiscrete(Type type) {
  return getElementTypeOrSelf(type).isIntOrIndex();
}

bool sparsek::differentiate::isOverwritten(OpOperand &operand) {
  Operation *op = operand.getOwner();
  if (auto structured = dyn_cast<linalg::LinalgOp>(op))
    return structured.isDpsInit(&operand) &&
           !structured.payloadUsesValueFromOperand(&operand);
  auto destinations = dyn_cast<DestinationStyleOpInterface>(op);
  return isa_and_nonnull<SparseKDialect>(op->getDialect()) && destinations &&
         destinations.isDpsInit(&operand);
}

SmallVector<Value> sparsek::differentiate::getReadValues(Operation *op) {
  llvm::SetVector<Value> values;
  for (OpOperand &operand : op->getOpOperands())
    if (!isOverwritten(operand))
      values.insert(operand.get());
  getUsedValuesDefinedAbove(op->getRegions(), values);
  return values.takeVector();
}

SmallVector<OpFoldResult> sparsek::differentiate::getSizes(OpBuilder &builder,
                                                           Location loc,
                                                           Value tensor) {
  while (auto op = tensor.getDefiningOp<DestinationStyleOpInterface>())
    tensor = op.getTiedOpOperand(cast<OpResult>(tensor))->get();
  if (auto empty = tensor.getDefiningOp<tensor::EmptyOp>())
    return empty.getMixedSizes();
  return tensor::getMixedSizes(builder, loc, tensor);
}

Value sparsek::differentiate::emptyLike(OpBuilder &builder, Location loc,
                                        Value tensor, Type element) {
  auto type = cast<RankedTensorType>(tensor.getType());
  SmallVector<Value> sizes;
  if (!type.hasStaticShape())
    for (auto [size, mixed] :
         llvm::zip_equal(type.getShape(), getSizes(builder, loc, tensor)))
      if (ShapedType::isDynamic(size))
        sizes.push_back(getValueOrCreateConstantIndexOp(builder, loc, mixed));
  if (element)
    type = type.clone(element);
  return tensor::EmptyOp::create(builder, loc, type, sizes);
}

Value sparsek::differentiate::zerosLike(OpBuilder &builder, Location loc,
                                        Value value, Type element) {
  if (!element)
    element = getElementTypeOrSelf(value.getType());
  Value zero =
      arith::ConstantOp::create(builder, loc, builder.getZeroAttr(element));
  if (!isa<RankedTensorType>(value.getType()))
    return zero;
  Value empty = emptyLike(builder, loc, value, element);
  return linalg::FillOp::create(builder, loc, zero, empty).getResult(0);
}

Value sparsek::differentiate::castFloat(OpBuilder &builder, Location loc,
                                        Value value, Type element) {
  Type from = getElementTypeOrSelf(value.getType());
  if (from == element)
    return value;
  Type type = element;
  if (auto shaped = dyn_cast<RankedTensorType>(value.getType()))
    type = shaped.clone(element);
  if (from.getIntOrFloatBitWidth() < element.getIntOrFloatBitWidth())
    return arith::ExtFOp::create(builder, loc, type, value);
  return arith::TruncFOp::create(builder, loc, type, value);
}

Type sparsek::differentiate::getSumType(Type type) {
  return type.getIntOrFloatBitWidth() < 32 ? Float32Type::get(type.getContext())
                                           : type;
}

InFlightDiagnostic
sparsek::differentiate::emitCannotDifferentiate(Operation *op) {
  return emitError(op->getLoc())
         << "cannot differentiate '" << op->getName() << "'";
}

//===----------------------------------------------------------------------===//
// Functions
//===----------------------------------------------------------------------===//

/// Whether a gradient is taken from, or with respect to, values of this type.
static bool isFloatTensor(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && isa<FloatType>(tensor.getElementType());
}

/// Whether the argument is only a place for results: ops overwrite it without
/// reading it, or ask for its sizes.
static bool isDestination(BlockArgument argument) {
  bool overwritten = false;
  for (OpOperand &use : argument.getUses()) {
    if (isOverwritten(use))
      overwritten = true;
    else if (!isa<tensor::DimOp>(use.getOwner()))
      return false;
  }
  return overwritten;
}

/// Whether the function has what a gradient is made of, or what has to be
/// reported instead: memrefs.
static bool isCandidate(func::FuncOp func) {
  auto isFloat = [](Type type) {
    auto shaped = dyn_cast<ShapedType>(type);
    return shaped && isa<FloatType>(shaped.getElementType());
  };
  auto hasMemRef = [&](Type type) {
    return isa<BaseMemRefType>(type) && isFloat(type);
  };
  if (func.isExternal() || !func.isPublic() ||
      !llvm::any_of(func.getArgumentTypes(), isFloat) ||
      !(llvm::any_of(func.getResultTypes(), isFloat) ||
        llvm::any_of(func.getArgumentTypes(), hasMemRef)))
    return false;
  return func
      .walk([](Operation *op) {
        return isa<TopkMaskOp, CausalTopkMaskOp, SparseAttentionOp, ScoreOp>(op)
                   ? WalkResult::interrupt()
                   : WalkResult::advance();
      })
      .wasInterrupted();
}

static LogicalResult checkFunction(func::FuncOp func) {
  auto emit = [&](Location loc) {
    return emitError(loc) << "cannot differentiate function '" << func.getName()
                          << "': ";
  };
  if (func.isExternal())
    return emit(func.getLoc()) << "it has no body";
  if (!llvm::hasSingleElement(func.getBody()))
    return emit(func.getLoc()) << "it has " << func.getBody().getBlocks().size()
                               << " blocks, expected one";
  for (BlockArgument argument : func.getArguments())
    if (!isa<RankedTensorType>(argument.getType()) &&
        !argument.getType().isIntOrIndexOrFloat())
      return emit(argument.getLoc())
             << "argument #" << argument.getArgNumber() << " has type "
             << argument.getType() << ", expected ranked tensors or scalars";
  if (!llvm::any_of(func.getResultTypes(), isFloatTensor))
    return emit(func.getLoc()) << "it returns no ranked tensor of floats";
  return success();
}

namespace {
/// Turns the copy of a function into its backward function.
class Differentiation {
public:
  explicit Differentiation(func::FuncOp func)
      : func(func), builder(func.getContext()), cotangents(builder) {}

  LogicalResult run();

private:
  LogicalResult propagateActivity();
  LogicalResult addCotangentArguments();
  LogicalResult reverse();
  void returnGradients();

  func::FuncOp func;
  OpBuilder builder;
  Cotangents cotangents;
  /// The arguments whose gradients are returned.
  SmallVector<BlockArgument> sources;
};
} // namespace

/// Marks what depends on a float argument. An op with side effects must not:
/// the dependence could go on where it is not seen.
LogicalResult Differentiation::propagateActivity() {
  for (BlockArgument argument : func.getArguments())
    if (isFloatTensor(argument.getType()) && !isDestination(argument)) {
      sources.push_back(argument);
      cotangents.activate(argument);
    }
  for (Operation &op : func.front().without_terminator()) {
    if (llvm::none_of(getReadValues(&op),
                      [&](Value value) { return cotangents.isActive(value); }))
      continue;
    if (!isMemoryEffectFree(&op))
      return emitCannotDifferentiate(&op)
             << ": it may have side effects and reads a value that depends on "
                "an argument";
    for (Value result : op.getResults())
      if (!isDiscrete(result.getType()))
        cotangents.activate(result);
  }
  return success();
}

/// One more argument for every float tensor that is returned.
LogicalResult Differentiation::addCotangentArguments() {
  Operation *terminator = func.front().getTerminator();
  for (auto [index, value] : llvm::enumerate(terminator->getOperands())) {
    if (!isFloatTensor(value.getType())) {
      if (!cotangents.isActive(value))
        continue;
      return emitCannotDifferentiate(terminator)
             << ": result #" << index << " has type " << value.getType()
             << " and depends on an argument, expected a ranked tensor of "
                "floats";
    }
    unsigned number = func.getNumArguments();
    if (failed(func.insertArgument(number, value.getType(), /*argAttrs=*/{},
                                   value.getLoc())))
      return failure();
    cotangents.add(terminator->getLoc(), value, func.getArgument(number));
  }
  return success();
}

static LogicalResult reverseOp(Operation *op, Cotangents &cotangents) {
  if (auto structured = dyn_cast<linalg::LinalgOp>(op))
    return reverseLinalg(structured, cotangents);
  if (isa_and_nonnull<SparseKDialect>(op->getDialect()))
    return reverseSparseK(op, cotangents);
  if (isa_and_nonnull<tensor::TensorDialect>(op->getDialect()))
    return reverseTensor(op, cotangents);
  return reverseElementwise(op, cotangents);
}

LogicalResult Differentiation::reverse() {
  auto forward = llvm::to_vector(
      llvm::make_pointer_range(func.front().without_terminator()));
  builder.setInsertionPoint(func.front().getTerminator());
  if (failed(addCotangentArguments()))
    return failure();
  for (Operation *op : llvm::reverse(forward))
    if (llvm::any_of(op->getResults(), [&](Value result) {
          return static_cast<bool>(cotangents.lookup(result));
        }))
      if (failed(reverseOp(op, cotangents)))
        return failure();
  return success();
}

void Differentiation::returnGradients() {
  SmallVector<Value> gradients;
  for (BlockArgument source : sources)
    gradients.push_back(cotangents.lookupOrZeros(source.getLoc(), source));
  Operation *terminator = func.front().getTerminator();
  func::ReturnOp::create(builder, terminator->getLoc(), gradients);
  terminator->erase();
  func.removeResAttrsAttr();
  func.setFunctionType(builder.getFunctionType(
      func.getArgumentTypes(), TypeRange(ValueRange(gradients))));
}

LogicalResult Differentiation::run() {
  if (failed(propagateActivity()) || failed(reverse()))
    return failure();
  returnGradients();
  // What the gradients need of the forward computation stays; so do only those
  // inputs of the reversed bodies that they read.
  RewritePatternSet patterns(func.getContext());
  linalg::populateEraseUnusedOperandsAndResultsPatterns(patterns);
  return applyPatternsGreedily(func, std::move(patterns));
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

namespace {

struct DifferentiatePass
    : sparsek::impl::SparseKDifferentiateBase<DifferentiatePass> {
  using SparseKDifferentiateBase::SparseKDifferentiateBase;

  void runOnOperation() override {
    SmallVector<func::FuncOp> selected;
    if (failed(select(selected)))
      return signalPassFailure();
    for (func::FuncOp func : selected)
      if (failed(append(func)))
        return signalPassFailure();
  }

private:
  LogicalResult select(SmallVectorImpl<func::FuncOp> &selected) {
    ModuleOp module = getOperation();
    if (functions.empty()) {
      llvm::copy_if(module.getOps<func::FuncOp>(), std::back_inserter(selected),
                    isCandidate);
      return success();
    }
    for (const std::string &name : functions) {
      auto func = module.lookupSymbol<func::FuncOp>(name);
      if (!func)
        return module.emitError()
               << "option 'functions' names '" << name
               << "', expected the name of a function of the module";
      selected.push_back(func);
    }
    return success();
  }

  /// Appends the backward function of `func` after it, in the place of its
  /// declaration if there is one.
  LogicalResult append(func::FuncOp func) {
    if (failed(checkFunction(func)))
      return failure();
    std::string name = (func.getName() + "_grad").str();
    Operation *other = getOperation().lookupSymbol(name);
    auto declaration = dyn_cast_or_null<func::FuncOp>(other);
    if (other && !(declaration && declaration.isExternal())) {
      func.emitError() << "cannot differentiate function '" << func.getName()
                       << "': '" << name << "' exists";
      return failure();
    }
    func::FuncOp gradient = func.clone();
    gradient.setName(name);
    getOperation().insert(std::next(func->getIterator()), gradient);
    if (failed(Differentiation(gradient).run()) ||
        failed(replaceDeclaration(declaration, gradient))) {
      gradient.erase();
      return failure();
    }
    return success();
  }

  static LogicalResult replaceDeclaration(func::FuncOp declaration,
                                          func::FuncOp gradient) {
    if (!declaration)
      return success();
    if (declaration.getFunctionType() != gradient.getFunctionType())
      return declaration.emitError()
             << "'" << declaration.getName() << "' is declared with type "
             << declaration.getFunctionType() << ", expected "
             << gradient.getFunctionType();
    declaration.erase();
    return success();
  }
};

} // namespace
