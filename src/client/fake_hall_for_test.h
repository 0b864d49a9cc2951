// A network and a hall for tests of the session: both protocols, time that goes when a test says, and a
// connection that can be cut at any byte.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "client/session.h"
#include "socketio/packet.h"
#include "ws/connection_core.h"
#include "ws/handshake.h"

namespace wirehall::client {

/// One room of the fake hall: its stream, and who sent what.
struct FakeRoom {
  std::vector<Value> messages;
  std::map<std::string, Value> by_client_id;
};

/// The server's end of everything that a session opens.
class FakeHall {
 public:
  static constexpr MonoTime kBegin{std::chrono::hours(1)};

  explicit FakeHall(ClientOptions client_options = {}, std::string url = "http://hall:3000")
      : options(std::move(client_options)), random(7), session(std::move(url), options, random) {}

  ClientOptions options;
  SeededRandom random;
  Session session;
  MonoTime now = kBegin;

  // -- what a test sets ---------------------------------------------------------------------------
  bool reachable = true;
  std::string refusal;          ///< answered to an upgrade instead of 101
  bool silent = false;          ///< requests are kept in `unanswered`
  bool recovers = false;        ///< Socket.IO: connection state recovery
  std::int64_t cut_after = -1;  ///< so many bytes, both ways together, then the connection breaks; once
  std::string epoch = "e1";

  // -- what a test looks at -----------------------------------------------------------------------
  std::map<std::string, FakeRoom> rooms;
  std::vector<std::string> log;  ///< requests, as `event {fields}`
  std::deque<std::pair<std::uint64_t, Value>> unanswered;
  std::vector<SessionEvent> told;     ///< what the program was told, in order
  std::vector<std::string> upgrades;  ///< heads of the requests
  std::vector<std::string> answers;   ///< to the server's questions
  std::vector<MonoTime> attempts;
  int closes = 0;  ///< channels closed by the client
  std::vector<std::uint16_t> goodbyes;

  // -- running ------------------------------------------------------------------------------------
  /// Does what is to be done until nothing moves.
  void pump() {
    for (;;) {
      if (std::exchange(cut_now_, false)) cut();
      std::vector<Wire::Command> commands = session.wire().take();
      std::vector<SessionEvent> events = session.take_events();
      if (commands.empty() && events.empty()) return;
      for (Wire::Command& command : commands) perform(command);
      for (SessionEvent& event : events) {
        if (event.opened) event.opened(event.failure ? Status(*event.failure) : Status());
        if (event.done) event.done(*event.answer);
        told.push_back(std::move(event));
      }
    }
  }
  void connect() {
    session.connect({}, now);
    pump();
  }
  /// Lets time pass up to the session's next deadline, and a nanosecond more.
  bool advance() {
    const MonoTime next = session.next_deadline();
    if (next == kNever) return false;
    now = std::max(now, next);
    session.on_deadline(now);
    pump();
    return true;
  }
  void wait(Duration time) {
    const MonoTime end = now + time;
    while (session.next_deadline() <= end) advance();
    now = end;
  }
  /// Breaks the connection.
  void cut(Error error = Error(ErrorCode::kConnectionFailed, "reset")) {
    if (!channel_) return;
    const ChannelId channel = *channel_;
    drop();
    session.ended(channel, error, now);
    pump();
  }
  bool connected() const { return channel_.has_value() && open_; }

  /// The program's request; its outcome lands in `outcomes` under the label.
  std::map<std::string, std::vector<std::string>> outcomes;
  void ask(const std::string& label, std::string event, Object fields, RequestOptions how = {}) {
    Request request;
    request.event = std::move(event);
    request.args.emplace_back(std::move(fields));
    request.options = how;
    request.done = [this, label](const Result<Value>& answer) {
      outcomes[label].push_back(answer.ok() ? "ok " + answer->to_json()
                                            : std::string(answer.error().kebab()));
    };
    session.request(std::move(request), now);
    pump();
  }
  std::string outcome(const std::string& label) {
    const auto found = outcomes.find(label);
    if (found == outcomes.end()) return "none";
    EXPECT_EQ(found->second.size(), 1u) << label << " was settled more than once";
    return found->second.front();
  }
  void send(const std::string& label, const std::string& room, const std::string& content) {
    RequestOptions again;
    again.again = true;
    ask(label, "message", {{"roomId", room}, {"content", content}, {"clientMessageId", "c-" + label}}, again);
  }
  void join(const std::string& room) {
    RequestOptions again;
    again.again = true;
    ask("join " + room, "join-room", {{"roomId", room}}, again);
  }

