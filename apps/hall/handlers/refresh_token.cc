#include "handlers/answer.h"
#include "handlers/handlers.h"

using namespace wirehall;

namespace app {

void on_refresh_token(Server& io, Hall& hall) {
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

}  // namespace app
