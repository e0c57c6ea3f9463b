//===- InferLayouts.cpp - Which thread holds which element ----------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Two kinds of values. A *firm* one has a single layout, found by union-find:
// ops tie values together, and uses say what a class has to be. An *adaptable*
// one is cheap to compute in any layout; it takes the layout of its use, and
// its op is cloned where uses differ. Operands of adaptable ops are adaptable,
// so firm values are solved first, and the others from their uses backwards.
//
//===----------------------------------------------------------------------===//

#include "sparsek/Dialect/Tile/Transforms/Layouts.h"
#include "sparsek/Dialect/Tile/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/TypeSwitch.h"

namespace mlir::sparsek::tile {
#define GEN_PASS_DEF_TILEINFERLAYOUTS
#include "sparsek/Dialect/Tile/Transforms/Passes.h.inc"
} // namespace mlir::sparsek::tile

using namespace mlir;
using namespace mlir::sparsek::tile;

static bool isVector(Value value) { return isa<VectorType>(value.getType()); }

static bool isRankOne(Value value) {
  auto type = dyn_cast<VectorType>(value.getType());
  return type && type.getRank() == 1;
}

namespace {

/// The layout of a class of values, and the op that asked for it; null where
/// the shape did.
struct Anchor {
  LayoutAttr layout;
  Operation *user = nullptr;
};

class LayoutInference {
public:
  explicit LayoutInference(RoleOp role) : role(role) {}
  LogicalResult run();

private:
  LayoutAttr getLayout(LayoutKind kind) {
    return LayoutAttr::get(role.getContext(), kind, /*lanes=*/0);
  }

  bool isAdaptableOp(Operation *op);
  bool isAdaptable(Value value) { return adaptable.contains(value); }

  unsigned getClass(Value value);
  unsigned findRoot(unsigned id);
  LogicalResult anchor(Value value, Anchor anchor);
  LogicalResult unite(Value a, Value b, Operation *op);

  LogicalResult require(OpOperand &use, LayoutAttr layout);
  LogicalResult require(OpOperand &use, LayoutKind kind) {
    return require(use, getLayout(kind));
  }
  LogicalResult tie(OpOperand &use, Value value);
  LogicalResult tieAll(Operation *op);
  LogicalResult tieValues(MutableArrayRef<OpOperand> uses, ValueRange values);

  LogicalResult importConstants();
  LogicalResult constrain(Operation *op);
  LogicalResult constrainFor(scf::ForOp op);
  LogicalResult constrainIf(scf::IfOp op);
  LogicalResult constrainWhile(scf::WhileOp op);
  LogicalResult constrainScatter(ScatterOp op);
  LogicalResult requireAll(MutableArrayRef<OpOperand> uses, LayoutAttr layout);

  LayoutAttr getSolution(Value value);
  void adapt(Operation *op);
  void setLayouts(Operation *op);

  RoleOp role;
  SmallVector<Operation *> ops;
  DenseSet<Value> adaptable;
  DenseMap<Value, unsigned> classes;
  SmallVector<unsigned> parents;
  SmallVector<Anchor> anchors;
  /// What uses of adaptable values ask for: a layout, or that of a firm value.
  DenseMap<OpOperand *, LayoutAttr> demands;
  DenseMap<OpOperand *, Value> ties;
};

} // namespace

//===----------------------------------------------------------------------===//
// Adaptable ops
//===----------------------------------------------------------------------===//

/// Whether `op` can be computed in any layout, given adaptable operands.
bool LayoutInference::isAdaptableOp(Operation *op) {
  if (op->getNumResults() != 1 || !isRankOne(op->getResult(0)))
    return false;
  bool cheap = isa<arith::ConstantOp, IotaOp, LoadOp, vector::LoadOp,
                   vector::MaskedLoadOp, vector::GatherOp>(op) ||
               OpTrait::hasElementwiseMappableTraits(op) ||
               (isa<vector::BroadcastOp>(op) && !isVector(op->getOperand(0)));
  return cheap && llvm::all_of(op->getOperands(), [&](Value operand) {
           return !isVector(operand) || isAdaptable(operand);
         });
}

