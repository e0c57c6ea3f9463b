//===- Term.cpp - Expressions that emit operations ------------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Term.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace mlir::sparsek;

Term Term::constant(double number) const {
  Type element = getElementTypeOrSelf(getType());
  TypedAttr attr;
  if (isa<FloatType>(element))
    attr = builder->getFloatAttr(element, number);
  else
    attr = builder->getIntegerAttr(element, static_cast<int64_t>(number));
  if (auto vector = dyn_cast<VectorType>(getType()))
    attr = DenseElementsAttr::get(vector, Attribute(attr));
  return {*builder, arith::ConstantOp::create(*builder, attr)};
}

Term Term::splat(ArrayRef<int64_t> shape) const {
  if (isa<VectorType>(getType()))
    return *this;
  return {*builder, vector::BroadcastOp::create(
                        *builder, VectorType::get(shape, getType()), value)};
}

/// Brings two operands to one shape.
static std::pair<Term, Term> match(Term a, Term b) {
  if (auto vector = dyn_cast<VectorType>(a.getType()))
    return {a, b.splat(vector.getShape())};
  if (auto vector = dyn_cast<VectorType>(b.getType()))
    return {a.splat(vector.getShape()), b};
  return {a, b};
}

static bool isFloat(Term term) {
  return isa<FloatType>(getElementTypeOrSelf(term.getType()));
}

template <typename IntOp, typename FloatOp> static Term emit(Term a, Term b) {
  auto [x, y] = match(a, b);
  ImplicitLocOpBuilder &builder = x.getBuilder();
  if (isFloat(x))
    return {builder, FloatOp::create(builder, x.get(), y.get())};
  return {builder, IntOp::create(builder, x.get(), y.get())};
}

template <typename Op> static Term emitInt(Term a, Term b) {
  auto [x, y] = match(a, b);
  return {x.getBuilder(), Op::create(x.getBuilder(), x.get(), y.get())};
}

Term sparsek::operator+(Term a, Term b) {
  return emit<arith::AddIOp, arith::AddFOp>(a, b);
}
Term sparsek::operator-(Term a, Term b) {
  return emit<arith::SubIOp, arith::SubFOp>(a, b);
}
Term sparsek::operator*(Term a, Term b) {
  return emit<arith::MulIOp, arith::MulFOp>(a, b);
}
Term sparsek::operator/(Term a, Term b) {
  return emit<arith::DivUIOp, arith::DivFOp>(a, b);
}
Term sparsek::operator&(Term a, Term b) { return emitInt<arith::AndIOp>(a, b); }
Term sparsek::operator|(Term a, Term b) { return emitInt<arith::OrIOp>(a, b); }
Term sparsek::operator^(Term a, Term b) { return emitInt<arith::XOrIOp>(a, b); }

Term Term::min(Term other) const {
  return emit<arith::MinSIOp, arith::MinNumFOp>(*this, other);
}
Term Term::max(Term other) const {
  return emit<arith::MaxSIOp, arith::MaxNumFOp>(*this, other);
}
Term Term::divide(Term other) const {
  return emitInt<arith::DivUIOp>(*this, other);
}
Term Term::modulo(Term other) const {
  return emitInt<arith::RemUIOp>(*this, other);
}
Term Term::exp2() const {
  return {*builder, math::Exp2Op::create(*builder, value)};
}
Term Term::log2() const {
  return {*builder, math::Log2Op::create(*builder, value)};
}
Term Term::fma(Term factor, Term addend) const {
  auto [x, y] = match(*this, factor);
  auto [z, w] = match(x, addend);
  return {*builder, math::FmaOp::create(*builder, z.get(),
                                        match(z, y).second.get(), w.get())};
}
Term Term::operator!() const { return *this ^ constant(1); }
Term Term::operator-() const {
  return {*builder, arith::NegFOp::create(*builder, value)};
}

/// The ordered comparison of floats that stands beside a signed one.
static arith::CmpFPredicate toFloat(arith::CmpIPredicate predicate) {
  switch (predicate) {
  case arith::CmpIPredicate::slt:
    return arith::CmpFPredicate::OLT;
  case arith::CmpIPredicate::sle:
    return arith::CmpFPredicate::OLE;
  case arith::CmpIPredicate::sgt:
    return arith::CmpFPredicate::OGT;
  case arith::CmpIPredicate::sge:
    return arith::CmpFPredicate::OGE;
  default:
    return arith::CmpFPredicate::OEQ;
  }
}

Term Term::compare(arith::CmpIPredicate predicate, Term other) const {
  auto [x, y] = match(*this, other);
  if (isFloat(x))
    return {*builder, arith::CmpFOp::create(*builder, toFloat(predicate),
                                            x.get(), y.get())};
  return {*builder,
          arith::CmpIOp::create(*builder, predicate, x.get(), y.get())};
}

Term Term::select(Term then, Term otherwise) const {
  auto [x, y] = match(then, otherwise);
  if (auto vector = dyn_cast<VectorType>(getType())) {
    x = x.splat(vector.getShape());
    y = y.splat(vector.getShape());
  }
  return {*builder, arith::SelectOp::create(*builder, value, x.get(), y.get())};
}

//===----------------------------------------------------------------------===//
// Control flow
//===----------------------------------------------------------------------===//

static SmallVector<Value> toValues(ArrayRef<Term> terms) {
  return llvm::map_to_vector(terms, [](Term term) { return term.get(); });
}

static Terms toTerms(ImplicitLocOpBuilder &builder, ValueRange values) {
  return llvm::map_to_vector(values,
                             [&](Value value) { return Term(builder, value); });
}

Terms sparsek::branch(Term condition, llvm::function_ref<Terms()> then,
                      llvm::function_ref<Terms()> otherwise) {
  ImplicitLocOpBuilder &builder = condition.getBuilder();
  auto region = [&](llvm::function_ref<Terms()> body) {
    return [&builder, body](OpBuilder &nested, Location location) {
      OpBuilder::InsertionGuard guard(builder);
      builder.setInsertionPoint(nested.getInsertionBlock(),
                                nested.getInsertionPoint());
      SmallVector<Value> values = toValues(body());
      scf::YieldOp::create(builder, values);
    };
  };
  auto op = scf::IfOp::create(builder, condition.get(), region(then),
                              region(otherwise));
  return toTerms(builder, op.getResults());
}

void sparsek::when(Term condition, llvm::function_ref<void()> then) {
  ImplicitLocOpBuilder &builder = condition.getBuilder();
  auto op = scf::IfOp::create(builder, condition.get(), /*withElse=*/false);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(op.thenBlock());
  then();
}

Terms sparsek::loop(Term lower, Term upper, Term step, ArrayRef<Term> inits,
                    llvm::function_ref<Terms(Term, ArrayRef<Term>)> body) {
  ImplicitLocOpBuilder &builder = lower.getBuilder();
  auto op = scf::ForOp::create(builder, lower.get(), upper.get(), step.get(),
                               toValues(inits));
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(op.getBody());
  Terms next = body(Term(builder, op.getInductionVar()),
                    toTerms(builder, op.getRegionIterArgs()));
  scf::YieldOp::create(builder, toValues(next));
  return toTerms(builder, op.getResults());
}
