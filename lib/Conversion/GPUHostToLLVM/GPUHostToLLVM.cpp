//===- GPUHostToLLVM.cpp - Launches to runtime calls ----------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sparsek/Conversion/GPUHostToLLVM/Passes.h"

#include "sparsek/Dialect/Tile/IR/Tile.h"

#include "mlir/Conversion/LLVMCommon/Pattern.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/FunctionCallUtils.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "mlir/Transforms/DialectConversion.h"

namespace mlir::sparsek {
#define GEN_PASS_DEF_SPARSEKGPUHOSTTOLLVM
#include "sparsek/Conversion/GPUHostToLLVM/Passes.h.inc"
} // namespace mlir::sparsek

using namespace mlir;

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

namespace {

/// The globals of the kernels that are launched. Their address is what the
/// runtime's launch takes.
class Kernels {
public:
  explicit Kernels(ModuleOp module) : symbols(module), builder(module) {
    builder.setInsertionPointToStart(module.getBody());
  }

  /// Makes the global of the kernel of a launch, once.
  LogicalResult add(gpu::LaunchFuncOp launch);
  LLVM::GlobalOp lookup(SymbolRefAttr kernel) const {
    return kernels.lookup(kernel);
  }

private:
  LLVM::GlobalOp addText(Location loc, const Twine &name, StringRef text);
  LLVM::GlobalOp getImage(gpu::BinaryOp binary, StringRef ptx);

  SymbolTable symbols;
  OpBuilder builder;
  DenseMap<Attribute, LLVM::GlobalOp> kernels;
  DenseMap<Operation *, LLVM::GlobalOp> images;
};

} // namespace

/// A constant of a text and a null behind it.
LLVM::GlobalOp Kernels::addText(Location loc, const Twine &name,
                                StringRef text) {
  std::string bytes = (text + Twine('\0')).str();
  auto global = LLVM::GlobalOp::create(
      builder, loc, LLVM::LLVMArrayType::get(builder.getI8Type(), bytes.size()),
      /*isConstant=*/true, LLVM::Linkage::Internal, name.str(),
      builder.getStringAttr(bytes));
  symbols.insert(global);
  return global;
}

LLVM::GlobalOp Kernels::getImage(gpu::BinaryOp binary, StringRef ptx) {
  LLVM::GlobalOp &image = images[binary];
  if (!image)
    image =
        addText(binary.getLoc(), "sparsek_gpu_image_" + binary.getName(), ptx);
  return image;
}

/// llvm.mlir.global internal @sparsek_gpu_kernel_m_f() {
///   %0 = llvm.mlir.undef : !llvm.struct<(ptr, i64, ptr, ptr)>
///   ... the image, its size, the kernel's name, null
///   llvm.return
/// }
LogicalResult Kernels::add(gpu::LaunchFuncOp launch) {
  SymbolRefAttr kernel = launch.getKernel();
  if (kernels.contains(kernel))
    return success();
  auto binary =
      symbols.lookup<gpu::BinaryOp>(launch.getKernelModuleName().getValue());
  auto object = binary && binary.getObjects().size() == 1
                    ? dyn_cast<gpu::ObjectAttr>(binary.getObjects()[0])
                    : gpu::ObjectAttr();
  if (!object || object.getFormat() != gpu::CompilationTarget::Assembly)
    return launch.emitOpError("launches ")
           << kernel << ", expected a kernel in a gpu.binary with PTX";

  Location loc = launch.getLoc();
  StringRef ptx = object.getObject().getValue();
  std::string name =
      (binary.getName() + "_" + launch.getKernelName().getValue()).str();
  LLVM::GlobalOp image = getImage(binary, ptx);
  LLVM::GlobalOp symbol = addText(loc, "sparsek_gpu_name_" + Twine(name),
                                  launch.getKernelName().getValue());

  OpBuilder::InsertionGuard guard(builder);
  auto pointer = LLVM::LLVMPointerType::get(builder.getContext());
  auto type = LLVM::LLVMStructType::getLiteral(
      builder.getContext(), {pointer, builder.getI64Type(), pointer, pointer});
  auto global = LLVM::GlobalOp::create(
      builder, loc, type, /*isConstant=*/false, LLVM::Linkage::Internal,
      "sparsek_gpu_kernel_" + name, Attribute());
  symbols.insert(global);
  builder.createBlock(&global.getInitializerRegion());
  Value fields[] = {LLVM::AddressOfOp::create(builder, loc, image),
                    LLVM::ConstantOp::create(
                        builder, loc, builder.getI64IntegerAttr(ptx.size())),
                    LLVM::AddressOfOp::create(builder, loc, symbol),
                    LLVM::ZeroOp::create(builder, loc, pointer)};
  Value value = LLVM::UndefOp::create(builder, loc, type);
  for (auto [index, field] : llvm::enumerate(fields))
    value = LLVM::InsertValueOp::create(builder, loc, value, field, index);
  LLVM::ReturnOp::create(builder, loc, value);
  kernels[kernel] = global;
  return success();
}