  /// Somebody else's message.
  void publish(const std::string& room, const std::string& content) { store(room, content, {}); }
  /// An event of the server; with an id it is a question.
  void tell(const std::string& event, Value fields, std::optional<std::uint64_t> question = std::nullopt) {
    if (native()) {
      Object frame{{"type", event == "new-message" ? "chat" : event}};
      if (question) frame.set("ackId", *question);
      for (const Member& member : fields.as_object())
        frame.set(member.key == "type" ? "messageType" : member.key, member.value);
      return frame_out(Value(std::move(frame)).to_json());
    }
    std::vector<Value> args = {fields};
    if (recovers && !question) args.emplace_back("offset-" + std::to_string(++offset_));
    socketio::EncodedPacket packet;
    packet.text = "4";
    socketio::encode_event(packet, nsp(), question, event, args);
    frame_out(packet.text);
  }
  void answer(std::uint64_t id, const Value& fields) {
    if (native()) {
      Object frame{{"type", "ack"}, {"id", id}};
      for (const Member& member : fields.as_object()) frame.set(member.key, member.value);
      return frame_out(Value(std::move(frame)).to_json());
    }
    socketio::EncodedPacket packet;
    packet.text = "4";
    const Value args[] = {fields};
    socketio::encode_ack(packet, nsp(), id, args);
    frame_out(packet.text);
  }
  /// Text as it is, in a frame.
  void frame_out(std::string_view text) {
    std::string bytes;
    ws::append_frame(bytes, ws::Opcode::kText, text);
    bytes_out(bytes);
  }
  void close_frame(std::uint16_t code, std::string_view reason) {
    std::string payload = {static_cast<char>(code >> 8), static_cast<char>(code)};
    std::string bytes;
    ws::append_frame(bytes, ws::Opcode::kClose, payload.append(reason));
    bytes_out(bytes);
  }
  void bytes_out(std::string bytes) {
    if (!channel_ || cut_now_) return;
    const std::size_t whole = bytes.size();
    if (cut_after >= 0) bytes.resize(std::min(whole, static_cast<std::size_t>(cut_after)));
    const ChannelId channel = *channel_;
    if (!bytes.empty()) session.received(channel, bytes.data(), bytes.data() + bytes.size(), now);
    spend(whole);
  }

  /// What was told of an event, in order, a field of each.
  std::vector<std::string> heard(const std::string& event, const std::string& field) const {
    std::vector<std::string> out;
    for (const SessionEvent& each : told) {
      if (each.kind != SessionEvent::Kind::kEvent || each.name != event || each.args.empty()) continue;
      const Value* value = each.args[0].find(field);
      out.push_back(value == nullptr ? "" : value->is_string() ? value->as_string() : value->to_json());
    }
    return out;
  }
  const ClientDisconnected& last_loss() const {
    for (auto each = told.rbegin(); each != told.rend(); ++each) {
      if (each->disconnected) return *each->disconnected;
    }
    static const ClientDisconnected none;
    return none;
  }
  bool native() const { return session.endpoint().protocol == Protocol::kNative; }
  std::string nsp() const { return session.endpoint().nsp; }

