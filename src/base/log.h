// Where log lines go. The sink is the server's; without one nothing is written.
#pragma once

#include <functional>

#include "wirehall/log.h"

namespace wirehall {

/// Receives lines that passed the level and the rate limit.
/// Thread:   called from any thread; one line at a time.
using LogSink = std::function<void(LogLevel, std::string_view module, std::string_view message,
                                   std::initializer_list<LogField> fields, std::uint64_t suppressed)>;

/// Sets the sink and the lowest level. Called before the shards start, and after they ended.
void set_log_sink(LogSink sink, LogLevel lowest);

}  // namespace wirehall