//===----------------------------------------------------------------------===//
// Patterns
//===----------------------------------------------------------------------===//

namespace {

/// A pattern that makes calls of the runtime.
template <typename Op> struct RuntimePattern : ConvertOpToLLVMPattern<Op> {
  using ConvertOpToLLVMPattern<Op>::ConvertOpToLLVMPattern;

protected:
  FailureOr<LLVM::CallOp> call(OpBuilder &builder, Operation *op,
                               StringRef name, ValueRange arguments,
                               Type result = {}) const {
    if (!result)
      result = this->getVoidType();
    FailureOr<LLVM::LLVMFuncOp> function =
        LLVM::lookupOrCreateFn(builder, op->getParentOfType<ModuleOp>(), name,
                               llvm::to_vector(arguments.getTypes()), result);
    if (failed(function))
      return failure();
    return LLVM::CallOp::create(builder, op->getLoc(), *function, arguments);
  }

  /// Memory on the stack for one value, allocated once per call of the function
  /// and not in its loops.
  Value getSlot(OpBuilder &builder, Operation *op, Type type,
                unsigned alignment = 0) const {
    OpBuilder::InsertionGuard guard(builder);
    auto function = op->getParentOfType<FunctionOpInterface>();
    builder.setInsertionPointToStart(&function.getFunctionBody().front());
    Value one = LLVM::ConstantOp::create(builder, op->getLoc(),
                                         builder.getI64IntegerAttr(1));
    return LLVM::AllocaOp::create(builder, op->getLoc(), this->getPtrType(),
                                  type, one, alignment);
  }

  Value getSlotWith(OpBuilder &builder, Operation *op, Value value) const {
    Value slot = getSlot(builder, op, value.getType());
    LLVM::StoreOp::create(builder, op->getLoc(), value, slot);
    return slot;
  }
};

/// %m = memref.alloc(%n) : memref<?x64xf32>
/// becomes
///   %bytes = ...
///   %p = llvm.call @sparsek_gpu_alloc(%bytes) : (i64) -> !llvm.ptr
/// and a descriptor of %p.
struct LowerAlloc : RuntimePattern<memref::AllocOp> {
  using RuntimePattern::RuntimePattern;

  LogicalResult
  matchAndRewrite(memref::AllocOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    MemRefType type = op.getType();
    if (!isConvertibleAndHasIdentityMaps(type))
      return rewriter.notifyMatchFailure(op, "has a layout");
    SmallVector<Value> sizes, strides;
    Value bytes;
    getMemRefDescriptorSizes(loc, type, adaptor.getDynamicSizes(), rewriter,
                             sizes, strides, bytes);
    auto made = call(rewriter, op, "sparsek_gpu_alloc", bytes, getPtrType());
    if (failed(made))
      return failure();
    Value memory = made->getResult();
    MemRefDescriptor descriptor = createMemRefDescriptor(
        loc, type, memory, memory, sizes, strides, rewriter);
    rewriter.replaceOp(op, Value(descriptor));
    return success();
  }
};

/// memref.dealloc %m
/// becomes
///   llvm.call @sparsek_gpu_free(%p) : (!llvm.ptr) -> ()
struct LowerDealloc : RuntimePattern<memref::DeallocOp> {
  using RuntimePattern::RuntimePattern;

