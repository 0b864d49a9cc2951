// Deadlines: set and moved as heartbeats and handler timeouts do it, and fired.
#include "base/timer_wheel.h"

#include <memory>
#include <vector>

#include "support/micro.h"

namespace wirehall {
namespace {

using std::chrono::milliseconds;

class CountingTimer final : public Timer {
 public:
  std::uint64_t fired = 0;

 private:
  void on_timer(MonoTime) override { ++fired; }
};

constexpr std::size_t kTimers = 10'000;

void move_deadline(benchmark::State& state) {
  TimerWheel wheel{MonoTime()};
  std::vector<CountingTimer> timers(kTimers);
  std::size_t next = 0;
  std::int64_t delay = 0;
  bench::measure(state, 0, [&] {
    wheel.schedule(timers[next], MonoTime() + milliseconds(25'000 + delay));
    next = next + 1 == kTimers ? 0 : next + 1;
    delay = (delay + 7) % 1000;
  });
}

void schedule_and_cancel(benchmark::State& state) {
  TimerWheel wheel{MonoTime()};
  CountingTimer timer;
  bench::measure(state, 0, [&] {
    wheel.schedule(timer, MonoTime() + milliseconds(30'000));
    wheel.cancel(timer);
  });
}

// A millisecond goes by, in which ten of them are due; each is set again, as a heartbeat is.
void advance_with_ten_due(benchmark::State& state) {
  struct Heartbeat final : Timer {
    void on_timer(MonoTime now) override { wheel->schedule(*this, now + milliseconds(1000)); }
    TimerWheel* wheel = nullptr;
  };
  TimerWheel wheel{MonoTime()};
  std::vector<Heartbeat> timers(kTimers);
  for (std::size_t i = 0; i < kTimers; ++i) {
    timers[i].wheel = &wheel;
    wheel.schedule(timers[i], MonoTime() + milliseconds(1 + i % 1000));
  }
  MonoTime now;
  bench::measure(state, 0, [&] { wheel.advance(now += milliseconds(1)); });
}

void next_deadline(benchmark::State& state) {
  TimerWheel wheel{MonoTime()};
  std::vector<CountingTimer> timers(kTimers);
  for (std::size_t i = 0; i < kTimers; ++i)
    wheel.schedule(timers[i], MonoTime() + milliseconds(20'000 + 3 * i % 10'000));
  bench::measure(state, 0, [&] { benchmark::DoNotOptimize(wheel.next_deadline()); });
}

const bench::Suite suite([] {
  bench::add("timer_wheel/move_deadline/of-10000", move_deadline);
  bench::add("timer_wheel/schedule_and_cancel/one", schedule_and_cancel);
  bench::add("timer_wheel/advance_1ms/10-due-of-10000", advance_with_ten_due);
  bench::add("timer_wheel/next_deadline/of-10000", next_deadline);
});

}  // namespace
}  // namespace wirehall
