#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "base/assert.h"
#include "base/prefetch.h"
#include "io/poller.h"

namespace wirehall::io {
namespace {

namespace asio = boost::asio;

constexpr int kBatchMax = 512;
// Batches taken before Asio's own work (timers, signals) gets its turn again.
constexpr int kBatchesInARow = 16;

class EpollPoller final : public Poller {
 public:
  explicit EpollPoller(asio::io_context& context) : set_(epoll_create1(EPOLL_CLOEXEC)), watched_(context) {
    WIREHALL_ASSERT(set_ >= 0);
    watched_.assign(set_);
  }

  bool add(int descriptor, Pollable& object) override {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
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

  void start(std::function<void(const std::function<void()>&)> on_batch) override {
    on_batch_ = std::move(on_batch);
    wait();
  }

  void stop() override {
    on_batch_ = nullptr;
    boost::system::error_code ignored;
    watched_.cancel(ignored);
  }

 private:
  void wait() {
    watched_.async_wait(asio::posix::descriptor_base::wait_read, [this](boost::system::error_code error) {
      if (error || !on_batch_) return;
      for (int i = 0; i < kBatchesInARow && on_batch_ && take_batch(); ++i) {
      }
      if (on_batch_) wait();
    });
  }

  bool take_batch() {
    const int count = epoll_wait(set_, events_.data(), kBatchMax, 0);
    if (count <= 0) return false;
    on_batch_([this, count] { deliver(count); });
    return true;
  }

  void deliver(int count) {
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

  // While one is served, the next ones come into the cache, each a pointer further.
  void prefetch_behind(int i, int count) {
    const auto object = [&](int at) { return static_cast<Pollable*>(events_[static_cast<std::size_t>(at)].data.ptr); };
    // A connection's Pollable stands at its end.
    if (i + 3 < count) prefetch(reinterpret_cast<const char*>(object(i + 3)) - 64, 128);
    if (i + 2 < count) object(i + 2)->prefetch_ahead(1);
    if (i + 1 < count) object(i + 1)->prefetch_ahead(2);
  }

  int set_;
  asio::posix::stream_descriptor watched_;
  std::function<void(const std::function<void()>&)> on_batch_;
  std::array<epoll_event, kBatchMax> events_{};
};

}  // namespace

std::unique_ptr<Poller> make_epoll_poller(asio::io_context& context) {
  return std::make_unique<EpollPoller>(context);
}

}  // namespace wirehall::io
