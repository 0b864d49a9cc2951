#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <limits>
#include <utility>

#include "base/assert.h"
#include "base/prefetch.h"
#include "io/poller.h"

namespace wirehall::io {
namespace {

constexpr int kBatchMax = 512;

int milliseconds_of(Duration timeout) {
  if (timeout == Duration::max()) return -1;
  const auto whole = std::chrono::ceil<std::chrono::milliseconds>(timeout).count();
  return static_cast<int>(std::clamp<std::int64_t>(whole, 0, std::numeric_limits<int>::max()));
}

class EpollPoller final : public Poller {
 public:
  EpollPoller() : set_(epoll_create1(EPOLL_CLOEXEC)) { WIREHALL_ASSERT(set_ >= 0); }
  ~EpollPoller() override { ::close(set_); }

  int descriptor() const override { return set_; }

  bool add(int descriptor, Pollable& object, Watch watch) override {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLRDHUP | EPOLLET;
    if (watch == Watch::kReadsAndWrites) event.events |= EPOLLOUT;
    event.data.ptr = &object;
    object.polled = epoll_ctl(set_, EPOLL_CTL_ADD, descriptor, &event) == 0;
    return object.polled;
  }

  void remove(int descriptor, Pollable& object) override {
    if (!object.polled) return;
    object.polled = false;
    epoll_ctl(set_, EPOLL_CTL_DEL, descriptor, nullptr);
  }

  // Registered once, edge-triggered: there is nothing to arm.
  void arm_read(Pollable&) override {}
  void arm_write(Pollable&) override {}

  bool wait(Duration timeout) override {
    // Nothing also where a signal has come.
    count_ = std::max(0, epoll_wait(set_, events_.data(), kBatchMax, milliseconds_of(timeout)));
    return count_ != 0;
  }

  void deliver() override {
    const int count = std::exchange(count_, 0);
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events_[static_cast<std::size_t>(i)];
      if ((event.events & (EPOLLHUP | EPOLLERR | EPOLLRDHUP)) == 0) continue;
      Pollable& object = *static_cast<Pollable*>(event.data.ptr);
      if (object.polled) object.on_hangup();
    }
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events_[static_cast<std::size_t>(i)];
      prefetch_behind(i, count);
      Pollable& object = *static_cast<Pollable*>(event.data.ptr);
      if (object.polled) object.on_ready((event.events & EPOLLIN) != 0, (event.events & EPOLLOUT) != 0);
    }
  }

 private:
  // While one is served, the next ones come into the cache, each a pointer further.
  void prefetch_behind(int i, int count) {
    const auto object = [&](int at) { return static_cast<Pollable*>(events_[static_cast<std::size_t>(at)].data.ptr); };
    // A connection's Pollable stands at its end.
    if (i + 3 < count) prefetch(reinterpret_cast<const char*>(object(i + 3)) - 64, 128);
    if (i + 2 < count) object(i + 2)->prefetch_ahead(1);
    if (i + 1 < count) object(i + 1)->prefetch_ahead(2);
  }

  int set_;
  int count_ = 0;  // of events_, not yet delivered
  std::array<epoll_event, kBatchMax> events_{};
};

}  // namespace

std::unique_ptr<Poller> make_epoll_poller() { return std::make_unique<EpollPoller>(); }

}  // namespace wirehall::io
