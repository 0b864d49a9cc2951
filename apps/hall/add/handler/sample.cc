#include "handlers/handlers.h"

using namespace wirehall;

namespace app {

// Socket.IO: emit("sample", {…}, answer)
// native:    {"type":"sample", …, "id":1}
// The arguments are what the function takes: an object, or values one by one: (std::string name, int x, Ack
// ack). `hall` has the rooms and the people: hall.to_user("ann", "news", {{"text", "hello"}}).
void on_sample(Server& io, [[maybe_unused]] Hall& hall) {
  io.on_event("sample", [](Socket& socket, Object fields, Ack ack) {
    fields.set("from", socket.user().id);
    ack.success(std::move(fields));
  });
}

}  // namespace app
