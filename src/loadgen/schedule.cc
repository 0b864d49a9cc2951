#include "loadgen/schedule.h"

#include <cmath>

namespace wirehall::loadgen {

Schedule::Schedule(double per_second, std::uint64_t begin_ns, bool random_gaps, std::uint64_t seed)
    : gap_ns_(1e9 / per_second),
      due_exact_(0),
      begin_ns_(begin_ns),
      due_ns_(begin_ns),
      random_gaps_(random_gaps),
      random_(seed) {}

std::uint64_t Schedule::take() {
  const std::uint64_t due = due_ns_;
  ++taken_;
  if (random_gaps_) {
    // (0, 1]: of 53 bits, and never the logarithm of nothing.
    const double uniform = static_cast<double>((random_.next() >> 11) + 1) * 0x1p-53;
    due_exact_ += -std::log(uniform) * gap_ns_;
  } else {
    // By multiplication: no error adds up over a long run.
    due_exact_ = static_cast<double>(taken_) * gap_ns_;
  }
  due_ns_ = begin_ns_ + static_cast<std::uint64_t>(due_exact_);
  return due;
}

}  // namespace wirehall::loadgen
