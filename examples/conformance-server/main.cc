// What the official Engine.IO and Socket.IO protocol suites expect of a server: short heartbeats, `message`
// echoed as `message-back`, `message-with-ack`, the namespace /custom, and `auth` sent on connecting.
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <wirehall/server.h>

namespace {

void register_namespace(wirehall::Namespace& nsp) {
  nsp.on_connection([](wirehall::Socket& socket) {
    const wirehall::Value& auth = socket.handshake().auth;
    socket.emit("auth", auth.is_null() ? wirehall::Value(wirehall::Object()) : auth);
  });
  nsp.on_event("message", [](wirehall::Socket& socket, wirehall::Args args) { socket.emit_args("message-back", args); });
  nsp.on_event("message-with-ack", [](wirehall::Args args, wirehall::Ack ack) { ack.answer(args); });
}

}  // namespace

int main(int argc, char** argv) {
  wirehall::Config config;
  config.port = 3000;
  config.ping_interval = std::chrono::milliseconds(300);
  config.ping_timeout = std::chrono::milliseconds(200);
  config.connect_timeout = std::chrono::milliseconds(1000);
  config.cors_origins = {"*"};
  config.connections_per_minute = 1'000'000;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--port") == 0 && i + 1 < argc) config.port = static_cast<std::uint16_t>(std::atoi(argv[++i]));
    if (std::strcmp(argv[i], "--threads") == 0 && i + 1 < argc) config.threads = static_cast<unsigned>(std::atoi(argv[++i]));
  }
  wirehall::Server io(config);
  register_namespace(io.of("/"));
  register_namespace(io.of("/custom"));
  if (const wirehall::Status started = io.start(); !started.ok()) {
    std::fprintf(stderr, "%s\n", started.error().text().c_str());
    return 1;
  }
  std::printf("listening %u\n", io.port());
  std::fflush(stdout);
  io.stop_on_signal();
  return 0;
}
