# Every test of the program @NAME@-tests. They start the server of this build, which SERVER names.
find_package(GTest REQUIRED)
include(GoogleTest)

file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
add_executable(@NAME@-tests ${sources})
target_include_directories(@NAME@-tests PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
target_link_libraries(@NAME@-tests PRIVATE wirehall::wirehall GTest::gtest_main)
gtest_discover_tests(@NAME@-tests WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}
  PROPERTIES ENVIRONMENT SERVER=$<TARGET_FILE:@NAME@> TIMEOUT 120)
