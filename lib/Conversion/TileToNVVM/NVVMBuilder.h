//===- NVVMBuilder.h - Short forms of nvvm and llvm ops ---------*- C++ -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEK_LIB_CONVERSION_TILETONVVM_NVVMBUILDER_H
#define SPARSEK_LIB_CONVERSION_TILETONVVM_NVVMBUILDER_H

#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mlir::sparsek::tile {

/// A builder at one location with the ops that the patterns repeat. Numbers are
/// i32, addresses are i32 offsets in the shared window.
class NVVMBuilder : public ImplicitLocOpBuilder {
public:
  using ImplicitLocOpBuilder::ImplicitLocOpBuilder;

  Value constant(int64_t value);
  Value add(Value lhs, Value rhs);
  Value add(Value lhs, int64_t rhs);
  Value mul(Value lhs, int64_t rhs);
  Value isEqual(Value lhs, int64_t rhs);
  Value isLess(Value lhs, int64_t rhs);

  /// The number of this thread in the block, in its warp.
  Value threadInBlock();
  Value threadInWarp();

  /// `!llvm.ptr<3>` of an address.
  Value sharedPointer(Value address);

  /// Runs `body` where `condition` holds.
  void when(Value condition, function_ref<void(NVVMBuilder &)> body);

  /// The elements of a vector, and back.
  SmallVector<Value> unpack(Value vector);
  Value pack(ValueRange elements);

  /// Assembly with side effects that reads and writes memory. Each of `tied` is
  /// read and written in place: its new value is a result. In `text`, `$i` is
  /// the i-th result, and inputs start at `$(2 * tied.size())`.
  SmallVector<Value> assembly(const Twine &text, ValueRange tied,
                              ValueRange inputs = {});

  /// Hides where `values` come from, so that neither LLVM nor ptxas recomputes
  /// or moves them across this point.
  SmallVector<Value> opaque(ValueRange values) { return assembly("", values); }
};

} // namespace mlir::sparsek::tile

#endif // SPARSEK_LIB_CONVERSION_TILETONVVM_NVVMBUILDER_H
