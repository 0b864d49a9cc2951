// Wirehall as the benchmarks see it: an application of three handlers on the public interface, the same on
// both protocols, with the bounds that count connections and messages raised out of the way.
//
//   bench_wirehall [--port N] [--threads N] [--recovery MS] [--namespaces N] [--rooms N] [--deflate 1]
//                  [--separate-descriptors 0] [--secret TEXT] [--tls-certificate FILE --tls-key FILE [--tls-kernel 1]]
#include <wirehall/auth.h>
#include <wirehall/server.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

namespace {

// Who subscribes joins so many of the other rooms too, until all of them have a member.
constexpr int kRoomsOfASubscriber = 100;

[[noreturn]] void usage() {
  std::fputs(
      "usage: bench_wirehall [--port N] [--threads N] [--recovery MS] [--namespaces N] [--rooms N]\n"
      "                      [--deflate 1] [--separate-descriptors 0] [--secret TEXT]\n"
      "                      [--tls-certificate FILE --tls-key FILE [--tls-kernel 1]]\n",
      stderr);
  std::exit(2);
}

struct Options {
  wirehall::Config config;
  int namespaces = 0;  ///< that nobody joins
  int rooms = 1;       ///< the one that is published to, and others beside it
};

Options read_options(int argc, char** argv) {
  Options options;
  wirehall::Config& config = options.config;
  config.port = 0;
  config.threads = 1;
  config.separate_descriptors = true;  // its handlers use none
  for (int i = 1; i < argc; i += 2) {
    if (i + 1 == argc) usage();
    const std::string_view flag = argv[i];
    const int number = std::atoi(argv[i + 1]);
    if (flag == "--port") {
      config.port = static_cast<std::uint16_t>(number);
    } else if (flag == "--threads") {
      config.threads = static_cast<unsigned>(number);
    } else if (flag == "--recovery") {
      config.connection_state_recovery = std::chrono::milliseconds(number);
    } else if (flag == "--namespaces") {
      options.namespaces = number;
    } else if (flag == "--rooms") {
      options.rooms = number;
    } else if (flag == "--deflate") {
      config.per_message_deflate = number != 0;
    } else if (flag == "--separate-descriptors") {
      config.separate_descriptors = number != 0;
    } else if (flag == "--secret") {
      config.auth.secret = argv[i + 1];
    } else if (flag == "--tls-certificate") {
      config.tls_certificate = argv[i + 1];
    } else if (flag == "--tls-key") {
      config.tls_key = argv[i + 1];
    } else if (flag == "--tls-kernel") {
      config.tls_kernel = number != 0;
    } else {
      usage();
    }
  }
  config.log_level = "warning";
  config.connections_per_minute = 60'000'000;
  config.messages_per_minute = 1'000'000'000;
  config.limits.connections_per_address_max = 65'536;
  config.limits.connections_per_user_max = 65'536;
  config.limits.unauthenticated_per_address_max = 65'536;
  config.limits.rooms_per_client_max = 1'024;
  config.limits.drain_window = std::chrono::milliseconds(1);
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = read_options(argc, argv);
  wirehall::Server io(options.config);
  if (!options.config.auth.secret.empty()) io.use(wirehall::jwt_auth());
  for (int i = 0; i < options.namespaces; ++i) {
    io.of("/unused-" + std::to_string(i)).on_event("echo", [](wirehall::Value data, wirehall::Ack ack) {
      ack(std::move(data));
    });
  }
  io.on_event("echo", [](wirehall::Value data, wirehall::Ack ack) { ack(std::move(data)); });
  std::atomic<int> next_room{1};
  io.on_event("subscribe", [&next_room, &options](wirehall::Socket& socket, wirehall::Ack ack) {
    if (const wirehall::Status joined = socket.join("news"); !joined.ok()) return ack.fail(joined.error());
    for (int i = 0; i < kRoomsOfASubscriber && next_room < options.rooms; ++i) {
      const wirehall::Status joined = socket.join("other-" + std::to_string(next_room++));
      if (!joined.ok()) return ack.fail(joined.error());
    }
    ack.success();
  });
  io.on_event("publish", [](wirehall::Socket& socket, wirehall::Value data) {
    socket.to("news").emit("news", std::move(data));
  });
  io.hold_signals();
  if (const wirehall::Status started = io.start(); !started.ok()) {
    std::fprintf(stderr, "bench_wirehall: %s\n", started.error().text().c_str());
    return 1;
  }
  std::printf("listening %u\n", io.port());
  std::fflush(stdout);
  io.stop_on_signal();
  return 0;
}
