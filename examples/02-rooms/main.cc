// Rooms: who joins is announced to those inside, and what one says reaches the others.
#include <wirehall/server.h>

int main(int argc, char** argv) {
  wirehall::Server io{wirehall::Config::load(argc, argv)};

  io.use(wirehall::jwt_auth());
  io.on_event("join", [](wirehall::Socket& socket, std::string room, wirehall::Ack ack) {
    const wirehall::Status joined = socket.join(room);
    if (!joined.ok()) return ack.fail(joined.error());
    socket.to(room).emit("user-joined", {{"userId", socket.user().id}});
    ack.success();
  });
  // On the native protocol the argument has a name: {"type":"join","room":"lobby"}.
  io.of("/").native_shape("join", {.aliases = {}, .arguments = {"room"}, .sent_type = {}, .sent_copies = {}});
  io.on_event("say", [](wirehall::Socket& socket, wirehall::Object message, wirehall::Ack ack) {
    const wirehall::Value* room = message.find("room");
    if (room == nullptr || !room->is_string() || !socket.in_room(room->as_string())) return ack.fail(wirehall::ErrorCode::kNotInRoom);
    socket.to(room->as_string()).emit("said", message);
    ack.success();
  });
  io.on_disconnect([](wirehall::Socket& socket, std::string_view) { socket.broadcast().emit("user-left", {{"userId", socket.user().id}}); });
  return io.run();
}
