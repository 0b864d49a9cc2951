#include "handlers/answer.h"
#include "handlers/handlers.h"

using namespace wirehall;

namespace app {

// A file comes in pieces, over any connection of its user; the last one makes it a message.
void on_uploads(Server& io, Hall& hall) {
  io.on_event("upload-start", [&hall](Socket& socket, Object fields, Ack ack) -> Task<> {
    return answer(ack, hall.upload_start(socket, std::move(fields)));
  });
  io.on_event("upload-chunk", [&hall](Socket& socket, Object fields, Ack ack) -> Task<> {
    return answer(ack, hall.upload_chunk(socket, std::move(fields)));
  });
  io.on_event("upload-abort", [&hall](Socket& socket, Object fields, Ack ack) -> Task<> {
    return answer(ack, hall.upload_abort(socket, std::move(fields)));
  });
}

}  // namespace app
