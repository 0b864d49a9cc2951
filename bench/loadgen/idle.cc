#include <algorithm>

#include "client_loop.h"
#include "report.h"
#include "scenarios.h"

namespace bench {
namespace {

// The first connections make the server touch its code and fill its pools; that is no cost of a connection.
constexpr std::size_t kWarmConnectionsMax = 200;

class Idle final : public ClientLoop {
 public:
  using ClientLoop::ClientLoop;

  std::string run() {
    const std::size_t warm = std::min(kWarmConnectionsMax, options().connections / 10);
    const auto settle = [this](double seconds) {
      run_until(now_ns() + static_cast<std::uint64_t>(seconds * 1e9));
    };
    open(warm);
    settle(options().warm_up_seconds);
    const MemoryReading before = MemoryReading::of(options().server);
    const std::uint64_t begin = now_ns();
    open(options().connections);
    const std::uint64_t opened = now_ns();
    settle(options().seconds);
    const MemoryReading after = MemoryReading::of(options().server);

    const auto counted = static_cast<double>(options().connections - warm);
    const auto each = [counted](std::uint64_t last, std::uint64_t first) {
      return (static_cast<double>(last) - static_cast<double>(first)) / counted;
    };
    JsonObject out = describe(options());
    out.add("counted_connections", counted);
    out.add("opened_per_second", counted / static_cast<double>(opened - begin) * 1e9);
    JsonObject server;
    server.add("rss_before_bytes", static_cast<double>(before.rss_bytes));
    server.add("rss_after_bytes", static_cast<double>(after.rss_bytes));
    server.add("rss_bytes_per_connection", each(after.rss_bytes, before.rss_bytes));
    server.add("anonymous_bytes_per_connection", each(after.anonymous_bytes, before.anonymous_bytes));
    out.add_raw("server", server.str());
    JsonObject kernel;  // of both ends, since both are on this machine
    kernel.add("tcp_queue_bytes", static_cast<double>(after.tcp_queue_bytes));
    kernel.add("tcp_queue_bytes_per_connection", each(after.tcp_queue_bytes, before.tcp_queue_bytes));
    kernel.add("slab_bytes_per_connection", each(after.kernel_slab_bytes, before.kernel_slab_bytes));
    out.add_raw("kernel_both_ends", kernel.str());
    return out.str();
  }

 private:
  void receive(Connection&, std::string_view, std::uint64_t) override {}
};

}  // namespace

std::string run_idle(const Options& options) {
  const Protocol protocol = make_protocol(options);
  return Idle(options, protocol).run();
}

}  // namespace bench
