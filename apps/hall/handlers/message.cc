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
    Task<Result<Object>> sending = hall.send_message(socket, std::move(fields));
    Result<Object> sent = co_await sending;
    if (sent.ok()) {
      ack.success(std::move(*sent));
    } else {
      ack.fail(sent.error());
    }
  });
}

}  // namespace hall
