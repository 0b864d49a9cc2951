#include "handlers/answer.h"
#include "handlers/handlers.h"

using namespace wirehall;

namespace app {

// The hall carries what two browsers must tell each other before they talk directly (WebRTC).
void on_calls(Server& io, Hall& hall) {
  io.on_event("call-user", [&hall](Socket& socket, Object fields, Ack ack) -> Task<> {
    return answer(ack, hall.call_user(socket, std::move(fields)));
  });
  io.on_event("call-answer", [&hall](Socket& socket, Object fields, Ack ack) -> Task<> {
    return answer(ack, hall.call_answer(socket, std::move(fields)));
  });
  io.on_event("call-reject", [&hall](Socket& socket, Object fields, Ack ack) -> Task<> {
    return answer(ack, hall.call_reject(socket, std::move(fields)));
  });
  io.on_event("call-end", [&hall](Socket& socket, Object fields, Ack ack) -> Task<> {
    return answer(ack, hall.call_end(socket, std::move(fields)));
  });
  io.on_event("ice-candidate", [&hall](Socket& socket, Object fields, Ack ack) -> Task<> {
    return answer(ack, hall.ice_candidate(socket, std::move(fields)));
  });
  io.on_event("ice-servers", [&hall](Socket& socket, Ack ack) { ack.success(*hall.ice_servers(socket)); });
}

}  // namespace app
