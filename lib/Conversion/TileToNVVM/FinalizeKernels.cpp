//===- FinalizeKernels.cpp - Tensor maps by value -------------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sparsek/Conversion/TileToNVVM/Passes.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

namespace mlir::sparsek {
#define GEN_PASS_DEF_TILEFINALIZEKERNELS
#include "sparsek/Conversion/TileToNVVM/Passes.h.inc"
} // namespace mlir::sparsek

using namespace mlir;
using namespace mlir::sparsek;

/// Size and alignment of a tensor map.
static constexpr int64_t kMapBytes = 128;
static constexpr int64_t kMapAlignment = 64;

/// Makes a pointer argument a constant parameter that is passed by value.
static void passByValue(LLVM::LLVMFuncOp function, unsigned argument) {
  OpBuilder b(function.getContext());
  auto type = LLVM::LLVMArrayType::get(b.getI8Type(), kMapBytes);
  function.setArgAttr(argument, LLVM::LLVMDialect::getByValAttrName(),
                      TypeAttr::get(type));
  function.setArgAttr(argument, LLVM::LLVMDialect::getAlignAttrName(),
                      b.getI64IntegerAttr(kMapAlignment));
  function.setArgAttr(argument, NVVM::NVVMDialect::getGridConstantAttrName(),
                      b.getUnitAttr());
}

namespace {
struct TileFinalizeKernelsPass
    : sparsek::impl::TileFinalizeKernelsBase<TileFinalizeKernelsPass> {
  void runOnOperation() override {
    getOperation().walk([](LLVM::LLVMFuncOp function) {
      auto maps =
          function->getAttrOfType<DenseI64ArrayAttr>(kTensorMapArgsAttr);
      if (!maps)
        return;
      for (int64_t argument : maps.asArrayRef())
        passByValue(function, argument);
      function->removeAttr(kTensorMapArgsAttr);
    });
  }
};
} // namespace
