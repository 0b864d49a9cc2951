// A server for npm's socket.io, server.mjs, on Wirehall: the same clients, the same words.
#include <wirehall/server.h>

using namespace wirehall;

int main(int argc, char** argv) {
  Server io{Config::load(argc, argv)};

  io.use([](Socket& socket) -> Verdict {
    const Value* name = socket.handshake().auth.find("name");
    if (name == nullptr || !name->is_string()) return Verdict::refuse("a name, please");
    socket.data() = *name;
    return {};
  });

  io.on_event("join", [](Socket& socket, std::string room, Ack answer) {
    const Status joined = socket.join(room);
    if (!joined.ok()) return answer.fail(joined.error());
    socket.to(room).emit("joined", room, socket.data());
    answer.success();
  });

  io.on_event("say", [&io](Socket& socket, Object message, Ack answer) {
    const Value *room = message.find("room"), *text = message.find("text");
    if (room == nullptr || !room->is_string() || text == nullptr)
      return answer.fail(ErrorCode::kInvalidFormat);
    if (!socket.in_room(room->as_string())) return answer.fail(ErrorCode::kNotInRoom);
    io.to(room->as_string()).emit("said", {{"room", *room}, {"text", *text}, {"from", socket.data()}});
    answer.success();
  });

  io.of("/").on_disconnecting([](Socket& socket, std::string_view) {
    for (const std::string& room : socket.rooms()) socket.to(room).emit("left", room, socket.data());
  });

  return io.run();
}
