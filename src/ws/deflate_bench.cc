// permessage-deflate: a broadcast is deflated once; a message that comes compressed is inflated.
#include "ws/deflate.h"

#include "support/micro.h"

namespace wirehall::ws {
namespace {

const bench::Suite suite([] {
  for (const bench::Input& input : bench::json_inputs()) {
    const std::string& plain = input.json;
    bench::add("ws_deflate/deflate/" + input.name, [&plain](benchmark::State& state) {
      Deflater deflater;
      std::string packed;
      bench::measure(state, plain.size(), [&] {
        packed.clear();
        deflater.deflate(plain, 15, packed);
        benchmark::DoNotOptimize(packed.data());
      });
      state.counters["packed_bytes"] = static_cast<double>(packed.size());
    });
    bench::add("ws_deflate/inflate/" + input.name, [&plain](benchmark::State& state) {
      Deflater deflater;
      Inflater inflater;
      std::string packed;
      std::string out;
      deflater.deflate(plain, 15, packed);
      bench::measure(state, plain.size(), [&] {
        out.clear();
        if (!inflater.inflate(packed, 1'000'000, out).ok()) std::abort();
        benchmark::DoNotOptimize(out.data());
      });
    });
  }
});

}  // namespace
}  // namespace wirehall::ws
