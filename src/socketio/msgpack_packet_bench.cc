// Socket.IO packets as MessagePack.
#include "socketio/msgpack_packet.h"

#include "support/micro.h"

namespace wirehall::socketio {
namespace {

const bench::Suite suite([] {
  for (const bench::Input& input : bench::json_inputs()) {
    const std::string& json = input.json;
    bench::add("socketio_msgpack/decode_event_with_ack/" + input.name, [&json](benchmark::State& state) {
      const std::vector<Value> args = {*Value::from_json(json)};
      std::string bytes;
      encode_msgpack_event(bytes, "/", 17, "message", args);
      const DecoderLimits limits;
      bench::measure(state, bytes.size(), [&] {
        Packet packet;
        if (!decode_msgpack_packet(bytes, limits, packet)) std::abort();
        benchmark::DoNotOptimize(packet.args.data());
      });
    });
    bench::add("socketio_msgpack/encode_ack/" + input.name, [&json](benchmark::State& state) {
      const std::vector<Value> args = {*Value::from_json(json)};
      std::string bytes;
      bench::measure(state, json.size(), [&] {
        bytes.clear();
        encode_msgpack_ack(bytes, "/", 17, args);
        benchmark::DoNotOptimize(bytes.data());
      });
    });
  }
});

}  // namespace
}  // namespace wirehall::socketio
