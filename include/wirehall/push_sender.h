// The port that reaches users who are away: Web Push, a webhook, or an application's own way.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "wirehall/hall_store.h"

namespace wirehall {

/// Whether a message is worth waking a device that saves its battery.
///
/// Spec:     RFC 8030 section 5.3.
enum class PushUrgency : std::uint8_t { kVeryLow, kLow, kNormal, kHigh };

/// What somebody who is away is to be told.
struct PushMessage {
  std::string user_id;
  /// Of messages with the same topic that were not shown yet, the newest replaces the others; empty: none.
  std::string topic;
  std::string payload_json;  ///< an object, validated
  /// How long it is of use: a push service keeps it no longer, and no try begins later, except soon after
  /// send().
  std::chrono::seconds ttl{24 * 3600};
  PushUrgency urgency = PushUrgency::kNormal;
};

/// What became of deliveries: one message to one subscription, or to one webhook, is one delivery.
struct PushCounts {
  std::uint64_t sent = 0;     ///< accepted by the other side
  std::uint64_t failed = 0;   ///< refused by it, or given up
  std::uint64_t dropped = 0;  ///< never tried to the end: the queue was full, or the sender was stopped
  std::uint64_t dead = 0;     ///< the subscription is gone
  std::uint64_t retried = 0;  ///< tries that were followed by another one
  std::uint64_t waiting = 0;  ///< now: queued or under way
};

/// Told about a subscription that the push service does not know any more: it is to be forgotten. Called on
/// a thread of the sender's; must not throw, nor call stop().
using OnDeadSubscription = std::function<void(std::string user_id, std::string endpoint)>;

/// Reaches users who are away. Implementations queue, and never block their caller.
///
/// Thread:   send() and counts() from any thread; stop() from one.
class PushSender {
 public:
  virtual ~PushSender() = default;

  /// Queues a message for the subscriptions of its user. What reaches users in another way ignores `to`.
  ///
  /// Returns:  false: the queue is full, or the sender was stopped; nothing was queued, and that is counted.
  virtual bool send(PushMessage message, std::vector<PushSubscription> to) = 0;

  virtual PushCounts counts() const = 0;

  /// Ends, with what is under way. Afterwards nothing is sent or called back. May be called again.
  virtual void stop() = 0;
};

}  // namespace wirehall
