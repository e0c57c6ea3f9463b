//===- Distribute.cpp - Distribution of vectors over threads --------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Distribute.h"

#include "sparsek/Dialect/Tile/Transforms/Layouts.h"
#include "sparsek/Dialect/Tile/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/MathExtras.h"

namespace mlir::sparsek::tile {
#define GEN_PASS_DEF_TILEDISTRIBUTE
#include "sparsek/Dialect/Tile/Transforms/Passes.h.inc"
} // namespace mlir::sparsek::tile

using namespace mlir;
using namespace mlir::sparsek::tile;

static bool isVector(Value value) { return isa<VectorType>(value.getType()); }

Distributor::Distributor(RoleOp role, const RuleTable &rules)
    : b(role.getLoc(), role), role(role), rules(rules),
      threads(role.getGroupWarps() * kWarpThreads) {}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

Type Distributor::getThreadType(Value value) const {
  auto type = dyn_cast<VectorType>(value.getType());
  if (!type)
    return value.getType();
  return tile::getThreadType(getLayout(value), type, threads);
}

SmallVector<Value> Distributor::toElements(Value vector) {
  return SmallVector<Value>(
      vector::ToElementsOp::create(b, vector)->getResults());
}

Value Distributor::fromElements(ValueRange elements) {
  auto type = VectorType::get(static_cast<int64_t>(elements.size()),
                              elements.front().getType());
  return vector::FromElementsOp::create(b, type, elements);
}

SmallVector<Value> Distributor::getElements(Value value) {
  return toElements(lookup(value));
}

void Distributor::mapElements(Value value, ValueRange elements) {
  map(value, fromElements(elements));
}

//===----------------------------------------------------------------------===//
// Integers
//===----------------------------------------------------------------------===//

Value Distributor::i32(int64_t value) {
  return arith::ConstantOp::create(
      b, b.getI32IntegerAttr(static_cast<int32_t>(value)));
}

Value Distributor::constantLike(Value x, int64_t value) {
  return arith::ConstantOp::create(b, b.getIntegerAttr(x.getType(), value));
}

Value Distributor::add(Value x, Value y) {
  return b.createOrFold<arith::AddIOp>(x, y);
}

Value Distributor::mul(Value x, Value y) {
  return b.createOrFold<arith::MulIOp>(x, y);
}

Value Distributor::mul(Value x, int64_t y) {
  if (llvm::isPowerOf2_64(y))
    return shiftLeft(x, llvm::Log2_64(y));
  return mul(x, constantLike(x, y));
}

Value Distributor::bitAnd(Value x, int64_t y) {
  return b.createOrFold<arith::AndIOp>(x, constantLike(x, y));
}

Value Distributor::bitXor(Value x, Value y) {
  return b.createOrFold<arith::XOrIOp>(x, y);
}

Value Distributor::shiftLeft(Value x, int64_t y) {
  return b.createOrFold<arith::ShLIOp>(x, constantLike(x, y));
}

Value Distributor::shiftRight(Value x, int64_t y) {
  return b.createOrFold<arith::ShRUIOp>(x, constantLike(x, y));
}

/// Of an index or an unsigned i32.
Value Distributor::toI64(Value x) {
  if (isa<IndexType>(x.getType()))
    return b.createOrFold<arith::IndexCastOp>(b.getI64Type(), x);
  return b.createOrFold<arith::ExtUIOp>(b.getI64Type(), x);
}

Value Distributor::toIndex(Value x) {
  if (isa<IndexType>(x.getType()))
    return x;
  return b.createOrFold<arith::IndexCastOp>(b.getIndexType(), x);
}

//===----------------------------------------------------------------------===//
// The thread
//===----------------------------------------------------------------------===//

Value Distributor::inPrologue(llvm::function_ref<Value()> build) {
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(prologueEnd);
  return build();
}

void Distributor::atDefinition(Value value, llvm::function_ref<void()> build) {
  OpBuilder::InsertionGuard guard(b);
  Operation *owner = value.getParentBlock()->getParentOp();
  if (newRole->isAncestor(owner))
    b.setInsertionPointAfterValue(value);
  else
    b.setInsertionPoint(prologueEnd);
  build();
}

Value Distributor::getElementBase(LayoutAttr layout, VectorType type) {
  return inPrologue([&]() -> Value {
    switch (layout.getKind()) {
    case LayoutKind::row:
      return add(shiftLeft(warp, 4), quad);
    case LayoutKind::column:
      return shiftLeft(quadLane, 1);
    case LayoutKind::linear:
      return threadId;
    case LayoutKind::copy: {
      Value party = shiftRight(threadId, llvm::Log2_64(layout.getLanes()));
      int64_t size = tile::getThreadType(layout, type, threads).getDimSize(0);
      return mul(party, size);
    }
    case LayoutKind::fragment:
      break;
    }
    llvm_unreachable("a fragment is of rank 2");
  });
}

