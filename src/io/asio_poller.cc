// The portable twin: one descriptor object per connection, watched with async_wait. A hang-up shows as a
// readable descriptor whose read ends, and is told in the order in which it came.
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <chrono>
#include <unordered_map>
#include <utility>
#include <vector>

#include "io/poller.h"

namespace wirehall::io {
namespace {

namespace asio = boost::asio;

class AsioPoller final : public Poller {
 public:
  ~AsioPoller() override {
    for (auto& [object, watch] : watches_) watch->descriptor.release();
  }

  int descriptor() const override { return -1; }

  bool add(int descriptor, Pollable& object, Watch what) override {
    auto watch = std::make_shared<Watched>(context_);
    boost::system::error_code error;
    watch->descriptor.assign(descriptor, error);
    if (error) return false;
    object.polled = true;
    watches_[&object] = watch;
    arm_read(object);
    if (what == Watch::kReadsAndWrites) arm_write(object);
    return true;
  }

  void remove(int, Pollable& object) override {
    object.polled = false;
    const auto found = watches_.find(&object);
    if (found == watches_.end()) return;
    boost::system::error_code ignored;
    found->second->descriptor.cancel(ignored);
    found->second->descriptor.release();
    watches_.erase(found);
  }

  void arm_read(Pollable& object) override { arm(object, asio::posix::descriptor_base::wait_read); }
  void arm_write(Pollable& object) override { arm(object, asio::posix::descriptor_base::wait_write); }

  bool wait(Duration timeout) override {
    if (timeout == Duration::max()) {
      context_.run_one();
    } else if (timeout > Duration::zero()) {
      context_.run_one_for(std::chrono::ceil<std::chrono::milliseconds>(timeout));
    }
    context_.poll();  // what else is ready: no more than is armed, since nothing is armed meanwhile
    return !ready_.empty();
  }

  void deliver() override {
    for (const Ready& ready : std::exchange(ready_, {})) {
      if (ready.object->polled) ready.object->on_ready(ready.reads, !ready.reads);
    }
  }

 private:
  struct Watched {
    explicit Watched(asio::io_context& context) : descriptor(context) {}
    asio::posix::stream_descriptor descriptor;
    bool reading = false;
    bool writing = false;
  };
  struct Ready {
    Pollable* object;
    bool reads;
  };

  // async_wait reports levels, once each: so one wait per direction is open at most, and only when asked for.
  void arm(Pollable& object, asio::posix::descriptor_base::wait_type type) {
    const auto found = watches_.find(&object);
    if (found == watches_.end()) return;
    const bool reads = type == asio::posix::descriptor_base::wait_read;
    bool& armed = reads ? found->second->reading : found->second->writing;
    if (std::exchange(armed, true)) return;
    const std::weak_ptr<Watched> weak = found->second;
    found->second->descriptor.async_wait(type, [this, &object, weak, reads](boost::system::error_code error) {
      const std::shared_ptr<Watched> watch = weak.lock();
      if (!watch) return;
      (reads ? watch->reading : watch->writing) = false;
      if (!error) ready_.push_back({&object, reads});
    });
  }

  asio::io_context context_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_{context_.get_executor()};
  std::vector<Ready> ready_;
  std::unordered_map<Pollable*, std::shared_ptr<Watched>> watches_;
};

}  // namespace

std::unique_ptr<Poller> make_asio_poller() { return std::make_unique<AsioPoller>(); }

}  // namespace wirehall::io
