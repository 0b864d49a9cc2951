// The native protocol at the server: requests in, answers and events out, in both codecs.
#include "native/frame.h"

#include "base/msgpack.h"
#include "support/micro.h"

namespace wirehall::native {
namespace {

// The frame whose fields are the input's members.
std::string request_json(const std::string& json) { return R"({"type":"message","id":17,)" + json.substr(1); }

std::string request_msgpack(const std::string& json) {
  std::string bytes;
  msgpack::encode(bytes, *Value::from_json(request_json(json)));
  return bytes;
}

void decode(benchmark::State& state, const std::string& bytes, Codec codec) {
  const DecodeLimits limits;
  FrameDecoder decoder;
  bench::measure(state, bytes.size(), [&] {
    if (!decoder.decode(bytes, codec, limits).ok()) std::abort();
    benchmark::DoNotOptimize(decoder.take_args(nullptr).data());
  });
}

const bench::Suite suite([] {
  for (const bench::Input& input : bench::json_inputs()) {
    const std::string& json = input.json;
    bench::add("native/decode_json/" + input.name,
               [&json](benchmark::State& state) { decode(state, request_json(json), Codec::kJson); });
    bench::add("native/decode_msgpack/" + input.name,
               [&json](benchmark::State& state) { decode(state, request_msgpack(json), Codec::kMsgpack); });
    bench::add("native/encode_ack_of_text/" + input.name, [&json](benchmark::State& state) {
      const std::vector<Value> args = {Value::from_validated_json(json)};
      std::string out;
      bench::measure(state, json.size(), [&] {
        out.clear();
        encode_ack(out, Codec::kJson, "17", args);
        benchmark::DoNotOptimize(out.data());
      });
    });
    for (const Codec codec : {Codec::kJson, Codec::kMsgpack}) {
      const std::string name =
          codec == Codec::kJson ? "native/encode_event_json/" : "native/encode_event_msgpack/";
      bench::add(name + input.name, [&json, codec](benchmark::State& state) {
        const std::vector<Value> args = {*Value::from_json(json)};
        std::string out;
        bench::measure(state, json.size(), [&] {
          out.clear();
          encode_event(out, codec, "new-message", args, nullptr, std::nullopt);
          benchmark::DoNotOptimize(out.data());
        });
      });
    }
  }
});

}  // namespace
}  // namespace wirehall::native
