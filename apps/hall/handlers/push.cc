#include "handlers/answer.h"
#include "handlers/handlers.h"

using namespace wirehall;

namespace app {

// A browser's Web Push subscription: by it the user is reached while no connection is there.
void on_push(Server& io, Hall& hall) {
  io.on_event("push-subscribe", [&hall](Socket& socket, Object fields, Ack ack) -> Task<> {
    return answer(ack, hall.push_subscribe(socket, std::move(fields)));
  });
  io.on_event("push-unsubscribe", [&hall](Socket& socket, Object fields, Ack ack) -> Task<> {
    return answer(ack, hall.push_unsubscribe(socket, std::move(fields)));
  });
}

}  // namespace app
