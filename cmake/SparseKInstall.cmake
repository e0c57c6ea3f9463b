# Installs the tools, the headers and a CMake package. Consumers write
#
#   find_package(SparseK CONFIG REQUIRED)
#   target_link_libraries(my-tool PRIVATE SparseK::Compiler)
#
# and get the dialect, the passes and the pipelines on top of MLIR's shared library. SparseK::CAPI is libSparseK.so,
# which brings its own.
include(CMakePackageConfigHelpers)

get_property(libs GLOBAL PROPERTY SPARSEK_OBJECT_LIBS)
add_library(SparseKCompiler STATIC)
foreach(lib IN LISTS libs)
  target_sources(SparseKCompiler PRIVATE $<TARGET_OBJECTS:${lib}>)
endforeach()
set_target_properties(SparseKCompiler PROPERTIES
  EXPORT_NAME Compiler
  LINKER_LANGUAGE CXX)
target_compile_features(SparseKCompiler INTERFACE cxx_std_20)
target_include_directories(SparseKCompiler INTERFACE
  $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_link_libraries(SparseKCompiler INTERFACE MLIR LLVM)

set_target_properties(SparseK PROPERTIES EXPORT_NAME CAPI)
target_include_directories(SparseK INTERFACE
  $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/SparseK)
install(TARGETS SparseKCompiler SparseK EXPORT SparseKTargets
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT SparseKTargets NAMESPACE SparseK:: DESTINATION ${package_dir})

configure_package_config_file(
  ${CMAKE_CURRENT_LIST_DIR}/SparseKConfig.cmake.in
  ${CMAKE_BINARY_DIR}/cmake/SparseKConfig.cmake
  INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(
  ${CMAKE_BINARY_DIR}/cmake/SparseKConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/cmake/SparseKConfig.cmake
              ${CMAKE_BINARY_DIR}/cmake/SparseKConfigVersion.cmake
        DESTINATION ${package_dir})

# The generated headers lie in the build folder under the same paths.
install(DIRECTORY ${CMAKE_SOURCE_DIR}/include/ ${CMAKE_BINARY_DIR}/include/
        DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        FILES_MATCHING PATTERN "*.h" PATTERN "*.td" PATTERN "*.h.inc"
        PATTERN "CMakeFiles" EXCLUDE)
