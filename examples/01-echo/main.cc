// The smallest server: whatever a client sends as "echo" comes back as the answer.
//
//   socket.emit("echo", "hello", answer => console.log(answer));      // socket.io-client
//   {"type":"echo","id":1,"text":"hello"}                             // a plain WebSocket on /ws
#include <wirehall/server.h>

int main(int argc, char** argv) {
  wirehall::Server io{wirehall::Config::load(argc, argv)};
  io.on_event("echo", [](wirehall::Value value, wirehall::Ack ack) { ack(value); });
  return io.run();
}
