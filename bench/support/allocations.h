// Counts what a thread takes from the heap, whoever asks: `new`, malloc, and the libraries of the program.
//
// A program that links allocations.cc is counted; in a build with sanitizers, whose heap is another, by
// hooks.
#pragma once

#include <cstdint>

namespace wirehall::bench {

struct Allocations {
  std::uint64_t count = 0;  ///< a realloc counts as one of its new size
  std::uint64_t bytes = 0;  ///< that were asked for
};

/// What the calling thread has taken since it began.
Allocations allocations_so_far();

inline Allocations operator-(const Allocations& a, const Allocations& b) {
  return {a.count - b.count, a.bytes - b.bytes};
}

}  // namespace wirehall::bench
