#include "handlers/handlers.h"

using namespace wirehall;

namespace app {

// Socket.IO: emit("join-room", "lobby", answer)     native: {"type":"join","roomId":"lobby","id":1}
// Who comes back says how far it got, {since: {seq, epoch}}, and is given what it missed.
void on_join_room(Server& io, Hall& hall) {
  io.on_event("join-room", [&hall](Socket& socket, Value argument, Value options, Ack ack) -> Task<> {
    Result<std::string> room = Hall::room_of(argument);
    if (!room.ok()) {
      ack.fail(room.error());
      co_return;
    }
    const Result<std::optional<RoomPosition>> since =
        Hall::since_of(argument.is_object() ? argument : options);
    if (!since.ok()) {
      ack.fail(since.error());
      co_return;
    }
    Task<Hall::Answer> joining = hall.join(socket, *room, *since);
    Hall::Answer joined = co_await joining;
    if (!joined.ok()) {
      ack.fail(joined.error());
      co_return;
    }
    const Value members = *joined->find("members");  // feature: native
    ack.success(std::move(*joined));
    if (socket.protocol() == Protocol::kNative)                          // feature: native
      socket.emit("joined", {{"roomId", *room}, {"members", members}});  // feature: native
  });
}

}  // namespace app
