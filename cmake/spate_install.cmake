# SPDX-License-Identifier: BSD-2-Clause

# Two export sets and not one: whoever links the shared library has no need
# of all the -dev packages that the archive wants.
include(CMakePackageConfigHelpers)

set(config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/spate)

foreach(kind IN ITEMS shared static)
  install(TARGETS spate_${kind} EXPORT spate-${kind}-targets)
  install(EXPORT spate-${kind}-targets NAMESPACE spate::
    DESTINATION ${config_dir})
endforeach()
if(SPATE_TOOLS)
  install(TARGETS spate-top spate-doctor)
endif()
install(DIRECTORY framework/include/ TYPE INCLUDE
  FILES_MATCHING PATTERN "*.h")

configure_package_config_file(cmake/spate-config.cmake.in
  ${PROJECT_BINARY_DIR}/spate-config.cmake INSTALL_DESTINATION ${config_dir})
write_basic_package_version_file(
  ${PROJECT_BINARY_DIR}/spate-config-version.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES
  ${PROJECT_BINARY_DIR}/spate-config.cmake
  ${PROJECT_BINARY_DIR}/spate-config-version.cmake
  DESTINATION ${config_dir})

# The prefix is told from where the file lies, so that it is right after
# `cmake --install --prefix` and in a tree that was moved.
set(pc_dir ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig)
file(RELATIVE_PATH pc_to_prefix ${pc_dir} ${CMAKE_INSTALL_PREFIX})
file(RELATIVE_PATH pc_libdir ${CMAKE_INSTALL_PREFIX}
  ${CMAKE_INSTALL_FULL_LIBDIR})
file(RELATIVE_PATH pc_includedir ${CMAKE_INSTALL_PREFIX}
  ${CMAKE_INSTALL_FULL_INCLUDEDIR})
string(REGEX REPLACE "/$" "" pc_to_prefix ${pc_to_prefix})

# The modules by name for their flags, then their archives once more in the
# order that a linker wants: jemalloc's module does not tell of libm. Why
# users link jemalloc themselves, framework/CMakeLists.txt tells.
set(pc_requires "")
set(pc_requires_private "liburcu-qsbr >= 0.13, ck >= 0.7")
set(pc_libs "-lurcu-qsbr -lurcu-common -lck")
if(SPATE_JEMALLOC)
  set(pc_requires "jemalloc >= 5")
  string(APPEND pc_libs " -ljemalloc -lm")
endif()
if(SPATE_SECCOMP)
  string(APPEND pc_requires_private ", libseccomp >= 2.5")
  string(APPEND pc_libs " -lseccomp")
endif()
string(APPEND pc_libs " -pthread")
configure_file(cmake/spate.pc.in ${PROJECT_BINARY_DIR}/spate.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/spate.pc
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