  LogicalResult
  matchAndRewrite(memref::DeallocOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    if (!isa<MemRefType>(op.getMemref().getType()))
      return rewriter.notifyMatchFailure(op, "unranked");
    MemRefDescriptor descriptor(adaptor.getMemref());
    Value memory = descriptor.allocatedPtr(rewriter, op.getLoc());
    if (failed(call(rewriter, op, "sparsek_gpu_free", memory)))
      return failure();
    rewriter.eraseOp(op);
    return success();
  }
};

/// memref.copy %a, %b : memref<?x64xf32, ..> to memref<?x64xf32, ..>
/// becomes, with both descriptors on the stack,
///   llvm.call @sparsek_gpu_copy(%elementBytes, %rank, %pa, %pb)
template <typename Op> struct LowerCopy : RuntimePattern<Op> {
  using RuntimePattern<Op>::RuntimePattern;
  using Adaptor = typename Op::Adaptor;

  LogicalResult
  matchAndRewrite(Op op, Adaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto [from, to] = getOperands(adaptor);
    auto type = dyn_cast<MemRefType>(getOperands(op).first.getType());
    if (!type || !isa<MemRefType>(getOperands(op).second.getType()))
      return rewriter.notifyMatchFailure(op, "unranked");
    Value elementBytes =
        this->getSizeInBytes(loc, type.getElementType(), rewriter);
    Value rank = LLVM::ConstantOp::create(
        rewriter, loc, rewriter.getI64IntegerAttr(type.getRank()));
    Value arguments[] = {elementBytes, rank,
                         this->getSlotWith(rewriter, op, from),
                         this->getSlotWith(rewriter, op, to)};
    if (failed(this->call(rewriter, op, "sparsek_gpu_copy", arguments)))
      return failure();
    rewriter.eraseOp(op);
    return success();
  }

private:
  template <typename Operands>
  static std::pair<Value, Value> getOperands(Operands operands) {
    if constexpr (std::is_same_v<Op, gpu::MemcpyOp>)
      return {operands.getSrc(), operands.getDst()};
    else
      return {operands.getSource(), operands.getTarget()};
  }
};

/// gpu.memset %m, %x : memref<?xf32>, f32
/// becomes
///   llvm.call @sparsek_gpu_fill(%p, %bytes, %elementBytes, %bits)
struct LowerFill : RuntimePattern<gpu::MemsetOp> {
  using RuntimePattern::RuntimePattern;

  LogicalResult
  matchAndRewrite(gpu::MemsetOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto type = cast<MemRefType>(op.getDst().getType());
    if (!type.getLayout().isIdentity())
      return rewriter.notifyMatchFailure(op, "has a layout");
    MemRefDescriptor descriptor(adaptor.getDst());
    SmallVector<Value> dynamicSizes;
    for (auto [dim, size] : llvm::enumerate(type.getShape()))
      if (ShapedType::isDynamic(size))
        dynamicSizes.push_back(descriptor.size(rewriter, loc, dim));
    SmallVector<Value> sizes, strides;
    Value bytes;
    getMemRefDescriptorSizes(loc, type, dynamicSizes, rewriter, sizes, strides,
                             bytes);
    Value arguments[] = {
        descriptor.bufferPtr(rewriter, loc, *getTypeConverter(), type), bytes,
        getSizeInBytes(loc, type.getElementType(), rewriter),
        getBits(rewriter, loc, adaptor.getValue())};
    if (failed(call(rewriter, op, "sparsek_gpu_fill", arguments)))
      return failure();
    rewriter.eraseOp(op);
    return success();
  }

private:
  /// A number of up to 32 bits as an i32.
  static Value getBits(OpBuilder &builder, Location loc, Value value) {
    unsigned width = value.getType().getIntOrFloatBitWidth();
    if (!isa<IntegerType>(value.getType()))
      value = LLVM::BitcastOp::create(builder, loc,
                                      builder.getIntegerType(width), value);
    if (width == 32)
      return value;
    return LLVM::ZExtOp::create(builder, loc, builder.getI32Type(), value);
  }
};

/// %map = tile.encode_tensor_map %m rows(64) : memref<?x128xbf16>
/// becomes
///   llvm.call @sparsek_gpu_encode(%p, %elementBytes, %rank, %pm, %rows)
/// where %p points to 128 bytes on the stack and stands for the map.
struct LowerEncode : RuntimePattern<sparsek::tile::EncodeTensorMapOp> {
  using RuntimePattern::RuntimePattern;

