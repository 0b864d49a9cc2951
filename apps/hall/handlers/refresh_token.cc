#include "handlers.h"

using namespace wirehall;

namespace hall {

void on_refresh_token(Server& io, Hall& hall) {
  io.of("/").native_shape("refresh-token",
                          {.aliases = {}, .arguments = {"token"}, .sent_type = {}, .sent_copies = {}});

  io.on_event("refresh-token", [&hall](Socket& socket, std::string token, Ack ack) -> Task<> {
    Task<Result<Object>> refreshing = hall.refresh_token(socket, std::move(token));
    Result<Object> refreshed = co_await refreshing;
    if (refreshed.ok()) {
      ack.success(std::move(*refreshed));
    } else {
      ack.fail(refreshed.error());
    }
  });
}

}  // namespace hall
