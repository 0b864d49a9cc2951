#include "base/log.h"

#include <atomic>
#include <chrono>
#include <mutex>
#include <string>

#include "base/hash_map.h"

namespace wirehall {
namespace {

struct Throttle {
  std::chrono::steady_clock::time_point next{};  // no line before
  std::uint64_t suppressed = 0;
};

std::mutex g_mutex;
LogSink g_sink;
std::atomic<int> g_lowest{100};
TextMap<Throttle>& throttles() {
  static TextMap<Throttle> map;  // messages are constants of the program: the map cannot grow with input
  return map;
}

}  // namespace

void set_log_sink(LogSink sink, LogLevel lowest) {
  const std::lock_guard lock(g_mutex);
  g_sink = std::move(sink);
  g_lowest = g_sink ? static_cast<int>(lowest) : 100;
}

bool log_enabled(LogLevel level) {
  return static_cast<int>(level) >= g_lowest.load(std::memory_order_relaxed);
}

void log_line(LogLevel level, std::string_view module, std::string_view message,
              std::initializer_list<LogField> fields) {
  if (!log_enabled(level)) return;
  const std::lock_guard lock(g_mutex);
  if (!g_sink) return;
  const auto now = std::chrono::steady_clock::now();
  Throttle& throttle = throttles()[std::string(message)];
  if (now < throttle.next && level != LogLevel::kDebug) {
    ++throttle.suppressed;
    return;
  }
  throttle.next = now + kLogInterval;
  const std::uint64_t suppressed = std::exchange(throttle.suppressed, 0);
  g_sink(level, module, message, fields, suppressed);
}

}  // namespace wirehall
