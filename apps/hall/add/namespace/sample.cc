#include "handlers/handlers.h"

using namespace wirehall;

namespace app {

// Socket.IO clients connect to it with io("/sample").
// It has middlewares, handlers and rooms of its own.
void serve_sample_namespace(Server& io) {
  Namespace& here = io.of("/sample");
  here.use(jwt_auth());
  here.on_event("hello", [](Socket& socket, Ack ack) { ack.success({{"hello", socket.user().id}}); });
}

}  // namespace app
