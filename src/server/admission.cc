#include "server/admission.h"

namespace wirehall::server {
namespace {

// When a connection of the same address may have ended.
constexpr std::int64_t kRetryAfterMs = 5'000;

Error too_many() { return Error(ErrorCode::kTooManyConnections).retry_after_ms(kRetryAfterMs); }

}  // namespace

Status AddressAdmission::admit(std::string_view address, bool loopback, MonoTime now) {
  Stripe& part = stripe(address);
  const std::lock_guard lock(part.mutex);
  auto found = part.entries.find(address);
  if (found == part.entries.end()) {
    if (part.entries.size() >= kAddressesMax / kStripes) {
      std::erase_if(part.entries, [&](const auto& entry) {
        return entry.second.connections == 0 && entry.second.refused == 0 &&
               entry.second.next_at <= now;
      });
      if (part.entries.size() >= kAddressesMax / kStripes) return too_many();
    }
    found = part.entries.emplace(std::string(address), Entry()).first;
  }
  Entry& entry = found->second;
  if (!(options_.exempt_loopback && loopback)) {
    if (entry.connections >= options_.connections_max || entry.joining >= options_.joining_max)
      return too_many();
    // The generic cell rate algorithm: a burst of one minute's worth, then one each interval.
    const Duration interval = Duration(std::chrono::minutes(1)) / options_.connections_per_minute;
    const MonoTime base = std::max(entry.next_at, now);
    if (base + interval - now > std::chrono::minutes(1)) {
      const auto wait =
          std::chrono::duration_cast<Milliseconds>(base + interval - now - std::chrono::minutes(1));
      return Error(ErrorCode::kRateLimited).retry_after_ms(wait.count() + 1);
    }
    entry.next_at = base + interval;
  }
  ++entry.connections;
  ++entry.joining;
  return {};
}

void AddressAdmission::joined(std::string_view address) {
  Stripe& part = stripe(address);
  const std::lock_guard lock(part.mutex);
  const auto found = part.entries.find(address);
  if (found != part.entries.end() && found->second.joining > 0) --found->second.joining;
}

bool AddressAdmission::admit_refused(std::string_view address) {
  Stripe& part = stripe(address);
  const std::lock_guard lock(part.mutex);
  const auto found = part.entries.find(address);
  if (found == part.entries.end() || found->second.refused >= options_.refused_max) return false;
  ++found->second.refused;
  return true;
}

void AddressAdmission::release_refused(std::string_view address) {
  Stripe& part = stripe(address);
  const std::lock_guard lock(part.mutex);
  const auto found = part.entries.find(address);
  if (found != part.entries.end() && found->second.refused > 0) --found->second.refused;
}

void AddressAdmission::release(std::string_view address, bool had_joined) {
  Stripe& part = stripe(address);
  const std::lock_guard lock(part.mutex);
  const auto found = part.entries.find(address);
  if (found == part.entries.end()) return;
  if (found->second.connections > 0) --found->second.connections;
  if (!had_joined && found->second.joining > 0) --found->second.joining;
}

}  // namespace wirehall::server
