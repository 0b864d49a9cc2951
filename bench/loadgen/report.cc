#include "report.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>

namespace bench {

JsonObject& JsonObject::add(std::string_view key, std::string_view text) {
  return add_raw(key, '"' + std::string(text) + '"');
}

JsonObject& JsonObject::add(std::string_view key, double number) {
  std::array<char, 40> text;
  std::snprintf(text.data(), text.size(), "%.12g", number);
  return add_raw(key, text.data());
}

JsonObject& JsonObject::add_raw(std::string_view key, std::string_view json) {
  if (!members_.empty()) members_ += ", ";
  members_ += '"';
  members_.append(key).append("\": ").append(json);
  return *this;
}

JsonObject describe(const Options& options) {
  JsonObject out;
  out.add("mode", name_of(options.mode)).add("protocol", name_of(options.protocol));
  out.add("connections", static_cast<double>(options.connections));
  if (options.mode != Mode::kIdle) {
    out.add("size_bytes", static_cast<double>(options.size_bytes));
    out.add("pipeline", static_cast<double>(options.pipeline));
  }
  if (options.mode == Mode::kFanout) out.add("publishers", static_cast<double>(options.publishers));
  out.add_raw("busy", options.busy ? "true" : "false");
  return out;
}

Window::Reading Window::read(std::uint64_t spun_ns) const {
  Reading reading;
  reading.at_ns = now_ns();
  reading.machine_busy_ns = machine_busy_ns();
  reading.own = CpuReading::of(getpid());
  reading.spun_ns = spun_ns;
  if (options_.server != 0) reading.server = CpuReading::of(options_.server);
  return reading;
}

void Window::begin(std::uint64_t spun_ns) { first_ = read(spun_ns); }
void Window::end(std::uint64_t spun_ns) { last_ = read(spun_ns); }

void Window::report(JsonObject& out, std::uint64_t operations, const Histogram& latencies) const {
  const auto elapsed = static_cast<double>(last_.at_ns - first_.at_ns);
  const auto count = static_cast<double>(operations);
  out.add("seconds", elapsed / 1e9)
      .add("operations", count)
      .add("operations_per_second", count / elapsed * 1e9);
  if (last_.server && first_.server) {
    const SchedulerTime given = last_.server->since(*first_.server);
    const auto used = static_cast<double>(given.ran_ns);
    JsonObject server;
    server.add("cpu_us_per_operation", operations == 0 ? 0 : used / count / 1e3);
    server.add("cores_used", used / elapsed);
    server.add("queued", static_cast<double>(given.queued_ns) / elapsed);
    server.add("threads", static_cast<double>(last_.server->threads()));
    out.add_raw("server", server.str());
  }
  JsonObject latency;
  latency.add("p50", static_cast<double>(latencies.quantile(0.5)) / 1e3);
  latency.add("p99", static_cast<double>(latencies.quantile(0.99)) / 1e3);
  latency.add("p99_9", static_cast<double>(latencies.quantile(0.999)) / 1e3);
  latency.add("max", static_cast<double>(latencies.max()) / 1e3);
  out.add_raw("latency_us", latency.str());
  // Spare is what the generator did not need: what it spun, or else what it slept. Waiting for a core that
  // another process had is not sleeping.
  const SchedulerTime own = last_.own.since(first_.own);
  const auto cpu = static_cast<double>(own.ran_ns);
  const auto queued = static_cast<double>(own.queued_ns);
  const auto spun = static_cast<double>(last_.spun_ns - first_.spun_ns);
  const double spare = options_.busy ? spun : elapsed - cpu - queued;
  JsonObject generator;
  generator.add("cores_used", cpu / elapsed).add("spare", std::max(0.0, spare / elapsed));
  generator.add("queued", queued / elapsed);
  out.add_raw("generator", generator.str());
  const auto busy = static_cast<double>(last_.machine_busy_ns - first_.machine_busy_ns);
  out.add("machine_cores_used", busy / elapsed);
}

}  // namespace bench
