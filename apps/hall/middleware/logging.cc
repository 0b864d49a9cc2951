#include <wirehall/log.h>

#include "middleware/middleware.h"

using namespace wirehall;

namespace app {

// Lines are JSON objects on stderr, from `log.level` on. Equal lines within a second are counted, not
// repeated.
void use_logging(Hall& hall) {
  hall.on_connection([](Socket& socket) {
    log_line(LogLevel::kDebug, "app", "connected", {{"client", socket.id()}, {"user", socket.user().id}});
  });
  hall.on_disconnection([](Socket& socket, std::string_view reason) {
    log_line(LogLevel::kDebug, "app", "disconnected",
             {{"client", socket.id()}, {"user", socket.user().id}, {"reason", std::string(reason)}});
  });
  hall.on_client_error([](Socket& socket, const Error& error) {
    log_line(LogLevel::kDebug, "app", "refused",
             {{"client", socket.id()}, {"user", socket.user().id}, {"why", error.text()}});
  });
}

}  // namespace app
