// A few threads for work that blocks: files, hashing, the database. Bounded: what does not fit is refused.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>

namespace wirehall::io {

/// Thread:   run() from any thread.
class BlockingPool {
 public:
  BlockingPool(unsigned threads, std::uint32_t queue_max);
  ~BlockingPool();
  /// Runs `work` on a thread of the pool. Returns: false when the queue is full, or after stop().
  bool run(std::function<void()> work);
  /// Waits for everything that was accepted.
  void stop();

 private:
  struct Pool;
  std::unique_ptr<Pool> pool_;
  std::uint32_t queue_max_;
  std::atomic<std::uint32_t> queued_{0};
  std::atomic<bool> stopped_{false};
};

}  // namespace wirehall::io
