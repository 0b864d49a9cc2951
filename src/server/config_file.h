// A configuration from its file and the environment, for commands and programs.
#pragma once

#include <string>

#include "wirehall/config.h"

namespace wirehall::server {

/// Applies a file (or config/websocket.json, if `file` is empty and that is there), then the environment.
/// Errors:   kConfig; the detail is ready to be printed.
Status read_config(Config& config, const std::string& file);

}  // namespace wirehall::server