 private:
  void drop() {
    channel_.reset();
    open_ = false;
    joined_.clear();
  }
  // Counts the bytes of a direction; breaks the connection when they are used up.
  void spend(std::size_t bytes) {
    if (cut_after < 0) return;
    if (static_cast<std::size_t>(cut_after) >= bytes) {
      cut_after -= static_cast<std::int64_t>(bytes);
      return;
    }
    cut_after = -1;
    cut_now_ = true;
  }
  void perform(Wire::Command& command) {
    switch (command.kind) {
      case Wire::Command::Kind::kOpen:
        attempts.push_back(now);
        if (!reachable)
          return session.ended(command.channel, Error(ErrorCode::kConnectionFailed, "refused"), now);
        channel_ = command.channel;
        open_ = false;
        received_.clear();
        core_.emplace(core_options_, nullptr);
        decoder_.emplace(decoder_limits_);
        session.opened(command.channel, now);
        break;
      case Wire::Command::Kind::kSend: {
        session.written(command.channel, command.bytes.size(), now);
        if (channel_ != command.channel || cut_now_) return;
        const std::size_t whole = command.bytes.size();
        if (cut_after >= 0) command.bytes.resize(std::min(whole, static_cast<std::size_t>(cut_after)));
        bytes_in(command.bytes);
        spend(whole);
        break;
      }
      case Wire::Command::Kind::kClose:
        ++closes;
        if (channel_ == command.channel) drop();
        break;
    }
  }
  void bytes_in(std::string bytes) {
    if (!open_) {
      received_ += bytes;
      const std::size_t end = received_.find("\r\n\r\n");
      if (end == std::string::npos) return;
      upgrades.push_back(received_.substr(0, end));
      const std::size_t at = received_.find("Sec-WebSocket-Key: ") + 19;
      const std::string key = received_.substr(at, received_.find("\r\n", at) - at);
      if (!refusal.empty()) return bytes_out(refusal);
      open_ = true;
      bytes_out(
          "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: "
          "Upgrade\r\nSec-WebSocket-Accept: " +
          ws::accept_value(key) + "\r\n\r\n");
      if (native()) {
        if (options.expect_welcome.value_or(true))
          frame_out(R"({"type":"connected","userId":"ann","sessionId":"s1"})");
      } else {
        frame_out(
            R"(0{"sid":"engine","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000})");
      }
      return;
    }
    char* cursor = bytes.data();
    char* const end = cursor + bytes.size();
    for (;;) {
      Outbox out;
      std::string_view received;
      const auto event = core_->next(cursor, end, now, out, received);
      if (event == ws::ConnectionCore::Event::kNeedMore) return;
      if (event == ws::ConnectionCore::Event::kClosed) return goodbyes.push_back(core_->close_code());
      if (event == ws::ConnectionCore::Event::kMessage) message(std::string(received));
    }
  }
  void message(const std::string& text) {
    if (!native()) return socketio_message(text);
    Object frame = Value::from_json(text).value().as_object();
    const std::string type = frame.find("type")->as_string();
    if (type == "ack") return answers.push_back(text);
    const Value* id = frame.find("id");
    const auto number = id == nullptr ? std::nullopt : exact_integer(*id);
    frame.erase("type");
    frame.erase("id");
    request(type, Value(std::move(frame)),
            number ? std::optional(static_cast<std::uint64_t>(*number)) : std::nullopt);
  }
  void socketio_message(const std::string& text) {
    if (text == "3") return;
    socketio::Packet packet;
    if (decoder_->feed_text(std::string_view(text).substr(1), now, packet) !=
        socketio::PacketDecoder::Step::kPacket)
      return;
    switch (packet.type) {
      case socketio::PacketType::kConnect: {
        auths.push_back(packet.auth);
        std::string out = "4";
        const bool back = recovers && packet.auth.find("the-pid") != std::string::npos;
        if (back) {
          for (const Value& missed : std::exchange(missed_, {})) tell("new-message", missed);
          joined_ = kept_;
        }
        socketio::encode_connect(out, nsp(), back ? "old-sid" : "sid", recovers ? "the-pid" : "");
        return frame_out(out);
      }
      case socketio::PacketType::kEvent:
        return request(packet.event, packet.args.empty() ? Value(Object()) : packet.args[0], packet.id);
      case socketio::PacketType::kAck: return answers.push_back(text);
      case socketio::PacketType::kDisconnect: return goodbyes.push_back(1000);
      default: return;
    }
  }
  void request(const std::string& event, const Value& fields, std::optional<std::uint64_t> id) {
    log.push_back(event + " " + fields.to_json());
    if (silent) {
      if (id) unanswered.emplace_back(*id, fields);
      return;
    }
    const std::string* room = fields.find_string("roomId");
    if (event == "message") {
      const Value stored =
          store(*room, *fields.find_string("content"), *fields.find_string("clientMessageId"));
      if (id) answer(*id, stored);
    } else if (event == "join-room") {
      joined_.insert(*room);
      kept_ = joined_;
      if (id) answer(*id, join_answer(*room, fields.find("since")));
    } else if (id) {
      answer(*id, Object{{"success", true}});
    }
  }
  Value join_answer(const std::string& name, const Value* since) {
    const FakeRoom& room = rooms[name];
    Object out{{"success", true}, {"seq", room.messages.size()}, {"epoch", epoch}};
    if (since != nullptr) {
      const bool same = since->find("epoch") != nullptr && *since->find("epoch") == Value(epoch);
      Array missed;
      const std::int64_t seq = since->find("seq")->as_int();
      for (std::size_t i = static_cast<std::size_t>(seq); same && i < room.messages.size(); ++i)
        missed.push_back(room.messages[i]);
      out.set("recovered", same);
      out.set("missed", Value(std::move(missed)));
    }
    return out;
  }
  // Stored once; told to whoever is in the room before the sender has its answer, as the hall does.
  Value store(const std::string& name, const std::string& content, const std::string& client_id) {
    FakeRoom& room = rooms[name];
    if (!client_id.empty()) {
      if (const auto found = room.by_client_id.find(client_id); found != room.by_client_id.end())
        return found->second;
    }
    const std::int64_t seq = static_cast<std::int64_t>(room.messages.size()) + 1;
    const Value message{{"roomId", name}, {"seq", seq}, {"content", content}, {"type", "text"}};
    room.messages.push_back(message);
    const Value result{{"success", true}, {"seq", seq}};
    if (!client_id.empty()) room.by_client_id.emplace(client_id, result);
    if (connected() && joined_.contains(name)) {
      tell("new-message", message);
    } else if (recovers && kept_.contains(name)) {
      missed_.push_back(message);
    }
    return result;
  }

 public:
  std::vector<std::string> auths;  ///< Socket.IO: payloads of CONNECT

 private:
  std::optional<ChannelId> channel_;
  bool open_ = false;
  bool cut_now_ = false;
  std::string received_;
  ws::CoreOptions core_options_;
  std::optional<ws::ConnectionCore> core_;
  socketio::DecoderLimits decoder_limits_;
  std::optional<socketio::PacketDecoder> decoder_;
  std::set<std::string> joined_, kept_;
  std::vector<Value> missed_;
  int offset_ = 0;
};

}  // namespace wirehall::client
