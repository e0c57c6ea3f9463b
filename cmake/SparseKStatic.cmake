# The self-contained shared library: the project's objects with LLVM and MLIR from their static archives. It needs
# libc and libm alone and exports the C API alone, so that it lives beside any other LLVM (torch's, triton's, ...).

# The archives of LLVM and MLIR, by path. As targets they would not do: MLIR's say that they depend on libLLVM.so and
# libMLIR.so, which would put a second copy of both into the process. The linker takes from them what is needed.
function(sparsek_get_static_archives out)
  set(archives)
  get_property(mlir_libs GLOBAL PROPERTY MLIR_ALL_LIBS)
  foreach(lib IN LISTS mlir_libs LLVM_AVAILABLE_LIBS)
    if(NOT TARGET ${lib})
      continue()
    endif()
    get_target_property(type ${lib} TYPE)
    get_target_property(archive ${lib} LOCATION)
    # Packages leave out some of what is listed (Polly).
    if(type STREQUAL "STATIC_LIBRARY" AND EXISTS "${archive}")
      list(APPEND archives ${archive})
    endif()
  endforeach()
  foreach(lib z zstd)
    find_library(SPARSEK_STATIC_${lib} lib${lib}.a REQUIRED)
    list(APPEND archives ${SPARSEK_STATIC_${lib}})
  endforeach()
  list(REMOVE_DUPLICATES archives)
  set(${out} ${archives} PARENT_SCOPE)
endfunction()

# sparsek_add_static_library(NAME EXPORTS version-script OBJECTS object libraries...): lib/libNAME.so.
function(sparsek_add_static_library name)
  cmake_parse_arguments(ARG "" "EXPORTS" "OBJECTS" ${ARGN})
  get_property(libs GLOBAL PROPERTY SPARSEK_OBJECT_LIBS)
  # Passes by name are for the tools; all of upstream's conversions come with them.
  list(REMOVE_ITEM libs SparseKPassRegistration)
  sparsek_get_static_archives(archives)
  set(objects)
  foreach(lib IN LISTS libs ARG_OBJECTS)
    list(APPEND objects $<TARGET_OBJECTS:${lib}>)
  endforeach()
  add_library(${name} SHARED ${objects})
  set_target_properties(${name} PROPERTIES LINKER_LANGUAGE CXX LINK_DEPENDS ${ARG_EXPORTS})
  target_link_options(${name} PRIVATE
    -static-libstdc++ -static-libgcc
    LINKER:--version-script=${ARG_EXPORTS} LINKER:--gc-sections LINKER:--as-needed
    LINKER:-z,nodelete LINKER:--build-id=sha1 LINKER:--strip-debug)
  # A program brings the sanitizers' runtime.
  if(NOT SPARSEK_SANITIZE)
    target_link_options(${name} PRIVATE LINKER:-z,defs)
  endif()
  # A sanitizer's runtime is in the program.
  if(NOT SPARSEK_SANITIZE)
    target_link_options(${name} PRIVATE LINKER:-z,defs)
  endif()
  target_link_libraries(${name} PRIVATE ${archives} ${CMAKE_DL_LIBS} m pthread)
endfunction()
