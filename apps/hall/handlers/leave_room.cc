#include "handlers.h"

using namespace wirehall;

namespace hall {

void on_leave_room(Server& io, Hall& hall) {
  io.of("/").native_shape(
      "leave-room", {.aliases = {"leave"}, .arguments = {"roomId|room"}, .sent_type = {}, .sent_copies = {}});

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
    if (socket.protocol() == Protocol::kNative) socket.emit("left", {{"roomId", *room}});
  });
}

}  // namespace hall
