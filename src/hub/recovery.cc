#include "hub/recovery.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace wirehall::hub {

std::string format_position(std::string_view epoch, std::uint64_t number) {
  std::string text("e");
  text.append(epoch).append("-").append(std::to_string(number));
  return text;
}

std::optional<std::uint64_t> parse_position(std::string_view text, std::string_view epoch) {
  if (text.size() < epoch.size() + 3 || text.front() != 'e' || text.substr(1, epoch.size()) != epoch ||
      text[epoch.size() + 1] != '-')
    return std::nullopt;
  const std::string_view digits = text.substr(epoch.size() + 2);
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return number;
}

bool is_meant(const LogEntry& entry, const RecoverySession& session) {
  const auto is_in = [&](const std::string& room) {
    if (room == session.sid) return true;
    const auto found = std::find(session.rooms.begin(), session.rooms.end(), room);
    const auto index = static_cast<std::size_t>(found - session.rooms.begin());
    return found != session.rooms.end() && entry.number > session.since[index];
  };
  const auto& wanted = entry.to.rooms;
  const auto& excepted = entry.to.except;
  return (wanted.empty() || std::any_of(wanted.begin(), wanted.end(), is_in)) &&
         std::none_of(excepted.begin(), excepted.end(), is_in);
}

bool is_recoverable(std::string_view reason) {
  constexpr std::array<std::string_view, 6> kRecoverable = {
      "transport error", "transport close",      "forced close",
      "ping timeout",    "server shutting down", "forced server close"};
  return std::find(kRecoverable.begin(), kRecoverable.end(), reason) != kRecoverable.end();
}

}  // namespace wirehall::hub
