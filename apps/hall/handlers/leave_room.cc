#include "handlers/handlers.h"

using namespace wirehall;

namespace app {

void on_leave_room(Server& io, Hall& hall) {
  io.on_event("leave-room", [&hall](Socket& socket, Value argument, Ack ack) -> Task<> {
    const Result<std::string> room = Hall::room_of(argument);
    if (!room.ok()) {
      ack.fail(room.error());
      co_return;
    }
    Task<Hall::Answer> leaving = hall.leave(socket, *room);
    const Hall::Answer left = co_await leaving;
    if (!left.ok()) {
      ack.fail(left.error());
      co_return;
    }
    ack.success();
    if (socket.protocol() == Protocol::kNative) socket.emit("left", {{"roomId", *room}});  // feature: native
  });
}

}  // namespace app
