#include "base/timer_wheel.h"

#include <bit>

#include "base/assert.h"

namespace wirehall {
namespace {
constexpr std::int64_t kTickNs = 1'000'000;
}

void TimerWheel::Anchor::make_empty() { next_ = previous_ = this; }
void TimerWheel::Anchor::reset() {
  while (!empty()) first()->unlink();
  next_ = previous_ = nullptr;
}
bool TimerWheel::Anchor::empty() const { return next_ == this; }
Timer* TimerWheel::Anchor::first() const { return next_; }
void TimerWheel::Anchor::push_back(Timer& timer) {
  timer.next_ = this;
  timer.previous_ = previous_;
  previous_->next_ = &timer;
  previous_ = &timer;
}

TimerWheel::TimerWheel(MonoTime start) : start_(start) {}

std::uint64_t TimerWheel::tick_of(MonoTime at) const {
  const std::int64_t ns = (at - start_).count();
  return ns <= 0 ? 0 : static_cast<std::uint64_t>((ns + kTickNs - 1) / kTickNs);
}

void TimerWheel::schedule(Timer& timer, MonoTime deadline) {
  if (deadline == kNever) return timer.unlink();
  const std::uint64_t due = tick_of(deadline);
  const std::uint64_t tick = due > tick_ ? due : tick_ + 1;
  // Where it is already: its neighbours, other connections' memory, are not touched.
  if (timer.scheduled() && timer.tick_ == tick) return;
  timer.unlink();
  timer.tick_ = tick;
  place(timer);
}

// The level is the highest in which the timer's tick and the current one differ.
void TimerWheel::place(Timer& timer) {
  const std::uint64_t horizon = tick_ + (std::uint64_t{1} << 32) - 1;
  const std::uint64_t tick = timer.tick_ < horizon ? timer.tick_ : horizon;
  int level = 0;
  while (level < kLevels - 1 && (tick >> (8 * (level + 1))) != (tick_ >> (8 * (level + 1)))) ++level;
  const auto row = static_cast<std::size_t>(level);
  const std::uint64_t index = (tick >> (8 * level)) % kSlots;
  slots_[row][index].push_back(timer);
  occupied_[row][index / 64] |= std::uint64_t{1} << (index % 64);
}

std::uint64_t TimerWheel::occupied_from(int level, std::uint64_t from) const {
  const auto row = static_cast<std::size_t>(level);
  for (std::uint64_t word = from / 64; word < kSlots / 64; ++word) {
    std::uint64_t bits = occupied_[row][word];
    if (word == from / 64) bits &= ~std::uint64_t{0} << (from % 64);
    for (; bits != 0; bits &= bits - 1) {
      const std::uint64_t index = word * 64 + static_cast<std::uint64_t>(std::countr_zero(bits));
      if (!slots_[row][index].empty()) return index;
      occupied_[row][word] &= ~(std::uint64_t{1} << (index % 64));
    }
  }
  return kSlots;
}

void TimerWheel::cascade(int level) {
  if (level == kLevels) return;
  const std::uint64_t index = (tick_ >> (8 * level)) % kSlots;
  if (index == 0) cascade(level + 1);
  Anchor& slot = slots_[static_cast<std::size_t>(level)][index];
  Anchor moving;
  while (!slot.empty()) {
    Timer& timer = *slot.first();
    timer.unlink();
    moving.push_back(timer);
  }
  while (!moving.empty()) {
    Timer& timer = *moving.first();
    timer.unlink();
    place(timer);
  }
}

void TimerWheel::advance(MonoTime now) {
  const std::int64_t ns = (now - start_).count();
  const std::uint64_t target = ns <= 0 ? 0 : static_cast<std::uint64_t>(ns / kTickNs);
  WIREHALL_ASSERT(target >= tick_);
  while (tick_ < target) {
    // Skip what is empty: to the next occupied slot of the lowest level, or to its end.
    ++tick_;
    if (tick_ % kSlots == 0) cascade(1);
    Anchor& slot = slots_[0][tick_ % kSlots];
    // Timers that are scheduled while firing land in later ticks: the slot only shrinks.
    while (!slot.empty()) {
      Timer& timer = *slot.first();
      timer.unlink();
      timer.on_timer(now);
    }
  }
}

MonoTime TimerWheel::next_deadline() const {
  for (int level = 0; level < kLevels; ++level) {
    const std::uint64_t base = tick_ >> (8 * level);
    std::uint64_t index = occupied_from(level, base % kSlots + 1);
    std::uint64_t block = base & ~(kSlots - 1);
    if (index == kSlots && level == kLevels - 1) {  // only the highest level wraps around
      index = occupied_from(level, 0);
      block += kSlots;
    }
    if (index == kSlots) continue;
    return start_ + Duration(static_cast<std::int64_t>((block + index) << (8 * level)) * kTickNs);
  }
  return kNever;
}

}  // namespace wirehall
