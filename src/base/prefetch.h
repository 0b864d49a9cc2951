// Asking the processor for memory that is needed soon. Of thousands of connections hardly one is in the cache when
// its turn comes; while one is served, the next ones' state can be on its way.
#pragma once

#include <cstddef>

namespace wirehall {

/// Asks for the cache lines of an object; wrong or dead addresses do no harm.
inline void prefetch(const void* object, std::size_t bytes) {
  constexpr std::size_t kLineBytes = 64;
  for (std::size_t at = 0; at < bytes; at += kLineBytes) __builtin_prefetch(static_cast<const char*>(object) + at);
}

}  // namespace wirehall
