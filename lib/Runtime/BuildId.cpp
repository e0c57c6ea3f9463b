//===- BuildId.cpp - Which build of the compiler this is ------------------===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "BuildId.h"

#include "llvm/ADT/bit.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/MathExtras.h"

#include <cstring>
#include <elf.h>
#include <link.h>
#include <string>

/// The build id in the notes of a segment, empty if there is none.
static std::string findBuildId(const char *notes, size_t size) {
  const char *end = notes + size;
  while (size_t(end - notes) >= sizeof(ElfW(Nhdr))) {
    ElfW(Nhdr) header;
    std::memcpy(&header, notes, sizeof(header));
    const char *name = notes + sizeof(header);
    const char *description = name + llvm::alignTo(header.n_namesz, 4);
    if (header.n_type == NT_GNU_BUILD_ID && header.n_namesz == 4 &&
        std::memcmp(name, "GNU", 4) == 0)
      return std::string(description, header.n_descsz);
    notes = description + llvm::alignTo(header.n_descsz, 4);
  }
  return "";
}

namespace {
struct Search {
  ElfW(Addr) address;
  std::string buildId;
};
} // namespace

/// Stops at the object that holds the address.
static int visitObject(dl_phdr_info *info, size_t, void *data) {
  auto &search = *static_cast<Search *>(data);
  bool holdsAddress = false;
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const ElfW(Phdr) &segment = info->dlpi_phdr[i];
    ElfW(Addr) start = info->dlpi_addr + segment.p_vaddr;
    holdsAddress |= segment.p_type == PT_LOAD && search.address >= start &&
                    search.address - start < segment.p_memsz;
  }
  if (!holdsAddress)
    return 0;
  for (int i = 0; i < info->dlpi_phnum && search.buildId.empty(); ++i)
    if (const ElfW(Phdr) &segment = info->dlpi_phdr[i];
        segment.p_type == PT_NOTE)
      search.buildId = findBuildId(
          llvm::bit_cast<const char *>(info->dlpi_addr + segment.p_vaddr),
          segment.p_memsz);
  return 1;
}

llvm::StringRef mlir::sparsek::runtime::getBuildId() {
  static const std::string *id = [] {
    Search search{reinterpret_cast<ElfW(Addr)>(&visitObject), ""};
    dl_iterate_phdr(visitObject, &search);
    return new std::string("sparsek " SPARSEK_VERSION
                           ", LLVM " LLVM_VERSION_STRING ", build " +
                           search.buildId);
  }();
  return *id;
}
