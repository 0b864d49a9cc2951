// Structured log lines. A line has a constant message, so that lines can be counted, and fields for what
// varies.
#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <string_view>

#include "wirehall/value.h"

namespace wirehall {

enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarning, kError };

/// What varies in a line.
/// Thread:   a plain value.
struct LogField {
  std::string_view key;
  Value value;
};

/// Whether lines of a level are written: `log.level` of the configuration and above, once the server runs.
bool log_enabled(LogLevel level);

/// Writes a line: a JSON object on stderr. Above the level debug, lines with the same message are
/// kLogInterval apart; the next one says how many were left out between.
///
/// Thread:   any.
void log_line(LogLevel level, std::string_view module, std::string_view message,
              std::initializer_list<LogField> fields = {});

inline constexpr std::chrono::seconds kLogInterval{1};

}  // namespace wirehall
