# One function makes every library of the project an object library: the objects go into the dynamic tools
# (linked to libMLIR and libLLVM) and into the self-contained C API library (linked to the static archives),
# and neither ever holds two copies of MLIR.
set_property(GLOBAL PROPERTY SPARSEK_OBJECT_LIBS "")

# sparsek_add_library(NAME sources... [DEPENDS tablegen targets...])
function(sparsek_add_library name)
  cmake_parse_arguments(ARG "" "" "DEPENDS" ${ARGN})
  add_library(${name} OBJECT ${ARG_UNPARSED_ARGUMENTS})
  target_compile_options(${name} PRIVATE
    -Wall -Wextra -Wno-unused-parameter -Werror -fno-exceptions)
  if(ARG_DEPENDS)
    add_dependencies(${name} ${ARG_DEPENDS})
  endif()
  set_property(GLOBAL APPEND PROPERTY SPARSEK_OBJECT_LIBS ${name})
endfunction()

# sparsek_add_tool(NAME sources...): an executable over all of the project's objects and MLIR's shared libraries.
function(sparsek_add_tool name)
  add_executable(${name} ${ARGN})
  get_property(libs GLOBAL PROPERTY SPARSEK_OBJECT_LIBS)
  target_compile_options(${name} PRIVATE
    -Wall -Wextra -Wno-unused-parameter -Werror -fno-exceptions)
  target_link_libraries(${name} PRIVATE ${libs} MLIR LLVM)
  install(TARGETS ${name} DESTINATION ${CMAKE_INSTALL_BINDIR})
endfunction()
