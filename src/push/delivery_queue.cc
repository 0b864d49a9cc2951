#include "push/delivery_queue.h"

#include <algorithm>

#include "base/assert.h"

namespace wirehall::push {
namespace {

constexpr std::size_t kOverheadBytes = 512;  // of the tables, and of what a string costs beside its text
constexpr std::size_t kHostsMax = 1'024;
constexpr unsigned kBackoffFactor = 4;

std::size_t bytes_of(const Delivery& delivery) {
  return kOverheadBytes + delivery.message->payload_json.size() + delivery.message->topic.size() +
         delivery.message->user_id.size() + delivery.to.user_id.size() + delivery.to.endpoint.size();
}

// What stands before the path: enough to tell hosts apart.
std::string_view host_of(const Delivery& delivery) {
  const std::string_view endpoint = delivery.to.endpoint;
  const std::size_t slashes = endpoint.find("://");
  return endpoint.substr(0, slashes == std::string_view::npos ? slashes : endpoint.find('/', slashes + 3));
}

}  // namespace

bool DeliveryQueue::fits(const std::vector<Delivery>& deliveries) const {
  if (deliveries.size() > limits_.deliveries_max - std::min(entries_.size(), limits_.deliveries_max))
    return false;
  std::size_t bytes = bytes_;
  TextMap<std::size_t> more;
  for (const Delivery& delivery : deliveries) {
    WIREHALL_ASSERT(delivery.message != nullptr);
    bytes += bytes_of(delivery);
    if (bytes > limits_.bytes_max) return false;
    const auto user = users_.find(delivery.message->user_id);
    const std::size_t present = user == users_.end() ? 0 : user->second.deliveries;
    if (present + ++more[delivery.message->user_id] > limits_.user_deliveries_max) return false;
  }
  return true;
}

Duration DeliveryQueue::patience_with(const PushMessage& message) const {
  // Compared as seconds: a ttl of centuries has no place in nanoseconds.
  const auto longest = std::chrono::duration_cast<std::chrono::seconds>(limits_.patience_max);
  return std::max<Duration>(std::clamp(message.ttl, std::chrono::seconds(0), longest), limits_.patience_min);
}

bool DeliveryQueue::add(std::vector<Delivery> deliveries, MonoTime now) {
  if (!fits(deliveries)) return false;
  for (Delivery& delivery : deliveries) {
    const std::uint64_t number = next_number_++;
    Entry& entry = entries_[number];
    entry.bytes = bytes_of(delivery);
    entry.made = now;
    entry.expires = now + patience_with(*delivery.message);
    bytes_ += entry.bytes;
    ++users_[delivery.message->user_id].deliveries;
    entry.delivery = std::make_shared<const Delivery>(std::move(delivery));
    wait(number, entry, now);
  }
  return true;
}

void DeliveryQueue::wait(std::uint64_t number, Entry& entry, MonoTime due) {
  entry.due = due;
  waiting_.emplace(due, number);
}

std::optional<DeliveryQueue::Try> DeliveryQueue::take(MonoTime now) {
  while (in_flight_ < limits_.in_flight_max && !waiting_.empty() && waiting_.begin()->first <= now) {
    const std::uint64_t number = waiting_.begin()->second;
    waiting_.erase(waiting_.begin());
    Entry& entry = entries_.at(number);
    const bool expired = now >= entry.expires;
    const MonoTime rested = rests_until(*entry.delivery);
    if (!expired && rested > now) {
      wait(number, entry, std::min(rested, entry.expires));
      continue;
    }
    User& user = users_.at(entry.delivery->message->user_id);
    if (!expired && user.in_flight >= limits_.user_in_flight_max) {
      user.held.push_back(number);
      continue;
    }
    entry.in_flight = true;
    ++entry.tries;
    ++user.in_flight;
    ++in_flight_;
    const auto age = std::chrono::duration_cast<std::chrono::seconds>(now - entry.made);
    const std::chrono::seconds ttl = std::max(entry.delivery->message->ttl, age);
    return Try{number, entry.delivery, ttl - age, expired};
  }
  return std::nullopt;
}

Verdict DeliveryQueue::finish(std::uint64_t number, TryResult result, Duration retry_after, MonoTime now) {
  const auto found = entries_.find(number);
  WIREHALL_ASSERT(found != entries_.end() && found->second.in_flight);
  Entry& entry = found->second;
  land(entry, now);
  if (result != TryResult::kImpossible) note(*entry.delivery, result == TryResult::kSilent, now);
  if (result == TryResult::kTryLater || result == TryResult::kSilent) {
    if (const MonoTime due = next_try(entry, retry_after, now); due != kNever) {
      wait(number, entry, due);
      return Verdict::kRetried;
    }
  }
  remove(number, entry);
  switch (result) {
    case TryResult::kDelivered: return Verdict::kDelivered;
    case TryResult::kGone: return Verdict::kGone;
    default: return Verdict::kFailed;
  }
}

// Back on the ground: the next of the user's that was held may go.
void DeliveryQueue::land(Entry& entry, MonoTime now) {
  entry.in_flight = false;
  --in_flight_;
  User& user = users_.at(entry.delivery->message->user_id);
  --user.in_flight;
  if (user.held.empty()) return;
  const std::uint64_t next = user.held.front();
  user.held.pop_front();
  wait(next, entries_.at(next), std::min(entries_.at(next).due, now));
}

void DeliveryQueue::remove(std::uint64_t number, const Entry& entry) {
  bytes_ -= entry.bytes;
  const auto user = users_.find(entry.delivery->message->user_id);
  if (--user->second.deliveries == 0) users_.erase(user);
  entries_.erase(number);
}

MonoTime DeliveryQueue::next_try(const Entry& entry, Duration retry_after, MonoTime now) {
  if (entry.tries >= limits_.tries_max) return kNever;
  Duration backoff = limits_.backoff_first;
  for (unsigned i = 1; i < entry.tries && backoff < limits_.patience_max; ++i) backoff *= kBackoffFactor;
  // The spread comes on top, so that nobody is early and not everybody is there at once.
  const Duration spread(jitter_.below(static_cast<std::uint64_t>(backoff.count() / 2) + 1));
  const MonoTime due = now + std::max(backoff, retry_after) + spread;
  return due < entry.expires ? due : kNever;
}

MonoTime DeliveryQueue::next_deadline() const {
  if (waiting_.empty() || in_flight_ >= limits_.in_flight_max) return kNever;
  return waiting_.begin()->first;
}

// -- hosts --------------------------------------------------------------------------------------

MonoTime DeliveryQueue::rests_until(const Delivery& delivery) const {
  const auto host = hosts_.find(host_of(delivery));
  return host == hosts_.end() ? MonoTime::min() : host->second.rests_until;
}

void DeliveryQueue::note(const Delivery& delivery, bool silent, MonoTime now) {
  const auto known = hosts_.find(host_of(delivery));
  if (!silent) {
    if (known != hosts_.end()) hosts_.erase(known);
    return;
  }
  if (known == hosts_.end() && hosts_.size() >= kHostsMax) {
    std::erase_if(hosts_, [&](const auto& host) { return host.second.rests_until <= now; });
    if (hosts_.size() >= kHostsMax) return;
  }
  Host& host = known != hosts_.end() ? known->second : hosts_[std::string(host_of(delivery))];
  if (++host.silences < limits_.silences_max) return;
  host.rests_until = now + limits_.rest;
}

}  // namespace wirehall::push
