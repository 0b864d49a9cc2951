// Time as the library sees it: a monotonic instant for deadlines, a wall instant for stored and
// signed times. Only `io` and `server` own a Clock; everything inside receives `now`.
#pragma once

#include <chrono>
#include <cstdint>

namespace wirehall {

/// A clock type without a `now()`: code that must not read the time cannot do so by accident.
struct MonoClock {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<MonoClock>;
  static constexpr bool is_steady = true;
};

/// An instant of the monotonic clock; never goes back; the only base of durations and deadlines.
using MonoTime = MonoClock::time_point;
using Duration = MonoClock::duration;
using Milliseconds = std::chrono::milliseconds;

/// The deadline of something that waits for nothing.
inline constexpr MonoTime kNever = MonoTime::max();

/// Milliseconds since 1970 (UTC). May jump; only for tokens, stored times and logs.
using WallMs = std::int64_t;

/// Source of both times.
///
/// Thread:   implementations are safe to read from any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual MonoTime now() const = 0;
  virtual WallMs wall_now() const = 0;
};

}  // namespace wirehall
