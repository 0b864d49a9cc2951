#include "handlers/answer.h"
#include "handlers/handlers.h"

using namespace wirehall;

namespace app {

// What owners and moderators do. Who may do what, the hall decides by roles and the room's type.
void on_manage_room(Server& io, Hall& hall) {
  io.on_event("create-room", [&hall](Socket& socket, Object fields, Ack ack) -> Task<> {
    return answer(ack, hall.create_room(socket, std::move(fields)));
  });
  io.on_event("invite", [&hall](Socket& socket, Object fields, Ack ack) -> Task<> {
    return answer(ack, hall.invite(socket, std::move(fields)));
  });
  io.on_event("kick", [&hall](Socket& socket, Object fields, Ack ack) -> Task<> {
    return answer(ack, hall.kick(socket, std::move(fields)));
  });
  io.on_event("set-role", [&hall](Socket& socket, Object fields, Ack ack) -> Task<> {
    return answer(ack, hall.set_role(socket, std::move(fields)));
  });
}

}  // namespace app
