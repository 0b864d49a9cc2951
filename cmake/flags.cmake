# Warnings are errors; hardening is on in every build; a sanitizer build optimises a little so that the
# tests stay quick.
set(WIREHALL_SANITIZE "" CACHE STRING "Sanitizers, e.g. address,undefined or thread")

add_library(wirehall_flags INTERFACE)
target_compile_options(wirehall_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Woverloaded-virtual
  -Wimplicit-fallthrough -Werror
  -fstack-protector-strong -fno-plt -fPIC)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 reports these inside the standard library and coroutine frames where nothing is wrong.
  target_compile_options(wirehall_flags INTERFACE
    -Wno-maybe-uninitialized -Wno-stringop-overflow -Wno-array-bounds -Wno-restrict -Wno-stringop-overread -Wno-dangling-pointer)
endif()
# The code that ships is held to explicit conversions too; tables in tests would drown in casts.
add_library(wirehall_strict INTERFACE)
target_link_libraries(wirehall_strict INTERFACE wirehall_flags)
target_compile_options(wirehall_strict INTERFACE -Wconversion -Wsign-conversion)

if(CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
  target_compile_options(wirehall_flags INTERFACE -fcf-protection)
endif()
target_link_options(wirehall_flags INTERFACE -pie -Wl,-z,relro,-z,now,-z,noexecstack)
target_compile_definitions(wirehall_flags INTERFACE _GLIBCXX_ASSERTIONS)

if(WIREHALL_SANITIZE)
  target_compile_options(wirehall_flags INTERFACE
    -fsanitize=${WIREHALL_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer -O1 -g1)
  target_link_options(wirehall_flags INTERFACE -fsanitize=${WIREHALL_SANITIZE})
  target_compile_definitions(wirehall_flags INTERFACE WIREHALL_SANITIZED)
  if(WIREHALL_FUZZERS)
    # Clang 14 cannot emit what `function` checks for coroutine templates: "difference across sections".
    target_compile_options(wirehall_flags INTERFACE -fsanitize=fuzzer-no-link -fno-sanitize=function)
  endif()
  if(WIREHALL_SANITIZE MATCHES "undefined" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # A look at every pointer, for what AddressSanitizer stops at too when it is used; a fifth of the time to
    # compile. The fuzz targets, which clang builds, keep them.
    target_compile_options(wirehall_flags INTERFACE -fno-sanitize=null,alignment)
  endif()
  if(WIREHALL_SANITIZE MATCHES "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(wirehall_flags INTERFACE -Wno-tsan)
  endif()
elseif(CMAKE_BUILD_TYPE STREQUAL "Release")
  # Nobody replaces a function of ours when the program is loaded: calls within a file may be inlined.
  target_compile_options(wirehall_flags INTERFACE $<$<CXX_COMPILER_ID:GNU>:-fno-semantic-interposition>)
  target_compile_options(wirehall_flags INTERFACE -O2 -g1 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fstack-clash-protection)
endif()
set(CMAKE_CXX_FLAGS_RELEASE "-DNDEBUG")
set(CMAKE_CXX_FLAGS_DEBUG "")
