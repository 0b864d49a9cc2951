#include "answer.h"
#include "handlers.h"

using namespace wirehall;

namespace hall {

// Stored, then given to everybody in the room as `new-message`; native clients know it as `chat`.
void on_message(Server& io, Hall& hall) {
  io.of("/").native_shape("message",
                          {.aliases = {"chat"}, .arguments = {}, .sent_type = {}, .sent_copies = {}});
  io.of("/").native_shape(
      "new-message",
      {.aliases = {}, .arguments = {}, .sent_type = "chat", .sent_copies = {{"userId", "from"}}});

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

}  // namespace hall
