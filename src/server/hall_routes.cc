// What a hall answers over HTTP.
#include "api/files.h"
#include "api/management.h"
#include "server/composition.h"
#include "server/file_access.h"
#include "server/hall_wiring.h"
#include "wirehall/hall.h"

namespace wirehall {
namespace {

Status send_to(Server& io, api::BroadcastRequest request) {
  BroadcastOperator to = io.of("/").compress(true).to(request.rooms).except(request.except);
  switch (to.emit(request.event, std::move(request.data))) {
    case SendResult::kReserved:
      return Error(ErrorCode::kInvalidFormat, "event \"" + request.event + "\" is reserved");
    case SendResult::kUnavailable: return ErrorCode::kUnavailable;
    default: return {};
  }
}

}  // namespace

Config Hall::defaults() {
  Config config;
  config.connection_state_recovery = std::chrono::seconds(120);
  return config;
}

Hall& Hall::serve_management() {
  api::ManagementOptions options;
  options.api_keys = server_.config().auth.api_keys;
  options.open_on_loopback = server_.config().dev;
  api::add_management_routes(
      server_.composition().world().routes, options,
      [this](std::function<void(Object)> done) {
        figures([done = std::move(done)](const Figures& sums) {
          done({{"onlineUsers", static_cast<std::int64_t>(sums.online_users)},
                {"rooms", static_cast<std::int64_t>(sums.rooms)},
                {"connections", static_cast<std::int64_t>(sums.connections)},
                {"messages", static_cast<std::int64_t>(sums.messages)}});
        });
      },
      [this](api::BroadcastRequest request) { return send_to(server_, std::move(request)); });
  return *this;
}

Hall& Hall::serve_files() {
  api::add_file_route(server_.composition().world().routes, server::make_file_access(*wiring_));
  return *this;
}

}  // namespace wirehall
