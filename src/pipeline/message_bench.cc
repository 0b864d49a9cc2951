// What a message costs between the receive buffer and the outbox: no sockets, no system calls, one shard.
#include "pipeline/lone_shard_for_test.h"
#include "support/micro.h"

namespace wirehall::pipeline {
namespace {

constexpr std::size_t kReceivers = 1000;

// One message in, whatever it causes out.
void exchange(benchmark::State& state, std::size_t connections, LoneShard::Options options,
              const std::string& payload) {
  LoneShard shard(connections, options);
  const std::string frame = LoneShard::masked(payload);
  std::size_t next = 0;
  std::size_t bytes = 0;
  bench::measure(state, payload.size(), [&] {
    shard.receive(next, frame);
    bytes += shard.flush().bytes;
    next = next + 1 == connections ? 0 : next + 1;
  });
  if (bytes == 0) state.SkipWithError("nothing was sent");
}

std::string native_frame(std::string_view type, const std::string& json) {
  return R"({"type":")" + std::string(type) + R"(","id":123456789,)" + json.substr(1);
}
std::string publication(const std::string& json) { return R"({"type":"publish",)" + json.substr(1); }

const bench::Suite suite([] {
  for (const bench::Input& input : bench::json_inputs()) {
    const std::string& json = input.json;
    bench::add("message/native_echo/" + input.name, [&json](benchmark::State& state) {
      exchange(state, 1, {.native = true}, native_frame("echo", json));
    });
    bench::add("message/socketio_echo/" + input.name, [&json](benchmark::State& state) {
      exchange(state, 1, {.native = false}, "4217[\"echo\"," + json + "]");
    });
  }
  for (const bench::Input& input : bench::text_inputs()) {
    if (!input.name.ends_with("ascii")) continue;
    const std::string& json = input.json;
    for (const bool deflate : {false, true}) {
      const std::string name = input.name + (deflate ? "-deflated" : "");
      bench::add("message/native_fanout_to_1000/" + name, [&json, deflate](benchmark::State& state) {
        exchange(state, kReceivers + 1, {.native = true, .deflate = deflate}, publication(json));
      });
      bench::add("message/socketio_fanout_to_1000/" + name, [&json, deflate](benchmark::State& state) {
        exchange(state, kReceivers + 1, {.native = false, .deflate = deflate},
                 "42[\"publish\"," + json + "]");
      });
    }
  }
});

}  // namespace
}  // namespace wirehall::pipeline
