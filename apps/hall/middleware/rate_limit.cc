#include <algorithm>
#include <array>

#include "middleware.h"

namespace hall {
namespace {

// Joining, leaving, typing and tokens have bounds of their own; everything else that a client sends counts.
bool is_counted(std::string_view event) {
  constexpr std::array<std::string_view, 5> kFree = {"join-room", "leave-room", "typing", "stop-typing",
                                                     "refresh-token"};
  return std::find(kFree.begin(), kFree.end(), event) == kFree.end();
}

}  // namespace

void use_rate_limit(wirehall::Server& io, wirehall::Hall& hall) {
  io.of("/").use_event(
      [&hall](wirehall::Socket& socket, std::string_view event, wirehall::Args&) -> wirehall::Status {
        return is_counted(event) ? hall.take_allowance(socket) : wirehall::Status();
      });
}

}  // namespace hall
