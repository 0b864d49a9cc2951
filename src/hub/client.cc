#include "hub/client.h"

#include <algorithm>

#include "base/log.h"
#include "hub/encoded_message.h"
#include "hub/hub.h"

namespace wirehall::hub {

void ClientSockets::add(SocketPtr socket) {
  if (!many_ && !one_) {
    one_ = std::move(socket);
    return;
  }
  if (!many_) {
    many_ = std::make_unique<std::vector<SocketPtr>>();
    many_->push_back(std::exchange(one_, {}));
  }
  many_->push_back(std::move(socket));
}

void ClientSockets::remove(const Socket& socket) {
  if (many_) {
    std::erase_if(*many_, [&](const SocketPtr& held) { return held.get() == &socket; });
  } else if (one_.get() == &socket) {
    one_ = {};
  }
}

std::vector<SocketPtr> ClientSockets::take() {
  std::vector<SocketPtr> all;
  if (const auto many = std::exchange(many_, nullptr)) {
    all = std::move(*many);
  } else if (one_) {
    all.push_back(std::exchange(one_, {}));
  }
  return all;
}

Client::Client(EnginePort& engine, const ClientOptions& options) : engine_(engine), decoder_(options) {
  opening().connect_deadline = hub().now() + options.connect_timeout;
  schedule();
}

Client::~Client() {
  if (opening_ && opening_->alive) *opening_->alive = false;
  close_sockets("transport close");
}

Client::Opening& Client::opening() {
  if (!opening_) opening_ = std::make_unique<Opening>(*this);
  return *opening_;
}

void Client::schedule() {
  const MonoTime attachments = decoder_.next_deadline();
  if (attachments == kNever && !opening_) return;
  hub().environment().timers().schedule(opening(), std::min(opening().connect_deadline, attachments));
}

void Client::on_deadline(MonoTime now) {
  if (opening_->connect_deadline <= now) {
    opening_->connect_deadline = kNever;
    const bool joined = std::ranges::any_of(
        sockets_.all(), [](const SocketPtr& socket) { return socket->is_connected(); });
    if (!joined) {
      close();
      return;
    }
  }
  if (decoder_.next_deadline() <= now) {
    decoder_failed();
    return;
  }
  schedule();
}

void Client::receive_text(std::string_view text) {
  if (closed_) return;
  hub().environment().metrics().add(Counter::kMessagesInSocketio);
  socketio::Packet decoded;
  if (options().parser == Parser::kMsgpack) return decoder_failed();  // every packet is binary
  switch (decoder_.feed_text(text, hub().now(), decoded)) {
    case socketio::PacketDecoder::Step::kPacket: packet(decoded); break;
    case socketio::PacketDecoder::Step::kNeedMore: schedule(); break;
    case socketio::PacketDecoder::Step::kError: decoder_failed(); break;
  }
}

void Client::receive_binary(std::string_view bytes) {
  if (closed_) return;
  socketio::Packet decoded;
  if (options().parser == Parser::kMsgpack) {
    hub().environment().metrics().add(Counter::kMessagesInSocketio);
    if (!socketio::decode_msgpack_packet(bytes, options(), decoded)) return decoder_failed();
    packet(decoded);
    return;
  }
  switch (decoder_.feed_binary(bytes, decoded)) {
    case socketio::PacketDecoder::Step::kPacket:
      schedule();
      packet(decoded);
      break;
    case socketio::PacketDecoder::Step::kNeedMore: break;
    case socketio::PacketDecoder::Step::kError: decoder_failed(); break;
  }
}

// The reference closes the engine in order and lets its close reach the sockets: their reason is "forced
// close".
void Client::decoder_failed() {
  if (closed_) return;
  closed_ = true;
  hub().environment().metrics().add(Counter::kProtocolErrorsSocketio);
  log_line(LogLevel::kDebug, "socketio", "malformed packet");
  engine_.engine_close();
  close_sockets("forced close");
}

void Client::close() {
  if (closed_) return;
  closed_ = true;
  const bool ended = engine_.engine_close();
  close_sockets(ended ? "forced close" : "forced server close");
}

void Client::engine_closed(std::string_view reason) {
  closed_ = true;
  close_sockets(reason);
}

void Client::close_sockets(std::string_view reason) {
  decoder_.reset();
  if (opening_) hub().environment().timers().cancel(*opening_);
  for (const SocketPtr& socket : sockets_.take()) socket->close(reason);
}

Socket* Client::find(std::string_view nsp) const {
  for (const SocketPtr& socket : sockets_.all()) {
    if (socket->shard().spec().name == nsp) return socket.get();
  }
  return nullptr;
}

void Client::forget(const Socket& socket) { sockets_.remove(socket); }

void Client::connect_main() {
  socketio::Packet packet;
  packet.auth = "{}";
  connect(packet);
}

// In revision 3 a namespace's name may have a query, which stands for the auth payload.
void Client::split_query(socketio::Packet& packet) const {
  const std::size_t mark = packet.nsp.find('?');
  if (packet.type == socketio::PacketType::kConnect)
    packet.auth = engine_.engine_query_json(
        mark == std::string::npos ? std::string_view() : std::string_view(packet.nsp).substr(mark + 1));
  if (mark != std::string::npos) packet.nsp.resize(mark);
}

void Client::packet(socketio::Packet& packet) {
  if (is_v3()) split_query(packet);
  Socket* socket = find(packet.nsp);
  if (socket == nullptr && packet.type == socketio::PacketType::kConnect) {
    connect(packet);
  } else if (socket != nullptr && socket->is_connected() && packet.type != socketio::PacketType::kConnect &&
             packet.type != socketio::PacketType::kConnectError) {
    packet_of(*socket, packet);
  } else {
    hub().environment().metrics().add(Counter::kProtocolErrorsSocketio);
    close();
  }
}

void Client::connect(socketio::Packet& packet) {
  if (opening_ && opening_->refusal) {
    send_refusal(packet.nsp, opening_->refusal->message(), &opening_->refusal->data());
    close();
    return;
  }
  NamespaceShard* nsp = hub().find(packet.nsp);
  if (nsp != nullptr && nsp->spec().is_parent) nsp = nullptr;  // nobody is in a parent itself
  if (nsp == nullptr && hub().registry().parents.empty())
    return send_refusal(packet.nsp, "Invalid namespace", nullptr, false);
  // What is still being asked for counts, too.
  if (sockets_.size() + (opening_ ? opening_->asking : 0) >= options().namespaces_max)
    return send_limit_reached(packet.nsp, "namespaces of one client");
  if (nsp != nullptr) return connect_to(*nsp, std::move(packet.auth));
  Opening& asker = opening();
  if (!asker.alive) asker.alive = std::make_shared<bool>(true);
  ++asker.asking;
  hub().spawn(ask_parents(asker.alive, packet.nsp, std::move(packet.auth)), SocketPtr(), nullptr, Ack());
}

// The first parent that matches makes the namespace.
Task<> Client::ask_parents(std::shared_ptr<const bool> alive, std::string name, std::string auth) {
  for (const auto& parent : hub().registry().parents) {
    Value payload = auth.empty() ? Value() : Value::from_validated_json(auth);
    bool matches = false;
    try {
      Task<bool> asking = parent->matches(name, std::move(payload));
      matches = co_await asking;
    } catch (...) {
      hub().report_exception("namespace matcher threw");
    }
    if (!*alive || closed_) co_return;
    if (!matches) continue;
    --opening_->asking;
    if (find(name) != nullptr) co_return;
    if (hub().find(name) == nullptr && !hub().has_room_for_child())
      co_return send_limit_reached(name, "namespaces made for clients");
    connect_to(hub().make_child(parent->spec, name), std::move(auth));
    co_return;
  }
  --opening_->asking;
  send_refusal(name, "Invalid namespace", nullptr, false);
}

void Client::send_limit_reached(std::string_view nsp, std::string_view what) {
  hub().environment().metrics().add(Counter::kLimitHits);
  const Verdict verdict(Error(ErrorCode::kLimitReached, std::string(what)));
  send_refusal(nsp, verdict.message(), &verdict.data());
}

void Client::connect_to(NamespaceShard& nsp, std::string auth) {
  KeptHandshake handshake =
      engine_.engine_handshake().with_auth(auth.empty() ? Value() : Value::from_validated_json(std::move(auth)));
  SocketPtr socket = hub().make_socket(nsp, *this, std::move(handshake));
  if (is_v3()) {
    // Such clients know their ids without being told.
    const std::string sid(engine_.engine_sid());
    socket->become(nsp.spec().name == "/" ? sid : nsp.spec().name + "#" + sid);
  } else if (nsp.recovery() != nullptr) {
    read_recovery(*socket);
  }
  sockets_.add(socket);
  hub().connect(socket);
}

// Both come back from the client as it likes: whatever is no text is not there.
void Client::read_recovery(Socket& socket) {
  const Value& sent = socket.handshake().auth;
  const std::string* pid = sent.find_string("pid");
  const std::string* offset = sent.find_string("offset");
  constexpr std::size_t kTextBytesMax = 64;
  if (pid == nullptr || pid->empty() || pid->size() > kTextBytesMax) return;
  if (offset != nullptr && offset->size() > kTextBytesMax) return;
  Socket::Recovery& recovery = socket.make_recovery();
  recovery.wanted_pid = *pid;
  if (offset != nullptr) recovery.wanted_offset = *offset;
}

void Client::packet_of(Socket& socket, socketio::Packet& packet) {
  switch (packet.type) {
    case socketio::PacketType::kEvent: {
      std::optional<AckId> ack;
      if (packet.id) ack = AckId{*packet.id, {}};
      socket.receive_event(packet.event, packet.args, std::move(ack));
      break;
    }
    case socketio::PacketType::kAck:
      if (packet.id) socket.receive_ack(*packet.id, std::move(packet.args));
      break;
    case socketio::PacketType::kDisconnect: {
      const SocketPtr held(&socket);
      forget(socket);
      held->close("client namespace disconnect");
      break;
    }
    default: break;
  }
}

// -- SocketLink ---------------------------------------------------------------------------------

// One buffer for all packets of the shard: it keeps its memory, and nothing is sent while another is built.
socketio::EncodedPacket& Client::scratch() {
  thread_local socketio::EncodedPacket packet;
  for (std::string* buffer : {&packet.text, &packet.binary}) {
    if (buffer->capacity() > 64 * 1024) *buffer = std::string();
  }
  return packet;
}

void Client::connected(Socket& socket) {
  if (opening_) {
    opening_->connect_deadline = kNever;
    schedule();
    if (!opening_->scheduled() && !opening_->refusal && opening_->asking == 0) opening_.reset();
  }
  static const Value kNoAuth;
  const KeptHandshake& full = socket.kept_handshake();
  const bool has_auth = full.has_auth();
  const Value& auth = has_auth ? full.get().auth : kNoAuth;
  const bool is_first = engine_.engine_joined(auth);
  // The first socket and those without any auth share the session's handshake where it says the same.
  const KeptHandshake& shared = engine_.engine_handshake();
  socket.set_handshake(is_first || (!has_auth && !shared.has_auth()) ? shared
                                                                     : full.packed(engine_.engine_kept_headers(), auth));
  const std::string_view pid =
      socket.recovery() != nullptr ? std::string_view(socket.recovery()->pid) : std::string_view();
  socketio::EncodedPacket& packet = scratch();
  if (is_v3()) {
    encoder().connect_v3(packet, socket.shard().spec().name);
  } else {
    encoder().connect(packet, socket.shard().spec().name, socket.id(), pid);
  }
  engine_.engine_send(packet, EmitFlags());
}

void Client::refused(Socket& socket, const Verdict& verdict) {
  const std::string nsp = socket.shard().spec().name;
  forget(socket);
  if (verdict.code() == ErrorCode::kUnavailable) {
    // A CONNECT_ERROR would end the client's reconnecting: what is only temporary closes the transport.
    close();
    return;
  }
  send_refusal(nsp, verdict.message(), verdict.data().is_null() ? nullptr : &verdict.data());
}

// A refusal costs more than it takes to ask for it: there is an end to asking.
void Client::send_refusal(std::string_view nsp, std::string_view message, const Value* data,
                          bool known_namespace) {
  socketio::EncodedPacket& packet = scratch();
  if (is_v3() && known_namespace) {
    encoder().error_v3(packet, nsp, data != nullptr ? *data : Value(message));
  } else {
    encoder().connect_error(packet, nsp, message, data);
  }
  engine_.engine_send(packet, EmitFlags());
  if (++refused_connects_ < hub().environment().limits().refused_connects_per_client_max) return;
  hub().environment().metrics().add(Counter::kLimitHits);
  close();
}

SendResult Client::emit(Socket& socket, std::string_view event, std::span<const Value> args,
                        std::optional<std::uint64_t> ack, const EmitFlags& flags) {
  socketio::EncodedPacket& packet = scratch();
  encoder().event(packet, socket.shard().spec().name, ack, event, args);
  hub().environment().metrics().add(Counter::kMessagesOutSocketio);
  return engine_.engine_send(packet, flags);
}

SendResult Client::deliver(Socket&, EncodedMessage& message, const EmitFlags& flags) {
  return engine_.engine_send_shared(message, flags);
}

void Client::answer(Socket& socket, const AckId& ack, std::span<const Value> args) {
  socketio::EncodedPacket& packet = scratch();
  encoder().ack(packet, socket.shard().spec().name, ack.number, args);
  hub().environment().metrics().add(Counter::kMessagesOutSocketio);
  engine_.engine_send(packet, EmitFlags());
}

// Socket.IO has no frame for a failure nobody asked about; whoever wants to know emits with an ack.
void Client::report_failure(Socket& socket, const Error& error) {
  log_line(LogLevel::kDebug, "socketio", "event failed", {{"code", error.kebab()}, {"socket", socket.id()}});
}

void Client::end_connection(ErrorCode, std::string_view reason) {
  if (closed_) return;
  closed_ = true;
  engine_.engine_close();
  close_sockets(reason);
}

void Client::disconnect(Socket& socket, bool close_session) {
  socketio::EncodedPacket& packet = scratch();
  if (!close_session) {
    encoder().disconnect(packet, socket.shard().spec().name);
    engine_.engine_send(packet, EmitFlags());
    forget(socket);
    return;
  }
  // Every namespace is told, then the session ends; all with the same reason, as the reference.
  const std::vector<SocketPtr> all = sockets_.take();
  closed_ = true;
  for (const SocketPtr& each : all) {
    if (!each->is_connected()) continue;
    encoder().disconnect(packet, each->shard().spec().name);
    engine_.engine_send(packet, EmitFlags());
  }
  engine_.engine_close();
  for (const SocketPtr& each : all) each->close("server namespace disconnect");
}

}  // namespace wirehall::hub
