# SPDX-License-Identifier: BSD-2-Clause

# spate_settings: warnings, sanitizers and checks, the same for every target.
add_library(spate_settings INTERFACE)
target_compile_definitions(spate_settings INTERFACE
  _GNU_SOURCE SPATE_BUILDING $<$<CONFIG:Debug>:SPATE_DEBUG>
  $<$<BOOL:${SPATE_JEMALLOC}>:SPATE_JEMALLOC>
  SPATE_FIBERS=$<BOOL:${SPATE_FIBERS}>)
target_compile_options(spate_settings INTERFACE
  -Wall -Wextra -Wshadow -Wpointer-arith -Wwrite-strings -Wvla
  $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes>
  $<$<COMPILE_LANGUAGE:C>:-Wmissing-prototypes>
  -fno-strict-aliasing
  $<$<BOOL:${SPATE_WERROR}>:-Werror>)
# In quotes, for the path may have blanks in it. A program waits for a second
# at its end, by default, for races of what still runs: nine minutes for all.
set(tsan_options
  "suppressions='${PROJECT_SOURCE_DIR}/tests/tsan.supp':atexit_sleep_ms=50")

if(SPATE_SANITIZE)
  target_compile_options(spate_settings INTERFACE
    -fsanitize=${SPATE_SANITIZE} -fno-sanitize-recover=all
    -fno-omit-frame-pointer)
  target_link_options(spate_settings INTERFACE -fsanitize=${SPATE_SANITIZE})
else()
  # Undefine first: some distributions define it for every compilation. It
  # warns when nothing is optimised, hence not in Debug.
  target_compile_options(spate_settings INTERFACE -fstack-protector-strong
    $<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE>
    $<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=2>)
  # A library that leaves symbols to its users links only by luck.
  target_link_options(spate_settings INTERFACE LINKER:-z,defs)
endif()
if(SPATE_FUZZ)
  target_compile_options(spate_settings INTERFACE -fsanitize=fuzzer-no-link)
endif()
# Counts from several threads are added up, and none gets lost.
if(SPATE_COVERAGE)
  target_compile_options(spate_settings INTERFACE
    --coverage -fprofile-update=atomic
    "-DSPATE_COVERAGE=\"${PROJECT_BINARY_DIR}\"")
  target_link_options(spate_settings INTERFACE --coverage)
endif()
target_link_options(spate_settings INTERFACE LINKER:-z,relro LINKER:-z,now
  LINKER:-z,noexecstack LINKER:--as-needed)
target_include_directories(spate_settings INTERFACE
  ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/framework/include)

# Slim objects are of no use to whoever links the archive with another
# compiler, so ordinary code goes beside what the linker optimises.
if(SPATE_LTO)
  include(CheckIPOSupported)
  check_ipo_supported(LANGUAGES C)
  set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ON)
  target_compile_options(spate_settings INTERFACE
    $<$<C_COMPILER_ID:GNU>:-ffat-lto-objects>)
endif()

# spate_layer(NAME SOURCES file... [LINK target...])
#
# Defines spate_NAME from files of the current folder. A LINK that is itself
# a layer goes by its short name.
function(spate_layer name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINK" ${ARGN})
  add_library(spate_${name} OBJECT ${arg_SOURCES})
  target_link_libraries(spate_${name} PRIVATE spate_settings)
  foreach(target IN LISTS arg_LINK)
    if(TARGET spate_${target})
      set(target spate_${target})
    endif()
    target_link_libraries(spate_${name} PUBLIC ${target})
  endforeach()
endfunction()

# spate_test(FILE LABELS label... [TIMEOUT seconds] [ENV var=value...])
#
# Builds FILE with the harness and with everything internal, and gives every
# TEST() in it to CTest under a name of its own, FILE.TEST.
function(spate_test file)
  cmake_parse_arguments(arg "" "TIMEOUT" "LABELS;ENV" ${ARGN})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 60)
  endif()
  get_filename_component(name ${file} NAME_WE)
  add_executable(${name} ${file})
  target_link_libraries(${name} PRIVATE spate_harness)
  if("unit" IN_LIST arg_LABELS)
    add_dependencies(unit ${name})
  endif()

  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
  if(CMAKE_CROSSCOMPILING)
    set(emulated SPATE_EMULATED=1)
  endif()
  file(STRINGS ${file} lines REGEX "^TEST\\([a-z0-9_]+\\)$")
  foreach(line IN LISTS lines)
    string(REGEX REPLACE "^TEST\\((.*)\\)$" "\\1" test ${line})
    add_test(NAME ${name}.${test} COMMAND ${name} ${test})
    set_tests_properties(${name}.${test} PROPERTIES
      TIMEOUT ${arg_TIMEOUT} LABELS "${arg_LABELS}"
      ENVIRONMENT "TSAN_OPTIONS=${tsan_options};${emulated};${arg_ENV}"
      SKIP_RETURN_CODE 77)
  endforeach()
endfunction()

# spate_fuzz(FILE [CORPUS folder...])
#
# FILE defines what fuzz/fuzz.h declares. Its inputs are in fuzz/corpus/FILE, a
# folder named without the ".c": a few good ones, and all that ever broke it;
# and in other folders, if there are some.
# Ordinary builds replay them; with SPATE_FUZZ libFuzzer starts from them and
# goes on for FUZZ_SECONDS, keeping what it finds in the build folder.
function(spate_fuzz file)
  cmake_parse_arguments(arg "" "" "CORPUS" ${ARGN})
  get_filename_component(name ${file} NAME_WE)
  set(corpus ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/corpus/${name} ${arg_CORPUS})
  add_executable(${name} ${file}
    $<TARGET_OBJECTS:spate_alloc>
    $<TARGET_OBJECTS:spate_shards>
    $<TARGET_OBJECTS:spate_framework>)
  target_link_libraries(${name} PRIVATE spate_settings
    PkgConfig::URCU PkgConfig::CK Threads::Threads
    $<$<BOOL:${SPATE_SECCOMP}>:PkgConfig::SECCOMP>
    $<$<BOOL:${SPATE_JEMALLOC}>:PkgConfig::JEMALLOC>)
  target_compile_options(${name} PRIVATE -UNDEBUG)
  add_dependencies(fuzzers ${name})
  if(SPATE_FUZZ)
    set(found ${CMAKE_CURRENT_BINARY_DIR}/fuzz/${name})
    file(MAKE_DIRECTORY ${found})
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    add_test(NAME fuzz.${name} COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/run
      $<TARGET_FILE:${name}> ${found} ${corpus})
    set_tests_properties(fuzz.${name} PROPERTIES TIMEOUT 90000)
  else()
    target_sources(${name} PRIVATE fuzz/replay.c)
    add_test(NAME fuzz.${name} COMMAND ${name} ${corpus})
    set_tests_properties(fuzz.${name} PROPERTIES TIMEOUT 120 ENVIRONMENT
      "TSAN_OPTIONS=${tsan_options}")
  endif()
  set_property(TEST fuzz.${name} PROPERTY LABELS fuzz)
endfunction()
