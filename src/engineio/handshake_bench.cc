// What an Engine.IO request is asked before it may go on, and the open packet.
#include "engineio/handshake.h"

#include "support/micro.h"

namespace wirehall::engineio {
namespace {

void check(benchmark::State& state, std::string_view query, bool upgrade) {
  bench::measure(state, query.size(), [&] {
    const RequestParameters parameters = read_parameters(query);
    if (verify_transport(parameters, {})) std::abort();
    const bool refused = parameters.sid.view().empty()
                             ? verify_handshake(parameters, true, upgrade).has_value()
                             : verify_session(parameters, upgrade, Transport::kPolling, 4).has_value();
    if (refused) std::abort();
  });
}

const bench::Suite suite([] {
  bench::add("engineio_handshake/check/websocket",
             [](benchmark::State& state) { check(state, "EIO=4&transport=websocket", true); });
  bench::add("engineio_handshake/check/polling",
             [](benchmark::State& state) { check(state, "EIO=4&transport=polling&t=OfDnR2x", false); });
  bench::add("engineio_handshake/check/poll-of-a-session", [](benchmark::State& state) {
    check(state, "EIO=4&transport=polling&t=OfDnR2x.0&sid=AAPmVh2xQZlXk3b0AAAB", false);
  });
  bench::add("engineio_handshake/open_packet/polling", [](benchmark::State& state) {
    const OpenFields fields{"AAPmVh2xQZlXk3b0AAAB", true, 25'000, 20'000, 1'000'000};
    bench::measure(state, encode_open(fields).size(), [&] { benchmark::DoNotOptimize(encode_open(fields)); });
  });
});

}  // namespace
}  // namespace wirehall::engineio
