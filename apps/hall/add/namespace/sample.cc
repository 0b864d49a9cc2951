#include "handlers/handlers.h"

using namespace wirehall;

namespace app {

// Socket.IO clients connect to it with io("/sample"). It has middlewares, handlers and rooms of its own.
void serve_sample_namespace(Server& io) {
  Namespace& sample = io.of("/sample");
  sample.use(jwt_auth());
  sample.on_event("hello", [](Socket& socket, Ack ack) { ack.success({{"hello", socket.user().id}}); });
}

}  // namespace app
