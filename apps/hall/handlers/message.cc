#include "handlers/answer.h"
#include "handlers/handlers.h"

using namespace wirehall;

namespace app {

// Stored, then given to everybody in the room as `new-message`.
void on_message(Server& io, Hall& hall) {
  io.on_event("message", [&hall](Socket& socket, Object fields, Ack ack) -> Task<> {
    return answer(ack, hall.send_message(socket, std::move(fields)));
  });
}

// The author may edit; whoever looks after the room may delete too.
void on_change_message(Server& io, Hall& hall) {
  io.on_event("edit-message", [&hall](Socket& socket, Object fields, Ack ack) -> Task<> {
    return answer(ack, hall.edit_message(socket, std::move(fields)));
  });
  io.on_event("delete-message", [&hall](Socket& socket, Object fields, Ack ack) -> Task<> {
    return answer(ack, hall.delete_message(socket, std::move(fields)));
  });
}

}  // namespace app