  LogicalResult
  matchAndRewrite(sparsek::tile::EncodeTensorMapOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto type = dyn_cast<MemRefType>(op.getSource().getType());
    if (!type)
      return rewriter.notifyMatchFailure(op, "unranked");
    Type bytes = LLVM::LLVMArrayType::get(rewriter.getI8Type(), 128);
    Value map = getSlot(rewriter, op, bytes, /*alignment=*/64);
    auto constant = [&](int64_t value) -> Value {
      return LLVM::ConstantOp::create(rewriter, loc,
                                      rewriter.getI64IntegerAttr(value));
    };
    Value arguments[] = {
        map, getSizeInBytes(loc, type.getElementType(), rewriter),
        constant(type.getRank()),
        getSlotWith(rewriter, op, adaptor.getSource()), constant(op.getRows())};
    if (failed(call(rewriter, op, "sparsek_gpu_encode", arguments)))
      return failure();
    rewriter.replaceOp(op, map);
    return success();
  }
};

/// Whether an argument of a launch is a tensor map, or was one before
/// -convert-tile-to-nvvm.
bool isTensorMap(Value value) {
  if (auto cast = value.getDefiningOp<UnrealizedConversionCastOp>())
    if (cast.getNumOperands() == 1)
      value = cast.getOperand(0);
  return isa<sparsek::tile::TensorMapType>(value.getType());
}

/// gpu.launch_func @m::@f blocks in (...) threads in (...) args(%x : f32)
/// becomes
///   llvm.store %x, %p0 : f32, !llvm.ptr
///   llvm.store %p0, %parameters : !llvm.ptr, !llvm.ptr
///   llvm.call @sparsek_gpu_launch(%kernel, ..., %sharedBytes, %parameters)
struct LowerLaunch : RuntimePattern<gpu::LaunchFuncOp> {
  LowerLaunch(const LLVMTypeConverter &converter, const Kernels &kernels)
      : RuntimePattern(converter), kernels(kernels) {}

  LogicalResult
  matchAndRewrite(gpu::LaunchFuncOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value shared = adaptor.getDynamicSharedMemorySize();
    if (!shared)
      shared = LLVM::ConstantOp::create(rewriter, loc,
                                        rewriter.getI32IntegerAttr(0));
    SmallVector<Value> arguments = {LLVM::AddressOfOp::create(
        rewriter, loc, kernels.lookup(op.getKernel()))};
    for (Value size : {adaptor.getGridSizeX(), adaptor.getGridSizeY(),
                       adaptor.getGridSizeZ(), adaptor.getBlockSizeX(),
                       adaptor.getBlockSizeY(), adaptor.getBlockSizeZ()})
      arguments.push_back(toI64(rewriter, loc, size));
    arguments.append({shared, getParameters(rewriter, op, adaptor)});
    if (failed(call(rewriter, op, "sparsek_gpu_launch", arguments)))
      return failure();
    rewriter.eraseOp(op);
    return success();
  }

private:
  static Value toI64(OpBuilder &builder, Location loc, Value size) {
    if (size.getType().isInteger(64))
      return size;
    return LLVM::SExtOp::create(builder, loc, builder.getI64Type(), size);
  }

