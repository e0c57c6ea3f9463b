//===- DifferentiateLinalg.cpp - Reverse mode of linalg ops ---------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One rule covers every linalg op whose iterators are parallel or reductions
// that add: the cotangent of an operand is a loop over the same iteration
// space that sums the derivative of the body along the dimensions that the
// operand does not have. Contractions and transposes stay what they are.
//
//===----------------------------------------------------------------------===//

#include "DifferentiateRules.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;
using namespace mlir::sparsek::differentiate;

//===----------------------------------------------------------------------===//
// What has a rule
//===----------------------------------------------------------------------===//

/// The addend of a body's result `accumulator + addend`, null if it is none or
/// if the accumulator is read elsewhere.
static Value getAddend(Value yielded, BlockArgument accumulator) {
  auto sum = yielded.getDefiningOp<arith::AddFOp>();
  if (!sum || !accumulator.hasOneUse())
    return {};
  if (sum.getLhs() == accumulator)
    return sum.getRhs();
  return sum.getRhs() == accumulator ? sum.getLhs() : Value();
}

/// Whether the iterators and results of `op` have a rule.
static LogicalResult checkResults(linalg::LinalgOp op) {
  if (op.getNumReductionLoops() + op.getNumParallelLoops() != op.getNumLoops())
    return emitCannotDifferentiate(op)
           << ": expected iterators that are parallel or reductions";
  Operation *yield = op.getBlock()->getTerminator();
  for (OpOperand &init : op.getDpsInitsMutable()) {
    AffineMap map = op.getMatchingIndexingMap(&init);
    if (!map.isProjectedPermutation() ||
        map.getNumResults() != op.getNumParallelLoops())
      return emitCannotDifferentiate(op)
             << ": a result has indexing map " << AffineMapAttr::get(map)
             << ", expected a permutation of the parallel dimensions";
    Value yielded = op.getMatchingYieldValue(&init)->get();
    if (op.getNumReductionLoops() > 0 &&
        !getAddend(yielded, op.getMatchingBlockArgument(&init)))
      return emitCannotDifferentiate(op).attachNote(yield->getLoc())
             << "its reduction does not add to the destination";
  }
  return success();
}

