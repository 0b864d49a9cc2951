// Our own mistakes end the process with a line that says which; a peer's mistakes are values.
#pragma once

namespace wirehall {

/// Prints the failed expectation and ends the process.
[[noreturn]] void assertion_failed(const char* expression, const char* file, int line);

}  // namespace wirehall

/// Checks in every build; for conditions that cost O(1).
#define WIREHALL_ASSERT(condition) \
  ((condition) ? void(0) : ::wirehall::assertion_failed(#condition, __FILE__, __LINE__))

/// Checks in debug and sanitizer builds; for conditions that cost more.
#ifdef NDEBUG
#define WIREHALL_DEBUG_ASSERT(condition) void(0)
#else
#define WIREHALL_DEBUG_ASSERT(condition) WIREHALL_ASSERT(condition)
#endif
