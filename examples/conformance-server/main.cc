// What the official Engine.IO and Socket.IO protocol suites expect of a server: short heartbeats, `message`
// echoed as `message-back`, `message-with-ack`, the namespace /custom, and `auth` sent on connecting.
//
//   --port N          default 3000; 0 takes any free one
//   --threads N       default: one for each core
//   --allow-eio3      lets Engine.IO 3 clients in
//   --msgpack         speaks MessagePack instead of JSON
//   --recovery MS     connection state recovery
//   --slow            heartbeats as in production
#include <cstdio>
#include <cstdlib>
#include <string>

#include <wirehall/server.h>

namespace {

void register_namespace(wirehall::Namespace& nsp) {
  nsp.on_connection([](wirehall::Socket& socket) {
    const wirehall::Value& auth = socket.handshake().auth;
    socket.emit("auth", auth.is_null() ? wirehall::Value(wirehall::Object()) : auth);
  });
  nsp.on_event("message", [](wirehall::Socket& socket, wirehall::Args args) { socket.emit_args("message-back", args); });
  // For recovery: events that others cause.
  nsp.on_event("join", [](wirehall::Socket& socket, std::string room, wirehall::Ack ack) {
    if (socket.join(room).ok()) ack();
  });
  nsp.on_event("to-room", [](wirehall::Socket& socket, std::string room, wirehall::Value what) {
    socket.nsp().to(room).emit("from-room", what);
  });
  nsp.on_event("message-with-ack", [](wirehall::Args args, wirehall::Ack ack) { ack.answer(args); });
}

struct Options {
  wirehall::Config config;
  bool read(int argc, char** argv);
};

bool Options::read(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    const int number = i + 1 < argc ? std::atoi(argv[i + 1]) : 0;
    if (name == "--port") {
      config.port = static_cast<std::uint16_t>(number);
    } else if (name == "--threads") {
      config.threads = static_cast<unsigned>(number);
    } else if (name == "--recovery") {
      config.connection_state_recovery = std::chrono::milliseconds(number);
    } else if (name == "--allow-eio3") {
      config.allow_eio3 = true;
    } else if (name == "--msgpack") {
      config.parser = wirehall::Parser::kMsgpack;
    } else if (name == "--slow") {
      config.ping_interval = std::chrono::seconds(25);
      config.ping_timeout = std::chrono::seconds(20);
    } else {
      std::fprintf(stderr, "unknown option %s\n", argv[i]);
      return false;
    }
    if (name == "--port" || name == "--threads" || name == "--recovery") ++i;
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  wirehall::Config& config = options.config;
  config.port = 3000;
  config.ping_interval = std::chrono::milliseconds(300);
  config.ping_timeout = std::chrono::milliseconds(200);
  config.connect_timeout = std::chrono::milliseconds(1000);
  config.cors_origins = {"*"};
  config.connections_per_minute = 1'000'000;
  if (!options.read(argc, argv)) return 2;
  wirehall::Server io(config);
  register_namespace(io.of("/"));
  register_namespace(io.of("/custom"));
  io.hold_signals();
  if (const wirehall::Status started = io.start(); !started.ok()) {
    std::fprintf(stderr, "%s\n", started.error().text().c_str());
    return 1;
  }
  std::printf("listening %u\n", io.port());
  std::fflush(stdout);
  io.stop_on_signal();
  return 0;
}
