#include "server/admission.h"

namespace wirehall::server {

Status AddressAdmission::admit(std::string_view address, bool loopback, MonoTime now) {
  Stripe& part = stripe(address);
  const std::lock_guard lock(part.mutex);
  auto found = part.entries.find(address);
  if (found == part.entries.end()) {
    if (part.entries.size() >= kAddressesMax / kStripes) {
      std::erase_if(part.entries, [&](const auto& entry) {
        return entry.second.connections == 0 && entry.second.next_at <= now;
      });
      if (part.entries.size() >= kAddressesMax / kStripes) return ErrorCode::kTooManyConnections;
    }
    found = part.entries.emplace(std::string(address), Entry()).first;
  }
  Entry& entry = found->second;
  if (!(options_.exempt_loopback && loopback)) {
    if (entry.connections >= options_.connections_max) return ErrorCode::kTooManyConnections;
    // The generic cell rate algorithm: a burst of one minute's worth, then one each interval.
    const Duration interval = std::chrono::minutes(1) / options_.connections_per_minute;
    const MonoTime base = std::max(entry.next_at, now);
    if (base + interval - now > std::chrono::minutes(1)) {
      const auto wait =
          std::chrono::duration_cast<Milliseconds>(base + interval - now - std::chrono::minutes(1));
      return Error(ErrorCode::kRateLimited).retry_after_ms(wait.count() + 1);
    }
    entry.next_at = base + interval;
  }
  ++entry.connections;
  return {};
}

void AddressAdmission::release(std::string_view address) {
  Stripe& part = stripe(address);
  const std::lock_guard lock(part.mutex);
  const auto found = part.entries.find(address);
  if (found != part.entries.end() && found->second.connections > 0) --found->second.connections;
}

}  // namespace wirehall::server
