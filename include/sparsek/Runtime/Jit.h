//===- Jit.h - Object files as callable functions ------------- -*- C++ -*-===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEK_RUNTIME_JIT_H
#define SPARSEK_RUNTIME_JIT_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <memory>
#include <string>

namespace llvm::orc {
class LLJIT;
} // namespace llvm::orc

namespace mlir::sparsek::runtime {

/// An object file linked into this process. No code is generated here.
class LoadedObject {
public:
  using Entry = void (*)(void **);

  static llvm::Expected<std::unique_ptr<LoadedObject>>
  load(llvm::StringRef triple, llvm::StringRef object);
  ~LoadedObject();

  /// Links at the first lookup.
  llvm::Expected<Entry> lookup(llvm::StringRef symbol);

private:
  explicit LoadedObject(std::unique_ptr<llvm::orc::LLJIT> jit);

  /// What linking reported besides the error of a lookup.
  std::string messages;
  std::unique_ptr<llvm::orc::LLJIT> jit;
};

} // namespace mlir::sparsek::runtime

#endif // SPARSEK_RUNTIME_JIT_H
