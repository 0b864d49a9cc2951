#include "handlers.h"

using namespace wirehall;

namespace hall {

// Given to the others in the room as it is, and not stored.
void on_broadcast(Server& io, Hall& hall) {
  io.on_event("broadcast", [&hall](Socket& socket, Object fields, Ack ack) -> Task<> {
    Task<Result<Object>> sending = hall.broadcast(socket, std::move(fields));
    Result<Object> sent = co_await sending;
    if (sent.ok()) {
      ack.success(std::move(*sent));
    } else {
      ack.fail(sent.error());
    }
  });
}

}  // namespace hall
