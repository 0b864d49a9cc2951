#include "handlers/answer.h"
#include "handlers/handlers.h"

using namespace wirehall;

namespace app {
namespace {

void on_typing_event(Server& io, Hall& hall, std::string_view event, bool typing) {
  io.on_event(event, [&hall, typing](Socket& socket, Value argument, Ack ack) -> Task<> {
    const Result<std::string> room = Hall::room_of(argument);
    if (!room.ok()) {
      ack.fail(room.error());
      co_return;
    }
    Task<> answering = answer(ack, hall.typing(socket, *room, typing));
    co_await answering;
  });
}

}  // namespace

void on_typing(Server& io, Hall& hall) {
  on_typing_event(io, hall, "typing", true);
  on_typing_event(io, hall, "stop-typing", false);
}

}  // namespace app
