// When an open loop sends: times that are fixed before, whatever the server does. A message that leaves late,
// since the server or the generator was slow, keeps the time at which it was due, and its latency counts from
// there.
#pragma once

#include <cstdint>

#include "base/random.h"

namespace wirehall::loadgen {

/// Thread:   one thread's.
/// Units:    ns of one clock.
class Schedule {
 public:
  /// `per_second` > 0. With `random` gaps are exponential (arrivals of many independent users, a Poisson
  /// process), else all the same.
  Schedule(double per_second, std::uint64_t begin_ns, bool random_gaps, std::uint64_t seed);

  std::uint64_t next_due() const { return due_ns_; }
  /// Returns:  the time at which the message was due; the next one becomes due.
  /// Requires: next_due() <= now is the caller's affair.
  std::uint64_t take();

 private:
  double gap_ns_;
  double due_exact_;  // since begin_ns_
  std::uint64_t begin_ns_;
  std::uint64_t due_ns_;
  std::uint64_t taken_ = 0;
  bool random_gaps_;
  SeededRandom random_;
};

}  // namespace wirehall::loadgen
