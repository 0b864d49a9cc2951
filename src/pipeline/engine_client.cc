#include "pipeline/engine_client.h"

#include <algorithm>

#include "base/assert.h"
#include "base/log.h"
#include "base/utf8.h"
#include "engineio/jsonp.h"
#include "engineio/v3.h"
#include "http1/url.h"
#include "pipeline/engine_server.h"
#include "pipeline/engine_websocket_stage.h"
#include "pipeline/shard_core.h"

namespace wirehall::pipeline {

EngineClient::EngineClient(ShardCore& core, std::string_view sid, Opening opening, hub::KeptHandshake handshake)
    : core_(core),
      session_(core.world().engine, sid, opening.transport, opening.protocol),
      base64_only_(opening.base64_only),
      client_(*this, core.world().client),
      handshake_(std::move(handshake)) {
  if (opening.jsonp) polling().jsonp = std::move(opening.jsonp);
  session_.open(core.now());
  reschedule();
}

EngineClient::~EngineClient() {
  if (websocket_ != nullptr) websocket_->set_client(nullptr);
  if (probing() != nullptr) probing()->set_client(nullptr);
}

EngineClient::Polling& EngineClient::polling() {
  if (!polling_) polling_ = std::make_unique<Polling>();
  return *polling_;
}

void EngineClient::drop_polling() {
  if (!polling_ || session_.transport() == engineio::Transport::kPolling) return;
  if (!polling_->poll && !polling_->post && !polling_->body && polling_->probing == nullptr) polling_.reset();
}

void EngineClient::touch() {
  if (!finished_) core_.engine().touched(*this);
}
void EngineClient::reschedule() { core_.timers().schedule(*this, session_.next_deadline()); }

void EngineClient::on_timer(MonoTime now) {
  const engineio::Session::Due due = session_.on_deadline(now);
  if (due.probe_abandoned && probing() != nullptr) take_probing()->close(ws::CloseCode::kNoStatus, {});
  finish_if_closed();
  pump();
  reschedule();
}

// -- polling ------------------------------------------------------------------------------------

void EngineClient::poll(const Responder& responder, HeadPtr head) {
  if (has_poll()) {
    // Two polls would race for the packets: the session ends, the first gets its close packet.
    session_.end(engineio::CloseReason::kTransportError);
    finish_if_closed();
    http1::Response refused;
    refused.status = 400;
    core_.respond(responder, std::move(refused));
    return;
  }
  polling().poll = Poll{responder, std::move(head)};
  pump();
}

bool EngineClient::post_begins(const Responder& responder) {
  if (!has_post()) {
    polling().post = responder;
    return true;
  }
  session_.end(engineio::CloseReason::kTransportError);
  http1::Response refused;
  refused.status = 400;
  answer_post(refused);
  finish_if_closed();
  core_.respond(responder, std::move(refused));
  return false;
}

void EngineClient::answer_post(http1::Response response) {
  if (has_post()) core_.respond(*std::exchange(polling_->post, std::nullopt), std::move(response));
}

struct EngineClient::Body {
  using Step = engineio::PayloadReader::Step;
  Body(HeadPtr request, std::string text, std::uint8_t protocol, bool octets, std::uint32_t packets_max)
      : head(std::move(request)),
        bytes(std::move(text)),
        reader(bytes, packets_max),
        reader_v3(bytes, octets ? engineio::PayloadKind::kBinary : engineio::PayloadKind::kText, packets_max),
        is_v3(protocol == 3) {}
  Step next(engineio::PacketView& out) { return is_v3 ? reader_v3.next(out) : reader.next(out); }