  /// Where the arguments are: a memref's descriptor field by field. A tensor
  /// map is in memory already.
  SmallVector<Value> getSlots(ConversionPatternRewriter &rewriter,
                              gpu::LaunchFuncOp op, OpAdaptor adaptor) const {
    SmallVector<Value> slots;
    for (auto [operand, converted] :
         llvm::zip_equal(op.getKernelOperands(), adaptor.getKernelOperands())) {
      if (isTensorMap(operand)) {
        slots.push_back(converted);
        continue;
      }
      for (Value field : getTypeConverter()->promoteOperands(
               op.getLoc(), operand, converted, rewriter,
               /*useBarePtrCallConv=*/false))
        slots.push_back(getSlotWith(rewriter, op, field));
    }
    return slots;
  }

  Value getParameters(ConversionPatternRewriter &rewriter, gpu::LaunchFuncOp op,
                      OpAdaptor adaptor) const {
    Location loc = op.getLoc();
    SmallVector<Value> slots = getSlots(rewriter, op, adaptor);
    auto type = LLVM::LLVMArrayType::get(getPtrType(), slots.size());
    Value parameters = getSlot(rewriter, op, type);
    for (auto [index, slot] : llvm::enumerate(slots)) {
      Value address =
          LLVM::GEPOp::create(rewriter, loc, getPtrType(), getPtrType(),
                              parameters, LLVM::GEPArg(int32_t(index)));
      LLVM::StoreOp::create(rewriter, loc, slot, address);
    }
    return parameters;
  }

  const Kernels &kernels;
};

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

/// What the runtime has no call for.
LogicalResult verifyLaunch(gpu::LaunchFuncOp op) {
  if (op.getAsyncToken() || !op.getAsyncDependencies().empty() ||
      op.getAsyncObject())
    return op.emitOpError("has a token or a stream, expected the form without: "
                          "launches go to the stream of the call, in order");
  if (op.hasClusterSize())
    return op.emitOpError("has cluster sizes, expected none: the kernel's "
                          "attribute nvvm.cluster_dim holds them");
  return success();
}

LogicalResult verifyFill(gpu::MemsetOp op) {
  if (op.getValue().getType().isIntOrFloat() &&
      op.getValue().getType().getIntOrFloatBitWidth() <= 32)
    return success();
  return op.emitOpError("has a value of type ")
         << op.getValue().getType()
         << ", expected an integer or float of at most 32 bits";
}

struct GPUHostToLLVMPass
    : sparsek::impl::SparseKGPUHostToLLVMBase<GPUHostToLLVMPass> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    Kernels kernels(module);
    WalkResult result = module.walk([&](Operation *op) {
      LogicalResult holds = success();
      if (auto launch = dyn_cast<gpu::LaunchFuncOp>(op))
        holds = success(succeeded(verifyLaunch(launch)) &&
                        succeeded(kernels.add(launch)));
      else if (auto fill = dyn_cast<gpu::MemsetOp>(op))
        holds = verifyFill(fill);
      return WalkResult(holds);
    });
    if (result.wasInterrupted() || failed(convert(kernels)))
      return signalPassFailure();
    for (auto binary :
         llvm::make_early_inc_range(module.getOps<gpu::BinaryOp>()))
      binary.erase();
    module->removeAttr(gpu::GPUDialect::getContainerModuleAttrName());
  }

private:
  LogicalResult convert(const Kernels &kernels) {
    LLVMTypeConverter converter(&getContext());
    converter.addConversion([](sparsek::tile::TensorMapType type) -> Type {
      return LLVM::LLVMPointerType::get(type.getContext());
    });
    RewritePatternSet patterns(&getContext());
    patterns.add<LowerAlloc, LowerDealloc, LowerCopy<memref::CopyOp>,
                 LowerCopy<gpu::MemcpyOp>, LowerEncode, LowerFill>(converter);
    patterns.add<LowerLaunch>(converter, kernels);
    ConversionTarget target(getContext());
    target.addLegalDialect<LLVM::LLVMDialect>();
    target.addIllegalDialect<gpu::GPUDialect>();
    target.addLegalOp<gpu::BinaryOp>();
    target.addIllegalOp<memref::AllocOp, memref::DeallocOp, memref::CopyOp,
                        sparsek::tile::EncodeTensorMapOp>();
    return applyPartialConversion(getOperation(), target, std::move(patterns));
  }
};

} // namespace
