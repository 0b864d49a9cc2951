// Structured log lines on stderr: one JSON object each.
#pragma once

#include <string>

namespace wirehall::server {

/// Sends log lines to stderr from a level on ("debug", "info", "warning", "error").
void log_to_stderr(const std::string& level);

}  // namespace wirehall::server
