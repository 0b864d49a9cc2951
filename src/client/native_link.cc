// The native protocol's link: one WebSocket, a JSON object in each message.
#include <algorithm>
#include <array>

#include "client/web_socket.h"
#include "native/server_frame.h"

namespace wirehall::client {
namespace {

// Bare arguments of the hall's events, which have names here.
const NativeShape* shape_of(std::string_view event) {
  static const NativeShape room{{}, {"roomId"}, {}, {}};
  static const NativeShape status{{}, {"status"}, {}, {}};
  static const NativeShape token{{}, {"token"}, {}, {}};
  if (event == "join-room" || event == "join" || event == "leave-room" || event == "leave" ||
      event == "typing" || event == "stop-typing")
    return &room;
  if (event == "update-status") return &status;
  return event == "refresh-token" ? &token : nullptr;
}

class NativeLink final : public Link {
 public:
  NativeLink(const LinkContext& context, const Object& auth)
      : context_(context), expect_welcome_(context.options.expect_welcome.value_or(true)) {
    std::vector<std::pair<std::string, std::string>> query;
    std::vector<http1::Header> headers;
    for (const Member& member : auth) {
      if (!member.value.is_string()) continue;
      if (member.key == "token") {
        headers.push_back({"Authorization", "Bearer " + member.value.as_string()});
      } else {
        query.emplace_back(member.key, member.value.as_string());
      }
    }
    socket_.emplace(context, make_target(context, query), std::move(headers));
    limits_.event_name_bytes_max = 1024;
    limits_.json_depth_max = 64;
  }

  void start(MonoTime now) override { heard(now); }
  void opened(ChannelId, MonoTime now) override {
    heard(now);
    socket_->opened();
  }
  void received(ChannelId, char* begin, char* end, MonoTime now) override {
    heard(now);
    while (!lost_) {
      switch (socket_->next(begin, end, now)) {
        case WebSocket::Event::kNeedMore: return;
        case WebSocket::Event::kOpen:
          open_ = true;
          if (!expect_welcome_) ready({});
          break;
        case WebSocket::Event::kMessage: frame(); break;
        case WebSocket::Event::kRefused: return refused();
        case WebSocket::Event::kClosed: return closed(now);
      }
    }
  }
  void ended(ChannelId, const Error& error, MonoTime) override {
    if (lost_) return;
    if (socket_->ended(error) == WebSocket::Event::kRefused) return refused();
    const bool closed = error.code() == ErrorCode::kDisconnected;
    lose({closed ? "transport close" : "transport error", error});
  }

  void on_deadline(MonoTime now) override {
    if (lost_ || !open_ || now < deadline_) return;
    if (testing_)
      return lose({"ping timeout", Error(ErrorCode::kTimeout, "no sign of life from the server")});
    testing_ = true;
    deadline_ = now + context_.options.ping_timeout;
    socket_->send(ws::Opcode::kPing, {});
  }
  MonoTime next_deadline() const override { return lost_ || !open_ ? kNever : deadline_; }

  void emit(std::string_view event, std::span<const Value> args, std::optional<std::uint64_t> id,
            MonoTime) override {
    std::string text;
    native::encode_request(text, event, id, args, shape_of(event));
    socket_->send(ws::Opcode::kText, text);
  }
  void answer(std::uint64_t id, std::span<const Value> args, MonoTime) override {
    std::string text;
    native::encode_answer(text, id, args);
    socket_->send(ws::Opcode::kText, text);
  }
  bool writable() const override { return context_.wire.unwritten(socket_->channel()) < kUnwrittenBytesMax; }

  void close(MonoTime now) override {
    if (!lost_ && open_) socket_->close(ws::CloseCode::kNormal, {}, now);
    abandon();
  }
  void abandon() override {
    if (!lost_) context_.wire.close(socket_->channel());
    lost_ = true;
  }

 private:
  void heard(MonoTime now) {
    testing_ = false;
    deadline_ = now + context_.options.ping_interval;
  }

  void lose(Lost lost) {
    if (lost_) return;
    lost_ = true;
    context_.wire.close(socket_->channel());
    LinkEvent event;
    event.kind = LinkEvent::Kind::kLost;
    event.lost = std::move(lost);
    tell(std::move(event));
  }

  void refused() {
    Lost lost{"connect error", socket_->error()};
    lost.over = !error_info(lost.error.code()).retryable;
    lose(std::move(lost));
  }

  void closed(MonoTime) {
    if (socket_->error().code() != ErrorCode::kOk) return lose({"parse error", socket_->error()});
    lose(lost_by_close(socket_->close_code(), socket_->message()));
  }

  void wrong_protocol() {
    Lost lost{ready_ ? "parse error" : "connect error",
              Error(ErrorCode::kWrongProtocol, "the server sent no JSON object with a `type`")};
    lost.over = !ready_;
    lose(std::move(lost));
  }

  void ready(Object welcome) {
    ready_ = true;
    LinkEvent event;
    event.kind = LinkEvent::Kind::kReady;
    if (const Value* id = welcome.find("sessionId"); id != nullptr && id->is_string())
      event.connected.session_id = id->as_string();
    event.connected.welcome = std::move(welcome);
    tell(std::move(event));
    for (LinkEvent& early : early_) tell(std::move(early));
    early_.clear();
  }

  void frame() {
    const auto codec = socket_->message_is_binary() ? native::Codec::kMsgpack : native::Codec::kJson;
    Result<native::ServerFrame> decoded = native::decode_server_frame(socket_->message(), codec, limits_);
    if (!decoded.ok()) return wrong_protocol();
    native::ServerFrame& frame = *decoded;
    LinkEvent event;
    if (frame.type == "ack" || frame.type == "pong") {
      if (!frame.id) return;
      event.kind = LinkEvent::Kind::kAnswer;
      event.id = frame.id;
      event.args = native::answer_of(std::move(frame.fields));
      return tell(std::move(event));
    }
    if (frame.type == "connected" && !ready_) {
      event.args.emplace_back(frame.fields);
      ready(std::move(frame.fields));
      event.name = "connected";
      return tell(std::move(event));
    }
    // The hall's messages have one name over both protocols.
    const bool message =
        frame.type == "chat" && frame.fields.contains("seq") && frame.fields.contains("roomId");
    event.name = message ? "new-message" : std::move(frame.type);
    event.id = frame.ack_id;
    if (!frame.fields.empty()) event.args = native::answer_of(std::move(frame.fields));
    if (ready_) return tell(std::move(event));
    if (early_.size() >= context_.options.held_events_max)
      return lose({"connect error", Error(ErrorCode::kWrongProtocol, "the server says no `connected`")});
    early_.push_back(std::move(event));
  }

  LinkContext context_;
  std::optional<WebSocket> socket_;
  native::DecodeLimits limits_;
  std::vector<LinkEvent> early_;
  MonoTime deadline_ = kNever;
  bool expect_welcome_;
  bool open_ = false;
  bool ready_ = false;
  bool lost_ = false;
  bool testing_ = false;
};

}  // namespace

std::unique_ptr<Link> make_native_link(const LinkContext& context, const Object& auth) {
  return std::make_unique<NativeLink>(context, auth);
}

}  // namespace wirehall::client
