#include "client/engine.h"

#include <algorithm>

#include "base/base64.h"
#include "client/refusal.h"

namespace wirehall::client {
namespace {

bool contains(const std::vector<ClientTransport>& transports, ClientTransport transport) {
  return std::find(transports.begin(), transports.end(), transport) != transports.end();
}

constexpr std::uint32_t kPacketsPerPayloadMax = 131'072;

}  // namespace

Engine::Engine(const LinkContext& context) : context_(context), get_(context), post_(context) {}

std::string Engine::target(std::string_view transport) const {
  std::vector<std::pair<std::string, std::string>> query = {{"EIO", "4"},
                                                            {"transport", std::string(transport)}};
  if (!session_.sid.empty()) query.emplace_back("sid", session_.sid);
  return make_target(context_, query);
}

void Engine::start(MonoTime now) {
  now_ = now;
  use_websocket_ = context_.options.transports.empty() ||
                   context_.options.transports.front() == ClientTransport::kWebSocket;
  if (use_websocket_) {
    socket_.emplace(context_, target("websocket"), std::vector<http1::Header>());
  } else {
    poll();
  }
}

// -- in -------------------------------------------------------------------------------------------

void Engine::opened(ChannelId channel, MonoTime now) {
  now_ = now;
  if (get_.is(channel)) {
    get_.opened();
  } else if (post_.is(channel)) {
    post_.opened();
  } else if (socket_ && socket_->channel() == channel) {
    socket_->opened();
  }
}

void Engine::received(ChannelId channel, char* begin, char* end, MonoTime now) {
  now_ = now;
  if (lost_) return;
  if (socket_ && socket_->channel() == channel) {
    while (!lost_ && socket_) {
      const WebSocket::Event event = socket_->next(begin, end, now);
      if (event == WebSocket::Event::kNeedMore) return;
      socket_event(event, now);
    }
    return;
  }
  HttpChannel* http = get_.is(channel) ? &get_ : post_.is(channel) ? &post_ : nullptr;
  if (http == nullptr) return;
  const auto event = http->received({begin, static_cast<std::size_t>(end - begin)}, now);
  if (event == HttpChannel::Event::kFailed) http_failed(*http);
  if (event == HttpChannel::Event::kResponse) http == &get_ ? polled(now) : posted();
}

void Engine::ended(ChannelId channel, const Error& error, MonoTime now) {
  now_ = now;
  if (lost_) return;
  if (socket_ && socket_->channel() == channel) return socket_event(socket_->ended(error), now);
  HttpChannel* http = get_.is(channel) ? &get_ : post_.is(channel) ? &post_ : nullptr;
  if (http == nullptr) return;
  const auto event = http->ended(error, now);
  if (event == HttpChannel::Event::kFailed) http_failed(*http);
  if (event == HttpChannel::Event::kResponse) http == &get_ ? polled(now) : posted();
}

void Engine::tell(EngineEvent::Kind kind, std::string_view data) {
  events_.push_back({kind, std::string(data), {}});
}

void Engine::lose(Lost lost) {
  if (lost_) return;
  abandon();
  EngineEvent event;
  event.kind = EngineEvent::Kind::kLost;
  event.lost = std::move(lost);
  events_.push_back(std::move(event));
}

void Engine::heard(MonoTime now) {
  heartbeat_ = now + Milliseconds(session_.ping_interval_ms) + Milliseconds(session_.ping_timeout_ms);
}

void Engine::open_packet(std::string_view data, MonoTime now) {
  std::optional<engineio::ReceivedOpen> open = engineio::decode_open(data);
  if (!open) {
    Lost lost{"connect error",
              Error(ErrorCode::kWrongProtocol, "what answers at " + context_.endpoint.authority_with_port +
                                                   context_.endpoint.path + " is no Socket.IO server")};
    lost.over = true;
    return lose(std::move(lost));
  }
  session_ = std::move(*open);
  open_ = true;
  heard(now);
  tell(EngineEvent::Kind::kOpen, {});
  if (use_websocket_ || !session_.websocket_upgrade ||
      !contains(context_.options.transports, ClientTransport::kWebSocket))
    return;
  upgrade_ = Upgrade::kProbing;
  socket_.emplace(context_, target("websocket"), std::vector<http1::Header>());
}

void Engine::packet(const engineio::PacketView& packet, MonoTime now) {
  if (!open_)
    return open_packet(packet.type == engineio::PacketType::kOpen ? packet.data : std::string_view(), now);
  heard(now);
  switch (packet.type) {
    case engineio::PacketType::kMessage:
      return tell(packet.binary ? EngineEvent::Kind::kBinary : EngineEvent::Kind::kText, packet.data);
    case engineio::PacketType::kPing: return send_packet(false, "3");
    case engineio::PacketType::kClose:
      return lose({"transport close", Error(ErrorCode::kDisconnected, "by the server")});
    default: return;
  }
}

// -- out ------------------------------------------------------------------------------------------

void Engine::send_text(std::string_view text, MonoTime now) {
  now_ = now;
  send_packet(false, "4" + std::string(text));
}
void Engine::send_binary(std::string_view bytes, MonoTime now) {
  now_ = now;
  send_packet(true, bytes);
}

void Engine::send_packet(bool binary, std::string_view data) {
  if (lost_) return;
  if (use_websocket_) return send_on_socket(binary, data);
  waiting_.push_back({binary, std::string(data)});
  waiting_bytes_ += data.size();
  post();
}

void Engine::send_on_socket(bool binary, std::string_view data) {
  socket_->send(binary ? ws::Opcode::kBinary : ws::Opcode::kText, data);
}

std::size_t Engine::unwritten() const {
  return waiting_bytes_ + (use_websocket_ && socket_ ? context_.wire.unwritten(socket_->channel()) : 0);
}

// -- WebSocket ------------------------------------------------------------------------------------

void Engine::socket_event(WebSocket::Event event, MonoTime now) {
  const bool probing = !use_websocket_;
  switch (event) {
    case WebSocket::Event::kNeedMore: return;
    case WebSocket::Event::kOpen:
      if (probing) send_on_socket(false, "2probe");
      return;
    case WebSocket::Event::kMessage: return probing ? probe_message() : socket_message(now);
    case WebSocket::Event::kRefused: {
      if (probing) return probe_failed();
      Lost lost{"connect error", socket_->error()};
      lost.over = !error_info(lost.error.code()).retryable;
      return lose(std::move(lost));
    }
    case WebSocket::Event::kClosed: break;
  }
  if (probing) return probe_failed();
  if (socket_->error().code() == ErrorCode::kDisconnected) return lose({"transport close", socket_->error()});
  if (socket_->error().code() != ErrorCode::kOk)
    return lose({socket_->close_code() == 1006 ? "transport error" : "parse error", socket_->error()});
  Lost lost = lost_by_close(socket_->close_code(), socket_->message());
  // Only a DISCONNECT packet is the server's wish to be left alone.
  lost.reason = "transport close";
  lost.over = false;
  lose(std::move(lost));
}

void Engine::socket_message(MonoTime now) {
  engineio::PacketView view;
  if (socket_->message_is_binary()) {
    view = {engineio::PacketType::kMessage, true, socket_->message()};
  } else if (!engineio::decode_text(socket_->message(), view)) {
    if (!open_) return open_packet({}, now);
    return lose({"parse error", Error(ErrorCode::kEngineParse, "sent by the server")});
  }
  packet(view, now);
}

void Engine::probe_message() {
  engineio::PacketView view;
  const bool answered = !socket_->message_is_binary() && engineio::decode_text(socket_->message(), view) &&
                        view.type == engineio::PacketType::kPong && view.data == "probe";
  if (!answered || upgrade_ != Upgrade::kProbing) return probe_failed();
  upgrade_ = Upgrade::kPausing;
  finish_upgrade();
}

void Engine::probe_failed() {
  context_.wire.close(socket_->channel());
  socket_.reset();
  upgrade_ = Upgrade::kNone;
  poll();
  post();
}

void Engine::finish_upgrade() {
  if (upgrade_ != Upgrade::kPausing || get_.busy() || post_.busy()) return;
  upgrade_ = Upgrade::kNone;
  use_websocket_ = true;
  get_.close();
  post_.close();
  send_on_socket(false, "5");
  for (const Waiting& message : waiting_) send_on_socket(message.binary, message.data);
  waiting_.clear();
  waiting_bytes_ = 0;
}

// -- polling --------------------------------------------------------------------------------------

void Engine::poll() {
  if (!lost_ && !use_websocket_ && !get_.busy() && upgrade_ != Upgrade::kPausing)
    get_.request("GET", target("polling"), {}, now_);
}

void Engine::post() {
  if (lost_ || use_websocket_ || !open_ || waiting_.empty() || post_.busy() || upgrade_ == Upgrade::kPausing)
    return;
  const std::string payload = take_payload();
  post_.request("POST", target("polling"), payload, now_);
}

// As many messages as the server takes at once; one at least.
std::string Engine::take_payload() {
  std::string payload;
  while (!waiting_.empty()) {
    const Waiting& next = waiting_.front();
    const std::size_t size = next.binary ? 1 + (next.data.size() + 2) / 3 * 4 : next.data.size();
    if (!payload.empty() && session_.max_payload != 0 && payload.size() + 1 + size > session_.max_payload)
      break;
    if (!payload.empty()) payload.push_back(engineio::kRecordSeparator);
    if (next.binary) {
      payload.push_back('b');
      append_base64(payload, next.data);
    } else {
      payload.append(next.data);
    }
    waiting_bytes_ -= next.data.size();
    waiting_.pop_front();
  }
  return payload;
}

void Engine::polled(MonoTime now) {
  const http1::ReceivedResponse& response = get_.response();
  if (response.status != 200) {
    Lost lost{open_ ? "transport error" : "connect error",
              error_of_response(response, Protocol::kSocketIo,
                                context_.endpoint.authority_with_port + context_.endpoint.path)};
    lost.over = !open_ && !error_info(lost.error.code()).retryable;
    return lose(std::move(lost));
  }
  engineio::PayloadReader reader(response.body, kPacketsPerPayloadMax);
  for (;;) {
    engineio::PacketView view;
    const auto step = reader.next(view);
    if (step == engineio::PayloadReader::Step::kDone) break;
    if (step == engineio::PayloadReader::Step::kError) {
      if (!open_) return open_packet({}, now);
      return lose({"parse error", Error(ErrorCode::kEngineParse, "sent by the server")});
    }
    packet(view, now);
    if (lost_) return;
  }
  finish_upgrade();
  poll();
  post();
}

void Engine::posted() {
  const http1::ReceivedResponse& response = post_.response();
  if (response.status != 200) {
    Lost lost{"transport error",
              error_of_response(response, Protocol::kSocketIo,
                                context_.endpoint.authority_with_port + context_.endpoint.path)};
    lost.blamed = response.status == 413;
    return lose(std::move(lost));
  }
  finish_upgrade();
  post();
}

void Engine::http_failed(HttpChannel& channel) {
  Lost lost{open_ ? "transport error" : "connect error", channel.error()};
  lost.over = !open_ && !error_info(lost.error.code()).retryable;
  lose(std::move(lost));
}

// -- time and end ---------------------------------------------------------------------------------

void Engine::on_deadline(MonoTime now) {
  now_ = now;
  if (!lost_ && now >= heartbeat_)
    lose({"ping timeout", Error(ErrorCode::kTimeout, "no sign of life from the server")});
}

MonoTime Engine::next_deadline() const { return lost_ ? kNever : heartbeat_; }

void Engine::close(MonoTime now) {
  now_ = now;
  if (lost_) return;
  if (use_websocket_ && socket_ && socket_->is_open()) {
    socket_->close(ws::CloseCode::kNormal, {}, now);
  } else if (open_) {
    // What is under way on the other channel would be overtaken; a POST of its own takes the goodbye along.
    send_packet(false, "1");
  }
  abandon();
}

void Engine::abandon() {
  if (lost_) return;
  lost_ = true;
  if (socket_) context_.wire.close(socket_->channel());
  get_.close();
  post_.close();
}

}  // namespace wirehall::client
