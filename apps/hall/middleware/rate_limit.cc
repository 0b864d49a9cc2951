#include <string_view>
#include <unordered_map>

#include "middleware/middleware.h"

namespace app {
namespace {

using wirehall::Hall;

using Kinds = std::unordered_map<std::string_view, Hall::Allowed>;

// Everything that a client sends counts as a message, but for what has a bound of its own.
Kinds make_kinds() {
  Kinds kinds;
  kinds["join-room"] = Hall::Allowed::kRoomChange;    // feature: rooms
  kinds["leave-room"] = Hall::Allowed::kRoomChange;   // feature: rooms
  kinds["create-room"] = Hall::Allowed::kRoomChange;  // feature: rooms
  kinds["invite"] = Hall::Allowed::kRoomChange;       // feature: rooms
  kinds["kick"] = Hall::Allowed::kRoomChange;         // feature: rooms
  kinds["set-role"] = Hall::Allowed::kRoomChange;     // feature: rooms
  kinds["typing"] = Hall::Allowed::kTyping;           // feature: typing
  kinds["stop-typing"] = Hall::Allowed::kTyping;      // feature: typing
  kinds["history"] = Hall::Allowed::kQuery;           // feature: history
  kinds["mark-read"] = Hall::Allowed::kQuery;         // feature: rooms|private-messages
  kinds["presence"] = Hall::Allowed::kQuery;          // feature: presence
  kinds["update-status"] = Hall::Allowed::kQuery;     // feature: presence
  kinds["ice-servers"] = Hall::Allowed::kQuery;       // feature: calls
  kinds["push-subscribe"] = Hall::Allowed::kQuery;    // feature: push
  kinds["push-unsubscribe"] = Hall::Allowed::kQuery;  // feature: push
  kinds["refresh-token"] = Hall::Allowed::kQuery;     // feature: jwt
  kinds["call-user"] = Hall::Allowed::kSignal;        // feature: calls
  kinds["call-answer"] = Hall::Allowed::kSignal;      // feature: calls
  kinds["call-reject"] = Hall::Allowed::kSignal;      // feature: calls
  kinds["call-end"] = Hall::Allowed::kSignal;         // feature: calls
  kinds["ice-candidate"] = Hall::Allowed::kSignal;    // feature: calls
  kinds["upload-start"] = Hall::Allowed::kUpload;     // feature: uploads
  kinds["upload-chunk"] = Hall::Allowed::kUpload;     // feature: uploads
  kinds["upload-abort"] = Hall::Allowed::kUpload;     // feature: uploads
  return kinds;
}

Hall::Allowed kind_of(std::string_view event) {
  static const Kinds kinds = make_kinds();
  const auto found = kinds.find(event);
  return found == kinds.end() ? Hall::Allowed::kMessage : found->second;
}

}  // namespace

void use_rate_limit(wirehall::Server& io, Hall& hall) {
  io.of("/").use_event([&hall](wirehall::Socket& socket, std::string_view event, wirehall::Args&) {
    return hall.take_allowance(socket, kind_of(event));
  });
}

}  // namespace app
