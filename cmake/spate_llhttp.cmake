# SPDX-License-Identifier: BSD-2-Clause

# llhttp, the parser of node, from Debian's node-llhttp, which has it as C. To
# compare with, in tests and benchmarks; nothing that ships links it.
find_path(LLHTTP_INCLUDE llhttp.h
  PATHS /usr/share/include/llhttp /usr/include/llhttp)
find_path(LLHTTP_SOURCE llhttp.c PATHS /usr/share/llhttp NO_DEFAULT_PATH)

# spate_llhttp(NAME [OPTION...])
#
# Defines the objects NAME from its sources, with options for the compiler;
# or nothing, if it is not there.
function(spate_llhttp name)
  if(NOT LLHTTP_INCLUDE OR NOT LLHTTP_SOURCE)
    message(STATUS "No llhttp (node-llhttp): ${name} left out")
    return()
  endif()
  add_library(${name} OBJECT ${LLHTTP_SOURCE}/llhttp.c
    ${LLHTTP_SOURCE}/api.c ${LLHTTP_SOURCE}/http.c)
  target_include_directories(${name} SYSTEM PUBLIC ${LLHTTP_INCLUDE})
  target_compile_options(${name} PRIVATE -w ${ARGN})
endfunction()
