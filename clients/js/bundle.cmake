# The client as one file, without anything from npm:
#
#   cmake -DSOURCES=DIR [-DMODULE=FILE] [-DSERVED=FILE] [-DGLOBAL=FILE] -P bundle.cmake
#
#   MODULE   an ES module with its comments: what a project keeps beside its pages, and what declarations are made of
#   SERVED   the same without comments: what the server serves as /wirehall.js
#   GLOBAL   a script that makes the global `Wirehall`: /wirehall.global.js. No file is a module and a script at once
#
# The sources are written so that lines do for this: an `import` of another source is one line, comments begin their
# line or follow one of `;{},)`, and top-level names are different in all files.
cmake_minimum_required(VERSION 3.25)

set(parts types errors frames handlers requests credentials private_messages rooms uploads client wirehall)
file(GLOB found RELATIVE ${SOURCES} ${SOURCES}/*.js)
list(TRANSFORM parts APPEND .js OUTPUT_VARIABLE listed)
list(REMOVE_ITEM found ${listed})
if(found)
  message(FATAL_ERROR "bundle.cmake does not know ${found}")
endif()
set(exports "Client, Room, WirehallError, connect, sendFile")

file(READ ${SOURCES}/wirehall.js head)
string(REGEX MATCH "^(//[^\n]*\n)+" head "${head}")

set(code "")
foreach(part IN LISTS parts)
  file(READ ${SOURCES}/${part}.js text)
  string(REGEX REPLACE "^(//[^\n]*\n)+" "" text "${text}")
  # What refers to other files, and what is said to them.
  string(REGEX REPLACE "\n/\\*\\* @import [^\n]*" "" text "\n${text}")
  string(REGEX REPLACE "\nimport [^\n]*" "" text "${text}")
  string(REGEX REPLACE "\nexport {[^\n]*" "" text "${text}")
  string(REGEX REPLACE "\nexport (class|const|function|async function) " "\n\\1 " text "${text}")
  string(REGEX REPLACE "^\n+" "" text "${text}")
  string(APPEND code "\n${text}")
endforeach()
if(code MATCHES "\n(import|export) ")
  message(FATAL_ERROR "${SOURCES}: an import or export that is not one line of the usual kind")
endif()

if(MODULE)
  file(WRITE ${MODULE} "${head}${code}\nexport { ${exports} };\n")
endif()

if(SERVED OR GLOBAL)
  string(REGEX REPLACE "/\\*\\*[^*]*(\\*[^/*][^*]*)*\\*/ ?" "" code "${code}")
  string(REGEX REPLACE "\n *//[^\n]*" "" code "${code}")
  string(REGEX REPLACE "([;{},)]) // [^\n]*" "\\1" code "${code}")
  string(REGEX REPLACE "\n[\n ]*" "\n" code "${code}")
endif()
if(SERVED)
  file(WRITE ${SERVED}
"// Wirehall's client, for <script type=\"module\">. For a script without type: /wirehall.global.js.
${code}export { ${exports} };
")
endif()
if(GLOBAL)
  file(WRITE ${GLOBAL}
"// Wirehall's client: the global `Wirehall`. For <script type=\"module\">: /wirehall.js.
var Wirehall = (() => {
'use strict';${code}return { ${exports} };
})();
")
endif()
