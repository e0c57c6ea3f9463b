//===- GPUToPTX.cpp - GPU modules to GPU binaries -------------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sparsek/Target/PTX/PTX.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

namespace mlir::sparsek {
#define GEN_PASS_DEF_SPARSEKGPUTOPTX
#include "sparsek/Target/PTX/Passes.h.inc"
} // namespace mlir::sparsek

using namespace mlir;

/// Writes FOLDER/NAME.ptx.
static LogicalResult writeFile(gpu::GPUModuleOp module, StringRef folder,
                               StringRef ptx) {
  SmallString<128> path(folder);
  llvm::sys::path::append(path, module.getName() + ".ptx");
  std::error_code error = llvm::sys::fs::create_directories(folder);
  if (!error) {
    llvm::raw_fd_ostream stream(path, error);
    if (!error)
      stream << ptx;
  }
  if (error)
    return module.emitOpError("cannot write ")
           << path << ": " << error.message();
  return success();
}

/// A target attribute has a version of PTX and a chip of its own.
static Attribute getTargetAttr(OpBuilder &builder, StringRef chip,
                               StringRef features) {
  return NVVM::NVVMTargetAttr::get(builder.getContext(), /*optLevel=*/3,
                                   "nvptx64-nvidia-cuda", chip, features);
}

namespace {

struct GPUToPTXPass : sparsek::impl::SparseKGPUToPTXBase<GPUToPTXPass> {
  using SparseKGPUToPTXBase::SparseKGPUToPTXBase;

  void getDependentDialects(DialectRegistry &registry) const override {
    SparseKGPUToPTXBase::getDependentDialects(registry);
    sparsek::registerPTXTranslations(registry);
  }

  void runOnOperation() override {
    for (auto module :
         llvm::make_early_inc_range(getOperation().getOps<gpu::GPUModuleOp>()))
      if (failed(replaceModule(module)))
        return signalPassFailure();
  }

private:
  LogicalResult replaceModule(gpu::GPUModuleOp module) {
    FailureOr<std::string> ptx =
        sparsek::serializeToPTX(module, chip, features);
    if (failed(ptx))
      return failure();
    if (!ptxFolder.empty() && failed(writeFile(module, ptxFolder, *ptx)))
      return failure();
    OpBuilder builder(module);
    Attribute object = gpu::ObjectAttr::get(
        getTargetAttr(builder, chip, features),
        gpu::CompilationTarget::Assembly, builder.getStringAttr(*ptx));
    gpu::BinaryOp::create(builder, module.getLoc(), module.getName(),
                          /*offloadingHandler=*/nullptr, ArrayRef(object));
    module.erase();
    return success();
  }
};

} // namespace
