// How many messages a user may send: a bucket that all of the user's connections share, on whichever shards
// they are.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "wirehall/clock.h"
#include "wirehall/result.h"

namespace wirehall::services {

struct AllowanceOptions {
  std::uint32_t messages_per_minute = 100;
  std::uint32_t burst = 100;

  /// After so long without use an allowance is as good as new; at most a day, whatever was configured.
  Duration fill_time() const {
    constexpr double kMinuteNs = 60e9, kDayNs = 24 * 60 * kMinuteNs;
    return Duration(static_cast<std::int64_t>(std::min(kDayNs, kMinuteNs * burst / messages_per_minute)));
  }
};

/// The generic cell rate algorithm in one word, so that it needs no lock.
///
/// Thread:   safe from every shard.
class Allowance {
 public:
  /// Takes one message.
  /// Errors:   kRateLimited, with retry_after_ms.
  Status take(const AllowanceOptions& options, MonoTime now);

 private:
  std::atomic<std::int64_t> drained_at_ns_{INT64_MIN};  // when the bucket will be empty
};

}  // namespace wirehall::services