  HeadPtr head;
  std::string bytes;
  engineio::PayloadReader reader;
  engineio::PayloadReaderV3 reader_v3;
  bool is_v3;
};

// Returns: nullptr when a form of JSONP has no payload.
std::unique_ptr<EngineClient::Body> EngineClient::open_body(HeadPtr head, std::string body, bool octets) {
  if (polling_ && polling_->jsonp) {
    std::optional<std::string> payload = engineio::jsonp_body(body);
    if (!payload) return nullptr;
    body = std::move(*payload);
  }
  return std::make_unique<Body>(std::move(head), std::move(body), session_.protocol(), octets,
                                core_.world().engine.packets_per_payload_max);
}

void EngineClient::post(const Responder& responder, HeadPtr head, std::string body) {
  if (!has_post() && !post_begins(responder)) return;
  const bool octets = head->find("content-type") == "application/octet-stream";
  const bool takes_octets = session_.protocol() == 3 && !polling_->jsonp;
  if ((octets && !takes_octets) || (!octets && !is_valid_utf8(body))) {
    core_.metrics().add(Counter::kProtocolErrorsEngineio);
    session_.end(octets ? engineio::CloseReason::kTransportError : engineio::CloseReason::kParseError);
    http1::Response refused;
    refused.status = 400;
    answer_post(std::move(refused));
    finish_if_closed();
    return;
  }
  HeadPtr kept = head;
  polling_->body = open_body(std::move(head), std::move(body), octets);
  if (polling_->body) {
    continue_post();
  } else {  // the reference ignores it
    answer_post(polling_response(core_.world(), kept.get(), "ok", {PollingBody::kOk}));
    touch();
  }
}

void EngineClient::continue_post_later() {
  core_.hub().defer([&core = core_, sid = std::string(session_.sid())] {
    EngineClient* client = core.engine().find(sid);
    if (client != nullptr && client->has_body()) client->continue_post();
  });
}

// A body may hold a hundred thousand packets: other connections get their turn in between.
void EngineClient::continue_post() {
  constexpr int kPacketsPerTurn = 256;
  http1::Response response;
  // A session that is closing takes packets, and ignores them.
  for (int left = kPacketsPerTurn; !session_.is_closed(); --left) {
    if (reading_paused_) return;  // engine_pause_reading(false) goes on
    if (left == 0) {
      continue_post_later();
      return;
    }
    engineio::PacketView decoded;
    const auto step = polling_->body->next(decoded);
    if (step == engineio::PayloadReader::Step::kDone) break;
    if (step == engineio::PayloadReader::Step::kError) {
      core_.metrics().add(Counter::kProtocolErrorsEngineio);
      session_.end(engineio::CloseReason::kParseError);
      response.status = 400;
      break;
    }
    packet(decoded);
  }
  // What stands behind the packet that ended the session was not taken.
  engineio::PacketView rest;
  if (session_.is_closed() && response.status == 200 &&
      polling_->body->next(rest) == engineio::PayloadReader::Step::kPacket)
    response.status = 400;
  if (response.status == 200)
    response = polling_response(core_.world(), polling_->body->head.get(), "ok", {PollingBody::kOk});
  polling_->body.reset();
  answer_post(std::move(response));
  finish_if_closed();
  touch();
  reschedule();
}

void EngineClient::request_aborted(const Responder& responder, bool lost) {
  const bool poll = has_poll() && polling_->poll->responder == responder;
  const bool post = has_post() && polling_->post == responder;
  if (!poll && !post) return;
  if (poll) polling_->poll.reset();
  if (post) polling_->post.reset();
  if (!lost) return touch();
  session_.end(engineio::CloseReason::kTransportError);
  finish_if_closed();
}

void EngineClient::packet(const engineio::PacketView& packet) {
  switch (session_.receive(packet, core_.now())) {
    case engineio::Session::Received::kMessage:
      if (packet.binary) {
        client_.receive_binary(packet.data);
      } else {
        client_.receive_text(packet.data);
      }
      break;
    case engineio::Session::Received::kClosed:
      if (session_.close_reason() == engineio::CloseReason::kTransportError)
        core_.metrics().add(Counter::kProtocolErrorsEngineio);
      break;
    case engineio::Session::Received::kNothing: break;
  }
}

void EngineClient::answer_poll(std::span<const engineio::OutPacket> packets) {
  const Poll poll = std::move(*polling_->poll);
  polling_->poll.reset();
  core_.respond(poll.responder, poll_response(*poll.head, packets));
}

void EngineClient::answer_poll(std::string_view packet) {
  const engineio::OutPacket only{FrameRef::copy_of(packet), false};
  answer_poll({&only, 1});
}

http1::Response EngineClient::poll_response(const http1::RequestHead& head,
                                            std::span<const engineio::OutPacket> packets, bool initial) {
  const std::string* jsonp = polling_ && polling_->jsonp ? &*polling_->jsonp : nullptr;
  PollingBody kind = PollingBody::kTextPayload;
  std::string body;
  if (session_.protocol() == 3) {
    engineio::PayloadV3 payload = engineio::encode_payload_v3(packets, !base64_only_ && !jsonp);
    if (payload.kind == engineio::PayloadKind::kBinary) kind = PollingBody::kBinaryPayload;
    body = std::move(payload.body);
  } else {
    body = engineio::encode_payload(packets);
  }
  if (jsonp != nullptr) body = engineio::jsonp_response(*jsonp, body);
  const bool compress = std::any_of(packets.begin(), packets.end(), [](const auto& packet) { return packet.compress; });
  return polling_response(core_.world(), &head, std::move(body), {kind, initial, compress});
}

// -- WebSocket ----------------------------------------------------------------------------------

void EngineClient::attach(EngineWebSocketStage& stage) {
  use_websocket(stage);
  stage.set_client(this);
}

void EngineClient::use_websocket(EngineWebSocketStage& stage) {
  websocket_ = &stage;
  connection_ = &stage.connection();
  compresses_ = stage.deflate().has_value();
}

EngineWebSocketStage& EngineClient::leave_websocket() {
  connection_ = nullptr;
  return *std::exchange(websocket_, nullptr);
}

bool EngineClient::probe(EngineWebSocketStage& stage, bool base64_only) {
  if (!session_.begin_probe(core_.now())) return false;
  polling().probing = &stage;
  polling_->probe_base64_only = base64_only;
  stage.set_client(this);
  reschedule();
  return true;
}

void EngineClient::websocket_message(EngineWebSocketStage& stage, std::string_view message, bool binary) {
  engineio::PacketView decoded;
  std::string storage;
  bool well_formed = true;
  if (session_.protocol() == 3) {
    if (binary) {
      decoded = engineio::decode_binary_v3(message);
    } else {
      well_formed = engineio::decode_text_v3(message, storage, decoded);
    }
  } else if (binary) {
    decoded = {engineio::PacketType::kMessage, true, message};
  } else {
    well_formed = engineio::decode_text_frame(message, storage, decoded);
  }
  if (&stage == probing()) {
    switch (session_.receive_probe(well_formed ? &decoded : nullptr, core_.now())) {
      case engineio::Session::Probed::kAnswer: stage.send("3probe", false, false); break;
      case engineio::Session::Probed::kUpgraded:
        use_websocket(*take_probing());
        base64_only_ = polling_->probe_base64_only;
        if (reading_paused_) connection_->pause_reading(true);
        if (has_poll()) answer_poll("1");
        pump();
        break;
      case engineio::Session::Probed::kAbandoned:
        take_probing()->close(ws::CloseCode::kNoStatus, {});
        break;
    }
  } else if (&stage == websocket_) {
    if (well_formed) {
      packet(decoded);
      if (session_.has_packets()) touch();  // the answer to a ping of revision 3
    } else {
      core_.metrics().add(Counter::kProtocolErrorsEngineio);
      session_.receive_malformed(core_.now());
    }
  }
  finish_if_closed();
  reschedule();
}

void EngineClient::websocket_closed(EngineWebSocketStage& stage, bool protocol_error) {
  if (&stage == probing()) {
    polling_->probing = nullptr;
    session_.abandon_probe();
    return;
  }
  if (&stage != websocket_) return;
  leave_websocket();
  session_.end(protocol_error ? engineio::CloseReason::kTransportError
                              : engineio::CloseReason::kTransportClose);
  finish_if_closed();
}

void EngineClient::send_on_websocket(std::span<const engineio::OutPacket> packets) {
  for (const engineio::OutPacket& packet : packets) {
    if (packet.binary) {
      send_binary(packet.bytes.view(), packet.compress);
    } else {
      websocket_->send(packet.bytes.view(), false, packet.compress);
    }
  }
}

void EngineClient::send_binary(std::string_view bytes, bool compress) {
  if (session_.protocol() == 3) {
    websocket_->send(engineio::encode_binary_v3(bytes, !base64_only_), !base64_only_, compress);
  } else if (base64_only_) {
    const engineio::OutPacket packet{FrameRef::copy_of(bytes), true};
    websocket_->send(engineio::encode_payload({&packet, 1}), false, compress);
  } else {
    websocket_->send(bytes, true, compress);
  }
}

// -- out ----------------------------------------------------------------------------------------

void EngineClient::pump() {
  if (finished_) return;
  if (session_.transport() == engineio::Transport::kPolling) {
    if (has_poll() && (session_.has_packets() || session_.poll_wanted(core_.now()))) {
      const engineio::OutPackets packets = session_.take_packets();
      if (packets.empty()) {
        answer_poll("6");
      } else {
        answer_poll(packets);
      }
      reschedule();
    }
  } else if (websocket_ != nullptr && session_.has_packets()) {
    send_on_websocket(session_.take_packets());
  }
  finish_if_closed();
  drop_polling();
}

// What waits behind the packet that leaves next. It counts once the transport has been offered it.
std::size_t EngineClient::backlog_bytes() {
  const std::size_t limit = core_.limits().backpressure_bytes_max;
  if (has_poll() && session_.transport() == engineio::Transport::kPolling &&
      session_.queued_bytes_behind_first() > limit)
    pump();
  const std::size_t queued = session_.queued_bytes_behind_first();
  return queued + (connection_ != nullptr ? connection_->backlog_bytes(limit) : 0);
}

// What keeps a packet from being sent, if anything does.
std::optional<SendResult> EngineClient::refuse_send(const EmitFlags& flags) {
  // The usual case, once for each receiver of a broadcast.
  if (session_.direct() && !cutting_ && !flags.is_volatile && connection_ != nullptr &&
      connection_->outbox().bytes_behind_front() <= core_.limits().backpressure_bytes_max)
    return std::nullopt;
  if (!session_.is_open() || cutting_) {
    core_.metrics().add(Counter::kDroppedClosed);
    return SendResult::kClosed;
  }
  if (flags.is_volatile) {
    const bool polling = session_.transport() == engineio::Transport::kPolling;
    const bool writable =
        polling ? has_poll() : connection_ != nullptr && !connection_->is_backed_up();
    if (!writable) {
      core_.metrics().add(Counter::kDroppedVolatile);
      return SendResult::kDropped;
    }
  }
  if (backlog_bytes() > core_.limits().backpressure_bytes_max) {
    core_.metrics().add(Counter::kDroppedBackpressure);
    if (!core_.world().slow_consumer_drops) too_slow();
    return SendResult::kDropped;
  }
  return std::nullopt;
}

// Ends in its own turn: the caller may be in the middle of a broadcast.
void EngineClient::too_slow() {
  cutting_ = true;
  core_.metrics().add(Counter::kSlowConsumers);
  core_.timers().schedule(*this, core_.now());
  log_line(LogLevel::kInfo, "engineio", "slow consumer cut", {{"sid", session_.sid().substr(0, 6)}});
}

SendResult EngineClient::engine_send(const socketio::EncodedPacket& packet, const EmitFlags& flags) {
  if (const auto refused = refuse_send(flags)) return *refused;
  if (session_.direct() && websocket_ != nullptr) {
    if (!packet.text.empty()) websocket_->send(packet.text, false, flags.compress);
    for (const auto bytes : packet.attachments) send_binary(bytes, flags.compress);
    return SendResult::kQueued;
  }
  if (!packet.text.empty()) session_.send({FrameRef::copy_of(packet.text), false, flags.compress});
  for (const auto bytes : packet.attachments) session_.send({FrameRef::copy_of(bytes), true, flags.compress});
  touch();
  return SendResult::kQueued;
}

SendResult EngineClient::engine_send_shared(hub::EncodedMessage& message, const EmitFlags& flags) {
  core_.metrics().add(Counter::kMessagesOutSocketio);
  if (const auto refused = refuse_send(flags)) return *refused;
  if (session_.direct() && connection_ != nullptr) {
    if (send_shared(message, flags)) return SendResult::kQueued;
    for (const hub::Part& part : form(message, hub::Form::kSocketioPieces)) {
      if (part.binary) {
        send_binary(part.bytes.view(), flags.compress);
      } else {
        websocket_->send(part.bytes.view(), false, flags.compress);
      }
    }
    return SendResult::kQueued;
  }
  for (const hub::Part& part : form(message, hub::Form::kSocketioPieces))
    session_.send({part.bytes, part.binary, flags.compress});
  touch();
  return SendResult::kQueued;
}

const std::vector<hub::Part>& EngineClient::form(hub::EncodedMessage& message, hub::Form form) {
  core_.world().forms_in_use.mark(form);
  return message.form(form, [&](hub::EncodedMessage& m, std::vector<hub::Part>& parts) {
    build_form(core_, form, m, parts);
  });
}

// Frames that all receivers share, where this connection's can be the same. Returns: whether they were sent.
bool EngineClient::send_shared(hub::EncodedMessage& message, const EmitFlags& flags) {
  const bool deflated = compresses_ && flags.compress;
  if (deflated && !shares_deflated(websocket_->deflate())) return false;
  const auto& parts =
      form(message, deflated ? hub::Form::kSocketioWebSocketDeflated : hub::Form::kSocketioWebSocket);
  const bool plain_bytes = session_.protocol() == 4 && !base64_only_;
  if (!plain_bytes && std::any_of(parts.begin(), parts.end(), [](const hub::Part& part) { return part.binary; }))
    return false;
  for (const hub::Part& part : parts) connection_->outbox().append(part.bytes);
  connection_->touch();
  return true;
}

hub::Hub& EngineClient::engine_hub() const { return core_.hub(); }

// What a delivery looks at has been asked for around the link, which is `client_`.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Winvalid-offsetof"
void EngineClient::engine_prefetch_ahead() const {
  static_assert(offsetof(EngineClient, client_) - offsetof(EngineClient, core_) <= hub::SocketLink::kDeliveryBytesBefore);
  if (connection_ != nullptr) connection_->prefetch_for_output();
}
#pragma GCC diagnostic pop

void EngineClient::engine_pause_reading(bool paused) {
  reading_paused_ = paused;
  if (connection_ != nullptr) connection_->pause_reading(paused);
  if (!paused && has_body()) continue_post_later();
}

// The first namespace was joined: the middlewares have seen all headers, what stays is what was asked for.
bool EngineClient::engine_joined(const Value& auth) {
  if (joined_) return false;
  joined_ = true;
  if (Admission* admission = core_.world().admission) admission->joined(address());
  handshake_ = handshake_.packed(engine_kept_headers(), auth);
  return true;
}

const std::vector<std::string>& EngineClient::engine_kept_headers() const {
  return core_.world().handshake_headers;
}

void EngineClient::connect_at_once() {
  if (session_.protocol() == 3) client_.connect_main();
}

// The query of a namespace's name in revision 3, which stands for the auth payload.
std::string EngineClient::engine_query_json(std::string_view query) const {
  Object object;
  for (const auto& [name, value] : http1::parse_query(query)) object.set(name, value);
  return Value(std::move(object)).to_json();
}

// -- end ----------------------------------------------------------------------------------------

// A poll that waits already is told at once; a later one gets a noop in front (engine.io's polling `close`).
void EngineClient::close_session() {
  session_.close(core_.now());
  if (!has_poll() || session_.has_packets() || session_.is_closed()) return;
  answer_poll("1");
  session_.end(engineio::CloseReason::kForcedClose);
}

bool EngineClient::engine_close() {
  close_asked_ = true;
  close_session();
  touch();
  reschedule();
  return session_.is_closed();
}

void EngineClient::shut_down() {
  if (finished_) return;
  if (websocket_ != nullptr) {
    leave_websocket().close(ws::CloseCode::kGoingAway, "server shutting down");
  } else if (has_poll() && session_.has_packets()) {
    answer_poll(session_.take_packets());
  }
  session_.end(engineio::CloseReason::kServerShutdown);  // a poll that waits is told
  finish_if_closed();
}

void EngineClient::finish_if_closed() {
  if (cutting_ && !finished_ && !session_.is_closed()) {
    if (websocket_ != nullptr) leave_websocket().cut();
    session_.end(engineio::CloseReason::kTransportError);
  }
  if (finished_ || !session_.is_closed()) return;
  finished_ = true;
  core_.timers().cancel(*this);
  if (has_poll()) {
    // A close that the client asked for frees its poll with a noop; every other one says so.
    const bool asked = session_.close_reason() == engineio::CloseReason::kTransportClose;
    answer_poll(asked ? "6" : "1");
  }
  if (websocket_ != nullptr) leave_websocket().close(ws::CloseCode::kNoStatus, {});
  if (probing() != nullptr) take_probing()->close(ws::CloseCode::kNoStatus, {});
  core_.engine().ended(*this);
  if (!close_asked_) client_.engine_closed(engineio::reason_text(session_.close_reason()));
  http1::Response refused;
  refused.status = 400;
  answer_post(std::move(refused));
}

}  // namespace wirehall::pipeline
