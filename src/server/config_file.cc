#include "server/config_file.h"

#include <fstream>
#include <sstream>

namespace wirehall::server {

Status read_config(Config& config, const std::string& file) {
  const std::string name = file.empty() ? "config/websocket.json" : file;
  std::ifstream stream(name);
  if (!stream && !file.empty()) return Error(ErrorCode::kConfig, name + ": cannot be read");
  if (stream) {
    std::stringstream text;
    text << stream.rdbuf();
    if (const Status status = config.apply_text(text.str()); !status.ok())
      return Error(ErrorCode::kConfig, name + ":\n" + status.error().detail());
  }
  if (const Status status = config.apply_environment(); !status.ok())
    return Error(ErrorCode::kConfig, "environment: " + status.error().detail());
  return {};
}

}  // namespace wirehall::server
