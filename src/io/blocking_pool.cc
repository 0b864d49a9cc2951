#include "io/blocking_pool.h"

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

#include "base/log.h"

namespace wirehall::io {

struct BlockingPool::Pool {
  explicit Pool(unsigned count) : threads(count) {}
  boost::asio::thread_pool threads;
};

BlockingPool::BlockingPool(unsigned threads, std::uint32_t queue_max)
    : pool_(std::make_unique<Pool>(threads)), queue_max_(queue_max) {}
BlockingPool::~BlockingPool() { stop(); }

bool BlockingPool::run(std::function<void()> work) {
  if (stopped_.load(std::memory_order_acquire)) return false;
  if (queued_.fetch_add(1, std::memory_order_relaxed) >= queue_max_) {
    queued_.fetch_sub(1, std::memory_order_relaxed);
    return false;
  }
  boost::asio::post(pool_->threads, [this, work = std::move(work)] {
    try {
      work();
    } catch (const std::exception& error) {
      log_line(LogLevel::kError, "io", "blocking work threw", {{"what", error.what()}});
    }
    queued_.fetch_sub(1, std::memory_order_relaxed);
  });
  return true;
}

void BlockingPool::stop() {
  if (stopped_.exchange(true)) return;
  pool_->threads.join();
}

}  // namespace wirehall::io