/// Constants live in the kernel's body after canonicalization. Copies them into
/// the role, whose layouts are its own; other vectors from outside are errors.
LogicalResult LayoutInference::importConstants() {
  OpBuilder builder = OpBuilder::atBlockBegin(&role.getBody().front());
  DenseMap<Value, Value> copies;
  WalkResult result = role.getBody().walk([&](Operation *op) -> WalkResult {
    for (OpOperand &use : op->getOpOperands()) {
      Value value = use.get();
      if (!isVector(value) ||
          role.getBody().isAncestor(value.getParentRegion()))
        continue;
      auto constant = value.getDefiningOp<arith::ConstantOp>();
      if (!constant)
        return op->emitOpError("expected vectors that are made in its role");
      Value &copy = copies[value];
      if (!copy)
        copy = builder.clone(*constant)->getResult(0);
      use.set(copy);
    }
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

//===----------------------------------------------------------------------===//
// Classes of firm values
//===----------------------------------------------------------------------===//

unsigned LayoutInference::getClass(Value value) {
  auto [it, inserted] = classes.try_emplace(value, parents.size());
  if (inserted) {
    parents.push_back(it->second);
    auto type = cast<VectorType>(value.getType());
    Anchor anchor;
    if (type.getRank() == 2)
      anchor.layout = getLayout(type.getShape()[1] == 1 ? LayoutKind::row
                                                        : LayoutKind::fragment);
    anchors.push_back(anchor);
  }
  return it->second;
}

unsigned LayoutInference::findRoot(unsigned id) {
  while (parents[id] != id)
    id = parents[id] = parents[parents[id]];
  return id;
}

static void noteAnchor(InFlightDiagnostic &diag, const Anchor &anchor) {
  if (anchor.user)
    diag.attachNote(anchor.user->getLoc())
        << "used in layout " << anchor.layout << " here";
}

LogicalResult LayoutInference::anchor(Value value, Anchor anchor) {
  Anchor &known = anchors[findRoot(getClass(value))];
  if (!known.layout)
    known = anchor;
  if (known.layout == anchor.layout)
    return success();
  InFlightDiagnostic diag = anchor.user->emitOpError("expected an operand in ")
                            << anchor.layout << ", got one in " << known.layout;
  noteAnchor(diag, known);
  return diag;
}

LogicalResult LayoutInference::unite(Value a, Value b, Operation *op) {
  unsigned rootA = findRoot(getClass(a));
  unsigned rootB = findRoot(getClass(b));
  if (rootA == rootB)
    return success();
  Anchor anchorA = anchors[rootA], anchorB = anchors[rootB];
  if (anchorA.layout && anchorB.layout && anchorA.layout != anchorB.layout) {
    InFlightDiagnostic diag =
        op->emitOpError("expected values in one layout, got ")
        << anchorA.layout << " and " << anchorB.layout;
    noteAnchor(diag, anchorA);
    noteAnchor(diag, anchorB);
    return diag;
  }
  parents[rootB] = rootA;
  if (!anchorA.layout)
    anchors[rootA] = anchorB;
  return success();
}

//===----------------------------------------------------------------------===//
// Constraints
//===----------------------------------------------------------------------===//

/// The vector that `use` reads is in `layout`.
LogicalResult LayoutInference::require(OpOperand &use, LayoutAttr layout) {
  if (!isAdaptable(use.get()))
    return anchor(use.get(), {layout, use.getOwner()});
  demands[&use] = layout;
  return success();
}

LogicalResult LayoutInference::requireAll(MutableArrayRef<OpOperand> uses,
                                          LayoutAttr layout) {
  for (OpOperand &use : uses)
    if (isVector(use.get()) && failed(require(use, layout)))
      return failure();
  return success();
}

/// The vector that `use` reads is in the layout of the firm `value`.
LogicalResult LayoutInference::tie(OpOperand &use, Value value) {
  if (!isAdaptable(use.get()))
    return unite(use.get(), value, use.getOwner());
  ties[&use] = value;
  getClass(value);
  return success();
}

LogicalResult LayoutInference::tieValues(MutableArrayRef<OpOperand> uses,
                                         ValueRange values) {
  for (auto [use, value] : llvm::zip_equal(uses, values))
    if (isVector(value) && failed(tie(use, value)))
      return failure();
  return success();
}

/// All vectors of an elementwise op or a load are in the layout of its result.
LogicalResult LayoutInference::tieAll(Operation *op) {
  for (OpOperand &use : op->getOpOperands())
    if (isVector(use.get()) && failed(tie(use, op->getResult(0))))
      return failure();
  return success();
}

LogicalResult LayoutInference::constrainFor(scf::ForOp op) {
  for (auto [arg, result] :
       llvm::zip_equal(op.getRegionIterArgs(), op.getResults()))
    if (isVector(arg) && failed(unite(arg, result, op)))
      return failure();
  if (failed(tieValues(op.getInitArgsMutable(), op.getResults())))
    return failure();
  return tieValues(op.getBody()->getTerminator()->getOpOperands(),
                   op.getResults());
}

LogicalResult LayoutInference::constrainIf(scf::IfOp op) {
  if (op.getNumResults() == 0)
    return success();
  for (Region &region : op->getRegions())
    if (failed(tieValues(region.front().getTerminator()->getOpOperands(),
                         op.getResults())))
      return failure();
  return success();
}

LogicalResult LayoutInference::constrainWhile(scf::WhileOp op) {
  for (auto [arg, result] :
       llvm::zip_equal(op.getAfterArguments(), op.getResults()))
    if (isVector(arg) && failed(unite(arg, result, op)))
      return failure();
  if (failed(tieValues(op.getInitsMutable(), op.getBeforeArguments())) ||
      failed(
          tieValues(op.getYieldOp()->getOpOperands(), op.getBeforeArguments())))
    return failure();
  return tieValues(op.getConditionOp().getArgsMutable(), op.getResults());
}

LogicalResult LayoutInference::constrainScatter(ScatterOp op) {
  if (isRankOne(op.getValue()) &&
      failed(require(op.getValueMutable(), LayoutKind::row)))
    return failure();
  if (failed(require(op.getMaskMutable(), LayoutKind::row)))
    return failure();
  return requireAll(op.getIndicesMutable(), getLayout(LayoutKind::row));
}

/// What the firm op `op` says about its operands and results.
LogicalResult LayoutInference::constrain(Operation *op) {
  for (Value result : op->getResults())
    if (isVector(result))
      getClass(result);
  using Result = LogicalResult;
  return llvm::TypeSwitch<Operation *, Result>(op)
      .Case([&](scf::ForOp op) { return constrainFor(op); })
      .Case([&](scf::IfOp op) { return constrainIf(op); })
      .Case([&](scf::WhileOp op) { return constrainWhile(op); })
      .Case([&](ScatterOp op) { return constrainScatter(op); })
      .Case([&](GatherOp op) {
        return requireAll(op.getIndicesMutable(),
                          getGatherLayout(op.getSlot().getType()));
      })
      .Case<StoreOp, SetFlagOp>([&](Operation *op) -> Result {
        OpOperand &use = op->getOpOperand(0);
        return isRankOne(use.get()) ? require(use, LayoutKind::linear)
                                    : success();
      })
      .Case([&](vector::MultiDimReductionOp op) -> Result {
        if (!isRankOne(op.getDest()))
          return op.emitOpError("expected a reduction over the columns of a "
                                "vector of rank 2");
        if (failed(anchor(op.getDest(), {getLayout(LayoutKind::row), op})))
          return failure();
        return require(op.getAccMutable(), LayoutKind::row);
      })
      .Case([&](vector::ShapeCastOp op) -> Result {
        if (isRankOne(op.getResult()) &&
            failed(anchor(op.getResult(), {getLayout(LayoutKind::row), op})))
          return failure();
        return isRankOne(op.getSource())
                   ? require(op.getSourceMutable(), LayoutKind::row)
                   : success();
      })
      .Case([&](vector::BroadcastOp op) -> Result {
        if (!isRankOne(op.getSource()))
          return success();
        return isRankOne(op.getVector())
                   ? tie(op.getSourceMutable(), op.getVector())
                   : require(op.getSourceMutable(), LayoutKind::column);
      })
      .Case([&](MmaWaitOp op) {
        return tieValues(op.getValuesMutable(), op.getResults());
      })
      .Case([&](PinOp op) {
        return tieValues(op.getValuesMutable(), op.getResults());
      })
      .Case<vector::LoadOp, vector::MaskedLoadOp, vector::GatherOp>(
          [&](Operation *op) { return tieAll(op); })
      .Default([&](Operation *op) -> Result {
        if (OpTrait::hasElementwiseMappableTraits(op) &&
            op->getNumResults() == 1 && isVector(op->getResult(0)))
          return tieAll(op);
        return success();
      });
}

//===----------------------------------------------------------------------===//
// Solution
//===----------------------------------------------------------------------===//

/// The layout of a firm value.
LayoutAttr LayoutInference::getSolution(Value value) {
  LayoutAttr layout = anchors[findRoot(getClass(value))].layout;
  return layout ? layout : getLayout(LayoutKind::linear);
}

static void setLayout(Operation *op, LayoutAttr layout) {
  op->setAttr(kLayoutsAttr, ArrayAttr::get(op->getContext(), layout));
}

/// Gives an adaptable op the layout that its uses ask for; clones it for every
/// further one.
///
///   %i = tile.iota : vector<64xi32>
///   use %i, use' %i
///
/// becomes
///
///   %i = tile.iota {tile.layouts = [#tile.layout<row>]} : vector<64xi32>
///   %j = tile.iota {tile.layouts = [#tile.layout<linear>]} : vector<64xi32>
///   use %i, use' %j
void LayoutInference::adapt(Operation *op) {
  llvm::MapVector<LayoutAttr, SmallVector<OpOperand *>> uses;
  for (OpOperand &use : op->getUses()) {
    LayoutAttr layout = demands.lookup(&use);
    if (Value value = ties.lookup(&use))
      layout = getSolution(value);
    // Uses that any layout is good for take the first one.
    uses[layout].push_back(&use);
  }
  uses.erase(LayoutAttr());
  if (uses.empty())
    uses[getLayout(LayoutKind::linear)];

  Operation *last = op;
  for (auto &[layout, users] : uses) {
    Operation *copy = op;
    if (layout != uses.front().first) {
      copy = op->clone();
      op->getBlock()->getOperations().insertAfter(last->getIterator(), copy);
      for (OpOperand *use : users)
        use->set(copy->getResult(0));
      last = copy;
    }
    setLayout(copy, layout);
    for (OpOperand &use : copy->getOpOperands())
      if (isVector(use.get()))
        demands[&use] = layout;
  }
}

/// Records the layouts of a firm op's results.
void LayoutInference::setLayouts(Operation *op) {
  auto getLayouts = [&](ValueRange values) {
    SmallVector<Attribute> layouts;
    for (Value value : values)
      if (isVector(value))
        layouts.push_back(getSolution(value));
    return layouts;
  };
  MLIRContext *context = op->getContext();
  if (auto layouts = getLayouts(op->getResults()); !layouts.empty())
    op->setAttr(kLayoutsAttr, ArrayAttr::get(context, layouts));
  auto loop = dyn_cast<scf::WhileOp>(op);
  if (!loop)
    return;
  if (auto layouts = getLayouts(loop.getBeforeArguments()); !layouts.empty())
    op->setAttr(kArgumentLayoutsAttr, ArrayAttr::get(context, layouts));
}

LogicalResult LayoutInference::run() {
  if (failed(importConstants()))
    return failure();
  role.getBody().walk<WalkOrder::PreOrder>([&](Operation *op) {
    ops.push_back(op);
    if (isAdaptableOp(op))
      adaptable.insert(op->getResult(0));
  });
  auto isFirm = [&](Operation *op) {
    return op->getNumResults() != 1 || !isAdaptable(op->getResult(0));
  };
  for (Operation *op : ops)
    if (isFirm(op) && failed(constrain(op)))
      return failure();
  for (Operation *op : llvm::reverse(ops)) {
    if (isFirm(op))
      setLayouts(op);
    else
      adapt(op);
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Pass
//===----------------------------------------------------------------------===//

namespace {

struct InferLayoutsPass
    : sparsek::tile::impl::TileInferLayoutsBase<InferLayoutsPass> {
  void runOnOperation() override {
    WalkResult result = getOperation()->walk([](RoleOp role) {
      return failed(LayoutInference(role).run()) ? WalkResult::interrupt()
                                                 : WalkResult::skip();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }
};

} // namespace
