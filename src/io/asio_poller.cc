// The portable twin: one descriptor object per connection, watched with async_wait. A hang-up shows as a
// readable descriptor whose read ends; there is no batch, so I2 of poller.h holds trivially.
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <unordered_map>

#include "io/poller.h"

namespace wirehall::io {
namespace {

namespace asio = boost::asio;

class AsioPoller final : public Poller {
 public:
  explicit AsioPoller(asio::io_context& context) : context_(context) {}
  ~AsioPoller() override {
    for (auto& [object, watch] : watches_) watch->descriptor.release();
  }

  bool add(int descriptor, Pollable& object) override {
    auto watch = std::make_shared<Watch>(context_);
    boost::system::error_code error;
    watch->descriptor.assign(descriptor, error);
    if (error) return false;
    object.polled = true;
    watches_[&object] = watch;
    arm_read(object);
    arm_write(object);
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

  void start(std::function<void(const std::function<void()>&)> on_batch) override {
    on_batch_ = std::move(on_batch);
  }
  void stop() override { on_batch_ = nullptr; }

 private:
  struct Watch {
    explicit Watch(asio::io_context& context) : descriptor(context) {}
    asio::posix::stream_descriptor descriptor;
    bool reading = false;
    bool writing = false;
  };

  // async_wait reports levels, once each: so one wait per direction is open at most, and only when asked for.
  void arm(Pollable& object, asio::posix::descriptor_base::wait_type type) {
    const auto found = watches_.find(&object);
    if (found == watches_.end()) return;
    const bool reads = type == asio::posix::descriptor_base::wait_read;
    bool& armed = reads ? found->second->reading : found->second->writing;
    if (std::exchange(armed, true)) return;
    const std::weak_ptr<Watch> weak = found->second;
    found->second->descriptor.async_wait(type, [this, &object, weak, reads](boost::system::error_code error) {
      const std::shared_ptr<Watch> watch = weak.lock();
      if (!watch) return;
      (reads ? watch->reading : watch->writing) = false;
      if (error || !on_batch_) return;
      on_batch_([&] {
        if (object.polled) object.on_ready(reads, !reads);
      });
    });
  }

  asio::io_context& context_;
  std::function<void(const std::function<void()>&)> on_batch_;
  std::unordered_map<Pollable*, std::shared_ptr<Watch>> watches_;
};

}  // namespace

std::unique_ptr<Poller> make_asio_poller(asio::io_context& context) {
  return std::make_unique<AsioPoller>(context);
}

}  // namespace wirehall::io
