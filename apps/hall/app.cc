#include "app.h"

#include "handlers/handlers.h"
#include "middleware/middleware.h"
#include "presence/presence.h"  // feature: presence
#include "rooms/rooms.h"        // feature: rooms

namespace app {

void install(wirehall::Server& io, wirehall::Hall& hall) {
  // In this order: who connects and how often, then what arrives.
  use_authentication(io, hall);
  use_rate_limit(io, hall);
  use_validation(io);
  use_logging(hall);
  // wirehall add: middleware

  add_room_types(hall);  // feature: rooms
  // wirehall add: room-type  // feature: rooms

  on_join_room(io, hall);        // feature: rooms
  on_leave_room(io, hall);       // feature: rooms
  on_manage_room(io, hall);      // feature: rooms
  on_message(io, hall);          // feature: rooms
  on_change_message(io, hall);   // feature: rooms
  on_broadcast(io, hall);        // feature: rooms
  on_mark_read(io, hall);        // feature: rooms|private-messages
  on_history(io, hall);          // feature: history
  on_typing(io, hall);           // feature: typing
  on_presence(io, hall);         // feature: presence
  on_private_message(io, hall);  // feature: private-messages
  on_uploads(io, hall);          // feature: uploads
  on_calls(io, hall);            // feature: calls
  on_push(io, hall);             // feature: push
  on_refresh_token(io, hall);    // feature: jwt
  name_native_events(io);        // feature: native+jwt|native+rooms|native+private-messages
  // wirehall add: handler

  io.on_connection([&hall](wirehall::Socket& socket) { hall.connected(socket); });
  io.of("/").on_unknown_event([](wirehall::Ack ack) { ack.fail(wirehall::ErrorCode::kUnknownEvent); });

  // wirehall add: namespace  // feature: socketio

  hall.serve_management();  // GET /ws/stats, POST /ws/broadcast, /healthz, /readyz
  hall.serve_files();       // GET /files/<id>  // feature: uploads
  io.serve_dev_tokens();    // GET /dev/token?user=NAME, with --dev alone  // feature: jwt
}

}  // namespace app
