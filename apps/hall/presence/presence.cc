#include "presence/presence.h"

#include "handlers/answer.h"

using namespace wirehall;

namespace app {

// Socket.IO: emit("update-status", "away")     native: {"type":"update-status","status":"away"}
void on_presence(Server& io, Hall& hall) {
  io.on_event("update-status", [&hall](Socket& socket, Value argument, Ack ack) -> Task<> {
    const Result<std::string> status = Hall::text_of(argument, "status");
    if (!status.ok()) {
      ack.fail(status.error());
      co_return;
    }
    Task<> answering = answer(ack, hall.update_status(socket, *status));
    co_await answering;
  });
  io.on_event("presence", [&hall](Socket& socket, Object fields, Ack ack) -> Task<> {
    return answer(ack, hall.presence(socket, std::move(fields)));
  });
}

}  // namespace app
