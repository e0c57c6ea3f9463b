//===- TileToNVVM.cpp - Distributed tile kernels to nvvm ------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sparsek/Conversion/TileToNVVM/Passes.h"

#include "NVVMBuilder.h"
#include "Patterns.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SCF/Transforms/Patterns.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace mlir::sparsek {
#define GEN_PASS_DEF_CONVERTTILETONVVM
#include "sparsek/Conversion/TileToNVVM/Passes.h.inc"
} // namespace mlir::sparsek

using namespace mlir;
using namespace mlir::sparsek;
using namespace mlir::sparsek::tile;

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

/// vector<2n x 16-bit float> to vector<n x i32>.
static std::optional<Type> packPairs(VectorType type) {
  if (type.getRank() != 1 || type.isScalable() || type.getDimSize(0) % 2 ||
      !isa<BFloat16Type, Float16Type>(type.getElementType()))
    return type;
  return VectorType::get(type.getDimSize(0) / 2,
                         IntegerType::get(type.getContext(), 32));
}

/// Between the two forms of a vector of pairs, for ops that do not know them.
static Value castPairs(OpBuilder &b, VectorType type, ValueRange values,
                       Location loc) {
  if (values.size() != 1 || !isa<VectorType>(values.front().getType()))
    return {};
  return vector::BitCastOp::create(b, loc, type, values.front());
}

namespace {
/// Buffers and rings are addresses; a tensor map is a pointer.
struct TileTypeConverter : TypeConverter {
  TileTypeConverter() {
    addConversion([](Type type) { return type; });
    addConversion([](SharedType type) -> Type {
      return IntegerType::get(type.getContext(), 32);
    });
    addConversion([](RingType type) -> Type {
      return IntegerType::get(type.getContext(), 32);
    });
    addConversion([](TensorMapType type) -> Type {
      return LLVM::LLVMPointerType::get(type.getContext());
    });
    addConversion(packPairs);
    addSourceMaterialization(castPairs);
    addTargetMaterialization(castPairs);
  }
};
} // namespace

//===----------------------------------------------------------------------===//
// Tensor maps
//===----------------------------------------------------------------------===//

/// Into how many arguments of an `llvm.func` an argument of a kernel turns: a
/// ranked memref has two pointers, an offset, sizes and strides.
static int64_t countLLVMArguments(Type type) {
  auto memref = dyn_cast<MemRefType>(type);
  return memref ? 3 + 2 * memref.getRank() : 1;
}

/// Records which arguments are tensor maps.
static void recordTensorMaps(gpu::GPUFuncOp function) {
  SmallVector<int64_t> maps;
  int64_t number = 0;
  for (Type type : function.getArgumentTypes()) {
    if (isa<TensorMapType>(type))
      maps.push_back(number);
    number += countLLVMArguments(type);
  }
  if (!maps.empty())
    function->setAttr(kTensorMapArgsAttr,
                      DenseI64ArrayAttr::get(function.getContext(), maps));
}

//===----------------------------------------------------------------------===//
// Launches
//===----------------------------------------------------------------------===//

/// Passes maps as the pointers that the kernel now takes.
static void castTensorMaps(gpu::LaunchFuncOp launch) {
  OpBuilder b(launch);
  auto pointer = LLVM::LLVMPointerType::get(launch.getContext());
  for (OpOperand &operand : launch.getKernelOperandsMutable())
    if (isa<TensorMapType>(operand.get().getType()))
      operand.set(UnrealizedConversionCastOp::create(b, launch.getLoc(),
                                                     pointer, operand.get())
                      .getResult(0));
}

/// Gives a launch the shared memory that its kernel needs.
static void completeLaunch(gpu::LaunchFuncOp launch,
                           SymbolTableCollection &table) {
  auto kernel = table.lookupNearestSymbolFrom<gpu::GPUFuncOp>(
      launch, launch.getKernelAttr());
  if (!kernel)
    return;
  castTensorMaps(launch);
  auto bytes = kernel->getAttrOfType<IntegerAttr>(kSharedBytesAttr);
  if (!bytes)
    return;
  NVVMBuilder b(launch.getLoc(), launch.getContext());
  b.setInsertionPoint(launch);
  launch.getDynamicSharedMemorySizeMutable().assign(b.constant(bytes.getInt()));
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

static LogicalResult verifyKernel(gpu::GPUFuncOp function, const Chip &chip) {
  WalkResult result = function.walk([&](Operation *op) {
    if (isa<TileDialect>(op->getDialect()) &&
        !isa<AllocOp, RingOp, RolesOp, RoleOp>(op) &&
        !op->getParentOfType<RoleOp>()) {
      op->emitOpError("expected to be in a 'tile.role'");
      return WalkResult::interrupt();
    }
    if (auto role = dyn_cast<RoleOp>(op); role && failed(verifyRole(role)))
      return WalkResult::interrupt();
    if (auto mma = dyn_cast<MmaOp>(op); mma && failed(verifyProduct(mma, chip)))
      return WalkResult::interrupt();
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

/// Lowers everything inside of the roles.
static LogicalResult lowerBodies(gpu::GPUFuncOp function, const Chip &chip,
                                 const SharedMemory &memory) {
  MLIRContext *context = function.getContext();
  TileTypeConverter converter;
  RewritePatternSet patterns(context);
  ConversionTarget target(*context);
  populateSharedMemoryPatterns(converter, memory, patterns);
  populateRolePatterns(converter, patterns);
  populateRingPatterns(converter, chip, patterns);
  populateCopyPatterns(converter, patterns);
  populateWgmmaPatterns(converter, patterns);
  populateMmaSyncPatterns(converter, patterns);
  populateMmaTF32Patterns(converter, patterns);
  populateMathPatterns(converter, patterns);
  populateFunctionOpInterfaceTypeConversionPattern<gpu::GPUFuncOp>(patterns,
                                                                   converter);
  target.markUnknownOpDynamicallyLegal(
      [](Operation *op) { return !isApproximated(op); });
  scf::populateSCFStructuralTypeConversionsAndLegality(converter, patterns,
                                                       target);
  target.addDynamicallyLegalOp<gpu::GPUFuncOp>([&](gpu::GPUFuncOp op) {
    return converter.isSignatureLegal(op.getFunctionType());
  });
  target.addIllegalDialect<TileDialect>();
  target.addLegalOp<RolesOp, RoleOp>();
  return applyFullConversion(function, target, std::move(patterns));
}

static LogicalResult lowerKernel(gpu::GPUFuncOp function, const Chip &chip) {
  if (failed(verifyKernel(function, chip)))
    return failure();
  recordTensorMaps(function);
  SharedMemory memory;
  planSharedMemory(function, chip, memory);
  if (failed(lowerBodies(function, chip, memory)))
    return failure();
  for (RolesOp roles : llvm::to_vector(function.getOps<RolesOp>()))
    lowerRoles(roles, chip);
  return success();
}

namespace {
struct ConvertTileToNVVMPass
    : sparsek::impl::ConvertTileToNVVMBase<ConvertTileToNVVMPass> {
  using Base::Base;
  void runOnOperation() override {
    Chip target(chip);
    WalkResult result = getOperation().walk([&](gpu::GPUFuncOp function) {
      return WalkResult(lowerKernel(function, target));
    });
    if (result.wasInterrupted())
      return signalPassFailure();
    SymbolTableCollection table;
    getOperation().walk(
        [&](gpu::LaunchFuncOp launch) { completeLaunch(launch, table); });
  }
};
} // namespace
