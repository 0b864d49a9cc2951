// All deadlines of one shard in one hierarchical wheel with a resolution of one millisecond.
//
//   I1  A timer never fires before its deadline; it fires at the first advance() at or after the
//       millisecond that follows it.
//   I2  schedule, cancel and firing cost O(1); a timer that was never scheduled costs nothing.
//   I3  next_deadline() may be early (a cascade is due), never late.
#pragma once

#include <array>
#include <cstdint>

#include "wirehall/clock.h"

namespace wirehall {

class TimerWheel;

/// Something that has a deadline; derive, or use it as a member of what it wakes.
///
/// Lifetime: cancels itself when destroyed.
class Timer {
 public:
  Timer() = default;
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  bool scheduled() const { return next_ != nullptr; }

 protected:
  ~Timer() { unlink(); }

 private:
  friend class TimerWheel;
  virtual void on_timer(MonoTime now) = 0;
  void unlink() {
    if (next_ == nullptr) return;
    previous_->next_ = next_;
    next_->previous_ = previous_;
    next_ = previous_ = nullptr;
  }
  Timer* next_ = nullptr;
  Timer* previous_ = nullptr;
  std::uint64_t tick_ = 0;
};

/// Thread:   shard-affine.
/// Lifetime: outlives every scheduled timer, or is destroyed after they were cancelled.
class TimerWheel {
 public:
  explicit TimerWheel(MonoTime start);

  /// Sets or moves the deadline. kNever cancels.
  void schedule(Timer& timer, MonoTime deadline);
  void cancel(Timer& timer) { timer.unlink(); }

  /// Fires what is due. A timer that is scheduled meanwhile with a deadline that has passed fires in
  /// the next call, so one call always ends.
  /// Requires: `now` never goes back (asserted).
  void advance(MonoTime now);

  /// When advance() must next be called; kNever when nothing is scheduled.
  MonoTime next_deadline() const;

 private:
  static constexpr int kLevels = 4;
  static constexpr std::uint64_t kSlots = 256;
  struct Anchor final : Timer {
    Anchor() { make_empty(); }
    ~Anchor() { reset(); }
    void on_timer(MonoTime) override {}
    void make_empty();
    void reset();
    bool empty() const;
    Timer* first() const;
    void push_back(Timer& timer);
  };
  void place(Timer& timer);
  void cascade(int level);
  std::uint64_t tick_of(MonoTime at) const;
  /// The first occupied slot of a level in [from, kSlots); kSlots when there is none.
  std::uint64_t occupied_from(int level, std::uint64_t from) const;

  MonoTime start_;
  std::uint64_t tick_ = 0;  // everything up to and including this tick has fired
  std::array<std::array<Anchor, kSlots>, kLevels> slots_;
  // One bit for each slot that may hold timers; cancelling leaves a bit behind, looking clears it.
  mutable std::array<std::array<std::uint64_t, kSlots / 64>, kLevels> occupied_{};
};

}  // namespace wirehall
