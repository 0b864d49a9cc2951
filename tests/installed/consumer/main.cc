// A server of somebody else: it links what the hall needs (the store, TLS, push) and has a coroutine of its own.
#include <wirehall/hall.h>
#include <wirehall/server.h>

#include <cstdio>

int main(int argc, char** argv) {
  wirehall::Server io{wirehall::Config::load(argc, argv)};
  wirehall::Hall hall{io};
  hall.register_handler("echo", [](wirehall::Value value, wirehall::Ack ack) -> wirehall::Task<> {
    ack(value);
    co_return;
  });
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
