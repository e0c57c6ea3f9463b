# Finds LLVM/MLIR 22 and sets up what every target of the project compiles with.
set(SPARSEK_LLVM_MAJOR 22)
# LLVM's version files accept an exact major.minor alone, so the major is checked here.
find_package(MLIR QUIET CONFIG
             HINTS /usr/lib/llvm-${SPARSEK_LLVM_MAJOR}/lib/cmake/mlir)
if(NOT MLIR_FOUND OR NOT LLVM_VERSION_MAJOR EQUAL SPARSEK_LLVM_MAJOR)
  if(MLIR_FOUND)
    set(found "found ${LLVM_PACKAGE_VERSION} in ${MLIR_DIR}")
  else()
    set(found "found none")
  endif()
  message(FATAL_ERROR
    "sparsek needs LLVM/MLIR ${SPARSEK_LLVM_MAJOR} (${found}): install llvm-22-dev, libmlir-22-dev and mlir-22-tools, or set MLIR_DIR to its lib/cmake/mlir folder.")
endif()

list(APPEND CMAKE_MODULE_PATH ${MLIR_CMAKE_DIR} ${LLVM_CMAKE_DIR})
include(TableGen)
include(AddLLVM)
include(AddMLIR)

separate_arguments(SPARSEK_LLVM_DEFINITIONS NATIVE_COMMAND "${LLVM_DEFINITIONS}")
add_definitions(${SPARSEK_LLVM_DEFINITIONS})
include_directories(SYSTEM ${LLVM_INCLUDE_DIRS} ${MLIR_INCLUDE_DIRS})
include_directories(${CMAKE_CURRENT_SOURCE_DIR}/include
                    ${CMAKE_CURRENT_BINARY_DIR}/include)
