// Whatever a server sends, in whatever pieces: the session ends up in one of its states, settles every
// request once, and keeps its promises to the program.
#include "client/session.h"

#include "base/json.h"
#include "support/fuzz.h"
#include "ws/frame.h"
#include "ws/handshake.h"

using namespace wirehall;

namespace {

class Network {
 public:
  Network(client::Session& session, MonoTime& now) : session_(session), now_(now) {}

  // Does what the session wants; true where a channel is open.
  bool pump() {
    for (int turns = 0; turns < 100; ++turns) {
      std::vector<client::Wire::Command> commands = session_.wire().take();
      std::vector<client::SessionEvent> events = session_.take_events();
      if (commands.empty() && events.empty()) break;
      for (client::Wire::Command& command : commands) perform(command);
      for (client::SessionEvent& event : events) {
        if (event.done) event.done(std::move(*event.answer));
        if (event.opened) event.opened(event.failure ? Status(*event.failure) : Status());
        for (const Value& arg : event.args)
          FUZZ_CHECK(json::validate(arg.to_json(), 128) == json::Status::kOk);
      }
    }
    return open_;
  }
  void give(std::string bytes) {
    if (open_) session_.received(channel_, bytes.data(), bytes.data() + bytes.size(), now_);
    pump();
  }
  void cut() {
    if (!open_) return;
    open_ = false;
    session_.ended(channel_, Error(ErrorCode::kDisconnected), now_);
    pump();
  }
  // The right answer to the newest upgrade; empty when none was asked for.
  std::string upgrade() const {
    const std::size_t at = sent_.rfind("Sec-WebSocket-Key: ");
    if (at == std::string::npos) return {};
    return "HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
           ws::accept_value(sent_.substr(at + 19, 24)) + "\r\n\r\n";
  }

 private:
  void perform(client::Wire::Command& command) {
    switch (command.kind) {
      case client::Wire::Command::Kind::kOpen:
        channel_ = command.channel;
        open_ = true;
        sent_.clear();
        session_.opened(channel_, now_);
        break;
      case client::Wire::Command::Kind::kSend:
        FUZZ_CHECK(command.channel <= channel_);
        if (command.channel == channel_) sent_.append(command.bytes.substr(0, 4096));
        session_.written(command.channel, command.bytes.size(), now_);
        break;
      case client::Wire::Command::Kind::kClose:
        if (command.channel == channel_) open_ = false;
        break;
    }
  }
  client::Session& session_;
  MonoTime& now_;
  client::ChannelId channel_ = 0;
  bool open_ = false;
  std::string sent_;
};

}  // namespace

FUZZ_TARGET(client_session) {
  const std::uint8_t mode = in.byte();
  ClientOptions options;
  options.protocol = (mode & 1) != 0 ? Protocol::kSocketIo : Protocol::kNative;
  if ((mode & 2) != 0) options.transports = {ClientTransport::kPolling, ClientTransport::kWebSocket};
  options.expect_welcome = (mode & 4) != 0;
  options.connect_attempts = 0;
  options.message_bytes_max = 4096;
  options.held_events_max = 8;
  SeededRandom random(1);
  MonoTime now{std::chrono::hours(1)};
  int asked = 0;
  int settled = 0;
  {
    client::Session session("http://h", options, random);
    Network network(session, now);
    session.connect([&](const Status&) { ++settled; }, now);
    ++asked;
    network.pump();
    for (const char* event : {"join-room", "message", "leave-room"}) {
      client::Request request;
      request.event = event;
      request.args = {Value(Object{{"roomId", "r"}, {"content", "x"}})};
      request.options.again = true;
      request.done = [&](const Result<Value>&) { ++settled; };
      ++asked;
      session.request(std::move(request), now);
    }
    // Past the handshake where the input wants it, so that frames are reached; each piece begins with what it
    // is.
    if ((mode & 8) != 0) network.give(network.upgrade());
    std::string_view rest = in.rest();
    while (!rest.empty()) {
      const auto kind = static_cast<unsigned char>(rest.front());
      rest.remove_prefix(1);
      const std::size_t size =
          std::min<std::size_t>(rest.size(), rest.empty() ? 0 : static_cast<unsigned char>(rest.front()));
      if (!rest.empty()) rest.remove_prefix(1);
      const std::string_view piece = rest.substr(0, size);
      rest.remove_prefix(std::min(size, rest.size()));
      std::string bytes(piece);
      switch (kind % 6) {
        case 0: break;
        case 1: bytes.clear(), ws::append_frame(bytes, ws::Opcode::kText, piece); break;
        case 2: bytes.clear(), ws::append_frame(bytes, ws::Opcode::kBinary, piece); break;
        case 3:
          bytes = "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(piece.size()) + "\r\n\r\n" + bytes;
          break;
        case 4: network.cut(); continue;
        case 5:
          now = std::min(session.next_deadline(), now + std::chrono::hours(1));
          session.on_deadline(now);
          network.pump();
          bytes = (mode & 8) != 0 ? network.upgrade() : bytes;
          break;
      }
      if (!bytes.empty()) network.give(std::move(bytes));
    }
    session.close(now);
    network.pump();
    FUZZ_CHECK(session.state() == ClientState::kClosed);
    FUZZ_CHECK(session.next_deadline() == kNever);
  }
  FUZZ_CHECK(asked == settled);
}
