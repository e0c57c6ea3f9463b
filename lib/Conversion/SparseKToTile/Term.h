//===- Term.h - Expressions that emit operations -------------- -*- C++ -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LIB_CONVERSION_SPARSEKTOTILE_TERM_H
#define LIB_CONVERSION_SPARSEKTOTILE_TERM_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mlir::sparsek {

/// A value with operators, so that code which emits a kernel reads like the
/// kernel. Scalars and vectors of i32, i1 and floats; a scalar or a number
/// beside a vector is broadcast.
class Term {
public:
  Term() = default;
  Term(ImplicitLocOpBuilder &builder, Value value)
      : builder(&builder), value(value) {}

  operator Value() const { return value; }
  Value get() const { return value; }
  Type getType() const { return value.getType(); }
  VectorType getVectorType() const { return cast<VectorType>(getType()); }
  ImplicitLocOpBuilder &getBuilder() const { return *builder; }

  /// A constant of the type of this term.
  Term constant(double number) const;
  /// A scalar as a vector of `type`'s shape; a vector as it is.
  Term splat(ArrayRef<int64_t> shape) const;

  /// Signed comparisons of integers, ordered ones of floats.
  Term lt(Term other) const {
    return compare(arith::CmpIPredicate::slt, other);
  }
  Term le(Term other) const {
    return compare(arith::CmpIPredicate::sle, other);
  }
  Term gt(Term other) const {
    return compare(arith::CmpIPredicate::sgt, other);
  }
  Term ge(Term other) const {
    return compare(arith::CmpIPredicate::sge, other);
  }
  Term eq(Term other) const { return compare(arith::CmpIPredicate::eq, other); }
  Term ult(Term other) const {
    return compare(arith::CmpIPredicate::ult, other);
  }
  Term lt(double other) const { return lt(constant(other)); }
  Term le(double other) const { return le(constant(other)); }
  Term gt(double other) const { return gt(constant(other)); }
  Term ge(double other) const { return ge(constant(other)); }
  Term eq(double other) const { return eq(constant(other)); }

  /// The smaller and the larger; of a number and a NaN, the number.
  Term min(Term other) const;
  Term max(Term other) const;
  Term min(double other) const { return min(constant(other)); }
  Term max(double other) const { return max(constant(other)); }

  /// Unsigned quotient and remainder.
  Term divide(Term other) const;
  Term modulo(Term other) const;
  Term divide(int64_t other) const { return divide(constant(other)); }
  Term modulo(int64_t other) const { return modulo(constant(other)); }

  Term exp2() const;
  Term log2() const;
  /// this * factor + addend, rounded once.
  Term fma(Term factor, Term addend) const;
  Term operator!() const;
  Term operator-() const;
  /// This, an i1, decides.
  Term select(Term then, Term otherwise) const;

private:
  Term compare(arith::CmpIPredicate predicate, Term other) const;

  ImplicitLocOpBuilder *builder = nullptr;
  Value value;
};

Term operator+(Term a, Term b);
Term operator-(Term a, Term b);
Term operator*(Term a, Term b);
/// Quotient of floats.
Term operator/(Term a, Term b);
Term operator&(Term a, Term b);
Term operator|(Term a, Term b);
Term operator^(Term a, Term b);
inline Term operator+(Term a, double b) { return a + a.constant(b); }
inline Term operator-(Term a, double b) { return a - a.constant(b); }
inline Term operator*(Term a, double b) { return a * a.constant(b); }

/// scf.if with results; an empty result list where neither yields.
using Terms = SmallVector<Term>;
Terms branch(Term condition, llvm::function_ref<Terms()> then,
             llvm::function_ref<Terms()> otherwise);
void when(Term condition, llvm::function_ref<void()> then);

/// for (i = lower; i < upper; i += step), all of them i32.
Terms loop(Term lower, Term upper, Term step, ArrayRef<Term> inits,
           llvm::function_ref<Terms(Term, ArrayRef<Term>)> body);

} // namespace mlir::sparsek

#endif // LIB_CONVERSION_SPARSEKTOTILE_TERM_H
