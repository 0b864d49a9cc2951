// The thread that delivers: it carries what the queue has due to the transport, and answers back to the
// queue.
//
//   I1  Callers only queue. Requests are made, encrypted and signed on the worker's thread.
//   I2  After stop() nothing is under way and nobody is called.
//   I3  Logs name the other side's origin and the status; never a path, a key or a payload.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "push/delivery_queue.h"
#include "push/transport.h"
#include "wirehall/result.h"

namespace wirehall::push {

/// Thread:   submit() and counts() from any thread; stop() from one.
/// Lifetime: `clock` outlives it; it owns the rest.
class DeliveryWorker {
 public:
  /// Makes the request of one try. Called on the worker's thread, one call at a time; an error ends the
  /// delivery as failed.
  using Prepare =
      std::function<Result<HttpPost>(const Delivery& delivery, std::chrono::seconds ttl_left, WallMs now)>;

  /// `on_dead` is told about what answered 404 or 410; null: those are answers like others.
  DeliveryWorker(const DeliveryLimits& limits, std::unique_ptr<Transport> transport, const Clock& clock,
                 Prepare prepare, OnDeadSubscription on_dead);
  ~DeliveryWorker();
  DeliveryWorker(const DeliveryWorker&) = delete;
  DeliveryWorker& operator=(const DeliveryWorker&) = delete;

  /// Takes all, or none, which is counted. Returns: false: the queue is full, or it was stopped.
  bool submit(std::vector<Delivery> deliveries);
  PushCounts counts() const;
  void stop();

 private:
  void run();
  void begin_due();
  void begin(DeliveryQueue::Try attempt);
  void end(std::uint64_t number, const HttpAnswer& answer);
  void finish(std::uint64_t number, const Delivery& delivery, TryResult result, Duration retry_after,
              const std::string& cause);
  TryResult result_of(const HttpAnswer& answer) const;

  const Clock& clock_;
  const Prepare prepare_;
  const OnDeadSubscription on_dead_;
  const std::unique_ptr<Transport> transport_;
  // Of the worker's thread alone.
  std::unordered_map<std::uint64_t, std::shared_ptr<const Delivery>> in_flight_;

  mutable std::mutex mutex_;
  DeliveryQueue queue_;  // under the mutex
  PushCounts counts_;    // under the mutex
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace wirehall::push
