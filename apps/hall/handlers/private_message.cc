#include "handlers/answer.h"
#include "handlers/handlers.h"

using namespace wirehall;

namespace app {

// To every connection of a user, or kept until there is one: then `pending-messages` has a list.
void on_private_message(Server& io, Hall& hall) {
  io.on_event("private-message", [&hall](Socket& socket, Object fields, Ack ack) -> Task<> {
    return answer(ack, hall.private_message(socket, std::move(fields)));
  });
}

}  // namespace app
