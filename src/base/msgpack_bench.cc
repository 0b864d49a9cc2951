// MessagePack: values to bytes and back.
#include "base/msgpack.h"

#include "base/json.h"
#include "support/micro.h"

namespace wirehall::msgpack {
namespace {

const bench::Suite suite([] {
  for (const bench::Input& input : bench::json_inputs()) {
    bench::add("msgpack/decode/" + input.name, [&input](benchmark::State& state) {
      std::string bytes;
      encode(bytes, *json::parse(input.json));
      bench::measure(state, bytes.size(), [&] {
        const Result<Value> value = decode(bytes);
        if (!value.ok()) std::abort();
        benchmark::DoNotOptimize(*value);
      });
    });
    bench::add("msgpack/encode/" + input.name, [&input](benchmark::State& state) {
      const Value value = *json::parse(input.json);
      std::string bytes;
      encode(bytes, value);
      bench::measure(state, bytes.size(), [&] {
        bytes.clear();
        encode(bytes, value);
        benchmark::DoNotOptimize(bytes.data());
      });
    });
  }
});

}  // namespace
}  // namespace wirehall::msgpack
