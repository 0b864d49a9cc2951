#include "handlers.h"

using namespace wirehall;

namespace hall {

void on_leave_room(Server& io, Hall& hall) {
  io.of("/").native_shape(
      "leave-room", {.aliases = {"leave"}, .arguments = {"roomId|room"}, .sent_type = {}, .sent_copies = {}});

  io.on_event("leave-room", [&hall](Socket& socket, Value argument, Ack ack) {
    Result<std::string> room = Hall::room_of(argument);
    if (!room.ok()) return ack.fail(room.error());
    if (Status left = hall.leave(socket, *room); !left.ok()) return ack.fail(left.error());
    ack.success();
    if (socket.protocol() == Protocol::kNative) socket.emit("left", {{"roomId", *room}});
  });
}

}  // namespace hall
