# The JavaScript client as single files, made without npm: `wirehall_javascript_client(directory)` adds the commands
# that write into it, for targets of the calling folder:
#
#   wirehall.js, wirehall.global.js   what the server serves under these names, without comments
#   module/wirehall.js                an ES module with its comments, for projects that keep it beside their pages;
#                                     its declarations are clients/js/types/wirehall.d.ts

function(wirehall_javascript_client directory)
  set(client ${PROJECT_SOURCE_DIR}/clients/js)
  file(GLOB sources CONFIGURE_DEPENDS ${client}/src/*.js)
  file(MAKE_DIRECTORY ${directory}/module)
  add_custom_command(
    OUTPUT ${directory}/wirehall.js ${directory}/wirehall.global.js ${directory}/module/wirehall.js
    COMMAND ${CMAKE_COMMAND} -DSOURCES=${client}/src -DSERVED=${directory}/wirehall.js
            -DGLOBAL=${directory}/wirehall.global.js -DMODULE=${directory}/module/wirehall.js -P ${client}/bundle.cmake
    DEPENDS ${sources} ${client}/bundle.cmake
    COMMENT "JavaScript client"
    VERBATIM)
endfunction()
