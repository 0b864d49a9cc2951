#include "middleware.h"

namespace hall {
namespace {

using wirehall::Hall;

// Everything that a client sends counts as a message, but for what has a bound of its own.
wirehall::Status check(Hall& hall, wirehall::Socket& socket, std::string_view event) {
  if (event == "join-room" || event == "leave-room")
    return hall.take_allowance(socket, Hall::Allowed::kRoomChange);
  if (event == "typing" || event == "stop-typing") return hall.take_allowance(socket, Hall::Allowed::kTyping);
  if (event == "refresh-token") return {};
  return hall.take_allowance(socket);
}

}  // namespace

void use_rate_limit(wirehall::Server& io, Hall& hall) {
  io.of("/").use_event([&hall](wirehall::Socket& socket, std::string_view event, wirehall::Args&) {
    return check(hall, socket, event);
  });
}

}  // namespace hall
