#include "handlers/answer.h"
#include "handlers/handlers.h"

using namespace wirehall;

namespace app {

// Of a room up to a message, or of some private messages.
void on_mark_read(Server& io, Hall& hall) {
  io.on_event("mark-read", [&hall](Socket& socket, Object fields, Ack ack) -> Task<> {
    return answer(ack, hall.mark_read(socket, std::move(fields)));
  });
}

}  // namespace app
