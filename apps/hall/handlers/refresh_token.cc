#include "answer.h"
#include "handlers.h"

using namespace wirehall;

namespace hall {

void on_refresh_token(Server& io, Hall& hall) {
  io.of("/").native_shape("refresh-token",
                          {.aliases = {}, .arguments = {"token"}, .sent_type = {}, .sent_copies = {}});

  io.on_event("refresh-token", [&hall](Socket& socket, Value argument, Ack ack) -> Task<> {
    const Result<std::string> token = Hall::text_of(argument, "token");
    if (!token.ok()) {
      ack.fail(token.error());
      co_return;
    }
    Task<> answering = answer(ack, hall.refresh_token(socket, *token));
    co_await answering;
  });
}

}  // namespace hall
