// Socket.IO's link: one namespace over one Engine.IO session.
#include <algorithm>

#include "client/engine.h"
#include "client/refusal.h"
#include "socketio/packet.h"

namespace wirehall::client {
namespace {

class SocketioLink final : public Link {
 public:
  SocketioLink(const LinkContext& context, const Object& auth)
      : context_(context),
        engine_(context),
        auth_(auth),
        decoder_(limits_),
        expect_welcome_(context.options.expect_welcome.value_or(false)) {
    limits_.packet_bytes_max = context.options.message_bytes_max;
    limits_.event_name_bytes_max = 1024;
    limits_.json_depth_max = 64;
    limits_.attachments_max = 999;
    sent_pid_ = context.recovery.pid;
  }

  void start(MonoTime now) override { engine_.start(now); }
  void opened(ChannelId channel, MonoTime now) override {
    engine_.opened(channel, now);
    drain(now);
  }
  void received(ChannelId channel, char* begin, char* end, MonoTime now) override {
    engine_.received(channel, begin, end, now);
    drain(now);
  }
  void ended(ChannelId channel, const Error& error, MonoTime now) override {
    engine_.ended(channel, error, now);
    drain(now);
  }
  void on_deadline(MonoTime now) override {
    if (now >= decoder_.next_deadline())
      lose({"parse error", Error(ErrorCode::kSocketioParse, "the attachments of a packet did not come")});
    engine_.on_deadline(now);
    drain(now);
  }
  MonoTime next_deadline() const override {
    return lost_ ? kNever : std::min(engine_.next_deadline(), decoder_.next_deadline());
  }

  void emit(std::string_view event, std::span<const Value> args, std::optional<std::uint64_t> id,
            MonoTime now) override {
    socketio::EncodedPacket packet;
    socketio::encode_event(packet, context_.endpoint.nsp, id, event, args);
    send(packet, now);
  }
  void answer(std::uint64_t id, std::span<const Value> args, MonoTime now) override {
    socketio::EncodedPacket packet;
    socketio::encode_ack(packet, context_.endpoint.nsp, id, args);
    send(packet, now);
  }
  bool writable() const override { return engine_.unwritten() < kUnwrittenBytesMax; }

  void close(MonoTime now) override {
    if (!lost_ && connected_) {
      std::string text;
      socketio::encode_disconnect(text, context_.endpoint.nsp);
      engine_.send_text(text, now);
    }
    lost_ = true;
    engine_.close(now);
  }
  void abandon() override {
    lost_ = true;
    engine_.abandon();
  }

 private:
  void send(const socketio::EncodedPacket& packet, MonoTime now) {
    engine_.send_text(packet.text, now);
    for (const std::string_view attachment : packet.attachments) engine_.send_binary(attachment, now);
  }

  void lose(Lost lost) {
    if (lost_) return;
    lost_ = true;
    engine_.abandon();
    LinkEvent event;
    event.kind = LinkEvent::Kind::kLost;
    event.lost = std::move(lost);
    tell(std::move(event));
  }

  void drain(MonoTime now) {
    for (EngineEvent& event : engine_.take_events()) {
      if (lost_) return;
      switch (event.kind) {
        case EngineEvent::Kind::kOpen: connect(now); break;
        case EngineEvent::Kind::kText: {
          socketio::Packet packet;
          step(decoder_.feed_text(event.data, now, packet), packet);
          break;
        }
        case EngineEvent::Kind::kBinary: {
          socketio::Packet packet;
          step(decoder_.feed_binary(event.data, packet), packet);
          break;
        }
        case EngineEvent::Kind::kLost: lose(std::move(event.lost)); break;
      }
    }
  }

  void connect(MonoTime now) {
    Object auth;
    if (!context_.recovery.pid.empty()) {
      auth.set("pid", context_.recovery.pid);
      auth.set("offset", context_.recovery.offset);
    }
    for (const Member& member : auth_) auth.set(member.key, member.value);
    std::string text;
    socketio::encode_connect_request(text, context_.endpoint.nsp, auth);
    engine_.send_text(text, now);
  }

  void step(socketio::PacketDecoder::Step step, socketio::Packet& packet) {
    if (step == socketio::PacketDecoder::Step::kNeedMore) return;
    if (step == socketio::PacketDecoder::Step::kError) {
      Lost lost{connected_ ? "parse error" : "connect error",
                Error(ErrorCode::kSocketioParse, "sent by the server")};
      lost.over = !connected_;
      return lose(std::move(lost));
    }
    if (packet.nsp != context_.endpoint.nsp) return;
    switch (packet.type) {
      case socketio::PacketType::kConnect: return connected(packet);
      case socketio::PacketType::kConnectError: return refused(packet);
      case socketio::PacketType::kDisconnect:
        return lose({"io server disconnect", Error(ErrorCode::kDisconnected, "by the server"), true});
      case socketio::PacketType::kEvent: return event(packet);
      case socketio::PacketType::kAck: return answered(packet);
      default: return;
    }
  }

