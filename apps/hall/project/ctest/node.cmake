# Every tests/*.test.mjs is a test. They start the server of this build, which SERVER names.
find_program(NODE NAMES node nodejs REQUIRED)

file(GLOB files CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.test.mjs)
foreach(file ${files})
  get_filename_component(name ${file} NAME_WE)
  add_test(NAME ${name} COMMAND ${NODE} --test ${file} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES ENVIRONMENT SERVER=$<TARGET_FILE:@NAME@> TIMEOUT 120)
endforeach()
