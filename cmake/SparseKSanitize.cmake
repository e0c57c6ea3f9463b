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
  # Into every program.
  add_library(SparseKSanitizerOptions OBJECT
    ${CMAKE_CURRENT_LIST_DIR}/SanitizerOptions.cpp)
  link_libraries(SparseKSanitizerOptions)
endif()
