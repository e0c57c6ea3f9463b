//===- Roles.cpp - Roles of warps -----------------------------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "NVVMBuilder.h"
#include "Patterns.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::sparsek;
using namespace mlir::sparsek::tile;

/// Registers of a multiprocessor.
static constexpr int64_t kRegisters = 65536;

static int64_t getGroupThreads(RoleOp role) {
  return role.getGroupWarps() * kWarpThreads;
}

/// The warps of the roles before this one.
static int64_t getFirstWarp(RoleOp role) {
  int64_t warps = 0;
  for (auto other : role->getBlock()->getOps<RoleOp>()) {
    if (other == role)
      break;
    warps += other.getWarps();
  }
  return warps;
}

LogicalResult tile::verifyRole(RoleOp role) {
  if (getFirstWarp(role) % role.getGroupWarps())
    return role.emitOpError("expected its first warp to be a multiple of ")
           << role.getGroupWarps() << ", got " << getFirstWarp(role);
  return success();
}

Value tile::buildThreadInGroup(NVVMBuilder &b, RoleOp role) {
  return arith::AndIOp::create(b, b.threadInBlock(),
                               b.constant(getGroupThreads(role) - 1));
}

//===----------------------------------------------------------------------===//
// tile.roles
//===----------------------------------------------------------------------===//

/// Gives registers away, or takes what others gave away. A block of `threads`
/// starts with an equal share for all, rounded down to a multiple of 8.
static void buildRegisters(NVVMBuilder &b, RoleOp role, int64_t threads) {
  int64_t share = kRegisters / threads / 8 * 8;
  int64_t registers = role.getRegisters().value_or(share);
  if (registers == share)
    return;
  NVVM::SetMaxRegisterOp::create(b, registers,
                                 registers < share
                                     ? NVVM::SetMaxRegisterAction::decrease
                                     : NVVM::SetMaxRegisterAction::increase);
}

/// Moves the body of `role` to the builder's place.
static void inlineRole(NVVMBuilder &b, RoleOp role, int64_t threads,
                       const Chip &chip) {
  if (chip.isHopper)
    buildRegisters(b, role, threads);
  b.getInsertionBlock()->getOperations().splice(
      b.getInsertionPoint(), role.getBody().front().getOperations());
}

/// Branches to the first of `roles` or to the rest.
static void buildBranches(NVVMBuilder &b, ArrayRef<RoleOp> roles, Value thread,
                          int64_t threads, const Chip &chip) {
  RoleOp role = roles.front();
  if (roles.size() == 1)
    return inlineRole(b, role, threads, chip);
  int64_t end = (getFirstWarp(role) + role.getWarps()) * kWarpThreads;
  auto branch =
      scf::IfOp::create(b, b.isLess(thread, end), /*withElseRegion=*/true);
  b.setInsertionPointToStart(branch.thenBlock());
  inlineRole(b, role, threads, chip);
  b.setInsertionPointToStart(branch.elseBlock());
  buildBranches(b, roles.drop_front(), thread, threads, chip);
}

/// tile.roles {                       %0 = arith.cmpi ult, %tid, 128
///   tile.role "a" warps(4) { A }     scf.if %0 {
///   tile.role "b" warps(8) { B }  =>   nvvm.setmaxregister decrease 88; A
/// }                                  } else {
///                                      nvvm.setmaxregister increase 208; B
///                                    }
void tile::lowerRoles(RolesOp roles, const Chip &chip) {
  auto all = llvm::to_vector(roles.getBody().front().getOps<RoleOp>());
  int64_t threads =
      (getFirstWarp(all.back()) + all.back().getWarps()) * kWarpThreads;
  auto function = roles->getParentOfType<gpu::GPUFuncOp>();
  NVVMBuilder b(roles.getLoc(), roles.getContext());
  function.setKnownBlockSizeAttr(
      b.getDenseI32ArrayAttr({static_cast<int32_t>(threads), 1, 1}));
  // ptxas accepts setmaxnreg only where it knows the blocks of a
  // multiprocessor.
  function->setAttr(NVVM::NVVMDialect::getMinctasmAttrName(),
                    b.getI32IntegerAttr(1));
  b.setInsertionPoint(roles);
  buildBranches(b, all, b.threadInBlock(), threads, chip);
  roles.erase();
}

//===----------------------------------------------------------------------===//
// Patterns
//===----------------------------------------------------------------------===//

namespace {

/// %t = tile.thread_id   becomes   tid.x & 127, in groups of 4 warps.
struct LowerThreadId : OpConversionPattern<ThreadIdOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(ThreadIdOp op, OpAdaptor,
                  ConversionPatternRewriter &rewriter) const override {
    NVVMBuilder b(op.getLoc(), rewriter);
    rewriter.replaceOp(op,
                       buildThreadInGroup(b, op->getParentOfType<RoleOp>()));
    return success();
  }
};

/// %g = tile.group_id   becomes   tid.x / 128 - 1, in groups of 4 warps after
/// one of another role.
struct LowerGroupId : OpConversionPattern<GroupIdOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(GroupIdOp op, OpAdaptor,
                  ConversionPatternRewriter &rewriter) const override {
    auto role = op->getParentOfType<RoleOp>();
    NVVMBuilder b(op.getLoc(), rewriter);
    Value group = arith::DivUIOp::create(b, b.threadInBlock(),
                                         b.constant(getGroupThreads(role)));
    rewriter.replaceOp(
        op, b.add(group, -(getFirstWarp(role) / role.getGroupWarps())));
    return success();
  }
};

} // namespace

void tile::populateRolePatterns(const TypeConverter &converter,
                                RewritePatternSet &patterns) {
  patterns.add<LowerGroupId, LowerThreadId>(converter, patterns.getContext());
}
