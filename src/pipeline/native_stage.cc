#include "pipeline/native_stage.h"

#include <algorithm>

#include "base/log.h"
#include "http1/url.h"
#include "pipeline/handshake_of.h"
#include "pipeline/shard_core.h"
#include "ws/handshake.h"

namespace wirehall::pipeline {
namespace {

bool refused_by_limit(ErrorCode code) {
  return code == ErrorCode::kRateLimited || code == ErrorCode::kTooManyConnections ||
         code == ErrorCode::kLimitReached;
}

}  // namespace

NativeStage::NativeStage(HttpStage& http, HeadPtr head, hub::KeptHandshake handshake)
    : connection_(http.connection()),
      core_(connection_.core().world().native_websocket, nullptr),
      edge_(std::make_unique<Edge>(Edge{&http, std::move(head), std::move(handshake)})) {}

NativeStage::~NativeStage() {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Winvalid-offsetof"
  static_assert(offsetof(NativeStage, socket_) - sizeof(Stage) <= kDeliveryBytesBehind);
#pragma GCC diagnostic pop
  socket_ended("transport close");
  Admission* admission = connection_.core().world().admission;
  if (admitted_) admission->release(address(), joined_);
}

void NativeStage::open(HttpStage& http, const HeadPtr& head) {
  ShardCore& core = http.connection().core();
  const RequestOrigin origin{http.client_address(*head), http.peer().secure, false};
  std::unique_ptr<NativeStage> stage(
      new NativeStage(http, head, keep_handshake(*head, origin, core.wall_now())));
  NativeStage& opened = *stage;
  const Status admitted = opened.admit();
  if (core.world().deflate_enabled) {
    opened.deflate_ = ws::negotiate_deflate(ws::joined_fields(*head, "sec-websocket-extensions"));
    if (opened.deflate_) opened.core_ = ws::ConnectionCore(core.world().native_websocket, &core.inflater());
  }
  http.hold_upgrade(std::move(stage));
  if (!admitted.ok()) {
    opened.refuse(admitted.error());
    return;
  }
  hub::NamespaceShard* nsp = core.hub().find("/");
  opened.socket_ = core.hub().make_socket(*nsp, opened, opened.edge_->handshake);
  const hub::SocketPtr held = opened.socket_;
  core.hub().connect(held);
}

Status NativeStage::admit() {
  ShardCore& core = connection_.core();
  Admission* admission = core.world().admission;
  if (admission == nullptr) return {};
  const auto bytes = http1::parse_address(address());
  const Status status =
      admission->admit(address(), bytes && http1::is_loopback_address(*bytes), core.now());
  admitted_ = status.ok();
  if (!admitted_) core.metrics().add(Counter::kRateLimited);
  return status;
}

void NativeStage::switch_protocols(const http1::RequestHead& head) {
  const auto offered = ws::offered_subprotocols(head);
  // A subprotocol names the codec in which the server speaks; a client may always send either.
  std::string_view chosen;
  for (const std::string_view name : offered) {
    if (name != "wirehall.msgpack" && name != "wirehall.json") continue;
    chosen = name;
    codec_ = name == "wirehall.msgpack" ? native::Codec::kMsgpack : native::Codec::kJson;
    break;
  }
  ws::append_switching_protocols(connection_.outbox(), head, deflate_, chosen, {});
  connection_.touch();
  deadline_ = connection_.core().now() + connection_.core().world().heartbeat_interval;
}

void NativeStage::connected(hub::Socket& socket) {
  const std::unique_ptr<Edge> edge = std::move(edge_);
  joined_ = true;
  if (Admission* admission = connection_.core().world().admission) admission->joined(address());
  switch_protocols(*edge->head);
  // From here on only the configured headers are kept.
  socket.set_handshake(edge->handshake.packed(connection_.core().world().handshake_headers, Value()));
  edge->http->accept_upgrade();
}

void NativeStage::refused(hub::Socket&, const Verdict& verdict) { refuse(verdict); }

void NativeStage::refuse(const Verdict& verdict) {
  const HeadPtr request = std::move(edge_->head);
  HttpStage& http = *edge_->http;
  const http1::RequestHead& head = *request;
  socket_ = {};
  const bool as_close = http1::find_last(http1::parse_query(head.query()), "authError") == "close";
  if (!as_close) {
    Error error(verdict.code());
    error.retry_after_ms(verdict.retry_after_ms());
    http1::Response response = http1::problem(error);
    const ErrorInfo& info = error_info(verdict.code());
    Object body{{"type", "about:blank"},
                {"title", verdict.message()},
                {"status", info.http_status},
                {"code", info.code}};
    if (!verdict.data().is_null()) body.set("data", verdict.data());
    response.body = Value(std::move(body)).to_json();
    if (info.http_status == 401) response.set("WWW-Authenticate", "Bearer");
    http.refuse_upgrade(std::move(response));
    return;
  }
  switch_protocols(head);
  const ErrorInfo& info = error_info(verdict.code());
  const bool temporary = info.http_status >= 500;  // of ours: the client may come again with the same token
  begin_close(temporary ? static_cast<ws::CloseCode>(info.close_code) : ws::CloseCode::kPolicy,
              temporary                         ? info.text
              : refused_by_limit(verdict.code()) ? "Rate limit exceeded"
                                                 : "Unauthorized");
  http.accept_upgrade();
}

// -- in -----------------------------------------------------------------------------------------

void NativeStage::receive(char*& cursor, char* end, TurnBudget& budget) {
  receive_messages(cursor, end, budget);
  if (!connection_.outbox().empty()) connection_.touch();  // pongs
}

void NativeStage::receive_messages(char*& cursor, char* end, TurnBudget& budget) {
  ShardCore& core = connection_.core();
  heard_ = true;
  std::string_view text;
  while (budget.messages != 0) {
    const auto event = core_.next(cursor, end, core.now(), connection_.outbox(), text);
    switch (event) {
      case ws::ConnectionCore::Event::kNeedMore: return;
      case ws::ConnectionCore::Event::kPong: break;
      case ws::ConnectionCore::Event::kMessage:
        --budget.messages;
        message(text, core_.message_is_binary());
        break;
      case ws::ConnectionCore::Event::kClosed:
        if (core_.error() != ErrorCode::kOk) core.metrics().add(Counter::kProtocolErrorsWs);
        // 1000 and 1001 are the client's goodbye; everything else is a lost transport.
        socket_ended(core_.error() == ErrorCode::kOk &&
                             (core_.close_code() == 1000 || core_.close_code() == 1001)
                         ? "client namespace disconnect"
                     : core_.error() != ErrorCode::kOk ? "transport error"
                                                       : "transport close");
        connection_.end_gracefully();
        return;
    }
    if (!connection_.accepts()) return;
  }
}

void NativeStage::message(std::string_view bytes, bool binary) {
  ShardCore& core = connection_.core();
  core.metrics().add(Counter::kMessagesInNative);
  const native::Codec codec = binary ? native::Codec::kMsgpack : native::Codec::kJson;
  codec_ = codec;  // a client is answered in the codec that it last used
  native::FrameDecoder& decoder = core.native_decoder();
  const Status status = decoder.decode(bytes, codec, core.world().native_limits);
  if (status.ok()) {
    frame(decoder, codec);
  } else if (status.error().code() == ErrorCode::kInvalidFormat) {
    std::string& out = scratch();
    if (!decoder.id().empty()) {
      const Value failure{{"error", status.error().text()}, {"code", status.error().kebab()}};
      native::encode_ack(out, codec, decoder.id(), {&failure, 1});
    } else {
      native::encode_error(out, codec, status.error());
    }
    send(out, codec);
  } else {
    core.metrics().add(Counter::kProtocolErrorsNative);
    fail(status.error().code());
  }
}

void NativeStage::frame(native::FrameDecoder& decoded, native::Codec codec) {
  if (!socket_ || !socket_->is_connected()) return;
  if (decoded.type() == "ack") {
    if (decoded.ack_id()) socket_->receive_ack(*decoded.ack_id(), decoded.take_answer());
    return;
  }
  if (decoded.type() == "ping") {
    std::string& out = scratch();
    native::encode_pong(out, codec, decoded.id(), connection_.core().wall_now());
    send(out, codec);
    return;
  }
  const hub::NamespaceSpec& spec = socket_->shard().spec();
  std::string_view event = decoded.type();
  if (!spec.native_types.empty()) {
    if (const auto alias = spec.native_types.find(event); alias != spec.native_types.end()) event = alias->second;
  }
  std::optional<hub::AckId> ack;
  if (!decoded.id().empty()) {
    hub::AckId& id = ack.emplace();
    id.bytes = decoded.id();
    id.msgpack = codec == native::Codec::kMsgpack;
  }
  const hub::SocketPtr held = socket_;
  held->receive_event(event, decoded.take_args(shape(event)), std::move(ack));
  decoded.release_args();
}

void NativeStage::fail(ErrorCode code) {
  core_.fail(code, connection_.core().now(), connection_.outbox());
  connection_.touch();
  socket_ended("parse error");
  connection_.end_gracefully();
}

void NativeStage::receive_eof() {
  socket_ended("transport close");
  connection_.end_gracefully();
}

void NativeStage::gone(bool by_error) { socket_ended(by_error ? "transport error" : "transport close"); }

void NativeStage::socket_ended(std::string_view reason) {
  if (!socket_) return;
  if (!edge_) edge_ = std::make_unique<Edge>(Edge{nullptr, nullptr, socket_->kept_handshake()});
  const hub::SocketPtr socket = std::exchange(socket_, {});
  socket->close(reason);
}

void NativeStage::shut_down() {
  close(ws::CloseCode::kGoingAway, "server shutting down", "server shutting down");
}

void NativeStage::close(ws::CloseCode code, std::string_view reason, std::string_view disconnect_reason) {
  begin_close(code, reason);
  socket_ended(disconnect_reason);
  connection_.reschedule();
}

// No heartbeat any more: what is waited for is the peer's close frame.
void NativeStage::begin_close(ws::CloseCode code, std::string_view reason) {
  const MonoTime overdue = core_.close(code, reason, connection_.core().now(), connection_.outbox());
  if (overdue != kNever) {
    closing_ = true;
    deadline_ = overdue;
  } else if (!closing_) {
    deadline_ = kNever;
  }
  connection_.touch();
}

// -- time ---------------------------------------------------------------------------------------

void NativeStage::on_deadline(MonoTime now) {
  if (deadline_ > now) return;
  if (closing_) {
    connection_.abort();
    return;
  }
  if (cutting_) {
    std::string last;
    ws::append_frame(last, ws::Opcode::kClose, std::string("\x03\xf0slow consumer", 15));
    connection_.cut(last);
    socket_ended("transport error");
    return;
  }
  if (pinged_ && !heard_) {
    socket_ended("ping timeout");
    connection_.abort();
    return;
  }
  ws::append_frame(connection_.outbox(), ws::Opcode::kPing, {});
  connection_.touch();
  pinged_ = true;
  heard_ = false;
  deadline_ = now + connection_.core().world().heartbeat_interval;
}

// -- out ----------------------------------------------------------------------------------------

const NativeShape* NativeStage::shape(std::string_view event) const {
  const auto& shapes = socket_->shard().spec().native_shapes;
  if (shapes.empty()) return nullptr;
  const auto found = shapes.find(event);
  return found == shapes.end() ? nullptr : &found->second;
}

std::string& NativeStage::scratch() {
  thread_local std::string buffer;
  buffer.clear();
  if (buffer.capacity() > 64 * 1024) buffer = std::string();
  return buffer;
}

std::optional<SendResult> NativeStage::refuse_send(const EmitFlags& flags) {
  ShardCore& core = connection_.core();
  // The usual case, once for each receiver of a broadcast: it looks at nothing beyond kDeliveryBytesBehind.
  if (core_.open() && !cutting_ && joined_ && !flags.is_volatile &&
      connection_.outbox().bytes_behind_front() <= core.limits().backpressure_bytes_max)
    return std::nullopt;
  if (!core_.open() || cutting_ || is_opening()) {
    core.metrics().add(Counter::kDroppedClosed);
    return SendResult::kClosed;
  }
  if (flags.is_volatile && connection_.is_backed_up()) {
    core.metrics().add(Counter::kDroppedVolatile);
    return SendResult::kDropped;
  }
  const std::size_t limit = core.limits().backpressure_bytes_max;
  if (connection_.backlog_bytes(limit) <= limit) return std::nullopt;
  core.metrics().add(Counter::kDroppedBackpressure);
  if (!core.world().slow_consumer_drops) {
    cutting_ = true;
    core.metrics().add(Counter::kSlowConsumers);
    deadline_ = core.now();
    connection_.reschedule();
    log_line(LogLevel::kInfo, "native", "slow consumer cut",
             {{"socket", socket_ ? socket_->id().substr(0, 6) : ""}});
  }
  return SendResult::kDropped;
}

void NativeStage::send(std::string_view payload, native::Codec codec) {
  if (refuse_send(EmitFlags())) return;
  connection_.core().metrics().add(Counter::kMessagesOutNative);
  append_message(connection_, deflate_,
                 codec == native::Codec::kMsgpack ? ws::Opcode::kBinary : ws::Opcode::kText, payload, true);
}

SendResult NativeStage::emit(hub::Socket&, std::string_view event, std::span<const Value> args,
                             std::optional<std::uint64_t> ack, const EmitFlags& flags) {
  if (const auto refused = refuse_send(flags)) return *refused;
  std::string& out = scratch();
  native::encode_event(out, codec_, event, args, socket_ ? shape(event) : nullptr, ack);
  connection_.core().metrics().add(Counter::kMessagesOutNative);
  append_message(connection_, deflate_,
                 codec_ == native::Codec::kMsgpack ? ws::Opcode::kBinary : ws::Opcode::kText, out,
                 flags.compress);
  return SendResult::kQueued;
}

SendResult NativeStage::deliver(hub::Socket& socket, hub::EncodedMessage& message, const EmitFlags& flags) {
  if (const auto refused = refuse_send(flags)) return *refused;
  if (deflate_ && flags.compress && !shares_deflated(deflate_))
    return emit(socket, message.event(), message.args(), std::nullopt, flags);
  ShardCore& core = connection_.core();
  const bool deflated = deflate_ && flags.compress;
  const hub::Form form = codec_ == native::Codec::kJson
                             ? (deflated ? hub::Form::kNativeJsonDeflated : hub::Form::kNativeJson)
                             : (deflated ? hub::Form::kNativeMsgpackDeflated : hub::Form::kNativeMsgpack);
  core.world().forms_in_use.mark(form);
  for (const hub::Part& part : message.form(form, [&](hub::EncodedMessage&m, std::vector<hub::Part>&parts) {
         build_form(core, form, m, parts);
       })) {
    connection_.outbox().append(part.bytes);
  }
  core.metrics().add(Counter::kMessagesOutNative);
  connection_.touch();
  return SendResult::kQueued;
}

void NativeStage::answer(hub::Socket&, const hub::AckId& ack, std::span<const Value> args) {
  std::string& out = scratch();
  const native::Codec codec = ack.msgpack ? native::Codec::kMsgpack : native::Codec::kJson;
  native::encode_ack(out, codec, ack.bytes, args);
  send(out, codec);
}

void NativeStage::report_failure(hub::Socket&, const Error& error) {
  std::string& out = scratch();
  native::encode_error(out, codec_, error);
  send(out, codec_);
}

void NativeStage::end_connection(ErrorCode error, std::string_view reason) {
  close(static_cast<ws::CloseCode>(error_info(error).close_code), error_info(error).text, reason);
}

// The hub closes the socket itself; what is left is the connection.
void NativeStage::disconnect(hub::Socket&, bool) {
  begin_close(ws::CloseCode::kNormal, "server disconnect");
  connection_.reschedule();
}

}  // namespace wirehall::pipeline
