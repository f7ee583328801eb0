# SPDX-License-Identifier: BSD-2-Clause

# The peers that are libraries, as programs of ours in perf/servers/. They are
# part of the target `perf` alone, and what is not installed is left out; those
# that are programs themselves need nothing here.

# spate_peer(NAME MODULE): NAME.c with a library of pkg-config's.
function(spate_peer name module)
  pkg_check_modules(PEER_${name} IMPORTED_TARGET ${module})
  if(NOT PEER_${name}_FOUND)
    return()
  endif()
  add_executable(spate-${name} EXCLUDE_FROM_ALL servers/${name}.c)
  target_link_libraries(spate-${name} PRIVATE
    spate_settings PkgConfig::PEER_${name} Threads::Threads)
  add_dependencies(perf spate-${name})
endfunction()

spate_peer(evhttp libevent)
spate_peer(microhttpd libmicrohttpd)

# spate_go_peer(NAME [PACKAGE]): NAME.go, with a package of Debian's. Nothing is
# fetched: the packages are sources under one GOPATH.
find_program(SPATE_GO go)
set(SPATE_GOPATH /usr/share/gocode CACHE PATH "Go packages as Debian has them")
function(spate_go_peer name)
  if(NOT SPATE_GO OR (ARGN AND NOT EXISTS ${SPATE_GOPATH}/src/${ARGN}))
    return()
  endif()
  set(sources ${CMAKE_CURRENT_SOURCE_DIR}/servers/${name}.go
    ${CMAKE_CURRENT_SOURCE_DIR}/servers/burn.go)
  set(program ${CMAKE_CURRENT_BINARY_DIR}/spate-${name})
  add_custom_command(OUTPUT ${program}
    COMMAND ${CMAKE_COMMAND} -E env --unset=GOFLAGS GO111MODULE=off
      GOPATH=${SPATE_GOPATH} GOCACHE=${CMAKE_CURRENT_BINARY_DIR}/go
      CGO_ENABLED=0 ${SPATE_GO} build -o ${program} ${sources}
    DEPENDS ${sources} VERBATIM)
  add_custom_target(peer-${name} DEPENDS ${program})
  add_dependencies(perf peer-${name})
endfunction()

spate_go_peer(nethttp)
spate_go_peer(fasthttp github.com/valyala/fasthttp)
