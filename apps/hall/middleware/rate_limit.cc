#include <algorithm>
#include <array>

#include "middleware.h"

namespace hall {
namespace {

using wirehall::Hall;

struct Kind {
  std::string_view event;
  Hall::Allowed allowed;
};

// Everything that a client sends counts as a message, but for what has a bound of its own.
constexpr std::array<Kind, 24> kKinds = {{
    {"join-room", Hall::Allowed::kRoomChange},     {"leave-room", Hall::Allowed::kRoomChange},
    {"create-room", Hall::Allowed::kRoomChange},   {"invite", Hall::Allowed::kRoomChange},
    {"kick", Hall::Allowed::kRoomChange},          {"set-role", Hall::Allowed::kRoomChange},
    {"typing", Hall::Allowed::kTyping},            {"stop-typing", Hall::Allowed::kTyping},
    {"history", Hall::Allowed::kQuery},            {"mark-read", Hall::Allowed::kQuery},
    {"presence", Hall::Allowed::kQuery},           {"update-status", Hall::Allowed::kQuery},
    {"ice-servers", Hall::Allowed::kQuery},        {"push-subscribe", Hall::Allowed::kQuery},
    {"push-unsubscribe", Hall::Allowed::kQuery},   {"refresh-token", Hall::Allowed::kQuery},
    {"call-user", Hall::Allowed::kSignal},         {"call-answer", Hall::Allowed::kSignal},
    {"call-reject", Hall::Allowed::kSignal},       {"call-end", Hall::Allowed::kSignal},
    {"ice-candidate", Hall::Allowed::kSignal},     {"upload-start", Hall::Allowed::kUpload},
    {"upload-chunk", Hall::Allowed::kUpload},      {"upload-abort", Hall::Allowed::kUpload},
}};

Hall::Allowed kind_of(std::string_view event) {
  const auto* found = std::find_if(kKinds.begin(), kKinds.end(), [&](const Kind& kind) { return kind.event == event; });
  return found == kKinds.end() ? Hall::Allowed::kMessage : found->allowed;
}

}  // namespace

void use_rate_limit(wirehall::Server& io, Hall& hall) {
  io.of("/").use_event([&hall](wirehall::Socket& socket, std::string_view event, wirehall::Args&) {
    return hall.take_allowance(socket, kind_of(event));
  });
}

}  // namespace hall
