#include "app.h"

#include "handlers/handlers.h"
#include "middleware/middleware.h"

namespace hall {

void install(wirehall::Server& io, wirehall::Hall& hall) {
  use_authentication(io, hall);
  use_rate_limit(io, hall);

  on_join_room(io, hall);
  on_leave_room(io, hall);
  on_message(io, hall);
  on_broadcast(io, hall);
  on_typing(io, hall);
  on_refresh_token(io, hall);

  io.on_connection([&hall](wirehall::Socket& socket) { socket.emit("connected", hall.welcome(socket)); });
  io.of("/").on_unknown_event([](wirehall::Ack ack) { ack.fail(wirehall::ErrorCode::kUnknownEvent); });
}

}  // namespace hall
