# Every test of the program @NAME@-tests. They start the server of this build, or another that SERVER names.
find_package(GTest REQUIRED)
find_package(CURL REQUIRED)
include(GoogleTest)

file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
add_executable(@NAME@-tests ${sources})
add_dependencies(@NAME@-tests @NAME@)
target_include_directories(@NAME@-tests PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
set_property(SOURCE support/server.cpp APPEND PROPERTY COMPILE_DEFINITIONS
  PROJECT_FOLDER="${PROJECT_SOURCE_DIR}" SERVER_PROGRAM="$<TARGET_FILE:@NAME@>")
target_link_libraries(@NAME@-tests PRIVATE wirehall::wirehall GTest::gtest_main CURL::libcurl)
gtest_discover_tests(@NAME@-tests NO_PRETTY_VALUES PROPERTIES TIMEOUT 120)
