# What `cmake --install` and the Debian package hold: the public headers, the library, the program, and the
# files that `find_package(wirehall)` reads. The program's own parts, tests, benchmarks and examples stay out.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package_directory ${CMAKE_INSTALL_LIBDIR}/cmake/wirehall)
set(share_directory ${CMAKE_INSTALL_DATADIR}/wirehall)

install(TARGETS wirehall RUNTIME)
install(TARGETS wirehall_lib EXPORT wirehall ARCHIVE INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/wirehall DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT wirehall NAMESPACE wirehall:: FILE wirehallTargets.cmake DESTINATION ${package_directory})

configure_package_config_file(
  ${PROJECT_SOURCE_DIR}/cmake/wirehallConfig.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/wirehallConfig.cmake
  INSTALL_DESTINATION ${package_directory}
  NO_SET_AND_CHECK_MACRO)
# Before 1.0 a minor version may change the interface, so 0.2 does not stand in for 0.1.
write_basic_package_version_file(
  ${CMAKE_CURRENT_BINARY_DIR}/wirehallConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/wirehallConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/wirehallConfigVersion.cmake
  DESTINATION ${package_directory})

install(FILES ${PROJECT_SOURCE_DIR}/apps/hall/config/websocket.json DESTINATION ${share_directory})
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/wirehall RENAME copyright)

# The schema is what the installed program prints, so it cannot be another version's. With --strip the
# library loses its debug information too, which is most of its size.
install(CODE "
  set(prefix \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}\")
  execute_process(COMMAND \"\${prefix}/${CMAKE_INSTALL_BINDIR}/$<TARGET_FILE_NAME:wirehall>\" schema
    OUTPUT_FILE \"\${prefix}/${share_directory}/websocket.schema.json\" COMMAND_ERROR_IS_FATAL ANY)
  message(STATUS \"Installing: \${prefix}/${share_directory}/websocket.schema.json\")
  if(CMAKE_INSTALL_DO_STRIP)
    execute_process(COMMAND \"${CMAKE_STRIP}\" --strip-debug --enable-deterministic-archives
      \"\${prefix}/${CMAKE_INSTALL_LIBDIR}/$<TARGET_FILE_NAME:wirehall_lib>\" COMMAND_ERROR_IS_FATAL ANY)
  endif()
")

# -- the Debian package: `./dev package` ----------------------------------------------------------

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME wirehall)
set(CPACK_PACKAGE_VENDOR "Wirehall maintainers")
set(CPACK_PACKAGE_CONTACT "Wirehall maintainers <maintainers@wirehall.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "Real-time server for Socket.IO and WebSocket clients, and its C++ library")
set(CPACK_PACKAGE_DESCRIPTION
"Rooms, stored messages, presence, files and calls over Socket.IO and over plain
WebSocket, from one process and one port. This package holds the program
`wirehall`, and the headers and the static library for servers of one's own.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# What a program that links the library links with it.
set(CPACK_DEBIAN_PACKAGE_DEPENDS "libssl-dev (>= 3.0), zlib1g-dev, libsimdjson-dev, libcurl4-openssl-dev")
string(APPEND CPACK_DEBIAN_PACKAGE_DEPENDS ", libsqlite3-dev, libspdlog-dev, libfmt-dev, ca-certificates")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "cmake (>= 3.25), g++ (>= 4:12)")
include(CPack)