Value Distributor::getHolds(LayoutAttr layout, VectorType type) {
  if (!isPartial(layout, type, threads))
    return {};
  return inPrologue([&]() -> Value {
    return arith::CmpIOp::create(b, arith::CmpIPredicate::ult, threadId,
                                 i32(type.getNumElements()));
  });
}

Value Distributor::both(Value x, Value y) {
  if (!x || !y)
    return x ? x : y;
  return arith::AndIOp::create(b, x, y);
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

Value Distributor::getWhere(Value condition, llvm::function_ref<Value()> then,
                            Value otherwise) {
  if (!condition)
    return then();
  auto branch = scf::IfOp::create(b, otherwise.getType(), condition,
                                  /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  scf::YieldOp::create(b, then());
  b.setInsertionPointToStart(branch.elseBlock());
  scf::YieldOp::create(b, otherwise);
  return branch.getResult(0);
}

void Distributor::when(Value condition, llvm::function_ref<void()> then) {
  if (!condition)
    return then();
  auto branch = scf::IfOp::create(b, condition);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  then();
}

Value Distributor::zero(Type type) {
  return arith::ConstantOp::create(b, b.getZeroAttr(type));
}

Value Distributor::sharedPointer(Value address) {
  auto type = LLVM::LLVMPointerType::get(
      b.getContext(), static_cast<unsigned>(NVVM::NVVMMemorySpace::Shared));
  return LLVM::IntToPtrOp::create(b, type, address);
}

Value Distributor::globalPointer(Value address) {
  auto type = LLVM::LLVMPointerType::get(
      b.getContext(), static_cast<unsigned>(NVVM::NVVMMemorySpace::Global));
  return LLVM::IntToPtrOp::create(b, type, address);
}

Value Distributor::getSharedAddress(Value source) {
  return AddressOp::create(b, lookup(source));
}

Value Distributor::opaque(Value value) {
  StringRef constraints = value.getType().isInteger(64) ? "=l,0" : "=r,0";
  auto asmDialect =
      LLVM::AsmDialectAttr::get(b.getContext(), LLVM::AsmDialect::AD_ATT);
  return LLVM::InlineAsmOp::create(
             b, value.getType(), value, /*asm_string=*/"", constraints,
             /*has_side_effects=*/true, /*is_align_stack=*/false,
             LLVM::TailCallKind::None, asmDialect, /*operand_attrs=*/nullptr)
      .getRes();
}

Value Distributor::shuffleXor(Value value, int64_t mask) {
  return NVVM::ShflOp::create(b, value.getType(), i32(-1), value, i32(mask),
                              i32(kWarpThreads - 1), NVVM::ShflKind::bfly,
                              /*return_value_and_is_valid=*/UnitAttr());
}

Value Distributor::voteAny(Value predicate) {
  return NVVM::VoteSyncOp::create(b, b.getI1Type(), i32(-1), predicate,
                                  NVVM::VoteSyncKind::any);
}

Distributor::Global &Distributor::getGlobal(Value memref) {
  std::unique_ptr<Global> &global = globals[memref];
  if (global)
    return *global;
  global = std::make_unique<Global>();
  Value source = lookup(memref);
  auto type = cast<MemRefType>(source.getType());
  int64_t offset;
  (void)type.getStridesAndOffset(global->staticStrides, offset);
  global->elementBytes = type.getElementTypeBitWidth() / 8;
  atDefinition(source, [&] {
    auto metadata = memref::ExtractStridedMetadataOp::create(b, source);
    llvm::append_range(global->strides, metadata.getStrides());
    Value pointer = memref::ExtractAlignedPointerAsIndexOp::create(b, source);
    global->base = toI64(pointer);
    if (offset == 0)
      return;
    Value start = mul(toI64(metadata.getOffset()), global->elementBytes);
    global->base = add(global->base, start);
  });
  return *global;
}

void Distributor::setInsertionPointBeforeAcquire(ValueRange operands) {
  Block *block = b.getInsertionBlock();
  auto end = Block::reverse_iterator(b.getInsertionPoint());
  for (Operation &op : llvm::make_range(end, block->rend())) {
    if (isa<AcquireOp>(op))
      return b.setInsertionPoint(&op);
    // Beyond an earlier copy is the wait for another slot.
    bool needed = llvm::any_of(
        operands, [&](Value value) { return value.getDefiningOp() == &op; });
    if (needed || isa<NVVM::CpAsyncOp, CommitOp>(op))
      return;
  }
}

//===----------------------------------------------------------------------===//
// Ops
//===----------------------------------------------------------------------===//

/// Reads the layouts of those of `values` that are vectors from attribute
/// `name`.
LogicalResult Distributor::setLayouts(ValueRange values, StringRef name,
                                      Operation *op) {
  auto vectors = llvm::to_vector(llvm::make_filter_range(values, isVector));
  if (vectors.empty())
    return success();
  auto attr = op->getAttrOfType<ArrayAttr>(name);
  if (!attr || attr.size() != vectors.size())
    return op->emitOpError("expected ")
           << vectors.size() << " layouts in attribute '" << name
           << "' (see -tile-infer-layouts)";
  for (auto [value, layout] :
       llvm::zip_equal(vectors, attr.getAsRange<LayoutAttr>())) {
    if (failed(verifyLayout(layout, cast<VectorType>(value.getType()), threads,
                            [&] { return op->emitOpError(); })))
      return failure();
    layouts[value] = layout;
  }
  return success();
}

void Distributor::setThreadTypes(Operation *op, Operation *copy) {
  copy->removeDiscardableAttr(kLayoutsAttr);
  copy->removeDiscardableAttr(kArgumentLayoutsAttr);
  for (auto [result, thread] :
       llvm::zip_equal(op->getResults(), copy->getResults()))
    thread.setType(getThreadType(result));
}

void Distributor::clone(Operation *op) {
  setThreadTypes(op, b.clone(*op, mapping));
}

/// The layouts of the arguments of `region` of `op`.
LogicalResult Distributor::recordArguments(Operation *op, Region &region) {
  Block::BlockArgListType args = region.getArguments();
  if (isa<scf::ForOp>(op))
    return setLayouts(args.drop_front(), kLayoutsAttr, op);
  if (auto loop = dyn_cast<scf::WhileOp>(op))
    return setLayouts(
        args,
        &region == &loop.getBefore() ? kArgumentLayoutsAttr : kLayoutsAttr, op);
  if (llvm::any_of(args, isVector))
    return op->emitOpError("has no rule to distribute its block arguments");
  return success();
}

/// Any op with regions of one block: scf.for, scf.while, scf.if.
LogicalResult Distributor::cloneWithRegions(Operation *op) {
  Operation *copy = op->cloneWithoutRegions(mapping);
  b.insert(copy);
  setThreadTypes(op, copy);
  for (auto [region, newRegion] :
       llvm::zip_equal(op->getRegions(), copy->getRegions())) {
    if (region.empty())
      continue;
    if (!region.hasOneBlock())
      return op->emitOpError("expected regions of one block");
    if (failed(recordArguments(op, region)))
      return failure();
    Block &block = newRegion.emplaceBlock();
    for (BlockArgument arg : region.getArguments())
      map(arg, block.addArgument(getThreadType(arg), arg.getLoc()));
    OpBuilder::InsertionGuard guard(b);
    if (failed(distributeBlock(region.front(), block)))
      return failure();
  }
  return success();
}

static bool hasVectors(Operation *op) {
  return llvm::any_of(op->getOperands(), isVector) ||
         llvm::any_of(op->getResults(), isVector);
}

LogicalResult Distributor::distribute(Operation *op) {
  b.setLoc(op->getLoc());
  if (failed(setLayouts(op->getResults(), kLayoutsAttr, op)))
    return failure();
  for (Value operand : op->getOperands())
    if (isVector(operand) && !getLayout(operand))
      return op->emitOpError("expected vectors that are made in its role");
  if (const RuleTable::Rule *rule = rules.lookup(op))
    return (*rule)(op, *this);
  if (op->getNumRegions() > 0)
    return cloneWithRegions(op);
  bool sameForThread =
      OpTrait::hasElementwiseMappableTraits(op) ||
      isa<MmaOp, MmaWaitOp, PinOp, scf::YieldOp, scf::ConditionOp>(op);
  if (hasVectors(op) && !sameForThread)
    return op->emitOpError("has no rule to distribute its vectors");
  clone(op);
  return success();
}

LogicalResult Distributor::distributeBlock(Block &source, Block &dest) {
  b.setInsertionPointToEnd(&dest);
  for (Operation &op : source)
    if (failed(distribute(&op)))
      return failure();
  return success();
}

LogicalResult Distributor::run() {
  newRole = cast<RoleOp>(role->cloneWithoutRegions());
  b.insert(newRole);
  Block &body = newRole.getBody().emplaceBlock();
  b.setInsertionPointToStart(&body);
  threadId = ThreadIdOp::create(b);
  lane = bitAnd(threadId, kWarpThreads - 1);
  warp = shiftRight(threadId, llvm::Log2_64(kWarpThreads));
  quad = shiftRight(lane, 2);
  quadLane = bitAnd(lane, 3);
  prologueEnd = i32(0).getDefiningOp();
  if (failed(distributeBlock(role.getBody().front(), body)))
    return failure();
  prologueEnd->erase();
  role.erase();
  return success();
}

//===----------------------------------------------------------------------===//
// Pass
//===----------------------------------------------------------------------===//

namespace {

struct DistributePass
    : sparsek::tile::impl::TileDistributeBase<DistributePass> {
  void runOnOperation() override {
    RuleTable rules;
    populateCopyRules(rules);
    populateLoadRules(rules);
    populateScatterRules(rules);
    populateSharedRules(rules);
    populateVectorRules(rules);
    SmallVector<RoleOp> roles;
    getOperation()->walk([&](RoleOp role) { roles.push_back(role); });
    for (RoleOp role : roles)
      if (failed(Distributor(role, rules).run()))
        return signalPassFailure();
  }
};

} // namespace