/// Whether the active operands of `op` have a rule.
static LogicalResult checkOperands(linalg::LinalgOp op, const Cotangents &c) {
  llvm::SetVector<Value> captured;
  getUsedValuesDefinedAbove(op->getRegions(), captured);
  for (Value value : captured)
    if (c.isActive(value))
      return emitCannotDifferentiate(op)
             << ": its body captures a value that depends on an argument";
  for (OpOperand &operand : op->getOpOperands()) {
    if (!c.isActive(operand.get()) || isOverwritten(operand))
      continue;
    auto type = dyn_cast<RankedTensorType>(operand.get().getType());
    if (!type || !isa<FloatType>(type.getElementType()))
      return emitCannotDifferentiate(op)
             << ": operand #" << operand.getOperandNumber() << " has type "
             << operand.get().getType()
             << " and depends on an argument, expected a ranked tensor of "
                "floats";
    AffineMap map = op.getMatchingIndexingMap(&operand);
    if (!map.isProjectedPermutation())
      return emitCannotDifferentiate(op)
             << ": operand #" << operand.getOperandNumber()
             << " has indexing map " << AffineMapAttr::get(map)
             << ", expected a projected permutation";
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Transposes and contractions
//===----------------------------------------------------------------------===//

/// linalg.transpose ins(%x) permutation = p
/// becomes
///   linalg.transpose ins(%dy) permutation = p^-1
static Value reverseTranspose(linalg::TransposeOp op, Cotangents &c) {
  Location loc = op.getLoc();
  return linalg::TransposeOp::create(
             c.builder, loc, c.lookup(op->getResult(0)),
             emptyLike(c.builder, loc, op.getInput()),
             invertPermutationVector(op.getPermutation()))
      ->getResult(0);
}

/// The argument behind `value`, a block argument or the extension of one.
static Value skipExtension(Value value) {
  if (auto extension = value.getDefiningOp<arith::ExtFOp>())
    return extension.getIn();
  return value;
}

/// Whether `op` is a linalg.contract by another name: the body adds the product
/// of both inputs, extended at most, to the destination, and every dimension
/// is one of two operands at least.
static bool isContraction(linalg::LinalgOp op) {
  if (op.getNumDpsInputs() != 2 || op.getNumDpsInits() != 1 ||
      !llvm::all_of(op.getIndexingMapsArray(),
                    [](AffineMap map) { return map.isProjectedPermutation(); }))
    return false;
  Block *body = op.getBlock();
  Value addend =
      getAddend(body->getTerminator()->getOperand(0), body->getArgument(2));
  auto product = addend ? addend.getDefiningOp<arith::MulFOp>() : nullptr;
  if (!product)
    return false;
  Value lhs = skipExtension(product.getLhs());
  Value rhs = skipExtension(product.getRhs());
  if (lhs == body->getArgument(1))
    std::swap(lhs, rhs);
  if (lhs != body->getArgument(0) || rhs != body->getArgument(1))
    return false;
  return llvm::all_of(llvm::seq(op.getNumLoops()), [&](unsigned dim) {
    return llvm::count_if(op.getIndexingMapsArray(), [&](AffineMap map) {
             return map.isFunctionOfDim(dim);
           }) >= 2;
  });
}

/// Whether the cotangent of an input of a contraction sums over a dimension, as
/// linalg.contract has to. That of the matrix of linalg.matvec does not.
static bool sumsProducts(linalg::LinalgOp op, OpOperand &operand) {
  AffineMap map = op.getMatchingIndexingMap(&operand);
  return map.getNumResults() < op.getNumLoops();
}

/// %y = linalg.contract indexing_maps = [a, b, y] ins(%a, %b)
/// becomes
///   %da = linalg.contract indexing_maps = [y, b, a] ins(%dy, %b)
///   %db = linalg.contract indexing_maps = [y, a, b] ins(%dy, %a)
static Value reverseContraction(linalg::LinalgOp op, OpOperand &operand,
                                Cotangents &c) {
  Location loc = op.getLoc();
  OpBuilder &builder = c.builder;
  OpOperand &other = op->getOpOperand(1 - operand.getOperandNumber());
  Value dy = c.lookup(op->getResult(0));
  Value zeros = zerosLike(builder, loc, operand.get(),
                          getSumType(getElementTypeOrSelf(dy.getType())));
  auto maps = builder.getAffineMapArrayAttr(
      {op.getMatchingIndexingMap(op.getDpsInitOperand(0)),
       op.getMatchingIndexingMap(&other), op.getMatchingIndexingMap(&operand)});
  Value sum =
      linalg::ContractOp::create(builder, loc, zeros.getType(),
                                 ValueRange{dy, other.get()}, zeros, maps)
          .getResult(0);
  return castFloat(builder, loc, sum,
                   getElementTypeOrSelf(operand.get().getType()));
}

//===----------------------------------------------------------------------===//
// Bodies
//===----------------------------------------------------------------------===//

namespace {
/// The loop that computes the cotangent of one operand.
struct ReversedLoop {
  ReversedLoop(linalg::LinalgOp op, OpOperand &target, Cotangents &cotangents)
      : op(op), target(target), cotangents(cotangents) {}

  /// The cotangent of the operand, null if the body does not depend on it.
  FailureOr<Value> build();

private:
  void addInput(Value value, AffineMap map) {
    inputs.push_back(value);
    maps.push_back(map);
  }
  void collectInputs();
  FailureOr<Value> buildBody(OpBuilder &builder, ValueRange args);
  IRMapping cloneBody(OpBuilder &builder, ValueRange args);

  linalg::LinalgOp op;
  OpOperand &target;
  Cotangents &cotangents;
  /// The original's operands that the new body may need, then the cotangents.
  SmallVector<Value> inputs;
  SmallVector<AffineMap> maps;
  /// The block arguments of the original that the first inputs stand for.
  SmallVector<Value> originals;
  /// What the original yields, or adds, for each cotangent.
  SmallVector<Value> outputs;
};
} // namespace

void ReversedLoop::collectInputs() {
  bool reduces = op.getNumReductionLoops() > 0;
  for (OpOperand &operand : op->getOpOperands()) {
    if (op.isDpsInit(&operand) && (reduces || isOverwritten(operand)))
      continue;
    addInput(operand.get(), op.getMatchingIndexingMap(&operand));
    originals.push_back(op.getMatchingBlockArgument(&operand));
  }
  for (OpOperand &init : op.getDpsInitsMutable()) {
    Value cotangent = cotangents.lookup(op.getTiedOpResult(&init));
    if (!cotangent)
      continue;
    addInput(cotangent, op.getMatchingIndexingMap(&init));
    Value yielded = op.getMatchingYieldValue(&init)->get();
    outputs.push_back(
        reduces ? getAddend(yielded, op.getMatchingBlockArgument(&init))
                : yielded);
  }
}

/// Repeats the body of the original, whose values its derivative may need. An
/// accumulator is not among them: it becomes zero, and what reads it is dead.
IRMapping ReversedLoop::cloneBody(OpBuilder &builder, ValueRange args) {
  IRMapping mapping;
  mapping.map(originals, args.take_front(originals.size()));
  for (BlockArgument argument : op.getBlock()->getArguments())
    if (!mapping.contains(argument) && !argument.use_empty())
      mapping.map(argument, zerosLike(builder, op.getLoc(), argument));
  for (Operation &original : op.getBlock()->without_terminator())
    builder.clone(original, mapping);
  return mapping;
}

FailureOr<Value> ReversedLoop::buildBody(OpBuilder &builder, ValueRange args) {
  IRMapping mapping = cloneBody(builder, args);
  Cotangents scalars(builder);
  Value argument = op.getMatchingBlockArgument(&target);
  scalars.activate(argument);
  Block *body = op.getBlock();
  for (Operation &original : body->without_terminator())
    if (llvm::any_of(getReadValues(&original),
                     [&](Value value) { return scalars.isActive(value); }))
      for (Value result : original.getResults())
        if (!isDiscrete(result.getType()))
          scalars.activate(result);
  ValueRange seeds = args.drop_front(originals.size());
  for (auto [output, seed] : llvm::zip(outputs, seeds))
    scalars.add(op.getLoc(), output, seed);
  for (Operation &original : llvm::reverse(body->without_terminator())) {
    if (original.getNumResults() == 0 || !scalars.lookup(original.getResult(0)))
      continue;
    Operation *clone = mapping.lookup(original.getResult(0)).getDefiningOp();
    std::optional<SmallVector<Value>> gradients =
        reverseScalar(builder, clone, scalars.lookup(original.getResult(0)));
    if (!gradients) {
      emitCannotDifferentiate(&original).attachNote(op.getLoc())
          << "in the body of '" << op->getName() << "'";
      return failure();
    }
    for (auto [operand, gradient] :
         llvm::zip_equal(original.getOperands(), *gradients))
      if (gradient)
        scalars.add(original.getLoc(), operand, gradient);
  }
  return scalars.lookup(argument);
}

/// The value of which `gradient` is the rounding to fewer bits than `type` has,
/// if it is one: the sum need not round its terms.
static Value skipRounding(Value gradient, Type type) {
  auto rounding = gradient.getDefiningOp<arith::TruncFOp>();
  if (rounding && rounding.getIn().getType() == type)
    return rounding.getIn();
  return gradient;
}

/// %y = linalg.generic [maps: x.., y] ins(%x..) { yield f(x..) }, or y + f(x..)
/// becomes
///   %dx = linalg.generic [maps: x.., y, x] ins(%x.., %dy) outs(%zeros)
///         { yield dx + dy f'(x..) }
/// where the dimensions that x lacks are reductions; without any, %dx is
/// written, not added to.
FailureOr<Value> ReversedLoop::build() {
  collectInputs();
  OpBuilder &builder = cotangents.builder;
  Location loc = op.getLoc();
  AffineMap map = op.getMatchingIndexingMap(&target);
  SmallVector<utils::IteratorType> iterators(op.getNumLoops(),
                                             utils::IteratorType::reduction);
  for (AffineExpr expr : map.getResults())
    iterators[cast<AffineDimExpr>(expr).getPosition()] =
        utils::IteratorType::parallel;
  bool sums = map.getNumResults() < op.getNumLoops();
  Type element = getElementTypeOrSelf(target.get().getType());
  Type sumType = sums ? getSumType(element) : element;
  Value init = sums ? zerosLike(builder, loc, target.get(), sumType)
                    : emptyLike(builder, loc, target.get());
  SmallVector<AffineMap> allMaps(maps);
  allMaps.push_back(map);

  FailureOr<Value> gradient;
  auto loop = linalg::GenericOp::create(
      builder, loc, init.getType(), inputs, init, allMaps, iterators,
      [&](OpBuilder &body, Location loc, ValueRange args) {
        gradient = buildBody(body, args.drop_back());
        Value yielded = args.back();
        if (succeeded(gradient) && *gradient) {
          yielded = *gradient;
          if (sums)
            yielded = arith::AddFOp::create(
                body, loc, args.back(),
                castFloat(body, loc, skipRounding(yielded, sumType), sumType));
        }
        linalg::YieldOp::create(body, loc, yielded);
      });
  if (failed(gradient) || !*gradient) {
    loop.erase();
    return gradient;
  }
  // An addition passes the cotangent on as it is.
  if (auto argument = dyn_cast<BlockArgument>(
          loop.getBlock()->getTerminator()->getOperand(0));
      argument && argument.getArgNumber() >= originals.size() &&
      allMaps[argument.getArgNumber()] == map) {
    Value cotangent = inputs[argument.getArgNumber()];
    loop.erase();
    return cotangent;
  }
  return castFloat(builder, loc, loop.getResult(0), element);
}

LogicalResult sparsek::differentiate::reverseLinalg(linalg::LinalgOp op,
                                                    Cotangents &cotangents) {
  if (failed(checkResults(op)) || failed(checkOperands(op, cotangents)))
    return failure();
  bool reduces = op.getNumReductionLoops() > 0;
  bool contraction = isContraction(op);
  for (OpOperand &operand : op->getOpOperands()) {
    if (!cotangents.isActive(operand.get()) || isOverwritten(operand))
      continue;
    FailureOr<Value> gradient;
    if (op.isDpsInit(&operand) && reduces)
      gradient = cotangents.lookup(op.getTiedOpResult(&operand));
    else if (auto transpose = dyn_cast<linalg::TransposeOp>(*op))
      gradient = reverseTranspose(transpose, cotangents);
    else if (contraction && !op.isDpsInit(&operand) &&
             sumsProducts(op, operand))
      gradient = reverseContraction(op, operand, cotangents);
    else
      gradient = ReversedLoop(op, operand, cotangents).build();
    if (failed(gradient))
      return failure();
    if (*gradient)
      cotangents.add(op.getLoc(), operand.get(), *gradient);
  }
  return success();
}
