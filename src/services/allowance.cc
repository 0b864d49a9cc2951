#include "services/allowance.h"

#include <algorithm>

namespace wirehall::services {

Status Allowance::take(const AllowanceOptions& options, MonoTime now) {
  const std::int64_t now_ns = now.time_since_epoch().count();
  const std::int64_t interval = 60'000'000'000 / options.messages_per_minute;
  const std::int64_t capacity = std::max<std::int64_t>(interval, options.fill_time().count());
  std::int64_t drained = drained_at_ns_.load(std::memory_order_relaxed);
  for (;;) {
    const std::int64_t next = std::max(drained, now_ns) + interval;
    if (next - now_ns > capacity) {
      return Error(ErrorCode::kRateLimited).retry_after_ms((next - now_ns - capacity) / 1'000'000 + 1);
    }
    if (drained_at_ns_.compare_exchange_weak(drained, next, std::memory_order_relaxed)) return {};
  }
}

}  // namespace wirehall::services
