#include "push/delivery_worker.h"

#include <openssl/rand.h>

#include <algorithm>

#include "base/log.h"
#include "push/target_url.h"

namespace wirehall::push {
namespace {

std::uint64_t random_seed() {
  std::uint64_t seed = 0;
  // Without it the waits are spread in the same way each time, which is no harm.
  static_cast<void>(RAND_bytes(reinterpret_cast<unsigned char*>(&seed), sizeof seed));
  return seed;
}

std::string cause_of(const HttpAnswer& answer) {
  switch (answer.missing) {
    case NoAnswer::kNone: return "answered with status " + std::to_string(answer.status);
    case NoAnswer::kNetwork: return "no answer";
    case NoAnswer::kTimeout: return "no answer in time";
    case NoAnswer::kForbidden: return "not an address that may be asked";
  }
  return {};
}

void log_failure(const Delivery& delivery, const std::string& cause) {
  if (!log_enabled(LogLevel::kWarning)) return;
  const auto target = parse_target_url(delivery.to.endpoint);
  log_line(LogLevel::kWarning, "push", "a push message was given up",
           {{"origin", target ? target->origin : std::string("malformed")}, {"cause", cause}});
}

}  // namespace

DeliveryWorker::DeliveryWorker(const DeliveryLimits& limits, std::unique_ptr<Transport> transport,
                               const Clock& clock, Prepare prepare, OnDeadSubscription on_dead)
    : clock_(clock),
      prepare_(std::move(prepare)),
      on_dead_(std::move(on_dead)),
      transport_(std::move(transport)),
      queue_(limits, random_seed()),
      thread_([this] { run(); }) {}

DeliveryWorker::~DeliveryWorker() { stop(); }

bool DeliveryWorker::submit(std::vector<Delivery> deliveries) {
  const std::size_t count = deliveries.size();
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || !queue_.add(std::move(deliveries), clock_.now())) {
      counts_.dropped += count;
      return false;
    }
  }
  transport_->wake();
  return true;
}

PushCounts DeliveryWorker::counts() const {
  const std::lock_guard lock(mutex_);
  PushCounts counts = counts_;
  if (!stopping_) counts.waiting = queue_.size();
  return counts;
}

void DeliveryWorker::stop() {
  {
    const std::lock_guard lock(mutex_);
    if (!stopping_) counts_.dropped += queue_.size();
    stopping_ = true;
  }
  transport_->wake();
  if (thread_.joinable()) thread_.join();
}

void DeliveryWorker::run() {
  for (;;) {
    begin_due();
    Duration patience;
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) break;
      const MonoTime deadline = queue_.next_deadline();
      patience = deadline == kNever ? Duration::max() : std::max(deadline - clock_.now(), Duration::zero());
    }
    for (const auto& [number, answer] : transport_->wait(patience)) end(number, answer);
  }
  transport_->abort();
}

void DeliveryWorker::begin_due() {
  for (;;) {
    std::optional<DeliveryQueue::Try> attempt;
    {
      const std::lock_guard lock(mutex_);
      if (!stopping_) attempt = queue_.take(clock_.now());
    }
    if (!attempt) return;
    begin(std::move(*attempt));
  }
}

void DeliveryWorker::begin(DeliveryQueue::Try attempt) {
  if (attempt.expired)
    return finish(attempt.number, *attempt.delivery, TryResult::kImpossible, {}, "its time was over");
  Result<HttpPost> post = prepare_(*attempt.delivery, attempt.ttl_left, clock_.wall_now());
  if (!post)
    return finish(attempt.number, *attempt.delivery, TryResult::kImpossible, {}, post.error().text());
  in_flight_.emplace(attempt.number, std::move(attempt.delivery));
  transport_->start(attempt.number, std::move(*post));
}

void DeliveryWorker::end(std::uint64_t number, const HttpAnswer& answer) {
  const auto found = in_flight_.find(number);
  const std::shared_ptr<const Delivery> delivery = found->second;
  in_flight_.erase(found);
  finish(number, *delivery, result_of(answer), answer.retry_after, cause_of(answer));
}

void DeliveryWorker::finish(std::uint64_t number, const Delivery& delivery, TryResult result,
                            Duration retry_after, const std::string& cause) {
  Verdict verdict;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;  // it is counted as dropped
    verdict = queue_.finish(number, result, retry_after, clock_.now());
    switch (verdict) {
      case Verdict::kDelivered: ++counts_.sent; break;
      case Verdict::kGone: ++counts_.dead; break;
      case Verdict::kFailed: ++counts_.failed; break;
      case Verdict::kRetried: ++counts_.retried; break;
    }
  }
  if (verdict == Verdict::kGone) on_dead_(delivery.to.user_id, delivery.to.endpoint);
  if (verdict == Verdict::kFailed) log_failure(delivery, cause);
}

TryResult DeliveryWorker::result_of(const HttpAnswer& answer) const {
  if (answer.missing == NoAnswer::kForbidden) return TryResult::kImpossible;
  if (answer.missing != NoAnswer::kNone) return TryResult::kSilent;
  if (answer.status >= 200 && answer.status < 300) return TryResult::kDelivered;
  if (on_dead_ && (answer.status == 404 || answer.status == 410)) return TryResult::kGone;
  if (answer.status == 429 || answer.status >= 500) return TryResult::kTryLater;
  return TryResult::kRefused;
}

}  // namespace wirehall::push
