// Socket.IO packets as text: what arrives, and what leaves.
#include "socketio/packet.h"
#include "socketio/packet_encoder.h"

#include "support/micro.h"

namespace wirehall::socketio {
namespace {

void decode(benchmark::State& state, const std::string& text) {
  const DecoderLimits limits;
  PacketDecoder decoder(limits);
  bench::measure(state, text.size(), [&] {
    Packet packet;
    if (decoder.feed_text(text, MonoTime(), packet) != PacketDecoder::Step::kPacket) std::abort();
    benchmark::DoNotOptimize(packet.args.data());
  });
}

// The same, and somebody looks inside.
void decode_and_look(benchmark::State& state, const std::string& text) {
  const DecoderLimits limits;
  PacketDecoder decoder(limits);
  bench::measure(state, text.size(), [&] {
    Packet packet;
    if (decoder.feed_text(text, MonoTime(), packet) != PacketDecoder::Step::kPacket) std::abort();
    benchmark::DoNotOptimize(packet.args.front().find("roomId"));
  });
}

void decode_binary(benchmark::State& state, const std::string& bytes) {
  const std::string text = R"(51-17["upload",{"name":"a.png","data":{"_placeholder":true,"num":0}}])";
  const DecoderLimits limits;
  PacketDecoder decoder(limits);
  bench::measure(state, text.size() + bytes.size(), [&] {
    Packet packet;
    if (decoder.feed_text(text, MonoTime(), packet) != PacketDecoder::Step::kNeedMore) std::abort();
    if (decoder.feed_binary(bytes, packet) != PacketDecoder::Step::kPacket) std::abort();
    benchmark::DoNotOptimize(packet.args.data());
  });
}

// As a server sends: the packet is written into a buffer that is used again and again.
template <class F>
void encode(benchmark::State& state, std::size_t bytes, F&& write) {
  EncodedPacket out;
  const PacketEncoder encoder(Parser::kJson);
  bench::measure(state, bytes, [&] {
    write(encoder, out);
    benchmark::DoNotOptimize(out.text.data());
  });
}

const bench::Suite suite([] {
  for (const bench::Input& input : bench::json_inputs()) {
    const std::string& json = input.json;
    bench::add("socketio/decode_event_with_ack/" + input.name,
               [&json](benchmark::State& state) { decode(state, "217[\"message\"," + json + "]"); });
    bench::add("socketio/decode_event_and_look_inside/" + input.name,
               [&json](benchmark::State& state) { decode_and_look(state, "217[\"message\"," + json + "]"); });
    bench::add("socketio/encode_ack_of_text/" + input.name, [&json](benchmark::State& state) {
      const std::vector<Value> args = {Value::from_validated_json(json)};
      encode(state, json.size(),
             [&](const PacketEncoder& encoder, EncodedPacket& out) { encoder.ack(out, "/", 17, args); });
    });
    bench::add("socketio/encode_event_of_value/" + input.name, [&json](benchmark::State& state) {
      const std::vector<Value> args = {*Value::from_json(json)};
      encode(state, json.size(), [&](const PacketEncoder& encoder, EncodedPacket& out) {
        encoder.event(out, "/", std::nullopt, "message", args);
      });
    });
    if (!input.name.ends_with("ascii")) continue;
    bench::add("socketio/decode_binary_event/" + input.name,
               [&json](benchmark::State& state) { decode_binary(state, json); });
    bench::add("socketio/encode_binary_event/" + input.name, [&json](benchmark::State& state) {
      const std::vector<Value> args = {Value{{"name", "a.png"}, {"data", Bytes{json}}}};
      encode(state, json.size(), [&](const PacketEncoder& encoder, EncodedPacket& out) {
        encoder.event(out, "/", std::nullopt, "upload", args);
      });
    });
  }
});

}  // namespace
}  // namespace wirehall::socketio
