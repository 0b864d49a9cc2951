// Structured log lines. The sink is the server's; without one nothing is written. A line has a constant
// message, so that lines can be counted, and fields for what varies.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string_view>

#include "wirehall/value.h"

namespace wirehall {

enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarning, kError };

struct LogField {
  std::string_view key;
  Value value;
};

/// Receives lines that passed the level and the rate limit.
/// Thread:   called from any thread; one line at a time.
using LogSink = std::function<void(LogLevel, std::string_view module, std::string_view message,
                                   std::initializer_list<LogField> fields, std::uint64_t suppressed)>;

/// Sets the sink and the lowest level. Called before the shards start, and after they ended.
void set_log_sink(LogSink sink, LogLevel lowest);

bool log_enabled(LogLevel level);

/// Writes a line. Above the level debug, lines with the same message are kLogInterval apart; the next
/// one says how many were left out between.
void log_line(LogLevel level, std::string_view module, std::string_view message,
              std::initializer_list<LogField> fields = {});

inline constexpr std::chrono::seconds kLogInterval{1};

}  // namespace wirehall