  void connected(const socketio::Packet& packet) {
    const Result<Value> payload = Value::from_json(packet.auth);
    const std::string* sid = payload.ok() ? payload->find_string("sid") : nullptr;
    if (sid == nullptr || connected_) {
      Lost lost{"connect error",
                Error(ErrorCode::kWrongProtocol, "the server speaks Socket.IO 2, which is not supported")};
      lost.over = true;
      return lose(std::move(lost));
    }
    connected_ = true;
    const std::string* pid = payload->find_string("pid");
    opening_.session_id = *sid;
    opening_.recovered = pid != nullptr && *pid == sent_pid_;
    if (!opening_.recovered) context_.recovery.offset.clear();
    context_.recovery.pid = pid == nullptr ? std::string() : *pid;
    if (!expect_welcome_) ready({});
  }

  void ready(Object welcome) {
    ready_ = true;
    LinkEvent event;
    event.kind = LinkEvent::Kind::kReady;
    event.connected = opening_;
    event.connected.welcome = std::move(welcome);
    tell(std::move(event));
    for (LinkEvent& early : early_) tell_event(std::move(early));
    early_.clear();
  }

  void refused(const socketio::Packet& packet) {
    const Result<Value> payload = Value::from_json(packet.auth);
    const std::string* message = payload.ok() ? payload->find_string("message") : nullptr;
    const Value* data = payload.ok() ? payload->find("data") : nullptr;
    const std::string* kebab = data == nullptr ? nullptr : data->find_string("code");
    const std::string text = message == nullptr ? "the server refused the connection" : *message;
    ErrorCode code = ErrorCode::kRefused;
    if (kebab != nullptr) code = code_from_kebab(*kebab).value_or(code);
    if (kebab == nullptr && text == "Invalid namespace") code = ErrorCode::kInvalidNamespace;
    Lost lost{"connect error", code == ErrorCode::kInvalidNamespace ? Error(code, context_.endpoint.nsp)
                                                                    : error_with_text(code, text)};
    if (payload.ok()) lost.error.fields_json(packet.auth);
    const Value* retry = data == nullptr ? nullptr : data->find("retryAfter");
    const auto wait = retry == nullptr ? std::nullopt : exact_integer(*retry);
    if (wait && *wait > 0) lost.error.retry_after_ms(std::min<std::int64_t>(*wait, 86'400'000));
    // As in socket.io-client: what a middleware refused is not tried again, unless it says when.
    lost.over = !error_info(code).retryable;
    lose(std::move(lost));
  }

  void event(socketio::Packet& packet) {
    LinkEvent event;
    event.name = std::move(packet.event);
    event.args = std::move(packet.args);
    event.id = packet.id;
    if (connected_ && !ready_ && event.name == "connected") {
      ready(!event.args.empty() && event.args[0].is_object() ? event.args[0].as_object() : Object());
    }
    if (ready_) return tell_event(std::move(event));
    // What was missed comes before the reply to our CONNECT.
    if (early_.size() >= context_.options.held_events_max)
      return lose({"connect error", Error(ErrorCode::kTooLarge, "too many events before the connection")});
    early_.push_back(std::move(event));
  }

  void tell_event(LinkEvent event) {
    // The position of connection state recovery is the last argument, as the stock client finds it.
    if (!context_.recovery.pid.empty() && !event.args.empty() && event.args.back().is_string())
      context_.recovery.offset = event.args.back().as_string();
    tell(std::move(event));
  }

  void answered(socketio::Packet& packet) {
    if (!packet.id || !connected_) return;
    LinkEvent event;
    event.kind = LinkEvent::Kind::kAnswer;
    event.id = packet.id;
    event.args = std::move(packet.args);
    tell(std::move(event));
  }

  LinkContext context_;
  Engine engine_;
  Object auth_;
  socketio::DecoderLimits limits_;
  socketio::PacketDecoder decoder_;
  std::string sent_pid_;
  ClientConnected opening_;
  std::vector<LinkEvent> early_;
  bool expect_welcome_;
  bool connected_ = false;
  bool ready_ = false;
  bool lost_ = false;
};

}  // namespace

std::unique_ptr<Link> make_socketio_link(const LinkContext& context, const Object& auth) {
  return std::make_unique<SocketioLink>(context, auth);
}

}  // namespace wirehall::client
