// What is to be delivered, when it is tried, and when it is given up. No thread, no clock, no network: those
// are the worker's.
//
//   state      add       take            finish: delivered, gone, …     try later, silent
//   (none)     waiting   –               –                                  –
//   waiting    –         in flight       –                                  –
//   in flight  –         –               (none)                             waiting, or (none) when given up
//
//   I1  The queue is bounded in deliveries and bytes, as a whole and for each user, and so is what is in
//   flight:
//       nobody's subscriptions can use up what belongs to all.
//   I2  A delivery is tried at most `tries_max` times, never earlier than the other side asked for, and no
//   try
//       begins after the message's time is over.
//   I3  A host that is silent again and again is left alone for a while; those who wait for it lose no try.
//   I4  Every operation costs O(log n), amortised.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/hash_map.h"
#include "base/random.h"
#include "wirehall/clock.h"
#include "wirehall/push_sender.h"

namespace wirehall::push {

/// One message on its way to one place.
struct Delivery {
  std::shared_ptr<const PushMessage> message;
  PushSubscription to;  ///< of a webhook only the endpoint is set
  std::string id;       ///< the same for all tries; may be empty
  WallMs made_at = 0;
};

struct DeliveryLimits {
  std::size_t deliveries_max = 10'000;       ///< waiting and in flight; inclusive, as all of these
  std::size_t bytes_max = 32 * 1024 * 1024;  ///< of the same; a message counts for each delivery
  std::size_t user_deliveries_max = 200;
  std::size_t in_flight_max = 32;
  std::size_t user_in_flight_max = 4;
  unsigned tries_max = 5;
  Duration backoff_first =
      std::chrono::seconds(2);  ///< after the first try, then four times as long each time
  Duration patience_min =
      std::chrono::seconds(30);  ///< tries may begin so long, however short the message's ttl
  Duration patience_max = std::chrono::minutes(15);  ///< and no longer, however long it is
  unsigned silences_max = 8;                         ///< of one host, in a row
  Duration rest = std::chrono::seconds(30);          ///< how long it is left alone then
};

/// What one try came to.
enum class TryResult : std::uint8_t {
  kDelivered,
  kGone,        ///< the subscription is unknown there
  kRefused,     ///< the other side says that another try would end the same way
  kTryLater,    ///< it is busy or broken, and says so
  kSilent,      ///< it did not answer
  kImpossible,  ///< it was not asked
};

/// What became of the delivery.
enum class Verdict : std::uint8_t { kDelivered, kGone, kFailed, kRetried };

/// Thread:   one at a time.
class DeliveryQueue {
 public:
  struct Try {
    std::uint64_t number = 0;
    std::shared_ptr<const Delivery> delivery;
    std::chrono::seconds ttl_left{};  ///< of the message, 0 at least
    bool expired = false;             ///< its time is over: it is only to be finished, as impossible
  };

  DeliveryQueue(const DeliveryLimits& limits, std::uint64_t jitter_seed)
      : limits_(limits), jitter_(jitter_seed) {}

  /// Takes all of them, or none.
  ///
  /// Requires: they have messages.
  /// Returns:  false: one of the bounds would be passed.
  bool add(std::vector<Delivery> deliveries, MonoTime now);

  /// Takes what is due next into flight.
  ///
  /// Returns:  nullopt: nothing is due, or as much is in flight as may be.
  std::optional<Try> take(MonoTime now);

  /// Tells how a try went.
  ///
  /// Requires: the delivery is in flight (asserted).
  Verdict finish(std::uint64_t number, TryResult result, Duration retry_after, MonoTime now);

  /// When take() will next have something; kNever when only a finish() can change that.
  MonoTime next_deadline() const;

  std::size_t size() const { return entries_.size(); }
  std::size_t bytes() const { return bytes_; }
  std::size_t in_flight() const { return in_flight_; }

 private:
  struct Entry {
    std::shared_ptr<const Delivery> delivery;
    MonoTime made;
    MonoTime due;
    MonoTime expires;
    std::size_t bytes = 0;
    unsigned tries = 0;
    bool in_flight = false;
  };
  struct User {
    std::size_t deliveries = 0;
    std::size_t in_flight = 0;
    std::deque<std::uint64_t> held;  // due, but as much of the user's is in flight as may be
  };
  struct Host {
    unsigned silences = 0;
    MonoTime rests_until = MonoTime::min();
  };
  bool fits(const std::vector<Delivery>& deliveries) const;
  Duration patience_with(const PushMessage& message) const;
  void wait(std::uint64_t number, Entry& entry, MonoTime due);
  MonoTime rests_until(const Delivery& delivery) const;
  void note(const Delivery& delivery, bool silent, MonoTime now);
  /// Returns: when to try again; kNever: not at all.
  MonoTime next_try(const Entry& entry, Duration retry_after, MonoTime now);
  void land(Entry& entry, MonoTime now);
  void remove(std::uint64_t number, const Entry& entry);

  const DeliveryLimits limits_;
  SeededRandom jitter_;
  std::uint64_t next_number_ = 1;
  std::unordered_map<std::uint64_t, Entry> entries_;
  std::set<std::pair<MonoTime, std::uint64_t>> waiting_;  // by when they are due
  TextMap<User> users_;
  TextMap<Host> hosts_;  // those that are silent
  std::size_t bytes_ = 0;
  std::size_t in_flight_ = 0;
};

}  // namespace wirehall::push
