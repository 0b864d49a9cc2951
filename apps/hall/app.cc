#include "app.h"

#include "handlers/handlers.h"
#include "middleware/middleware.h"
#include "rooms/rooms.h"

namespace hall {

void install(wirehall::Server& io, wirehall::Hall& hall) {
  use_authentication(io, hall);
  use_rate_limit(io, hall);
  add_room_types(hall);

  on_join_room(io, hall);
  on_leave_room(io, hall);
  on_manage_room(io, hall);
  on_message(io, hall);
  on_change_message(io, hall);
  on_history(io, hall);
  on_mark_read(io, hall);
  on_broadcast(io, hall);
  on_typing(io, hall);
  on_presence(io, hall);
  on_private_message(io, hall);
  on_uploads(io, hall);
  on_calls(io, hall);
  on_push(io, hall);
  on_refresh_token(io, hall);

  io.on_connection([&hall](wirehall::Socket& socket) { hall.connected(socket); });
  io.of("/").on_unknown_event([](wirehall::Ack ack) { ack.fail(wirehall::ErrorCode::kUnknownEvent); });
}

}  // namespace hall
