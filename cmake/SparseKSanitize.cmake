# The address and undefined-behaviour sanitizers on the project's own code; the LLVM and MLIR libraries are used as
# they are.
option(SPARSEK_SANITIZE "Build the project's code with ASan and UBSan" OFF)
if(SPARSEK_SANITIZE)
  # vptr and function compare type information with that of MLIR's libraries, which were built without.
  add_compile_options(-fsanitize=address,undefined
                      -fno-sanitize=vptr,function
                      -fno-sanitize-recover=undefined
                      -fno-omit-frame-pointer -O1)
  add_link_options(-fsanitize=address,undefined)
  # The objects go into every tool, with the others.
  sparsek_add_library(SparseKSanitizerOptions
    ${CMAKE_CURRENT_LIST_DIR}/SanitizerOptions.cpp)
endif()
