#include "handlers/answer.h"
#include "handlers/handlers.h"

using namespace wirehall;

namespace app {

// Given to the others in the room as it is, and not stored.
void on_broadcast(Server& io, Hall& hall) {
  io.on_event("broadcast", [&hall](Socket& socket, Object fields, Ack ack) -> Task<> {
    return answer(ack, hall.broadcast(socket, std::move(fields)));
  });
}

}  // namespace app
