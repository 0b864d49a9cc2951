// Engine.IO 4: a packet on a WebSocket, and polling bodies.
#include "engineio/packet.h"

#include "support/micro.h"

namespace wirehall::engineio {
namespace {

constexpr int kPacketsInPayload = 10;

void encode(benchmark::State& state, const std::string& text, bool binary) {
  std::vector<OutPacket> packets;
  for (int i = 0; i < kPacketsInPayload; ++i)
    packets.push_back({FrameRef::copy_of(binary ? text : "4" + text), binary});
  bench::measure(state, text.size() * kPacketsInPayload,
                 [&] { benchmark::DoNotOptimize(encode_payload(packets)); });
}

void decode(benchmark::State& state, const std::string& text, bool binary) {
  std::vector<OutPacket> packets;
  for (int i = 0; i < kPacketsInPayload; ++i)
    packets.push_back({FrameRef::copy_of(binary ? text : "4" + text), binary});
  const std::string payload = encode_payload(packets);
  bench::measure(state, payload.size(), [&] {
    PayloadReader reader(payload, 1000);
    PacketView packet;
    int count = 0;
    while (reader.next(packet) == PayloadReader::Step::kPacket) ++count;
    if (count != kPacketsInPayload) std::abort();
  });
}

const bench::Suite suite([] {
  for (const bench::Input& input : bench::text_inputs()) {
    const std::string& text = input.json;
    bench::add("engineio/decode_frame/" + input.name, [&text](benchmark::State& state) {
      const std::string frame = "4" + text;
      bench::measure(state, frame.size(), [&] {
        PacketView packet;
        std::string storage;
        if (!decode_text_frame(frame, storage, packet)) std::abort();
        benchmark::DoNotOptimize(packet);
      });
    });
    bench::add("engineio/decode_payload/10x" + input.name,
               [&text](benchmark::State& state) { decode(state, text, false); });
    bench::add("engineio/encode_payload/10x" + input.name,
               [&text](benchmark::State& state) { encode(state, text, false); });
    if (!input.name.ends_with("ascii")) continue;
    bench::add("engineio/decode_payload/10x" + input.name + "-as-bytes",
               [&text](benchmark::State& state) { decode(state, text, true); });
    bench::add("engineio/encode_payload/10x" + input.name + "-as-bytes",
               [&text](benchmark::State& state) { encode(state, text, true); });
  }
});

}  // namespace
}  // namespace wirehall::engineio
