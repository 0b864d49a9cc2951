// Whole messages through a connection: unmasked, checked, handed out. The frames are copied to the receive
// buffer each time, since they are unmasked where they lie.
#include "ws/connection_core.h"

#include <cstring>

#include "support/micro.h"

namespace wirehall::ws {
namespace {

std::string masked_frame(Opcode opcode, std::string_view payload) {
  Outbox out;
  append_masked_frame(out, opcode, payload, false, 0x5a17c3e9);
  std::string bytes(out.bytes(), '\0');
  out.copy_front(bytes.data(), bytes.size());
  return bytes;
}

// `pieces`: in how many reads a frame arrives.
void receive(benchmark::State& state, const std::string& payload, Opcode opcode, std::size_t pieces) {
  const std::string frame = masked_frame(opcode, payload);
  const CoreOptions options;
  ConnectionCore core(options, nullptr);
  Outbox out;
  std::string buffer(frame.size(), '\0');
  bench::measure(state, payload.size(), [&] {
    std::memcpy(buffer.data(), frame.data(), frame.size());
    char* cursor = buffer.data();
    std::string_view message;
    ConnectionCore::Event event = ConnectionCore::Event::kNeedMore;
    for (std::size_t piece = 1; piece <= pieces; ++piece)
      event = core.next(cursor, buffer.data() + frame.size() * piece / pieces, MonoTime(), out, message);
    if (event != ConnectionCore::Event::kMessage) std::abort();
    benchmark::DoNotOptimize(message.data());
  });
}

const bench::Suite suite([] {
  for (const bench::Input& input : bench::text_inputs()) {
    const std::string& payload = input.json;
    bench::add("ws_connection/text/" + input.name,
               [&payload](benchmark::State& state) { receive(state, payload, Opcode::kText, 1); });
    if (input.name.ends_with("scripts")) continue;
    bench::add("ws_connection/binary/" + input.name,
               [&payload](benchmark::State& state) { receive(state, payload, Opcode::kBinary, 1); });
    bench::add("ws_connection/text_in_4_reads/" + input.name,
               [&payload](benchmark::State& state) { receive(state, payload, Opcode::kText, 4); });
  }
  bench::add("ws_connection/ping_and_pong/5B", [](benchmark::State& state) {
    const std::string frame = masked_frame(Opcode::kPing, "alive");
    const CoreOptions options;
    ConnectionCore core(options, nullptr);
    Outbox out;
    std::string buffer(frame.size(), '\0');
    MonoTime now;
    std::string_view message;
    bench::measure(state, 5, [&] {
      std::memcpy(buffer.data(), frame.data(), frame.size());
      char* cursor = buffer.data();
      core.next(cursor, buffer.data() + frame.size(), now += std::chrono::seconds(1), out, message);
      if (out.empty()) std::abort();
      out.consume(out.bytes());
    });
  });
});

}  // namespace
}  // namespace wirehall::ws
