# SPDX-License-Identifier: BSD-2-Clause

# Makes one page of its parts, and what the server says of it:
#
#     cmake -DTO=FOLDER -DGZIP=gzip -P bundle.cmake
#
# FOLDER gets page.html, page.html.gz, and page_made.h, which says where they
# are, and the Content-Security-Policy. That names the one style and the one
# script that are in the page by their hashes: a browser runs nothing else.

set(from ${CMAKE_CURRENT_LIST_DIR})

function(gather out)
  set(text "")
  foreach(name IN LISTS ARGN)
    file(READ ${from}/${name} part)
    string(APPEND text "${part}\n")
  endforeach()
  # As text in the page, each would end before it should.
  if(text MATCHES "</[sS]")
    message(FATAL_ERROR "a part of the page ends its style or script")
  endif()
  set(${out} "${text}" PARENT_SCOPE)
endfunction()

# In base64: six digits are four characters, and of 32 bytes the last group
# lacks one byte.
set(alphabet
  ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/)
function(hash out text)
  string(SHA256 hex "${text}")
  set(base64 "")
  foreach(at RANGE 0 60 6)
    string(SUBSTRING ${hex}00 ${at} 6 digits)
    foreach(shift 18 12 6 0)
      math(EXPR index "(0x${digits} >> ${shift}) & 63")
      string(SUBSTRING ${alphabet} ${index} 1 character)
      string(APPEND base64 ${character})
    endforeach()
  endforeach()
  string(REGEX REPLACE "A$" "=" base64 ${base64})
  set(${out} "'sha256-${base64}'" PARENT_SCOPE)
endfunction()

gather(style uplot/uPlot.min.css style.css)
gather(script uplot/uPlot.iife.min.js figures.js parts.js charts.js demo.js
  main.js)
file(READ ${from}/uplot/LICENSE licence)
set(script "/*\nuPlot: ${licence}\n*/\n${script}")
hash(style_hash "${style}")
hash(script_hash "${script}")

file(READ ${from}/index.html page)
string(REPLACE "@STYLE@" "${style}" page "${page}")
string(REPLACE "@SCRIPT@" "${script}" page "${page}")
file(WRITE ${TO}/page.html "${page}")
execute_process(COMMAND ${GZIP} -9 -n -c ${TO}/page.html
  OUTPUT_FILE ${TO}/page.html.gz COMMAND_ERROR_IS_FATAL ANY)
file(WRITE ${TO}/page_made.h "/* Made by bundle.cmake. */
#define SP_PAGE \"${TO}/page.html\"
#define SP_PAGE_GZIP \"${TO}/page.html.gz\"
#define SP_PAGE_POLICY \\
	\"default-src 'none'; \" \\
	\"style-src ${style_hash}; \" \\
	\"script-src ${script_hash}; \" \\
	\"img-src data:; connect-src 'self'; base-uri 'none'; \" \\
	\"form-action 'none'; frame-ancestors 'none'\"
")
