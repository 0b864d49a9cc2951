#include "answer.h"
#include "handlers.h"

using namespace wirehall;

namespace hall {

// Pages of a room's messages: the newest, or those before or after one of them.
void on_history(Server& io, Hall& hall) {
  io.on_event("history", [&hall](Socket& socket, Object fields, Ack ack) -> Task<> {
    return answer(ack, hall.history(socket, std::move(fields)));
  });
}

// Of a room up to a message, or of some private messages.
void on_mark_read(Server& io, Hall& hall) {
  io.on_event("mark-read", [&hall](Socket& socket, Object fields, Ack ack) -> Task<> {
    return answer(ack, hall.mark_read(socket, std::move(fields)));
  });
}

}  // namespace hall
