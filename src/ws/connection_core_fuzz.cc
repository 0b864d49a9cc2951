// Any split gives the same messages, answers and close code; memory stays below the message limit.
#include "ws/connection_core.h"

#include "base/utf8.h"
#include "support/fuzz.h"
#include "ws/frame.h"

using namespace wirehall;

namespace {

constexpr std::size_t kMessageMax = 1000;

std::string outcome(const std::vector<std::string>& pieces, bool deflate) {
  static ws::Inflater inflater;
  ws::CoreOptions options;
  options.message_bytes_max = kMessageMax;
  options.fragments_max = 20;
  ws::ConnectionCore core(options, deflate ? &inflater : nullptr);
  Outbox out;
  std::string text;
  for (std::string piece : pieces) {
    char* cursor = piece.data();
    char* end = cursor + piece.size();
    for (;;) {
      std::string_view message;
      const auto event = core.next(cursor, end, MonoTime(), out, message);
      FUZZ_CHECK(core.held_bytes() <= kMessageMax + 125);
      if (event == ws::ConnectionCore::Event::kNeedMore) break;
      if (event == ws::ConnectionCore::Event::kMessage) {
        FUZZ_CHECK(message.size() <= kMessageMax);
        FUZZ_CHECK(core.message_is_binary() || is_valid_utf8(message));
        text += "[" + std::string(message) + "]";
      }
      if (event == ws::ConnectionCore::Event::kClosed) text += "closed";
    }
  }
  std::string sent(out.bytes(), '\0');
  out.copy_front(sent.data(), sent.size());
  return text + "|" + sent + "|" + std::to_string(core.close_code());
}

}  // namespace

FUZZ_TARGET(ws_connection_core) {
  const bool deflate = (in.byte() & 1) != 0;
  const std::string whole(in.rest().substr(in.rest().empty() ? 0 : 1));
  FUZZ_CHECK(outcome(in.pieces(), deflate) == outcome({whole}, deflate));
}
