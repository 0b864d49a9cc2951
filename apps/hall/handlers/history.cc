#include "handlers/answer.h"
#include "handlers/handlers.h"

using namespace wirehall;

namespace app {

// Pages of a room's messages: the newest, or those before or after one of them.
void on_history(Server& io, Hall& hall) {
  io.on_event("history", [&hall](Socket& socket, Object fields, Ack ack) -> Task<> {
    return answer(ack, hall.history(socket, std::move(fields)));
  });
}

}  // namespace app
