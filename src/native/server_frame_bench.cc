// The native protocol at the client: a server's frames in, requests out.
#include "native/server_frame.h"

#include "support/micro.h"

namespace wirehall::native {
namespace {

const bench::Suite suite([] {
  for (const bench::Input& input : bench::json_inputs()) {
    const std::string& json = input.json;
    bench::add("native_client/decode_event/" + input.name, [&json](benchmark::State& state) {
      const std::string frame = R"({"type":"new-message",)" + json.substr(1);
      const DecodeLimits limits;
      bench::measure(state, frame.size(), [&] {
        const Result<ServerFrame> decoded = decode_server_frame(frame, Codec::kJson, limits);
        if (!decoded.ok()) std::abort();
        benchmark::DoNotOptimize(decoded->type.data());
      });
    });
    bench::add("native_client/encode_request/" + input.name, [&json](benchmark::State& state) {
      const std::vector<Value> args = {*Value::from_json(json)};
      std::string out;
      bench::measure(state, json.size(), [&] {
        out.clear();
        encode_request(out, "message", 17, args, nullptr);
        benchmark::DoNotOptimize(out.data());
      });
    });
  }
});

}  // namespace
}  // namespace wirehall::native
