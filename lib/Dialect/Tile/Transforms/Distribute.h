//===- Distribute.h - Distribution of vectors over threads ------*- C++ -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEK_LIB_DIALECT_TILE_TRANSFORMS_DISTRIBUTE_H
#define SPARSEK_LIB_DIALECT_TILE_TRANSFORMS_DISTRIBUTE_H

#include "sparsek/Dialect/Tile/IR/Tile.h"

#include "mlir/IR/IRMapping.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "llvm/ADT/StringMap.h"

#include <functional>
#include <memory>

namespace mlir::sparsek::tile {

class Distributor;

/// The rewrites of ops by name.
class RuleTable {
public:
  using Rule = std::function<LogicalResult(Operation *, Distributor &)>;

  template <typename OpTy>
  void add(LogicalResult (*rule)(OpTy, Distributor &)) {
    rules[OpTy::getOperationName()] = [rule](Operation *op, Distributor &d) {
      return rule(cast<OpTy>(op), d);
    };
  }
  /// Null if `op` has none.
  const Rule *lookup(Operation *op) const {
    auto it = rules.find(op->getName().getStringRef());
    return it == rules.end() ? nullptr : &it->second;
  }

private:
  llvm::StringMap<Rule> rules;
};

void populateCopyRules(RuleTable &rules);
void populateLoadRules(RuleTable &rules);
void populateScatterRules(RuleTable &rules);
void populateSharedRules(RuleTable &rules);
void populateVectorRules(RuleTable &rules);

/// Clones the body of a role for one thread. What depends on the thread alone
/// is computed once, at the start of the role.
class Distributor {
public:
  Distributor(RoleOp role, const RuleTable &rules);

  LogicalResult run();

  /// For the code of the thread, at the location of the op that is cloned.
  ImplicitLocOpBuilder b;

  /// The threads of a group.
  int64_t getThreads() const { return threads; }

  Value lookup(Value value) const { return mapping.lookupOrDefault(value); }
  void map(Value value, Value thread) { mapping.map(value, thread); }
  /// Maps `value` to a vector of `elements`.
  void mapElements(Value value, ValueRange elements);

  LayoutAttr getLayout(Value value) const { return layouts.lookup(value); }
  /// The vector of one thread for a group's, any other type itself.
  Type getThreadType(Value value) const;
  /// The thread's elements of `value`, a vector of the group.
  SmallVector<Value> getElements(Value value);
  /// The elements of `vector`, a vector of the thread.
  SmallVector<Value> toElements(Value vector);
  Value fromElements(ValueRange elements);

  //===--- Integers, folded -----------------------------------------------===//

  Value i32(int64_t value);
  /// A constant of the type of `a`.
  Value constantLike(Value a, int64_t value);
  Value add(Value a, Value b);
  Value add(Value a, int64_t b) { return add(a, constantLike(a, b)); }
  Value mul(Value a, Value b);
  Value mul(Value a, int64_t b);
  Value bitAnd(Value a, int64_t b);
  Value bitXor(Value a, Value b);
  Value shiftLeft(Value a, int64_t b);
  Value shiftRight(Value a, int64_t b);
  Value toI64(Value a);
  Value toIndex(Value a);

  //===--- The thread -----------------------------------------------------===//

  /// Runs `build` with the builder at the start of the role.
  Value inPrologue(llvm::function_ref<Value()> build);
  /// Runs `build` with the builder right after `value`, of the new body.
  void atDefinition(Value value, llvm::function_ref<void()> build);

  Value getThreadId() { return threadId; }
  Value getLane() { return lane; }
  Value getWarp() { return warp; }
  /// lane / 4 and lane % 4.
  Value getQuad() { return quad; }
  Value getQuadLane() { return quadLane; }

  /// The number of a thread's first element in a vector of rank 1, as i32.
  Value getElementBase(LayoutAttr layout, VectorType type);
  /// i1: whether the thread holds an element; null where all do.
  Value getHolds(LayoutAttr layout, VectorType type);
  /// `a` and `b`, either of which may be null.
  Value both(Value a, Value b);

  //===--- Memory ---------------------------------------------------------===//

  /// `then()` where `condition` is set, else `otherwise`; a null condition is
  /// always set.
  Value getWhere(Value condition, llvm::function_ref<Value()> then,
                 Value otherwise);
  /// Runs `then` where `condition` is set; a null condition is always set.
  void when(Value condition, llvm::function_ref<void()> then);
  Value zero(Type type);
  /// The address in shared memory as a pointer.
  Value sharedPointer(Value address);
  Value globalPointer(Value address);
  Value getSharedAddress(Value source);
  /// A value that the compiler knows nothing about, so that it neither
  /// computes it again nor merges it with other arithmetic.
  Value opaque(Value value);
  /// value of lane ^ `mask`; i32 or f32.
  Value shuffleXor(Value value, int64_t mask);
  /// Whether a lane of the warp has `predicate` set.
  Value voteAny(Value predicate);

  /// A memref in device memory, seen by address arithmetic.
  struct Global {
    /// i64, of the first element.
    Value base;
    /// index, one per dimension.
    SmallVector<Value> strides;
    /// Constants where the type has them.
    SmallVector<int64_t> staticStrides;
    int64_t elementBytes;
    /// The base plus the chunk of a lane, by the lanes of a gather's party.
    llvm::SmallDenseMap<int64_t, Value> laneBases;
  };
  /// Of a memref of the group's code; computed where the memref is.
  Global &getGlobal(Value memref);

  /// The offsets of a gather's rows in bytes, as i64.
  struct RowOffsets {
    Block *block;
    SmallVector<Value> indices;
    SmallVector<int64_t> strides;
    SmallVector<Value> offsets;
  };
  /// Those of the gathers so far; keys and values are gathered alike.
  SmallVector<RowOffsets> rowOffsets;

  /// Moves the builder before the tile.acquire that a copy follows, as far as
  /// `operands` are there.
  void setInsertionPointBeforeAcquire(ValueRange operands);

  /// Clones an op without regions for the thread.
  void clone(Operation *op);

private:
  LogicalResult distributeBlock(Block &source, Block &dest);
  LogicalResult distribute(Operation *op);
  LogicalResult cloneWithRegions(Operation *op);
  LogicalResult recordArguments(Operation *op, Region &region);
  LogicalResult setLayouts(ValueRange values, StringRef name, Operation *op);
  void setThreadTypes(Operation *op, Operation *copy);

  RoleOp role;
  RoleOp newRole;
  const RuleTable &rules;
  int64_t threads;
  IRMapping mapping;
  DenseMap<Value, LayoutAttr> layouts;
  DenseMap<Value, std::unique_ptr<Global>> globals;
  /// The prologue goes before this op.
  Operation *prologueEnd = nullptr;
  Value threadId, lane, warp, quad, quadLane;
};

} // namespace mlir::sparsek::tile

#endif // SPARSEK_LIB_DIALECT_TILE_TRANSFORMS_DISTRIBUTE_H
