// Engine.IO 3: polling bodies of text, whose lengths count UTF-16, and of bytes.
#include "engineio/v3.h"

#include <vector>

#include "support/micro.h"

namespace wirehall::engineio {
namespace {

constexpr int kPacketsInPayload = 10;

std::vector<OutPacket> packets_of(const std::string& text, bool binary) {
  std::vector<OutPacket> packets;
  for (int i = 0; i < kPacketsInPayload; ++i)
    packets.push_back({FrameRef::copy_of(binary ? text : "4" + text), binary});
  return packets;
}

void encode(benchmark::State& state, const std::string& text, bool binary) {
  const std::vector<OutPacket> packets = packets_of(text, binary);
  bench::measure(state, text.size() * kPacketsInPayload,
                 [&] { benchmark::DoNotOptimize(encode_payload_v3(packets, true).body); });
}

void decode(benchmark::State& state, const std::string& text, bool binary) {
  const PayloadV3 payload = encode_payload_v3(packets_of(text, binary), true);
  bench::measure(state, payload.body.size(), [&] {
    PayloadReaderV3 reader(payload.body, payload.kind, 1000);
    PacketView packet;
    int count = 0;
    while (reader.next(packet) == PayloadReaderV3::Step::kPacket) ++count;
    if (count != kPacketsInPayload) std::abort();
  });
}

const bench::Suite suite([] {
  for (const bench::Input& input : bench::text_inputs()) {
    const std::string& text = input.json;
    for (const bool binary : {false, true}) {
      const std::string name = "10x" + input.name + (binary ? "-as-bytes" : "");
      bench::add("engineio_v3/decode_payload/" + name,
                 [&text, binary](benchmark::State& state) { decode(state, text, binary); });
      bench::add("engineio_v3/encode_payload/" + name,
                 [&text, binary](benchmark::State& state) { encode(state, text, binary); });
    }
  }
});

}  // namespace
}  // namespace wirehall::engineio
