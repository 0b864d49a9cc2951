// Asking the processor for memory that is needed soon. Of thousands of connections hardly one is in the cache when
// its turn comes; while one is served, the next ones' state can be on its way.
#pragma once

#include <cstddef>

namespace wirehall {

/// Asks for all cache lines of an object, wherever in a line it begins; wrong or dead addresses do no harm.
/// Requires: bytes > 0.
inline void prefetch(const void* object, std::size_t bytes) {
  constexpr std::size_t kLineBytes = 64;
  const char* const begin = static_cast<const char*>(object);
  for (std::size_t at = 0; at < bytes; at += kLineBytes) __builtin_prefetch(begin + at);
  __builtin_prefetch(begin + bytes - 1);
}

}  // namespace wirehall
