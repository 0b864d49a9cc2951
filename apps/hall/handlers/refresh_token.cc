#include "answer.h"
#include "handlers.h"

using namespace wirehall;

namespace hall {

void on_refresh_token(Server& io, Hall& hall) {
  io.of("/").native_shape("refresh-token",
                          {.aliases = {}, .arguments = {"token"}, .sent_type = {}, .sent_copies = {}});

  io.on_event("refresh-token", [&hall](Socket& socket, std::string token, Ack ack) -> Task<> {
    return answer(ack, hall.refresh_token(socket, std::move(token)));
  });
}

}  // namespace hall
